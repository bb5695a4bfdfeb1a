use thiserror::Error;

use crate::aead::{ALGORITHM, Cipher, FORMAT, NONCE_LENGTH, SealError, TAG_LENGTH};
use crate::key_id::KeyId;
use crate::master_key::{KeyRing, MasterKey};
use crate::random::Random;

const CONSTANT: &[u8; 16] = b"tombolo keycheck";

/// A stored value that proves that a master key is the one the database was made with: a constant, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCheck(Vec<u8>);

impl KeyCheck {
    const HEADER_LENGTH: usize = 2 + KeyId::LENGTH;
    const LENGTH: usize = Self::HEADER_LENGTH + NONCE_LENGTH + CONSTANT.len() + TAG_LENGTH;

    /// Makes the value for `master`; `instance` is the id of the installation, so that a value of another one is refused.
    pub fn create(master: &MasterKey, instance: &str, random: &dyn Random) -> Result<Self, SealError> {
        let mut header = vec![FORMAT, ALGORITHM];
        header.extend_from_slice(master.id().as_bytes());
        master.cipher().seal(header, instance.as_bytes(), CONSTANT, random).map(Self)
    }

    /// Takes stored bytes; they are looked at by [`KeyCheck::verify`].
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Passes when the ring has the master key that made this value.
    pub fn verify(&self, ring: &KeyRing, instance: &str) -> Result<(), KeyCheckError> {
        let (Some((&FORMAT, &ALGORITHM)), Self::LENGTH) = (self.0.first().zip(self.0.get(1)), self.0.len())
        else {
            return Err(KeyCheckError::Damaged);
        };
        let mut id = [0; KeyId::LENGTH];
        id.copy_from_slice(&self.0[2..Self::HEADER_LENGTH]);
        let needed = KeyId::from_bytes(id);
        let master = ring
            .find(needed)
            .ok_or_else(|| KeyCheckError::WrongMasterKey { needed, supplied: ring.current().id() })?;
        let opened = Cipher::open(master.cipher(), &self.0, Self::HEADER_LENGTH, instance.as_bytes());
        match opened {
            Some(constant) if constant.as_slice() == CONSTANT => Ok(()),
            _ => Err(KeyCheckError::Damaged),
        }
    }
}

/// The supplied master key does not fit the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyCheckError {
    /// Another key made this database.
    #[error(
        "this database was made with master key {needed}, but {supplied} was supplied; supply the right key file, nothing was changed"
    )]
    WrongMasterKey {
        /// The id in the database.
        needed: KeyId,
        /// The id of the current supplied key.
        supplied: KeyId,
    },
    /// The stored value was changed.
    #[error(
        "the key check in the database is damaged or belongs to another installation; restore the database from a backup"
    )]
    Damaged,
}
