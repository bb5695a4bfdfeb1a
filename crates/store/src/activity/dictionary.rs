use super::encoding::push_varint;

/// The texts that a block has seen, as places in its bytes. An open table of fixed probes: whoever sends many paths that
/// collide only makes his own texts take their full length.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    places: Vec<Place>,
    /// Numbers of places plus one; zero is free. Its length is zero or [`SLOTS`].
    slots: Vec<u16>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    start: u32,
    length: u16,
}

const SLOTS: usize = 4096;
const MAX_TEXTS: usize = SLOTS / 2;
const PROBES: usize = 8;

impl Dictionary {
    /// Stands for the empty text.
    pub(super) const EMPTY: u64 = 0;
    /// A text follows that does not join the dictionary.
    pub(super) const ONCE: u64 = 1;
    /// A text follows that joins the dictionary.
    pub(super) const NEW: u64 = 2;
    /// This and greater numbers refer to the texts that joined, in their order.
    pub(super) const FIRST: u64 = 3;

    /// Appends a reference to `text`, or the text itself when it is new.
    pub(super) fn push(&mut self, bytes: &mut Vec<u8>, text: &str) {
        if text.is_empty() {
            return push_varint(bytes, Self::EMPTY);
        }
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, 0);
        }
        let hash = hash(text.as_bytes());
        let mut free = None;
        for probe in 0..PROBES {
            let slot = (hash + probe) % SLOTS;
            match self.slots[slot] {
                0 => {
                    free = Some(slot);
                    break;
                }
                number => {
                    let place = self.places[usize::from(number - 1)];
                    let start = place.start as usize;
                    if bytes[start..start + usize::from(place.length)] == *text.as_bytes() {
                        return push_varint(bytes, Self::FIRST + u64::from(number - 1));
                    }
                }
            }
        }
        let slot = free.filter(|_| self.places.len() < MAX_TEXTS);
        push_varint(bytes, if slot.is_some() { Self::NEW } else { Self::ONCE });
        push_varint(bytes, text.len() as u64);
        if let Some(slot) = slot {
            self.places.push(Place { start: bytes.len() as u32, length: text.len() as u16 });
            self.slots[slot] = self.places.len() as u16;
        }
        bytes.extend_from_slice(text.as_bytes());
    }

    /// Forgets all texts and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.slots.fill(0);
    }
}

/// FNV-1a, eight bytes at a time: texts are short and speed matters more than spread.
fn hash(text: &[u8]) -> usize {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut mix = |word: u64| hash = (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
    let (words, rest) = text.as_chunks::<8>();
    for word in words {
        mix(u64::from_le_bytes(*word));
    }
    for byte in rest {
        mix(u64::from(*byte));
    }
    (hash ^ hash >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_texts_than_fit_still_read_back() {
        let mut dictionary = Dictionary::default();
        let mut bytes = Vec::new();
        let paths: Vec<_> = (0..2 * SLOTS).map(|number| format!("/{number}")).collect();
        for path in &paths {
            dictionary.push(&mut bytes, path);
        }
        assert!(dictionary.places.len() <= MAX_TEXTS);

        let before = bytes.len();
        dictionary.push(&mut bytes, &paths[0]);
        assert_eq!(bytes.len(), before + 1, "the first text is known");
        dictionary.clear();
        dictionary.push(&mut bytes, &paths[0]);
        assert_eq!(bytes.len(), before + 1 + 2 + paths[0].len(), "after clearing it is new");
    }
}
