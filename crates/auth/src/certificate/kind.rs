//! What kind of file a certificate comes in.

use super::fault::{CertificateFault, NamedStore};

/// What kind of file a certificate comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CertificateKind {
    /// Found out by what stands in it.
    #[default]
    Auto,
    /// PKCS#12.
    Pfx,
    /// PEM.
    Pem,
    /// A Java keystore, of the older format or in PKCS#12.
    Jks,
    /// No file: a certificate inside of an operating system.
    Store(NamedStore),
}

impl CertificateKind {
    /// Reads a kind as forms and connection strings of other products write it. `None` for what is unknown.
    pub fn parse(text: &str) -> Option<Self> {
        let plain: String =
            text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        Some(match plain.as_str() {
            "" | "auto" => Self::Auto,
            "pfx" | "p12" | "pkcs12" | "pfxfile" | "pfxblob" => Self::Pfx,
            "pem" | "pemkeyfile" | "pemkeyblob" => Self::Pem,
            "jks" | "jksfile" | "jksblob" => Self::Jks,
            "user" | "machine" | "windowsstore" | "windows" | "currentuser" | "localmachine" => {
                Self::Store(NamedStore::Windows)
            }
            "keychain" | "macoskeychain" | "macos" => Self::Store(NamedStore::Keychain),
            "nss" | "nssdb" => Self::Store(NamedStore::Nss),
            "pkcs11" | "smartcard" => Self::Store(NamedStore::Token),
            _ => return None,
        })
    }

    /// Whether a file that was found to be of another kind may be called this one.
    pub(super) fn allows(self, found: Self) -> Result<(), CertificateFault> {
        if self == Self::Auto || self == found {
            return Ok(());
        }
        Err(CertificateFault::OtherKind { said: self.name(), found: found.name() })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Pfx => "PFX",
            Self::Pem => "PEM",
            Self::Jks => "JKS",
            Self::Store(_) => "store",
        }
    }
}
