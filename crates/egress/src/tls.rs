use std::fmt;
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

/// How a route proves and checks identities, beyond the public authorities.
///
/// Compared by certificates only, so that it can be part of a pool key: a private key is never compared,
/// hashed or printed. That is safe because a [`ClientIdentity`] exists only with the key that belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TlsSettings {
    /// The certificate that we present when the upstream asks for one.
    pub identity: Option<Arc<ClientIdentity>>,
    /// Authorities that are trusted beside the public ones.
    pub extra_authorities: Vec<CertificateDer<'static>>,
}

/// A client certificate with its chain and the private key that belongs to it.
pub struct ClientIdentity(Arc<CertifiedKey>);

/// Why certificates or keys cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The PEM text does not hold what is wanted.
    #[error("no {wanted} found in the PEM text; it must hold a section BEGIN {section}")]
    Pem {
        /// What was looked for.
        wanted: &'static str,
        /// The PEM label.
        section: &'static str,
    },
    /// An authority that cannot be parsed.
    #[error("an extra authority is not a usable certificate ({0})")]
    Authority(rustls::Error),
    /// The client certificate and its key do not fit together, or are of an unknown kind.
    #[error("the client certificate cannot be used ({0}); check that the private key belongs to it")]
    Identity(rustls::Error),
    /// A host that cannot stand in a certificate.
    #[error("the host cannot be verified by TLS, because it is not a valid DNS name")]
    ServerName,
}

impl TlsSettings {
    /// Parses the certificates of a PEM text, for [`TlsSettings::extra_authorities`].
    pub fn authorities_from_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        certificates(pem)
    }

    /// Builds what the TLS library needs: TLS 1.2 and 1.3, ALPN `http/1.1`.
    pub(crate) fn client_config(&self) -> Result<ClientConfig, TlsError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for authority in &self.extra_authorities {
            roots.add(authority.clone()).map_err(TlsError::Authority)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has cipher suites for both TLS versions, as its documentation promises")
            .with_root_certificates(roots);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => builder.with_client_cert_resolver(identity.resolver()),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl ClientIdentity {
    /// The end-entity certificate first, then its issuers.
    ///
    /// The key is checked against the certificate. Without that, somebody who knows only a certificate could make
    /// an identity that equals the real one, and be given connections that were opened with the real key.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, TlsError> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let key = provider.key_provider.load_private_key(key).map_err(TlsError::Identity)?;
        let certified = CertifiedKey::new(chain, key);
        certified.keys_match().map_err(TlsError::Identity)?;
        Ok(Self(Arc::new(certified)))
    }

    /// Parses PEM texts; both may be the same text.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| TlsError::Pem { wanted: "private key", section: "PRIVATE KEY" })?;
        Self::new(certificates(chain)?, key)
    }

    fn resolver(&self) -> Arc<dyn ResolvesClientCert> {
        Arc::new(SingleCertAndKey::from(Arc::clone(&self.0)))
    }
}

impl PartialEq for ClientIdentity {
    fn eq(&self, other: &Self) -> bool {
        self.0.cert == other.0.cert
    }
}

impl Eq for ClientIdentity {}

impl std::hash::Hash for ClientIdentity {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.cert.hash(state);
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientIdentity")
            .field("certificates", &self.0.cert.len())
            .finish_non_exhaustive()
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let nothing = || TlsError::Pem { wanted: "certificate", section: "CERTIFICATE" };
    let found: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| nothing())?;
    if found.is_empty() { Err(nothing()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::{ClientIdentity, TlsSettings};

    fn certificate(key: &KeyPair) -> String {
        CertificateParams::new(vec!["us.test".to_owned()]).unwrap().self_signed(key).unwrap().pem()
    }

    #[test]
    fn a_certificate_is_worth_nothing_without_its_key() {
        let (ours, theirs) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let chain = certificate(&ours);
        assert!(ClientIdentity::from_pem(chain.as_bytes(), ours.serialize_pem().as_bytes()).is_ok());
        let together = format!("{}{chain}", ours.serialize_pem());
        assert!(ClientIdentity::from_pem(together.as_bytes(), together.as_bytes()).is_ok());
        let stolen =
            ClientIdentity::from_pem(chain.as_bytes(), theirs.serialize_pem().as_bytes()).unwrap_err();
        assert!(stolen.to_string().contains("check that the private key belongs to it"), "{stolen}");
    }

    #[test]
    fn what_is_missing_in_a_pem_text_is_named() {
        let key = KeyPair::generate().unwrap();
        let (chain, key) = (certificate(&key), key.serialize_pem());
        let missing_key = ClientIdentity::from_pem(chain.as_bytes(), chain.as_bytes()).unwrap_err();
        assert_eq!(
            missing_key.to_string(),
            "no private key found in the PEM text; it must hold a section BEGIN PRIVATE KEY"
        );
        for text in
            ["", "not PEM", key.as_str(), "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"]
        {
            let missing = TlsSettings::authorities_from_pem(text.as_bytes()).unwrap_err();
            assert_eq!(
                missing.to_string(),
                "no certificate found in the PEM text; it must hold a section BEGIN CERTIFICATE"
            );
        }
    }

    #[test]
    fn debug_output_holds_no_key() {
        let key = KeyPair::generate().unwrap();
        let identity = ClientIdentity::from_pem(certificate(&key).as_bytes(), key.serialize_pem().as_bytes());
        assert_eq!(format!("{:?}", identity.unwrap()), "ClientIdentity { certificates: 1, .. }");
    }
}
