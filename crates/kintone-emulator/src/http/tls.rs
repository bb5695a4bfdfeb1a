//! A certificate authority made at start, and the server certificates that it signs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{Acceptor, VerifierBuilderError};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::ClientAuthority;

/// The server's side of TLS, and the authority that a client has to trust.
pub(crate) struct TlsIdentity {
    pub(crate) server: TlsServer,
    pub(crate) authority_pem: String,
}

/// How connections begin: hosts of the kind `demo.s.kintone.com` ask for a client certificate, others do not.
#[derive(Clone)]
pub(crate) struct TlsServer {
    open: Arc<ServerConfig>,
    /// `None` where there are no client certificates.
    certified: Option<Arc<ServerConfig>>,
}

impl TlsServer {
    /// Begins a connection, and tells the certificate that the client has shown.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
    ) -> std::io::Result<(TlsStream<TcpStream>, Option<CertificateDer<'static>>)> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let wants_certificate = start.client_hello().server_name().is_some_and(is_certified_host);
        let certified = self.certified.as_ref().filter(|_| wants_certificate);
        let stream = start.into_stream(Arc::clone(certified.unwrap_or(&self.open))).await?;
        let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let shown = shown.map(|certificate| certificate.clone().into_owned());
        Ok((stream, shown))
    }
}

/// Whether a host is the twin of another one that asks for a client certificate, such as `demo.s.kintone.com`.
pub(crate) fn is_certified_host(host: &str) -> bool {
    host.split('.').nth(1).is_some_and(|label| label.eq_ignore_ascii_case("s"))
}

/// The host whose twin this is: `demo.kintone.com` for `demo.s.kintone.com`. `None` for other hosts.
pub(crate) fn host_of_twin(host: &str) -> Option<String> {
    let (name, rest) = host.split_once('.')?;
    let (label, domain) = rest.split_once('.')?;
    (label == "s").then(|| format!("{name}.{domain}"))
}

/// The twin of a host that asks for a client certificate.
fn twin(host: &str) -> Option<String> {
    host.split_once('.').map(|(name, domain)| format!("{name}.s.{domain}"))
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
    /// The TLS library refused the authority of the client certificates.
    #[error("client certificates could not be set up: {0}")]
    Clients(#[from] VerifierBuilderError),
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
    /// Makes an authority and a certificate for the service's names, for `hosts` and their twins. The twins take
    /// the client certificates of `clients` that are valid by this clock.
    pub(crate) fn generate(
        hosts: &[String],
        clients: &ClientAuthority,
        clock: Arc<dyn TimeProvider>,
    ) -> Result<Self, TlsError> {
        let authority = Authority::generate(SERVER_AUTHORITY)?;
        let mut names: Vec<String> = SERVICE_NAMES.iter().map(ToString::to_string).collect();
        names.extend(hosts.iter().cloned());
        names.extend(hosts.iter().filter(|host| !is_certified_host(host)).filter_map(|host| twin(host)));
        names.push("127.0.0.1".to_owned());
        let certificate: Arc<dyn ResolvesServerCert> =
            Arc::new(SingleCertAndKey::from(Arc::new(authority.issue(names)?)));
        let mut identity = Self::new(&authority, Arc::clone(&certificate))?;
        identity.server.certified = Some(Arc::new(http1(clients.server(certificate, clock)?)));
        Ok(identity)
    }

    /// Makes an authority that issues a certificate for each name as it is asked for, and for nothing that
    /// `knows_host` refuses.
    pub(crate) fn on_demand(
        knows_host: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Result<Self, TlsError> {
        let authority = Arc::new(Authority::generate(SERVER_AUTHORITY)?);
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
        let server = ServerConfig::builder_with_provider(Arc::clone(&authority.provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(certificates);
        let server = TlsServer { open: Arc::new(http1(server)), certified: None };
        Ok(Self { server, authority_pem: authority.issuer.pem() })
    }
}

/// The same server, which speaks HTTP/1.1 alone.
fn http1(mut server: ServerConfig) -> ServerConfig {
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    server
}

/// Name of the authority of the servers.
const SERVER_AUTHORITY: &str = "Tombolo emulator authority";

/// A certificate authority that lives as long as its server.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    provider: Arc<CryptoProvider>,
}

impl Authority {
    pub(super) fn generate(name: &str) -> Result<Self, TlsError> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, name);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        Ok(Self { issuer, provider: Arc::new(rustls::crypto::aws_lc_rs::default_provider()) })
    }

    pub(super) fn issuer(&self) -> &CertifiedIssuer<'static, KeyPair> {
        &self.issuer
    }

    pub(super) fn provider(&self) -> Arc<CryptoProvider> {
        Arc::clone(&self.provider)
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
