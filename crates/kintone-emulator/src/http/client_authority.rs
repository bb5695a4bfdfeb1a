//! The authority that signs client certificates, and whom it gave them to.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey, PrivateKeyChain,
};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::server::{NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{RootCertStore, ServerConfig};

use super::tls::{Authority, TlsError};

/// A certificate of a user with its key, as the service offers it for download.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The certificate as PEM.
    pub certificate_pem: String,
    /// Its key as PEM, PKCS#8 without a password.
    pub private_key_pem: String,
    certificate: Vec<u8>,
    authority: Vec<u8>,
    key: Vec<u8>,
}

/// A certificate that cannot be packed.
#[derive(Debug, thiserror::Error)]
#[error("the PFX file could not be written: {0}")]
pub struct PfxError(#[from] p12_keystore::error::Error);

/// Signs client certificates and remembers their owners: name of the tenant and login name.
pub(crate) struct ClientAuthority {
    authority: Authority,
    owners: Mutex<BTreeMap<Vec<u8>, (String, String)>>,
}

impl ClientAuthority {
    pub(crate) fn generate() -> Result<Self, TlsError> {
        let authority = Authority::generate("Tombolo emulator client authority")?;
        Ok(Self { authority, owners: Mutex::default() })
    }

    /// Signs a certificate for a user of a tenant.
    pub(crate) fn issue(
        &self,
        tenant: &str,
        user: &str,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<ClientCertificate, TlsError> {
        let key = KeyPair::generate()?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, user);
        parameters.distinguished_name.push(DnType::OrganizationName, tenant);
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        parameters.use_authority_key_identifier_extension = true;
        parameters.not_before = date_time_ymd(1970, 1, 1) + since_1970(from);
        parameters.not_after = date_time_ymd(1970, 1, 1) + since_1970(until);
        let certificate = parameters.signed_by(&key, self.authority.issuer())?;
        let owner = (tenant.to_owned(), user.to_owned());
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.insert(certificate.der().to_vec(), owner);
        Ok(ClientCertificate {
            certificate_pem: certificate.pem(),
            private_key_pem: key.serialize_pem(),
            certificate: certificate.der().to_vec(),
            authority: self.authority.issuer().der().to_vec(),
            key: key.serialize_der(),
        })
    }

    /// The user of this tenant to whom a certificate was given, unless it was revoked.
    pub(crate) fn owner(&self, certificate: &[u8], tenant: &str) -> Option<String> {
        let owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.get(certificate).filter(|(known, _)| known == tenant).map(|(_, user)| user.clone())
    }

    /// Forgets the certificates of a user; answers how many there were.
    pub(crate) fn revoke(&self, tenant: &str, user: &str) -> usize {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        let before = owners.len();
        owners.retain(|_, (other_tenant, other)| other_tenant != tenant || !other.eq_ignore_ascii_case(user));
        before - owners.len()
    }

    /// A server that refuses the handshake of whoever has no certificate from here that is valid by this clock.
    pub(crate) fn server(
        &self,
        certificates: Arc<dyn ResolvesServerCert>,
        clock: Arc<dyn TimeProvider>,
    ) -> Result<ServerConfig, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.issuer().der().clone())?;
        let provider = self.authority.provider();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build()?;
        let mut server = ServerConfig::builder_with_details(provider, clock)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(certificates);
        // A resumed session would keep a certificate alive that has expired in the meantime.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        Ok(server)
    }
}

impl fmt::Debug for ClientAuthority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientAuthority").finish_non_exhaustive()
    }
}

impl ClientCertificate {
    /// A PFX file (PKCS#12) with key, certificate and authority, encrypted with AES-256.
    pub fn pfx(&self, password: &str) -> Result<Vec<u8>, PfxError> {
        self.packed(password, EncryptionAlgorithm::PbeWithHmacSha256AndAes256, MacAlgorithm::HmacSha256)
    }

    /// The same, encrypted with Triple DES and SHA-1 as old tools do it.
    pub fn legacy_pfx(&self, password: &str) -> Result<Vec<u8>, PfxError> {
        self.packed(password, EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc, MacAlgorithm::HmacSha1)
    }

    fn packed(
        &self,
        password: &str,
        encryption: EncryptionAlgorithm,
        mac: MacAlgorithm,
    ) -> Result<Vec<u8>, PfxError> {
        let chain = [Certificate::from_der(&self.certificate)?, Certificate::from_der(&self.authority)?];
        let chain = PrivateKeyChain::new(b"1".to_vec(), PrivateKey::from_der(&self.key)?, chain);
        let mut store = KeyStore::new();
        store.add_entry("kintone", KeyStoreEntry::PrivateKeyChain(chain));
        // A PFX of the emulator guards nothing: few iterations keep unoptimised tests fast.
        let writer = store.writer(password).encryption_iterations(1_000).mac_iterations(1_000);
        Ok(writer.encryption_algorithm(encryption).mac_algorithm(mac).write()?)
    }
}

fn since_1970(time: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(time.as_second()).unwrap_or(0))
}
