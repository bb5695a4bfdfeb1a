//! A certificate authority made at start, and the server certificate that it signs.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
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
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "Tombolo emulator authority");
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

        let mut names: Vec<String> = SERVICE_NAMES.iter().map(ToString::to_string).collect();
        names.extend(hosts);
        names.push("127.0.0.1".to_owned());
        let key = KeyPair::generate()?;
        let mut leaf = CertificateParams::new(names)?;
        leaf.use_authority_key_identifier_extension = true;
        let certificate = leaf.signed_by(&key, &authority)?;

        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { server: Arc::new(server), authority_pem: authority.pem() })
    }
}
