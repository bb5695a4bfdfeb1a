use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};

/// Names a key without revealing it: the first 8 bytes of SHA-256 over a label and the key. Prints as 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; Self::LENGTH]);

impl KeyId {
    pub(crate) const LENGTH: usize = 8;

    /// The label keeps ids of master keys and data keys apart, even for equal key bytes.
    pub(crate) fn of(label: &[u8], key: &[u8]) -> Self {
        Self(labelled_digest(label, key))
    }

    pub(crate) const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The eight bytes as they stand in stored values.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyId({self})")
    }
}

/// The first `N` bytes of SHA-256 over `label`, a zero byte and `bytes`. Labels hold no zero byte.
pub(crate) fn labelled_digest<const N: usize>(label: &[u8], bytes: &[u8]) -> [u8; N] {
    let mut context = Context::new(&SHA256);
    context.update(label);
    context.update(&[0]);
    context.update(bytes);
    let mut first = [0; N];
    first.copy_from_slice(&context.finish().as_ref()[..N]);
    first
}
