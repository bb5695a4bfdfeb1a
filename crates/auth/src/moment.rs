//! Time and chance, as they come in from outside.

/// When something is signed, and what chance gave for it. The same for everything about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since 1970.
    pub milliseconds: i64,
    /// Unguessable, and never given twice.
    pub random: [u8; 16],
}

impl Moment {
    /// Seconds since 1970.
    pub fn seconds(&self) -> i64 {
        self.milliseconds.div_euclid(1_000)
    }

    /// The chance as a text of 32 hexadecimal digits.
    pub fn nonce(&self) -> String {
        crate::text::hex(&self.random)
    }
}
