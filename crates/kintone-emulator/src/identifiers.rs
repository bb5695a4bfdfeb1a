//! Names for things that the service names at random: files, cursors, errors.

use std::sync::atomic::{AtomicU64, Ordering};

/// Yields identifiers that never repeat. They are predictable on purpose, so that a test sees the same ones in
/// each run: nothing here is a secret.
#[derive(Debug, Default)]
pub(crate) struct Identifiers {
    given: AtomicU64,
}

impl Identifiers {
    fn next(&self) -> u64 {
        self.given.fetch_add(1, Ordering::Relaxed)
    }

    /// 36 characters in the form of a UUID, as upload keys and cursor ids have.
    pub(crate) fn uuid(&self) -> String {
        let number = self.next();
        let (high, low) = (spread(number * 2), spread(number * 2 + 1));
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    }

    /// 80 hexadecimal digits, as download keys have.
    pub(crate) fn download_key(&self, uploaded_at_second: i64) -> String {
        let number = self.next();
        let [first, second, third, fourth] = [0, 1, 2, 3].map(|part| spread(number * 4 + part));
        format!("{uploaded_at_second:016X}{first:016X}{second:016X}{third:016X}{fourth:016X}")
    }

    /// A token, code or cookie: a word that says what it is, then 32 hexadecimal digits.
    pub(crate) fn token(&self, word: &str) -> String {
        let number = self.next();
        format!("{word}{:016x}{:016x}", spread(number * 2), spread(number * 2 + 1))
    }

    /// The `id` of an error, which the vendor's support asks for.
    pub(crate) fn error_id(&self) -> String {
        format!("{:020}", spread(self.next()))
    }
}

/// The finalizer of `SplitMix64`: a bijection, so different numbers stay different.
fn spread(number: u64) -> u64 {
    let mut bits = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_the_forms_of_the_service() {
        let identifiers = Identifiers::default();
        let (first, second) = (identifiers.uuid(), identifiers.uuid());
        assert_ne!(first, second);
        assert_eq!(first.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!(identifiers.download_key(0).len(), 80);
    }
}
