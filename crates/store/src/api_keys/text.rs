use std::fmt;
use std::str::FromStr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use tombolo_vault::{Random, RandomnessUnavailable};

use super::uuid;

const PREFIX: &str = "tmb_";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LOOKUP_LENGTH: usize = 12;
/// 43 characters of 62 are 256 bits.
const SECRET_LENGTH: usize = 43;
/// 6 characters of 62 hold 32 bits.
const CHECK_LENGTH: usize = 6;
const HEX: &[u8; 16] = b"0123456789abcdef";
const LENGTH: usize = PREFIX.len() + LOOKUP_LENGTH + 1 + SECRET_LENGTH + CHECK_LENGTH;

/// A whole API key: `tmb_`, a part that finds it, `_`, a part that proves it, and check characters. A mistyped key is
/// recognised without a look at the database. A key that was taken over from the compatible product is a UUID of version 4
/// instead. Secret: it has no readable `Debug`.
#[derive(Clone)]
pub struct ApiKeyText(SecretString);

impl ApiKeyText {
    pub(crate) fn generate(random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        text.push_str(PREFIX);
        append_random(&mut text, LOOKUP_LENGTH, random)?;
        text.push('_');
        append_random(&mut text, SECRET_LENGTH, random)?;
        let check = checksum(&text);
        text.push_str(&check);
        Ok(Self(text.as_str().into()))
    }

    /// What finds the stored key; not secret.
    pub fn lookup(&self) -> KeyLookup {
        match self.expose().strip_prefix(PREFIX) {
            Some(rest) => KeyLookup::of_part(rest.as_bytes()),
            None => KeyLookup::of_hash(&self.hash()),
        }
    }

    /// An existing key of the compatible product: a UUID of version 4 in lower case that was drawn at random.
    pub fn taken_over(text: &str) -> Result<Self, KeyFormatError> {
        if uuid::is_random(text) { Ok(Self(text.into())) } else { Err(KeyFormatError::NotRandom) }
    }

    /// What is compared with the stored hash.
    pub fn hash(&self) -> ApiKeyHash {
        ApiKeyHash::of(self.expose())
    }

    /// The whole key, to be shown to its owner once.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl FromStr for ApiKeyText {
    type Err = KeyFormatError;

    fn from_str(text: &str) -> Result<Self, KeyFormatError> {
        if uuid::is_random(text) {
            return Ok(Self(text.into()));
        }
        let rest = text.strip_prefix(PREFIX).ok_or(KeyFormatError::NotAKey)?;
        if rest.bytes().any(|byte| !byte.is_ascii_alphanumeric() && byte != b'_') {
            return Err(KeyFormatError::ForeignCharacter);
        }
        if text.len() != LENGTH {
            return Err(KeyFormatError::WrongLength { found: text.len() });
        }
        let (body, check) = text.split_at(LENGTH - CHECK_LENGTH);
        if check != checksum(body) || text.as_bytes()[PREFIX.len() + LOOKUP_LENGTH] != b'_' {
            return Err(KeyFormatError::Mistyped);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Debug for ApiKeyText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.expose().starts_with(PREFIX) { PREFIX } else { "" };
        write!(formatter, "ApiKeyText({prefix}{}_…)", self.lookup().as_str())
    }
}

/// What finds a stored key: a part of the key that proves nothing, or for a key without such a part the beginning of its
/// hash. Nobody can choose a hash, so that the time that a look-up takes tells nothing of the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyLookup([u8; LOOKUP_LENGTH]);

impl KeyLookup {
    /// Characters outside of ASCII are in no key, so they find nothing.
    fn of_part(rest: &[u8]) -> Self {
        let mut lookup = [b'_'; LOOKUP_LENGTH];
        for (place, byte) in lookup.iter_mut().zip(rest).filter(|(_, byte)| byte.is_ascii()) {
            *place = *byte;
        }
        Self(lookup)
    }

    fn of_hash(hash: &ApiKeyHash) -> Self {
        let mut lookup = [b'0'; LOOKUP_LENGTH];
        for (pair, byte) in lookup.chunks_exact_mut(2).zip(hash.as_bytes()) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        Self(lookup)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for KeyLookup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// SHA-256 of a whole key: the key has 256 random bits, or the 122 of a UUID, so a slow hash would protect nothing.
/// Compares in constant time.
#[derive(Clone)]
pub struct ApiKeyHash([u8; 32]);

impl ApiKeyHash {
    /// The hash of a text that may be a key, and what would find it. `None` when it cannot be a key for its form alone.
    /// Nothing is put onto the heap: this is for every call's way through.
    pub fn of_presented(text: &str) -> Option<(KeyLookup, Self)> {
        if let Some(rest) = text.strip_prefix(PREFIX) {
            return (text.len() == LENGTH).then(|| (KeyLookup::of_part(rest.as_bytes()), Self::of(text)));
        }
        let hash = uuid::is_random(text).then(|| Self::of(text))?;
        Some((KeyLookup::of_hash(&hash), hash))
    }

    fn of(text: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        Self(hash)
    }

    /// A stored hash.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for ApiKeyHash {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for ApiKeyHash {}

impl fmt::Debug for ApiKeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKeyHash(…)")
    }
}

/// A text that cannot be an API key. No message repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyFormatError {
    /// The prefix is missing.
    #[error(
        "this is not an API key of Tombolo: those begin with {PREFIX:?}; check that you gave the right secret"
    )]
    NotAKey,
    /// Characters are missing or added.
    #[error("the API key has {found} characters instead of {LENGTH}; copy the whole key again")]
    WrongLength {
        /// How many characters there are.
        found: usize,
    },
    /// A character that keys do not have.
    #[error("the API key holds a character that keys do not have; copy it again")]
    ForeignCharacter,
    /// The check characters differ.
    #[error("the API key is mistyped: its check characters do not fit; copy it again")]
    Mistyped,
    /// A key that is to be taken over is no random UUID.
    #[error(
        "this is not a random UUID of version 4 in lower case, as keys of the compatible product are; make a key with `tombolo api-key create` instead"
    )]
    NotRandom,
}

/// Takes only bytes below the greatest multiple of 62, so that every character is equally likely.
fn append_random(text: &mut String, length: usize, random: &dyn Random) -> Result<(), RandomnessUnavailable> {
    let end = text.len() + length;
    let mut bytes = Zeroizing::new([0; 64]);
    while text.len() < end {
        random.fill(bytes.as_mut_slice())?;
        let characters =
            bytes.iter().filter(|byte| **byte < 248).map(|byte| char::from(ALPHABET[usize::from(byte % 62)]));
        text.extend(characters.take(end - text.len()));
    }
    Ok(())
}

/// The first 32 bits of SHA-256 over everything before, as six characters.
fn checksum(text: &str) -> String {
    let mut first = [0; 4];
    first.copy_from_slice(&digest(&SHA256, text.as_bytes()).as_ref()[..4]);
    let mut number = u32::from_be_bytes(first);
    let mut characters = [b'0'; CHECK_LENGTH];
    for character in characters.iter_mut().rev() {
        *character = ALPHABET[(number % 62) as usize];
        number /= 62;
    }
    characters.iter().map(|character| char::from(*character)).collect()
}

#[cfg(test)]
mod tests {
    use tombolo_vault::testing::SeededRandom;

    use super::*;

    fn key() -> ApiKeyText {
        ApiKeyText::generate(&SeededRandom::new(1)).unwrap()
    }

    #[test]
    fn a_key_reads_back() {
        let again: ApiKeyText = key().expose().parse().unwrap();

        assert_eq!(again.expose().len(), LENGTH);
        assert_eq!(again.lookup(), key().lookup());
        assert_eq!(again.hash(), key().hash());
        assert_ne!(again.hash(), ApiKeyText::generate(&SeededRandom::new(2)).unwrap().hash());
        assert_eq!(format!("{again:?}"), format!("ApiKeyText(tmb_{:?}_…)", key().lookup()));
    }

    #[test]
    fn a_uuid_is_found_by_its_hash_and_shows_nothing_of_itself() {
        let text = "5f2b8c1e-93d4-4a07-b6ce-0d1f7a84e235";
        let taken: ApiKeyText = text.parse().unwrap();
        let (lookup, hash) = ApiKeyHash::of_presented(text).unwrap();
        assert_eq!((lookup, hash), (taken.lookup(), taken.hash()));
        assert!(!text.contains(lookup.as_str()) && !text.replace('-', "").contains(lookup.as_str()));
        assert!(!format!("{taken:?}").contains("5f2b"));
        assert_eq!(ApiKeyText::taken_over(text).unwrap().hash(), taken.hash());
        assert!(ApiKeyText::taken_over(key().expose()).is_err());
    }

    #[test]
    fn every_typing_mistake_is_recognised() {
        let text = key().expose().to_owned();
        for at in 0..text.len() {
            let replacement = if text.as_bytes()[at] == b'a' { 'b' } else { 'a' };
            let mistyped = format!("{}{replacement}{}", &text[..at], &text[at + 1..]);
            assert!(mistyped.parse::<ApiKeyText>().is_err(), "character {at} changed");
            assert!(text[..at].parse::<ApiKeyText>().is_err(), "cut to {at} characters");
        }
        for other in ["", "tmb_", "ghp_abc", "tmb_ä", &format!("{text} "), &format!("{text}\r\n")] {
            assert!(other.parse::<ApiKeyText>().is_err(), "{other:?}");
        }
    }
}
