use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use secrecy::SecretString;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::envelope::{Cipher, KEY_LENGTH};
use crate::key_id::{KeyId, labelled_digest};
use crate::random::{Random, RandomnessUnavailable};

const PREFIX: &str = "tombolo-master-key-v1:";
const CHECK_LENGTH: usize = 4;
/// 36 bytes are exactly 48 base64 characters, so every lost character shows in the length.
const ENCODED_LENGTH: usize = (KEY_LENGTH + CHECK_LENGTH) / 3 * 4;

/// The key-encryption key: wraps data keys, never secrets. Erased when dropped.
pub struct MasterKey {
    bytes: Zeroizing<[u8; KEY_LENGTH]>,
    cipher: Cipher,
}

impl MasterKey {
    /// A new random key.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        random.fill(bytes.as_mut_slice())?;
        Ok(Self::from_key(bytes))
    }

    fn from_key(bytes: Zeroizing<[u8; KEY_LENGTH]>) -> Self {
        let id = KeyId::of(b"tombolo master key id", bytes.as_slice());
        Self { cipher: Cipher::new(&bytes, id), bytes }
    }

    /// Reads the text of a key file: one line, white space around it allowed.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(MasterKeyError::Empty);
        }
        if text.lines().count() > 1 {
            return Err(MasterKeyError::SeveralLines);
        }
        let encoded = text.strip_prefix(PREFIX).ok_or(MasterKeyError::NotAKeyFile)?;
        if encoded.len() != ENCODED_LENGTH {
            return Err(MasterKeyError::WrongLength { found: encoded.chars().count() });
        }
        let decoded =
            Zeroizing::new(STANDARD_NO_PAD.decode(encoded).map_err(|_| MasterKeyError::ForeignCharacter)?);
        let (key, check) = decoded.split_at(KEY_LENGTH);
        if check != checksum(key) {
            return Err(MasterKeyError::Mistyped);
        }
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        bytes.copy_from_slice(key);
        Ok(Self::from_key(bytes))
    }

    /// The text of a key file, one line without its line end. Whoever has it can open everything.
    pub fn to_key_file_text(&self) -> SecretString {
        // Of fixed length: a buffer that grows would leave its first, shorter copy of the key in memory.
        let mut bytes = Zeroizing::new([0; KEY_LENGTH + CHECK_LENGTH]);
        bytes[..KEY_LENGTH].copy_from_slice(self.bytes.as_slice());
        bytes[KEY_LENGTH..].copy_from_slice(&checksum(self.bytes.as_slice()));
        let mut text = String::with_capacity(PREFIX.len() + ENCODED_LENGTH);
        text.push_str(PREFIX);
        STANDARD_NO_PAD.encode_string(bytes.as_slice(), &mut text);
        text.into()
    }

    /// Names the key in the database and in messages.
    pub const fn id(&self) -> KeyId {
        self.cipher.id()
    }

    pub(crate) const fn cipher(&self) -> &Cipher {
        &self.cipher
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MasterKey({})", self.id())
    }
}

fn checksum(key: &[u8]) -> [u8; CHECK_LENGTH] {
    labelled_digest(b"tombolo master key checksum", key)
}

/// The master keys that were supplied: one that wraps, and older ones that only unwrap.
#[derive(Debug)]
pub struct KeyRing {
    current: MasterKey,
    older: Vec<MasterKey>,
}

impl KeyRing {
    /// A ring of one key.
    pub const fn new(current: MasterKey) -> Self {
        Self { current, older: Vec::new() }
    }

    /// Adds a key that still unwraps but wraps nothing new.
    #[must_use]
    pub fn with_older(mut self, key: MasterKey) -> Self {
        self.older.push(key);
        self
    }

    /// The key that wraps new data keys.
    pub const fn current(&self) -> &MasterKey {
        &self.current
    }

    /// The ids of all keys, the current one first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys().map(MasterKey::id)
    }

    pub(crate) fn find(&self, id: KeyId) -> Option<&MasterKey> {
        self.keys().find(|key| key.id() == id)
    }

    fn keys(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.older)
    }
}

/// The text of a master key file is not a key. No message repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MasterKeyError {
    /// Nothing but white space.
    #[error("the master key is empty; restore the key file from your backup")]
    Empty,
    /// More than one line.
    #[error("the master key has more than one line; a key file holds exactly one key")]
    SeveralLines,
    /// The prefix is missing.
    #[error("this is not a master key: it must begin with {PREFIX:?}; check that you gave the right file")]
    NotAKeyFile,
    /// Characters are missing or added.
    #[error(
        "the master key has {found} characters after its prefix instead of {ENCODED_LENGTH}: {}; copy the whole line from your backup",
        if *found < ENCODED_LENGTH { "it was cut off" } else { "something was added" }
    )]
    WrongLength {
        /// How many characters follow the prefix.
        found: usize,
    },
    /// A character that base64 does not have.
    #[error("the master key holds a character that keys do not have; copy the line again from your backup")]
    ForeignCharacter,
    /// The checksum differs.
    #[error("the master key is mistyped: its check digits do not fit; copy the line again from your backup")]
    Mistyped,
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::testing::SeededRandom;

    fn text() -> String {
        MasterKey::generate(&SeededRandom::new(1)).unwrap().to_key_file_text().expose_secret().to_owned()
    }

    #[test]
    fn text_round_trip_keeps_the_id() {
        let key = MasterKey::generate(&SeededRandom::new(1)).unwrap();
        let again = MasterKey::parse(&format!("  {}\n", text())).unwrap();

        assert_eq!(again.id(), key.id());
        assert_eq!(again.bytes.as_slice(), key.bytes.as_slice());
        assert_eq!(format!("{again:?}"), format!("MasterKey({})", key.id()));
    }

    #[test]
    fn every_truncation_and_every_changed_character_is_recognised() {
        let text = text();
        for length in 0..text.len() {
            let expected = match length {
                0 => MasterKeyError::Empty,
                _ if length < PREFIX.len() => MasterKeyError::NotAKeyFile,
                _ => MasterKeyError::WrongLength { found: length - PREFIX.len() },
            };
            assert_eq!(MasterKey::parse(&text[..length]).unwrap_err(), expected);
        }
        for at in PREFIX.len()..text.len() {
            let replacement = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            let mistyped = format!("{}{replacement}{}", &text[..at], &text[at + 1..]);
            assert_eq!(MasterKey::parse(&mistyped).unwrap_err(), MasterKeyError::Mistyped, "character {at}");
        }
    }

    #[test]
    fn messages_say_what_to_do() {
        let text = text();
        let message = |text: &str| MasterKey::parse(text).unwrap_err().to_string();

        insta::assert_snapshot!(message(&text[..50]), @"the master key has 28 characters after its prefix instead of 48: it was cut off; copy the whole line from your backup");
        insta::assert_snapshot!(message(&format!("{text}x")), @"the master key has 49 characters after its prefix instead of 48: something was added; copy the whole line from your backup");
        insta::assert_snapshot!(message("-----BEGIN"), @r#"this is not a master key: it must begin with "tombolo-master-key-v1:"; check that you gave the right file"#);
        insta::assert_snapshot!(message(&format!("{text}\n{text}")), @"the master key has more than one line; a key file holds exactly one key");
        insta::assert_snapshot!(message(&text.replace(&text[30..31], "*")), @"the master key holds a character that keys do not have; copy the line again from your backup");
    }
}
