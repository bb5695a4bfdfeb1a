//! The opened secrets of one connection.

use std::fmt;

use zeroize::Zeroizing;

/// Opened credentials: named values, and entries such as one API token per app.
///
/// Everything lives in one buffer that is erased on drop. The bytes are a sequence of items, each
/// `kind (1), name length (2, big-endian), name, value length (4, big-endian), value`, after one format byte.
pub struct Credentials {
    bytes: Zeroizing<Vec<u8>>,
}

/// The bytes are not those of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the opened secret has an unknown format; it was written by a newer version")]
pub struct MalformedCredentials;

/// Collects credentials.
pub struct CredentialsBuilder {
    bytes: Zeroizing<Vec<u8>>,
}

const FORMAT: u8 = 1;
const VALUE: u8 = 1;
const ENTRY: u8 = 2;

impl Credentials {
    /// Takes opened bytes over.
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Result<Self, MalformedCredentials> {
        let well_formed = bytes.first() == Some(&FORMAT) && Items(&bytes[1..]).all(|item| item.is_ok());
        if well_formed { Ok(Self { bytes }) } else { Err(MalformedCredentials) }
    }

    /// The bytes to seal.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A named value, such as `password`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.items().find_map(|(kind, known, value)| (kind == VALUE && known == name).then_some(value))
    }

    /// The named values, in their order.
    pub fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.items().filter_map(|(kind, name, value)| (kind == VALUE).then_some((name, value)))
    }

    /// The entries as key and secret: the app and its token.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.items().filter_map(|(kind, key, secret)| (kind == ENTRY).then_some((key, secret)))
    }

    /// Every secret, for redaction of texts that come back from upstream.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.items().map(|(_, _, value)| value)
    }

    fn items(&self) -> impl Iterator<Item = (u8, &str, &str)> {
        Items(&self.bytes[1..]).map_while(Result::ok)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl CredentialsBuilder {
    /// No credentials yet.
    pub fn new() -> Self {
        Self { bytes: Zeroizing::new(vec![FORMAT]) }
    }

    /// Adds a named value.
    #[must_use]
    pub fn value(self, name: &str, value: &str) -> Self {
        self.item(VALUE, name, value)
    }

    /// Adds an entry.
    #[must_use]
    pub fn entry(self, key: &str, secret: &str) -> Self {
        self.item(ENTRY, key, secret)
    }

    /// The credentials.
    pub fn build(self) -> Credentials {
        Credentials { bytes: self.bytes }
    }

    fn item(mut self, kind: u8, name: &str, value: &str) -> Self {
        let (name, value) = (name.as_bytes(), value.as_bytes());
        // Growing a vector leaves a copy of the secret in freed memory, so a larger one is filled and the old erased.
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.bytes.len() + 7 + name.len() + value.len()));
        bytes.extend_from_slice(&self.bytes);
        bytes.push(kind);
        bytes.extend_from_slice(&(name.len() as u16).to_be_bytes());
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(&(value.len() as u32).to_be_bytes());
        bytes.extend_from_slice(value);
        self.bytes = bytes;
        self
    }
}

impl Default for CredentialsBuilder {
    fn default() -> Self {
        Self::new()
    }
}

struct Items<'a>(&'a [u8]);

impl<'a> Iterator for Items<'a> {
    type Item = Result<(u8, &'a str, &'a str), MalformedCredentials>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&kind, rest) = self.0.split_first()?;
        let item = (|| {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            let (name, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            let (length, rest) = rest.split_first_chunk::<4>()?;
            let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
            let known = matches!(kind, VALUE | ENTRY);
            known.then_some(())?;
            Some(((kind, std::str::from_utf8(name).ok()?, std::str::from_utf8(value).ok()?), rest))
        })();
        if let Some((item, rest)) = item {
            self.0 = rest;
            Some(Ok(item))
        } else {
            self.0 = &[];
            Some(Err(MalformedCredentials))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_entries_come_back() {
        let credentials = CredentialsBuilder::new()
            .value("login_name", "suzuki")
            .entry("1", "first")
            .entry("12", "second")
            .value("password", "パス:word")
            .build();
        let read =
            Credentials::from_bytes(Zeroizing::new(credentials.as_bytes().to_vec())).expect("well formed");
        assert_eq!(read.value("password"), Some("パス:word"));
        assert_eq!(read.value("1"), None);
        assert_eq!(read.entries().collect::<Vec<_>>(), [("1", "first"), ("12", "second")]);
        assert_eq!(format!("{read:?}"), "Credentials { .. }");
    }

    #[test]
    fn any_cut_is_noticed() {
        let whole = CredentialsBuilder::new().value("a", "b").entry("1", "x").build();
        let whole = whole.as_bytes();
        let boundaries = [1, 10]; // the empty form and the end of the first item are complete texts of their own
        for length in (0..whole.len()).filter(|length| !boundaries.contains(length)) {
            let cut = Zeroizing::new(whole[..length].to_vec());
            assert!(Credentials::from_bytes(cut).is_err(), "{length} of {}", whole.len());
        }
        assert!(Credentials::from_bytes(Zeroizing::new(vec![2])).is_err(), "an unknown format");
    }
}
