//! PEM texts: sections between `BEGIN` and `END`, whatever stands around them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::der::asn1::{AnyRef, OctetStringRef};
use pkcs8::der::{self, Decode as _, Reader as _, SliceReader};
use pkcs8::pkcs5::{self, EncryptionScheme, pbes2};
use zeroize::Zeroizing;

use super::{CertificateFault, Contents, Key, KeyForm};

/// Sections that are read; a certificate with its whole chain has a handful.
const SECTIONS_MAX: usize = 100;
/// Iterations that are computed for a password: thrice what is recommended today.
const ITERATIONS_MAX: u32 = 2_000_000;
/// Memory that is filled for a password, in bytes.
const MEMORY_MAX: u128 = 256 * 1024 * 1024;

/// Base64 as it is found in the wild: with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Bytes written in base64, with blanks and line breaks anywhere.
pub(super) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let plain: Zeroizing<String> = Zeroizing::new(text.chars().filter(|c| !c.is_whitespace()).collect());
    BASE64.decode(plain.as_bytes()).ok().map(Zeroizing::new).filter(|bytes| !bytes.is_empty())
}

/// Reads keys and certificates.
pub(super) fn read(text: &str, password: &str) -> Result<Contents, CertificateFault> {
    let mut contents = Contents::default();
    for section in sections(text).take(SECTIONS_MAX) {
        let Section { label, body } = section;
        if body.contains("Proc-Type:") || body.contains("DEK-Info:") {
            return Err(CertificateFault::TraditionalPem);
        }
        let bytes = || decode(body).ok_or(CertificateFault::Malformed { found: "PEM" });
        let key = |form| Ok(Key { form, der: bytes()? });
        let key = match label {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
                contents.certificates.push(bytes()?.to_vec());
                continue;
            }
            "PRIVATE KEY" => key(KeyForm::Pkcs8)?,
            "RSA PRIVATE KEY" => key(KeyForm::Pkcs1)?,
            "EC PRIVATE KEY" => key(KeyForm::Sec1)?,
            "ENCRYPTED PRIVATE KEY" => decrypted(&bytes()?, password)?,
            "OPENSSH PRIVATE KEY" => return Err(CertificateFault::Ssh),
            _ => continue,
        };
        contents.keys.push((None, key));
    }
    Ok(contents)
}

/// Key first, then the certificates.
pub(super) fn write(key: &Key, chain: &[Vec<u8>]) -> Zeroizing<String> {
    let label = match key.form {
        KeyForm::Pkcs8 => "PRIVATE KEY",
        KeyForm::Pkcs1 => "RSA PRIVATE KEY",
        KeyForm::Sec1 => "EC PRIVATE KEY",
    };
    let sections = std::iter::once((label, key.der.as_slice()))
        .chain(chain.iter().map(|der| ("CERTIFICATE", der.as_slice())));
    let sections: Vec<(&str, Zeroizing<String>)> =
        sections.map(|(label, der)| (label, Zeroizing::new(BASE64.encode(der)))).collect();
    // Growing a text leaves a copy of the key in freed memory, so that it is made in its whole length.
    let length: usize = sections.iter().map(|(label, body)| 2 * label.len() + body.len() + 40).sum();
    let mut text = Zeroizing::new(String::with_capacity(length));
    for (label, body) in &sections {
        for part in ["-----BEGIN ", label, "-----\n", body, "\n-----END ", label, "-----\n"] {
            text.push_str(part);
        }
    }
    text
}

/// A key that is sealed with a password (PKCS#8, PBES2).
fn decrypted(der: &[u8], password: &str) -> Result<Key, CertificateFault> {
    if password.is_empty() {
        return Err(CertificateFault::PasswordNeeded);
    }
    let sealed = EncryptedPrivateKeyInfoRef::from_der(der).map_err(|_| match sealed_bytes(der) {
        // It has the form of a sealed key, so its algorithm is one that the library does not know.
        Ok(_) => CertificateFault::UnsupportedPem,
        Err(_) => CertificateFault::Malformed { found: "PEM" },
    })?;
    let EncryptionScheme::Pbes2(parameters) = &sealed.encryption_algorithm else {
        return Err(CertificateFault::UnsupportedPem);
    };
    let costs_too_much = match &parameters.kdf {
        pbes2::Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count > ITERATIONS_MAX,
        pbes2::Kdf::Scrypt(scrypt) => {
            let memory = u128::from(scrypt.cost_parameter) * u128::from(scrypt.block_size) * 128;
            memory * u128::from(scrypt.parallelization.max(1)) > MEMORY_MAX
        }
        _ => return Err(CertificateFault::UnsupportedPem),
    };
    if costs_too_much {
        return Err(CertificateFault::TooCostly);
    }
    match parameters.decrypt(password, sealed.encrypted_data.as_bytes()) {
        // What a wrong password yields may by chance have the padding of a key, but not its beginning.
        Ok(plain) if plain.first() == Some(&0x30) => Ok(Key::pkcs8(plain)),
        Ok(_) | Err(pkcs5::Error::DecryptFailed) => Err(CertificateFault::WrongPassword),
        Err(_) => Err(CertificateFault::UnsupportedPem),
    }
}

/// What is sealed inside of an `EncryptedPrivateKeyInfo` (RFC 5958 §3), whatever the algorithm.
pub(super) fn sealed_bytes(der: &[u8]) -> der::Result<&[u8]> {
    let mut reader = SliceReader::new(der)?;
    let sealed = reader.sequence(|inside| {
        inside.decode::<AnyRef<'_>>()?;
        inside.decode::<&OctetStringRef>()
    })?;
    reader.finish()?;
    Ok(sealed.as_bytes())
}

struct Section<'a> {
    label: &'a str,
    body: &'a str,
}

/// The sections of a text, one after the other; one that is never closed ends the list.
fn sections(text: &str) -> impl Iterator<Item = Section<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once("-----BEGIN ")?;
        let (label, after) = after.split_once("-----")?;
        let (body, after) = after.split_once("-----END ")?;
        rest = after;
        Some(Section { label: label.trim(), body })
    })
}
