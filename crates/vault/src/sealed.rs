use std::fmt;

use thiserror::Error;

use crate::envelope::{Envelope, EnvelopeError};
use crate::key_id::KeyId;

/// A secret at rest: the bytes that stand in a row. See the crate's page for the layout.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub(crate) Envelope);

impl Sealed {
    /// Takes stored bytes and looks at their outer form only; whether they open is seen when opening.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, OpenError> {
        Ok(Self(Envelope::from_bytes(bytes)?))
    }

    /// The bytes to store. They reveal the length of the secret and the id of its key, nothing else.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Which data key opens it.
    pub fn data_key_id(&self) -> KeyId {
        self.0.key_id()
    }

    /// The version of the environment's data key that opens it.
    pub fn data_key_version(&self) -> u32 {
        self.0.version()
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sealed(key {} version {})", self.data_key_id(), self.data_key_version())
    }
}

/// A sealed value did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Sealed with another data key.
    #[error(
        "the secret is sealed with data key {needed}, the supplied one is {supplied}; load the environment's data key of version {version}"
    )]
    WrongKey {
        /// The id in the sealed value.
        needed: KeyId,
        /// The id of the key that was tried.
        supplied: KeyId,
        /// The data key version in the sealed value.
        version: u32,
    },
    /// The bytes were changed, or belong to another row, column, version or set of hosts.
    #[error(
        "the secret does not belong to this row, version and set of hosts, or its bytes were changed; restore the row from a backup or enter the secret again"
    )]
    NotAuthentic,
    /// The bytes are no sealed value of a known format.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
}
