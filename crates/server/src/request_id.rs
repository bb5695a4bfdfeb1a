//! Names requests, so that an answer, the log of calls and the log of the server can be held side by side.

use std::sync::atomic::{AtomicU64, Ordering};

/// Makes ids that no two requests share: 64 random bits of the process and a counter.
#[derive(Debug)]
pub struct RequestIds {
    process: u64,
    next: AtomicU64,
}

impl RequestIds {
    /// Starts with the process's random bits.
    pub fn new(process: u64) -> Self {
        Self { process, next: AtomicU64::new(0) }
    }

    /// The next id: `req_` and 24 hexadecimal digits.
    pub fn next(&self) -> String {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let mut text = String::with_capacity(28);
        text.push_str("req_");
        for shift in (0..16).rev() {
            text.push(hex(self.process >> (shift * 4)));
        }
        for shift in (0..8).rev() {
            text.push(hex(count >> (shift * 4)));
        }
        text
    }
}

fn hex(value: u64) -> char {
    char::from(b"0123456789abcdef"[(value & 15) as usize])
}

#[cfg(test)]
mod tests {
    use super::RequestIds;

    #[test]
    fn ids_are_short_and_differ() {
        let ids = RequestIds::new(0x0123_4567_89ab_cdef);
        assert_eq!(ids.next(), "req_0123456789abcdef00000000");
        assert_eq!(ids.next(), "req_0123456789abcdef00000001");
    }
}
