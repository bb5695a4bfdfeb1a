//! A certificate authority made at start, and the server certificates that it signs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The server's side of TLS, and the authority that a client has to trust.
pub(crate) struct TlsIdentity {
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) authority_pem: String,
}

/// The certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A host name of the seed cannot stand in a certificate.
    #[error("the certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused the certificate.
    #[error("the TLS server could not be set up: {0}")]
    Server(#[from] rustls::Error),
}

/// The names of the service in all its regions, with the variants that ask for client certificates.
const SERVICE_NAMES: [&str; 8] = [
    "*.kintone.com",
    "*.cybozu.com",
    "*.cybozu.cn",
    "*.cybozu-dev.com",
    "*.s.kintone.com",
    "*.s.cybozu.com",
    "*.s.cybozu.cn",
    "localhost",
];

impl TlsIdentity {
    /// Makes an authority and a certificate for the service's names and for `hosts`.
    pub(crate) fn generate(hosts: impl IntoIterator<Item = String>) -> Result<Self, TlsError> {
        let authority = Authority::generate()?;
        let mut names: Vec<String> = SERVICE_NAMES.iter().map(ToString::to_string).collect();
        names.extend(hosts);
        names.push("127.0.0.1".to_owned());
        let certificate = Arc::new(authority.issue(names)?);
        Self::new(&authority, Arc::new(SingleCertAndKey::from(certificate)))
    }

    /// Makes an authority that issues a certificate for each name as it is asked for, and for nothing that
    /// `knows_host` refuses.
    pub(crate) fn on_demand(
        knows_host: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Result<Self, TlsError> {
        let authority = Arc::new(Authority::generate()?);
        let local = Arc::new(authority.issue(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?);
        let issuer = IssuedOnDemand {
            authority: Arc::clone(&authority),
            knows_host: Box::new(knows_host),
            local,
            issued: Mutex::default(),
        };
        Self::new(&authority, Arc::new(issuer))
    }

    fn new(authority: &Authority, certificates: Arc<dyn ResolvesServerCert>) -> Result<Self, TlsError> {
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&authority.provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(certificates);
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { server: Arc::new(server), authority_pem: authority.issuer.pem() })
    }
}

/// A certificate authority that lives as long as its server.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    provider: Arc<CryptoProvider>,
}

impl Authority {
    fn generate() -> Result<Self, TlsError> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "Tombolo emulator authority");
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        Ok(Self { issuer, provider: Arc::new(rustls::crypto::aws_lc_rs::default_provider()) })
    }

    fn issue(&self, names: Vec<String>) -> Result<CertifiedKey, TlsError> {
        let key = KeyPair::generate()?;
        let mut leaf = CertificateParams::new(names)?;
        leaf.use_authority_key_identifier_extension = true;
        let certificate = leaf.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(CertifiedKey::from_der(vec![certificate.der().clone()], key, &self.provider)?)
    }
}

/// Certificates by name, each made when it is first asked for.
struct IssuedOnDemand {
    authority: Arc<Authority>,
    knows_host: Box<dyn Fn(&str) -> bool + Send + Sync>,
    /// For clients that name no host.
    local: Arc<CertifiedKey>,
    issued: Mutex<BTreeMap<String, Arc<CertifiedKey>>>,
}

/// Certificates that are kept; beyond that all are made anew.
const KEPT_CERTIFICATES: usize = 256;

impl ResolvesServerCert for IssuedOnDemand {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(str::to_ascii_lowercase);
        let Some(name) = name.filter(|name| name != "localhost") else {
            return Some(Arc::clone(&self.local));
        };
        if !(self.knows_host)(&name) {
            return None;
        }
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = issued.get(&name) {
            return Some(Arc::clone(known));
        }
        let certificate = Arc::new(self.authority.issue(vec![name.clone()]).ok()?);
        if issued.len() == KEPT_CERTIFICATES {
            issued.clear();
        }
        issued.insert(name, Arc::clone(&certificate));
        Some(certificate)
    }
}

impl fmt::Debug for IssuedOnDemand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("IssuedOnDemand").finish_non_exhaustive()
    }
}
