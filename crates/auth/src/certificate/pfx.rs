//! PKCS#12 files.

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;
use x509_parser::parse_x509_certificate;

use super::{CertificateFault, Contents, Key};

/// Reads every key and certificate of an archive.
pub(super) fn read(bytes: &[u8], password: &str) -> Result<Contents, CertificateFault> {
    let archive =
        Pkcs12Archive::from_pkcs12(bytes, password).map_err(|error| verdict(&error, bytes, password))?;
    let keys = archive.keys.into_iter();
    Ok(Contents {
        keys: keys.map(|bag| (bag.friendly_name, Key::pkcs8(bag.key.as_der().to_vec()))).collect(),
        certificates: archive.certs.into_iter().map(|bag| bag.cert.as_der().to_vec()).collect(),
    })
}

fn verdict(error: &Error, bytes: &[u8], password: &str) -> CertificateFault {
    match error {
        // The check value is wrong, or what came out has no padding or is no key: the library cannot tell more.
        Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) | Error::InvalidPrivateKey => {
            if password.is_empty() {
                CertificateFault::PasswordNeeded
            } else {
                CertificateFault::WrongPassword
            }
        }
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm => {
            CertificateFault::UnsupportedPfx
        }
        Error::InvalidParameters => CertificateFault::TooCostly,
        // A certificate by itself, as `.cer` and `.crt` files hold it, is DER as well.
        _ if parse_x509_certificate(bytes).is_ok() => CertificateFault::NoKey,
        Error::DerError(_) | Error::InvalidVersion | Error::UnsupportedContentType => {
            CertificateFault::UnknownFormat
        }
        _ => CertificateFault::Malformed { found: "PFX" },
    }
}
