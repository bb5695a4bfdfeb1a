//! The packed form of calls. A block is a format byte and then one call after the other: numbers as LEB128 varints, texts as
//! references into a dictionary that grows while the block is read.

use thiserror::Error;

use super::dictionary::Dictionary;
use crate::timestamp::Timestamp;

/// One proxied call. Holds no secret: the path comes without values of its query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Call<'a> {
    /// When it arrived.
    pub at: Timestamp,
    /// Id of the environment.
    pub environment: &'a str,
    /// Id of the connection; empty if none was found.
    pub connection: &'a str,
    /// Unique key of the integration; empty if none was found.
    pub integration: &'a str,
    /// HTTP method.
    pub method: &'a str,
    /// Path with the keys of its query, but without their values.
    pub path: &'a str,
    /// HTTP status that the caller got; 0 if the caller went away before.
    pub status: u16,
    /// How often it was sent upstream.
    pub attempts: u16,
    /// Bytes of the request body.
    pub bytes_up: u64,
    /// Bytes of the response body.
    pub bytes_down: u64,
    /// Where the time went.
    pub phases: Phases,
    /// Whether the last attempt went over a connection that was open already.
    pub pooled: bool,
    /// What kind of failure it was; empty for none.
    pub error_kind: &'a str,
    /// Names the call in logs and answers.
    pub request_id: &'a str,
    /// Id of the caller's API key; empty if there was none.
    pub api_key: &'a str,
}

/// Times in microseconds. Phases that did not happen are 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Phases {
    /// Waiting for the governor.
    pub queue: u64,
    /// Resolving the name.
    pub dns: u64,
    /// Connecting.
    pub tcp: u64,
    /// The TLS handshake.
    pub tls: u64,
    /// From the request's last byte to the answer's first.
    pub first_byte: u64,
    /// From arrival to the last byte.
    pub total: u64,
}

const FORMAT: u8 = 1;
/// Longer texts are cut: a log is not a place for megabytes.
const LONGEST_TEXT: usize = 1024;

/// Packs calls. Made for a hot thread: pushing allocates only when a buffer must grow, and buffers are kept over blocks.
#[derive(Debug, Default)]
pub struct BlockEncoder {
    bytes: Vec<u8>,
    dictionary: Dictionary,
    calls: u32,
    first_at: Timestamp,
    last_at: Timestamp,
    previous_at: i64,
}

/// A finished block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedBlock {
    /// The earliest moment in it.
    pub first_at: Timestamp,
    /// The latest moment in it.
    pub last_at: Timestamp,
    /// How many calls it has.
    pub calls: u32,
    /// The packed calls.
    pub bytes: Vec<u8>,
}

impl BlockEncoder {
    /// An encoder without calls.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one call. Texts beyond 1024 bytes are cut.
    pub fn push(&mut self, call: &Call<'_>) {
        if self.calls == 0 {
            self.bytes.push(FORMAT);
            (self.first_at, self.last_at) = (call.at, call.at);
        }
        self.calls += 1;
        self.first_at = self.first_at.min(call.at);
        self.last_at = self.last_at.max(call.at);

        let at = call.at.as_milliseconds();
        self.push_number(zigzag(at.wrapping_sub(self.previous_at)));
        self.previous_at = at;
        for text in call.repeating_texts() {
            self.dictionary.push(&mut self.bytes, cut(text));
        }
        let request_id = cut(call.request_id);
        self.push_number(request_id.len() as u64);
        self.bytes.extend_from_slice(request_id.as_bytes());
        for number in call.numbers() {
            self.push_number(number);
        }
    }

    /// How many calls were pushed since the last block was taken.
    pub const fn calls(&self) -> u32 {
        self.calls
    }

    /// How large the block is by now: flush when it is large enough.
    pub const fn byte_length(&self) -> usize {
        self.bytes.len()
    }

    /// The block of all calls since the last one, and a fresh start. `None` without calls.
    pub fn take(&mut self) -> Option<EncodedBlock> {
        if self.calls == 0 {
            return None;
        }
        let block = EncodedBlock {
            first_at: self.first_at,
            last_at: self.last_at,
            calls: self.calls,
            bytes: self.bytes.clone(),
        };
        self.bytes.clear();
        self.dictionary.clear();
        self.calls = 0;
        self.previous_at = 0;
        Some(block)
    }

    fn push_number(&mut self, number: u64) {
        push_varint(&mut self.bytes, number);
    }
}

impl<'a> Call<'a> {
    const fn repeating_texts(&self) -> [&'a str; 7] {
        [
            self.environment,
            self.connection,
            self.integration,
            self.method,
            self.path,
            self.error_kind,
            self.api_key,
        ]
    }

    fn numbers(&self) -> [u64; 10] {
        let Phases { queue, dns, tcp, tls, first_byte, total } = self.phases;
        let attempts = u64::from(self.attempts) << 1 | u64::from(self.pooled);
        [
            u64::from(self.status),
            attempts,
            self.bytes_up,
            self.bytes_down,
            queue,
            dns,
            tcp,
            tls,
            first_byte,
            total,
        ]
    }
}

/// The calls of a block, in the order in which they were pushed. Ends after the first error.
pub fn calls_in(block: &[u8]) -> impl Iterator<Item = Result<Call<'_>, CorruptBlock>> {
    let mut reader = Reader { rest: block, texts: Vec::new(), previous_at: 0 };
    let mut started = false;
    std::iter::from_fn(move || {
        if !started {
            started = true;
            let Some((&FORMAT, calls)) = reader.rest.split_first() else {
                reader.rest = &[];
                return Some(Err(CorruptBlock));
            };
            reader.rest = calls;
        }
        if reader.rest.is_empty() {
            return None;
        }
        let call = reader.call().ok_or(CorruptBlock);
        if call.is_err() {
            reader.rest = &[];
        }
        Some(call)
    })
}

/// A block is cut off or was not written by an encoder of this format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a block of the activity log is damaged; its remaining calls cannot be read")]
pub struct CorruptBlock;

struct Reader<'a> {
    rest: &'a [u8],
    texts: Vec<&'a str>,
    previous_at: i64,
}

impl<'a> Reader<'a> {
    fn call(&mut self) -> Option<Call<'a>> {
        let at = self.previous_at.wrapping_add(unzigzag(self.number()?));
        self.previous_at = at;
        Some(Call {
            at: Timestamp::from_milliseconds(at),
            environment: self.repeating_text()?,
            connection: self.repeating_text()?,
            integration: self.repeating_text()?,
            method: self.repeating_text()?,
            path: self.repeating_text()?,
            error_kind: self.repeating_text()?,
            api_key: self.repeating_text()?,
            request_id: self.text()?,
            ..self.numbers()?
        })
    }

    fn numbers(&mut self) -> Option<Call<'a>> {
        let status = u16::try_from(self.number()?).ok()?;
        let attempts = self.number()?;
        Some(Call {
            status,
            attempts: u16::try_from(attempts >> 1).ok()?,
            pooled: attempts & 1 == 1,
            bytes_up: self.number()?,
            bytes_down: self.number()?,
            phases: Phases {
                queue: self.number()?,
                dns: self.number()?,
                tcp: self.number()?,
                tls: self.number()?,
                first_byte: self.number()?,
                total: self.number()?,
            },
            ..Call::default()
        })
    }

    fn repeating_text(&mut self) -> Option<&'a str> {
        match self.number()? {
            Dictionary::EMPTY => Some(""),
            Dictionary::ONCE => self.text(),
            Dictionary::NEW => {
                let text = self.text()?;
                self.texts.push(text);
                Some(text)
            }
            reference => self.texts.get(usize::try_from(reference - Dictionary::FIRST).ok()?).copied(),
        }
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        std::str::from_utf8(text).ok()
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for (position, byte) in self.rest.iter().enumerate().take(10) {
            number |= u64::from(byte & 0x7f) << (7 * position);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[position + 1..];
                return Some(number);
            }
        }
        None
    }
}

pub(super) fn push_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Maps small negative numbers to small positive ones: calls of one block arrive almost in order.
const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_TEXT)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn example(number: i64) -> Call<'static> {
        Call {
            at: Timestamp::from_milliseconds(1_764_000_000_000 + number),
            environment: "env_019ab697e8007838a5822a6f9e62da21",
            connection: "con_019ab697e8007838a5822a6f9e62da21",
            integration: "kintone",
            method: "GET",
            path: "/k/v1/records.json?app&query",
            status: 200,
            attempts: 1,
            bytes_up: 0,
            bytes_down: 1024,
            phases: Phases { first_byte: 850, total: 990, ..Phases::default() },
            pooled: true,
            error_kind: "",
            request_id: "0123456789abcdef",
            api_key: "key_019ab697e8007838a5822a6f9e62da21",
        }
    }

    #[test]
    fn a_usual_call_takes_few_bytes_after_the_first() {
        let mut encoder = BlockEncoder::new();
        for number in 0..1000 {
            encoder.push(&example(number));
        }
        let block = encoder.take().unwrap();

        assert_eq!((block.calls, block.last_at), (1000, example(999).at));
        assert!(block.bytes.len() < 1000 * 40, "{} bytes", block.bytes.len());
        assert_eq!(calls_in(&block.bytes).nth(500).unwrap().unwrap(), example(500));
    }

    #[test]
    fn an_encoder_starts_afresh_after_each_block() {
        let mut encoder = BlockEncoder::new();
        assert_eq!(encoder.take(), None);
        encoder.push(&example(1));
        let first = encoder.take().unwrap();
        encoder.push(&example(1));

        assert_eq!(encoder.take().unwrap(), first);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let path = "/あ".repeat(1000);
        let mut encoder = BlockEncoder::new();
        encoder.push(&Call { path: &path, ..example(1) });
        let block = encoder.take().unwrap();

        let kept = calls_in(&block.bytes).next().unwrap().unwrap().path;
        assert_eq!((kept, kept.len()), (&path[..1024], 1024));
    }

    #[test]
    fn damaged_blocks_end_with_an_error() {
        let mut encoder = BlockEncoder::new();
        encoder.push(&example(1));
        encoder.push(&example(2));
        let block = encoder.take().unwrap().bytes;
        let whole: Vec<_> = calls_in(&block).map(Result::unwrap).collect();
        for length in 0..block.len() {
            let calls: Vec<_> = calls_in(&block[..length]).collect();
            let readable = calls.iter().flatten().count();
            assert!(readable < whole.len() && calls.len() <= readable + 1, "cut to {length} bytes");
            assert!(calls.iter().flatten().eq(&whole[..readable]));
        }
        assert_eq!(calls_in(&[2, 0]).collect::<Vec<_>>(), [Err(CorruptBlock)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_call_reads_back(
            calls in prop::collection::vec(
                (any::<i64>(), prop::array::uniform8("[a-c]{0,2}|\\PC{0,40}"), any::<(u16, u16, bool)>(), any::<[u64; 8]>()),
                1..50,
            )
        ) {
            let calls: Vec<_> = calls.iter().map(|(at, texts, (status, attempts, pooled), numbers)| Call {
                at: Timestamp::from_milliseconds(*at),
                environment: &texts[0],
                connection: &texts[1],
                integration: &texts[2],
                method: &texts[3],
                path: &texts[4],
                error_kind: &texts[5],
                api_key: &texts[6],
                request_id: &texts[7],
                status: *status,
                attempts: *attempts,
                pooled: *pooled,
                bytes_up: numbers[0],
                bytes_down: numbers[1],
                phases: Phases {
                    queue: numbers[2], dns: numbers[3], tcp: numbers[4], tls: numbers[5], first_byte: numbers[6], total: numbers[7],
                },
            }).collect();
            let mut encoder = BlockEncoder::new();
            for call in &calls {
                encoder.push(call);
            }
            let block = encoder.take().unwrap();
            prop_assert_eq!(calls_in(&block.bytes).collect::<Result<Vec<_>, _>>().unwrap(), calls);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut block = vec![FORMAT];
            block.extend(bytes);
            prop_assert!(calls_in(&block).count() <= block.len());
        }
    }
}
