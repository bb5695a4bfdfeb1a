use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::aead::{ALGORITHM, Cipher, FORMAT, KEY_LENGTH, NONCE_LENGTH, SealError, TAG_LENGTH};
use crate::binding::{Binding, append_text};
use crate::key_id::KeyId;
use crate::master_key::{KeyRing, MasterKey};
use crate::random::{Random, RandomnessUnavailable};
use crate::sealed::{OpenError, Sealed};

/// Seals the secrets of one environment. Erased when dropped; leaves memory only wrapped.
pub struct DataKey {
    bytes: Zeroizing<[u8; KEY_LENGTH]>,
    cipher: Cipher,
    id: KeyId,
    environment: String,
    version: u32,
}

impl DataKey {
    /// A new key for an environment; `version` counts the environment's keys from 1.
    pub fn generate(
        environment: &str,
        version: u32,
        random: &dyn Random,
    ) -> Result<Self, RandomnessUnavailable> {
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        random.fill(bytes.as_mut_slice())?;
        Ok(Self::from_key(bytes, environment, version))
    }

    fn from_key(bytes: Zeroizing<[u8; KEY_LENGTH]>, environment: &str, version: u32) -> Self {
        let id = KeyId::of(b"tombolo data key id", bytes.as_slice());
        Self { cipher: Cipher::new(&bytes), bytes, id, environment: environment.to_owned(), version }
    }

    /// Seals `plaintext` so that it opens only with the same binding.
    pub fn seal(
        &self,
        binding: &Binding<'_>,
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<Sealed, SealError> {
        let header = Sealed::header(self.id, self.version);
        self.cipher.seal(header, &binding.encode(), plaintext, random).map(Sealed::from_trusted)
    }

    /// Opens what [`DataKey::seal`] made. The plaintext is erased when dropped.
    pub fn open(&self, binding: &Binding<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        if sealed.data_key_id() != self.id {
            let (needed, version) = (sealed.data_key_id(), sealed.data_key_version());
            return Err(OpenError::WrongKey { needed, supplied: self.id, version });
        }
        self.cipher
            .open(sealed.as_bytes(), Sealed::HEADER_LENGTH, &binding.encode())
            .ok_or(OpenError::NotAuthentic)
    }

    /// The stored form, which only this master key, this environment and this version unwrap.
    pub fn wrap(&self, master: &MasterKey, random: &dyn Random) -> Result<WrappedDataKey, SealError> {
        let header = WrappedDataKey::header(master.id(), self.version);
        let context = wrapping_context(&self.environment);
        master.cipher().seal(header, &context, self.bytes.as_slice(), random).map(WrappedDataKey)
    }

    /// Names the key in sealed values.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Which of the environment's keys it is, counted from 1.
    pub const fn version(&self) -> u32 {
        self.version
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DataKey({} version {} of {})", self.id, self.version, self.environment)
    }
}

impl KeyRing {
    /// Opens a stored data key with the master key that wrapped it.
    pub fn unwrap_data_key(
        &self,
        wrapped: &WrappedDataKey,
        environment: &str,
    ) -> Result<DataKey, UnwrapError> {
        let needed = wrapped.master_key_id();
        let master = self.find(needed).ok_or_else(|| UnwrapError::UnknownMasterKey {
            needed,
            supplied: self.ids().map(|id| id.to_string()).collect::<Vec<_>>().join(", "),
        })?;
        let opened = master
            .cipher()
            .open(&wrapped.0, WrappedDataKey::HEADER_LENGTH, &wrapping_context(environment))
            .ok_or(UnwrapError::NotAuthentic)?;
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        if opened.len() != bytes.len() {
            return Err(UnwrapError::NotAuthentic);
        }
        bytes.copy_from_slice(&opened);
        Ok(DataKey::from_key(bytes, environment, wrapped.version()))
    }
}

fn wrapping_context(environment: &str) -> Vec<u8> {
    let mut context = b"tombolo wrapped data key v1".to_vec();
    append_text(&mut context, environment);
    context
}

/// A data key at rest, encrypted by a master key. See the crate's page for the layout.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedDataKey(Vec<u8>);

impl WrappedDataKey {
    const HEADER_LENGTH: usize = 2 + KeyId::LENGTH + 4;
    const LENGTH: usize = Self::HEADER_LENGTH + NONCE_LENGTH + KEY_LENGTH + TAG_LENGTH;

    fn header(master: KeyId, version: u32) -> Vec<u8> {
        let mut header = vec![FORMAT, ALGORITHM];
        header.extend_from_slice(master.as_bytes());
        header.extend_from_slice(&version.to_be_bytes());
        header
    }

    /// Takes stored bytes; only their outer form is looked at.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, UnwrapError> {
        match bytes.as_slice() {
            [format, algorithm, ..] if (*format, *algorithm) != (FORMAT, ALGORITHM) => {
                Err(UnwrapError::UnknownFormat { format: *format, algorithm: *algorithm })
            }
            _ if bytes.len() != Self::LENGTH => Err(UnwrapError::WrongLength { length: bytes.len() }),
            _ => Ok(Self(bytes)),
        }
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Which master key unwraps it.
    pub fn master_key_id(&self) -> KeyId {
        let mut id = [0; KeyId::LENGTH];
        id.copy_from_slice(&self.0[2..2 + KeyId::LENGTH]);
        KeyId::from_bytes(id)
    }

    /// Which of the environment's data keys it is.
    pub fn version(&self) -> u32 {
        let mut version = [0; 4];
        version.copy_from_slice(&self.0[2 + KeyId::LENGTH..Self::HEADER_LENGTH]);
        u32::from_be_bytes(version)
    }
}

impl fmt::Debug for WrappedDataKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "WrappedDataKey(version {} under {})", self.version(), self.master_key_id())
    }
}

/// A stored data key did not open.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnwrapError {
    /// The ring lacks the master key that wrapped it.
    #[error(
        "the data key is wrapped by master key {needed}, but only {supplied} was supplied; supply that master key as well"
    )]
    UnknownMasterKey {
        /// The id in the stored value.
        needed: KeyId,
        /// The ids in the ring.
        supplied: String,
    },
    /// The bytes were changed, or belong to another environment or version.
    #[error(
        "the stored data key was changed or belongs to another environment; restore the database from a backup"
    )]
    NotAuthentic,
    /// Not as long as a wrapped data key.
    #[error("the stored data key has {length} bytes instead of {expected}; restore the database from a backup", expected = WrappedDataKey::LENGTH)]
    WrongLength {
        /// How many bytes there are.
        length: usize,
    },
    /// Written by a newer program, or not a wrapped data key.
    #[error(
        "the stored data key has format {format} and algorithm {algorithm}, which this version does not know; use the newest version of the program"
    )]
    UnknownFormat {
        /// First byte.
        format: u8,
        /// Second byte.
        algorithm: u8,
    },
}
