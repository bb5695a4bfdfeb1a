//! The common form of everything encrypted, and the only place that encrypts: AES-256-GCM with a random nonce.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::key_id::KeyId;
use crate::random::{Random, RandomnessUnavailable};

pub(crate) const KEY_LENGTH: usize = 32;
const FORMAT: u8 = 1;
const AES_256_GCM_RANDOM_NONCE: u8 = 1;
const HEADER_LENGTH: usize = 2 + KeyId::LENGTH + 4;
const TAG_LENGTH: usize = 16;

/// Format, algorithm, key id, key version, nonce, ciphertext and tag; see the crate's page for the layout.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Envelope(Vec<u8>);

impl Envelope {
    /// Looks at the outer form only.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Result<Self, EnvelopeError> {
        if let [format, algorithm, ..] = *bytes
            && (format, algorithm) != (FORMAT, AES_256_GCM_RANDOM_NONCE)
        {
            return Err(EnvelopeError::UnknownFormat { format, algorithm });
        }
        if bytes.len() < HEADER_LENGTH + NONCE_LEN + TAG_LENGTH {
            return Err(EnvelopeError::Truncated { length: bytes.len() });
        }
        Ok(Self(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn key_id(&self) -> KeyId {
        let mut id = [0; KeyId::LENGTH];
        id.copy_from_slice(&self.0[2..2 + KeyId::LENGTH]);
        KeyId::from_bytes(id)
    }

    pub(crate) fn version(&self) -> u32 {
        let mut version = [0; 4];
        version.copy_from_slice(&self.0[2 + KeyId::LENGTH..HEADER_LENGTH]);
        u32::from_be_bytes(version)
    }
}

/// Stored bytes that cannot be what this crate encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// Fewer bytes than anything encrypted has.
    #[error("the encrypted value is cut off after {length} bytes; restore the database from a backup")]
    Truncated {
        /// How many bytes there are.
        length: usize,
    },
    /// Written by a newer program, or not encrypted at all.
    #[error(
        "the encrypted value has format {format} and algorithm {algorithm}, which this version does not know; use the newest version of the program"
    )]
    UnknownFormat {
        /// First byte.
        format: u8,
        /// Second byte.
        algorithm: u8,
    },
}

/// Sealing failed; nothing was produced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// No nonce could be made.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// The plaintext is longer than AES-GCM takes (64 GiB).
    #[error("the secret is too long to seal")]
    TooLong,
}

/// A key that is ready to encrypt: its schedule is computed once. Erased by the library when dropped.
pub(crate) struct Cipher {
    key: LessSafeKey,
    id: KeyId,
}

impl Cipher {
    pub(crate) fn new(key: &[u8; KEY_LENGTH], id: KeyId) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("AES-256-GCM takes a key of 32 bytes");
        Self { key: LessSafeKey::new(key), id }
    }

    pub(crate) const fn id(&self) -> KeyId {
        self.id
    }

    /// Encrypts under a new random nonce. Header and `context` are authenticated together with the plaintext.
    pub(crate) fn seal(
        &self,
        version: u32,
        context: &[u8],
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<Envelope, SealError> {
        let mut bytes = Vec::with_capacity(HEADER_LENGTH + NONCE_LEN + plaintext.len() + TAG_LENGTH);
        bytes.extend_from_slice(&[FORMAT, AES_256_GCM_RANDOM_NONCE]);
        bytes.extend_from_slice(self.id.as_bytes());
        bytes.extend_from_slice(&version.to_be_bytes());
        let authenticated = [&bytes, context].concat();
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce)?;
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(plaintext);
        let tag = self.encrypt(nonce, &authenticated, &mut bytes[HEADER_LENGTH + NONCE_LEN..])?;
        bytes.extend_from_slice(&tag);
        Ok(Envelope(bytes))
    }

    /// `None` when the key, the context or any byte of the envelope is not the one of sealing.
    pub(crate) fn open(&self, envelope: &Envelope, context: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (header, rest) = envelope.0.split_at_checked(HEADER_LENGTH)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let authenticated = Aad::from([header, context].concat());
        let length = self.key.open_in_place(nonce, authenticated, &mut buffer).ok()?.len();
        buffer.truncate(length);
        Some(buffer)
    }

    fn encrypt(
        &self,
        nonce: [u8; NONCE_LEN],
        authenticated: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_LENGTH], SealError> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(authenticated), buffer);
        let mut bytes = [0; TAG_LENGTH];
        bytes.copy_from_slice(tag.map_err(|_| SealError::TooLong)?.as_ref());
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// Test case 16 of "The Galois/Counter Mode of Operation" (published 2005): AES-256 with associated data.
    #[test]
    fn published_vector() {
        let key: [u8; 32] =
            hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308").try_into().unwrap();
        let mut buffer = hex(concat!(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72",
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        ));
        let nonce = hex("cafebabefacedbaddecaf888").try_into().unwrap();
        let authenticated = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");

        let cipher = Cipher::new(&key, KeyId::of(b"test", &key));
        let tag = cipher.encrypt(nonce, &authenticated, &mut buffer).unwrap();

        let expected = hex(concat!(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa",
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        ));
        assert_eq!((buffer, tag.to_vec()), (expected, hex("76fc6ece0f4e1768cddf8853bb2d551b")));
    }
}
