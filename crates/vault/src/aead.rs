//! AES-256-GCM with the nonce in front of the ciphertext. Everything that the crate encrypts goes through here.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::random::{Random, RandomnessUnavailable};

pub(crate) const FORMAT: u8 = 1;
pub(crate) const ALGORITHM: u8 = 1;
pub(crate) const KEY_LENGTH: usize = 32;
pub(crate) const NONCE_LENGTH: usize = NONCE_LEN;
pub(crate) const TAG_LENGTH: usize = 16;

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

/// A key that is ready to encrypt: its schedule is computed once.
pub(crate) struct Cipher(LessSafeKey);

impl Cipher {
    pub(crate) fn new(key: &[u8; KEY_LENGTH]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("AES-256-GCM takes a key of 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Appends nonce, ciphertext and tag to `header`, which is authenticated together with `context`.
    pub(crate) fn seal(
        &self,
        header: Vec<u8>,
        context: &[u8],
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, SealError> {
        let authenticated = authenticated_data(&header, context);
        let mut nonce = [0; NONCE_LENGTH];
        random.fill(&mut nonce)?;

        let mut bytes = header;
        bytes.reserve_exact(NONCE_LENGTH + plaintext.len() + TAG_LENGTH);
        bytes.extend_from_slice(&nonce);
        let start = bytes.len();
        bytes.extend_from_slice(plaintext);
        let tag = self.0.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(&authenticated),
            &mut bytes[start..],
        );
        match tag {
            Ok(tag) => {
                bytes.extend_from_slice(tag.as_ref());
                Ok(bytes)
            }
            Err(_) => Err(SealError::TooLong),
        }
    }

    /// Opens what [`Cipher::seal`] made, given the same header length and context. `None` when anything differs.
    pub(crate) fn open(
        &self,
        bytes: &[u8],
        header_length: usize,
        context: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let (header, rest) = bytes.split_at_checked(header_length)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LENGTH)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let authenticated = authenticated_data(header, context);
        let length = self.0.open_in_place(nonce, Aad::from(&authenticated), &mut buffer).ok()?.len();
        buffer.truncate(length);
        Some(buffer)
    }
}

/// The header has a fixed length per kind of value, so putting it in front stays unambiguous.
fn authenticated_data(header: &[u8], context: &[u8]) -> Vec<u8> {
    [header, context].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives the nonce of a published test case instead of a random one.
    struct FixedNonce([u8; NONCE_LENGTH]);

    impl Random for FixedNonce {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
            bytes.copy_from_slice(&self.0);
            Ok(())
        }
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// Test case 16 of "The Galois/Counter Mode of Operation" (published 2005): AES-256 with associated data.
    #[test]
    fn published_vector() {
        let key: [u8; 32] =
            hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308").try_into().unwrap();
        let nonce: [u8; 12] = hex("cafebabefacedbaddecaf888").try_into().unwrap();
        let plaintext = hex(concat!(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72",
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        ));
        let context = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let expected = hex(concat!(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa",
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            "76fc6ece0f4e1768cddf8853bb2d551b"
        ));

        let cipher = Cipher::new(&key);
        let sealed = cipher.seal(Vec::new(), &context, &plaintext, &FixedNonce(nonce)).unwrap();

        assert_eq!(&sealed[NONCE_LENGTH..], expected);
        assert_eq!(cipher.open(&sealed, 0, &context).unwrap().as_slice(), plaintext);
    }

    #[test]
    fn opening_too_few_bytes_is_refused() {
        let cipher = Cipher::new(&[1; 32]);
        for length in 0..NONCE_LENGTH + TAG_LENGTH {
            assert!(cipher.open(&vec![0; length], 0, b"").is_none());
        }
    }
}
