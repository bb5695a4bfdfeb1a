//! Client certificates: whatever file a person has becomes one form, or a verdict on what is wrong with it.
//!
//! PEM, PKCS#12 (`.pfx`, `.p12`, and what Java writes since version 9) and the older Java keystore are read. What is
//! kept is the certificate with its issuers and the private key as PEM; the file and its password are not.

mod chosen;
mod fault;
mod jks;
mod kind;
mod pem;
mod pfx;

use std::fmt;

use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use zeroize::Zeroizing;

pub use fault::CertificateFault;
pub use kind::CertificateKind;

use crate::credentials::Credentials;

/// What a person gave: all of it may be wrong.
pub struct CertificateFile<'a> {
    /// What kind of file it is said to be.
    pub kind: CertificateKind,
    /// What the file holds: PEM as it is, anything else in base64.
    pub material: &'a str,
    /// The file's password; empty for none.
    pub password: &'a str,
    /// Which of several keys is meant: a subject, its common name, or an alias; `*` for the first. Empty when there is
    /// one.
    pub subject: &'a str,
}

/// A certificate with its issuers and the private key that belongs to it.
pub struct ClientCertificate {
    /// The end-entity certificate first, then its issuers, in DER.
    chain: Vec<Vec<u8>>,
    key: Key,
}

/// What a certificate says of itself; nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Whom it stands for.
    pub subject: String,
    /// The last second in which it is valid, since 1970.
    pub not_after: i64,
}

/// A private key in DER, erased on drop.
#[derive(Clone)]
struct Key {
    form: KeyForm,
    der: Zeroizing<Vec<u8>>,
}

/// How the key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyForm {
    Pkcs8,
    Pkcs1,
    Sec1,
}

/// What a file holds.
#[derive(Default)]
struct Contents {
    /// Private keys with the name that the file gives them.
    keys: Vec<(Option<String>, Key)>,
    /// Certificates in DER, in any order.
    certificates: Vec<Vec<u8>>,
}

/// The stored certificate is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored client certificate cannot be read: reconnect the connection with its file")]
pub struct MalformedCertificate;

impl ClientCertificate {
    /// The name of a certificate among the credentials of a connection.
    pub const CREDENTIAL: &'static str = "client_certificate";

    /// Reads a file, and checks that the certificate is valid at `now` (seconds since 1970) and belongs to its key.
    pub fn read(file: &CertificateFile<'_>, now: i64) -> Result<(Self, CertificateFacts), CertificateFault> {
        let contents = contents(file)?;
        chosen::choose(contents, file.subject, now)
    }

    /// The certificate of a connection that has one.
    pub fn of(credentials: &Credentials) -> Result<Option<Self>, MalformedCertificate> {
        let Some(text) = credentials.value(Self::CREDENTIAL) else { return Ok(None) };
        let contents = pem::read(text, "").map_err(|_| MalformedCertificate)?;
        let mut keys = contents.keys.into_iter();
        match (keys.next(), keys.next(), contents.certificates) {
            (Some((_, key)), None, chain) if !chain.is_empty() => Ok(Some(Self { chain, key })),
            _ => Err(MalformedCertificate),
        }
    }

    /// The form in which it is sealed.
    pub fn to_pem(&self) -> Zeroizing<String> {
        pem::write(&self.key, &self.chain)
    }

    /// What TLS needs. The key leaves the erased memory here: TLS keeps it for as long as the connection is used.
    pub fn into_tls(self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let chain = self.chain.into_iter().map(CertificateDer::from).collect();
        (chain, self.key.to_tls())
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientCertificate").field("chain", &self.chain.len()).finish_non_exhaustive()
    }
}

impl Key {
    fn pkcs8(der: Vec<u8>) -> Self {
        Self { form: KeyForm::Pkcs8, der: Zeroizing::new(der) }
    }

    fn to_tls(&self) -> PrivateKeyDer<'static> {
        let der = self.der.to_vec();
        match self.form {
            KeyForm::Pkcs8 => PrivatePkcs8KeyDer::from(der).into(),
            KeyForm::Pkcs1 => PrivatePkcs1KeyDer::from(der).into(),
            KeyForm::Sec1 => PrivateSec1KeyDer::from(der).into(),
        }
    }
}

/// Finds out what kind of file it is, by what stands in it, and reads it.
fn contents(file: &CertificateFile<'_>) -> Result<Contents, CertificateFault> {
    use CertificateFault as Fault;
    let CertificateFile { kind, material, password, .. } = *file;
    if let CertificateKind::Store(store) = kind {
        return Err(Fault::NamedStore(store));
    }
    if material.trim().is_empty() {
        return Err(Fault::Nothing);
    }
    if material.contains("-----BEGIN ") {
        kind.allows(CertificateKind::Pem)?;
        return pem::read(material, password);
    }
    let bytes = pem::decode(material).ok_or(Fault::UnknownFormat)?;
    if jks::is_one(&bytes) {
        kind.allows(CertificateKind::Jks)?;
        return jks::read(&bytes, password);
    }
    if jks::is_jceks(&bytes) {
        return Err(Fault::Jceks);
    }
    if kind == CertificateKind::Pem {
        return Err(Fault::OtherKind { said: "PEM", found: "PFX" });
    }
    pfx::read(&bytes, password)
}
