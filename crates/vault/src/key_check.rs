use thiserror::Error;

use crate::envelope::{Envelope, SealError};
use crate::key_id::KeyId;
use crate::master_key::{KeyRing, MasterKey};
use crate::random::Random;

const CONSTANT: &[u8] = b"tombolo key check";
/// The only version that there is: it checks the master key that the installation was made with.
const VERSION: u32 = 1;

/// A stored value that proves that a master key is the one the database was made with: a constant, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCheck(Vec<u8>);

impl KeyCheck {
    /// Makes the value for `master`; `instance` is the id of the installation, so that a value of another one is refused.
    pub fn create(master: &MasterKey, instance: &str, random: &dyn Random) -> Result<Self, SealError> {
        let sealed = master.cipher().seal(VERSION, instance.as_bytes(), CONSTANT, random)?;
        Ok(Self(sealed.as_bytes().to_vec()))
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
        let envelope = Envelope::from_bytes(self.0.clone()).map_err(|_| KeyCheckError::Damaged)?;
        let (needed, supplied) = (envelope.key_id(), ring.current().id());
        let master = ring.find(needed).ok_or(KeyCheckError::WrongMasterKey { needed, supplied })?;
        match master.cipher().open(&envelope, instance.as_bytes()) {
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
