//! Java keystores of the format before Java 9; newer ones are PKCS#12.
//!
//! The format is described by the source of the JDK, `sun.security.provider.JavaKeyStore` and `KeyProtector`. We read it
//! ourselves because no library that does is maintained well enough to be handed private keys.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA1_OUTPUT_LEN};
use zeroize::Zeroizing;

use super::pem::sealed_bytes;
use super::{CertificateFault, Contents, Key};

const MAGIC: [u8; 4] = 0xFEED_FEED_u32.to_be_bytes();
const JCEKS_MAGIC: [u8; 4] = 0xCECE_CECE_u32.to_be_bytes();
/// What the format mixes into its check value.
const CHECK_WORDS: &[u8] = b"Mighty Aphrodite";
/// Entries that are read.
const ENTRIES_MAX: u32 = 1_000;
const KEY_ENTRY: u32 = 1;
const CERTIFICATE_ENTRY: u32 = 2;

/// Whether the bytes begin as such a keystore does.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Whether the bytes begin as a keystore of the format JCEKS, which we do not read.
pub(super) fn is_jceks(bytes: &[u8]) -> bool {
    bytes.starts_with(&JCEKS_MAGIC)
}

/// Reads every key and certificate.
pub(super) fn read(bytes: &[u8], password: &str) -> Result<Contents, CertificateFault> {
    const MALFORMED: CertificateFault = CertificateFault::Malformed { found: "JKS" };
    if password.is_empty() {
        return Err(CertificateFault::PasswordNeeded);
    }
    let password = in_utf16(password);
    let (body, check) = bytes.split_last_chunk::<SHA1_OUTPUT_LEN>().ok_or(MALFORMED)?;
    // The structure is looked at first: what is cut off or garbled is not a wrong password.
    let entries = Entries { rest: body }.read().ok_or(MALFORMED)?;
    let expected = digest(&[&password, CHECK_WORDS, body]);
    if verify_slices_are_equal(expected.as_ref(), check).is_err() {
        return Err(CertificateFault::WrongPassword);
    }
    let mut contents = Contents::default();
    for entry in entries {
        if let Some(protected) = entry.key {
            // The algorithm beside it is always the format's own.
            let protected = sealed_bytes(protected).map_err(|_| MALFORMED)?;
            // The password of the store is right, so the key has another one.
            let plain = unprotected(protected, &password).ok_or(CertificateFault::KeyHasOwnPassword)?;
            contents.keys.push((Some(entry.alias), Key::pkcs8(plain)));
        }
        contents.certificates.extend(entry.certificates.into_iter().map(<[u8]>::to_vec));
    }
    Ok(contents)
}

struct Entry<'a> {
    alias: String,
    /// The protected key, in DER.
    key: Option<&'a [u8]>,
    certificates: Vec<&'a [u8]>,
}

struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Entries<'a> {
    /// All entries, if they fill the bytes exactly.
    fn read(mut self) -> Option<Vec<Entry<'a>>> {
        self.take(MAGIC.len())?;
        let version = self.number()?;
        let count = self.number()?;
        if !matches!(version, 1 | 2) || count > ENTRIES_MAX {
            return None;
        }
        let entries: Option<Vec<_>> = (0..count).map(|_| self.entry(version)).collect();
        entries.filter(|_| self.rest.is_empty())
    }

    fn entry(&mut self, version: u32) -> Option<Entry<'a>> {
        let tag = self.number()?;
        let alias = self.text()?;
        self.take(size_of::<u64>())?; // When it was made.
        let (key, count) = match tag {
            KEY_ENTRY => (Some(self.counted()?), self.number()?),
            CERTIFICATE_ENTRY => (None, 1),
            _ => return None,
        };
        let certificates: Option<Vec<_>> = (0..count)
            .map(|_| {
                if version == 2 {
                    self.text()?; // The kind of certificate, always X.509.
                }
                self.counted()
            })
            .collect();
        // A certificate that stands alone is one that is trusted, not one that is shown.
        let certificates = certificates?.into_iter().filter(|_| key.is_some()).collect();
        Some(Entry { alias, key, certificates })
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(usize::try_from(length).ok()?)
    }

    fn text(&mut self) -> Option<String> {
        let length = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        Some(String::from_utf8_lossy(self.take(length.into())?).into_owned())
    }
}

/// Takes the format's own protection off: salt, key mixed with a chain of digests, digest of password and key.
fn unprotected(protected: &[u8], password: &[u8]) -> Option<Vec<u8>> {
    let (salt, rest) = protected.split_first_chunk::<SHA1_OUTPUT_LEN>()?;
    let (mixed, check) = rest.split_last_chunk::<SHA1_OUTPUT_LEN>()?;
    let mut plain = Zeroizing::new(mixed.to_vec());
    let mut link = salt.to_vec();
    for part in plain.chunks_mut(SHA1_OUTPUT_LEN) {
        link = digest(&[password, &link]).as_ref().to_vec();
        part.iter_mut().zip(&link).for_each(|(byte, mask)| *byte ^= mask);
    }
    let expected = digest(&[password, &plain]);
    verify_slices_are_equal(expected.as_ref(), check).ok().map(|()| std::mem::take(&mut *plain))
}

fn digest(parts: &[&[u8]]) -> aws_lc_rs::digest::Digest {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    for part in parts {
        context.update(part);
    }
    context.finish()
}

fn in_utf16(password: &str) -> Zeroizing<Vec<u8>> {
    let length = password.encode_utf16().count() * 2;
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    password.encode_utf16().for_each(|unit| bytes.extend_from_slice(&unit.to_be_bytes()));
    bytes
}
