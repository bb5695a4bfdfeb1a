use std::fmt;

use thiserror::Error;

use crate::aead::{ALGORITHM, FORMAT, NONCE_LENGTH, TAG_LENGTH};
use crate::key_id::KeyId;

/// A secret at rest: the bytes that stand in a row. See the crate's page for the layout.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    pub(crate) const HEADER_LENGTH: usize = 2 + KeyId::LENGTH + 4;

    pub(crate) fn header(key: KeyId, version: u32) -> Vec<u8> {
        let mut header = vec![FORMAT, ALGORITHM];
        header.extend_from_slice(key.as_bytes());
        header.extend_from_slice(&version.to_be_bytes());
        header
    }

    /// Takes stored bytes and looks at their outer form only; whether they open is seen when opening.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, OpenError> {
        match bytes.as_slice() {
            [FORMAT, ALGORITHM, ..] | [] | [FORMAT] => {}
            [format, algorithm, ..] => {
                return Err(OpenError::UnknownFormat { format: *format, algorithm: *algorithm });
            }
            [format] => return Err(OpenError::UnknownFormat { format: *format, algorithm: 0 }),
        }
        if bytes.len() < Self::HEADER_LENGTH + NONCE_LENGTH + TAG_LENGTH {
            return Err(OpenError::Truncated { length: bytes.len() });
        }
        Ok(Self(bytes))
    }

    /// The bytes to store. They reveal the length of the secret and the id of its key, nothing else.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Which data key opens it.
    pub fn data_key_id(&self) -> KeyId {
        let mut id = [0; KeyId::LENGTH];
        id.copy_from_slice(&self.0[2..2 + KeyId::LENGTH]);
        KeyId::from_bytes(id)
    }

    /// The version of the environment's data key that opens it.
    pub fn data_key_version(&self) -> u32 {
        let mut version = [0; 4];
        version.copy_from_slice(&self.0[2 + KeyId::LENGTH..Self::HEADER_LENGTH]);
        u32::from_be_bytes(version)
    }

    pub(crate) fn from_trusted(bytes: Vec<u8>) -> Self {
        Self(bytes)
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
    /// Fewer bytes than any sealed value has.
    #[error(
        "the sealed secret is cut off after {length} bytes; restore the row from a backup or enter the secret again"
    )]
    Truncated {
        /// How many bytes there are.
        length: usize,
    },
    /// Written by a newer program, or not a sealed value.
    #[error(
        "the sealed secret has format {format} and algorithm {algorithm}, which this version does not know; use the newest version of the program"
    )]
    UnknownFormat {
        /// First byte.
        format: u8,
        /// Second byte.
        algorithm: u8,
    },
}
