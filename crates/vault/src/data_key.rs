use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::binding::{Binding, append_text};
use crate::envelope::{Cipher, Envelope, EnvelopeError, KEY_LENGTH, SealError};
use crate::key_id::KeyId;
use crate::master_key::{KeyRing, MasterKey};
use crate::random::{Random, RandomnessUnavailable};
use crate::sealed::{OpenError, Sealed};

/// Seals the secrets of one environment. Erased when dropped; leaves memory only wrapped.
pub struct DataKey {
    bytes: Zeroizing<[u8; KEY_LENGTH]>,
    cipher: Cipher,
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
        Self { cipher: Cipher::new(&bytes, id), bytes, environment: environment.to_owned(), version }
    }

    /// Seals `plaintext` so that it opens only with the same binding.
    pub fn seal(
        &self,
        binding: &Binding<'_>,
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<Sealed, SealError> {
        self.cipher.seal(self.version, &binding.encode(), plaintext, random).map(Sealed)
    }

    /// Opens what [`DataKey::seal`] made. The plaintext is erased when dropped.
    pub fn open(&self, binding: &Binding<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        if sealed.data_key_id() != self.id() {
            let (needed, version) = (sealed.data_key_id(), sealed.data_key_version());
            return Err(OpenError::WrongKey { needed, supplied: self.id(), version });
        }
        self.cipher.open(&sealed.0, &binding.encode()).ok_or(OpenError::NotAuthentic)
    }

    /// The stored form, which only this master key, this environment and this version unwrap.
    pub fn wrap(&self, master: &MasterKey, random: &dyn Random) -> Result<WrappedDataKey, SealError> {
        let context = wrapping_context(&self.environment);
        master.cipher().seal(self.version, &context, self.bytes.as_slice(), random).map(WrappedDataKey)
    }

    /// Names the key in sealed values.
    pub const fn id(&self) -> KeyId {
        self.cipher.id()
    }

    /// Which of the environment's keys it is, counted from 1.
    pub const fn version(&self) -> u32 {
        self.version
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DataKey({} version {} of {})", self.id(), self.version, self.environment)
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
        let opened = master.cipher().open(&wrapped.0, &wrapping_context(environment));
        let opened = opened.ok_or(UnwrapError::NotAuthentic)?;
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
pub struct WrappedDataKey(Envelope);

impl WrappedDataKey {
    /// Takes stored bytes; only their outer form is looked at.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, UnwrapError> {
        Ok(Self(Envelope::from_bytes(bytes)?))
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Which master key unwraps it.
    pub fn master_key_id(&self) -> KeyId {
        self.0.key_id()
    }

    /// Which of the environment's data keys it is.
    pub fn version(&self) -> u32 {
        self.0.version()
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
    /// The bytes are no wrapped key of a known format.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
}
