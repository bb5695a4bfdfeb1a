//! TLS, kept connections and the end of an emulator.

use std::error::Error;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::{Reply, Request, Service, get, service};

/// A certificate chain and its key.
pub type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Sends a request over TLS to a host of the service, with a client certificate if one is given.
pub async fn over_tls(
    service: &Service,
    host: &'static str,
    identity: Option<Identity>,
    request: Request,
) -> Result<Reply, Box<dyn Error>> {
    let authority = service.emulator.certificate_authority_pem().unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes())?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let config = match identity {
        None => config.with_no_client_auth(),
        Some((chain, key)) => config.with_client_auth_cert(chain, key)?,
    };
    #[expect(clippy::disallowed_methods, reason = "the test is the client")]
    let stream = TcpStream::connect(service.emulator.https_address().unwrap()).await?;
    let name = ServerName::try_from(host)?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let mut request = request.header("host", host);
    request.path = request.path.replace("/t/demo", "");
    Ok(request.over(stream).await?)
}

async fn status(service: &Service, host: &'static str) -> Result<u16, Box<dyn Error>> {
    Ok(over_tls(service, host, None, get("/k/v1/apis.json")).await?.status.as_u16())
}

#[tokio::test]
async fn the_certificate_covers_the_services_names() {
    let service = service().await;
    assert_eq!(status(&service, "demo.kintone.com").await.unwrap(), 200);
    assert_eq!(status(&service, "sample.cybozu.com").await.unwrap(), 401);
    assert_eq!(status(&service, "nobody.cybozu.cn").await.unwrap(), 404);
    assert!(status(&service, "demo.example.com").await.is_err());
}

#[tokio::test]
async fn a_stopped_emulator_lets_its_address_go() {
    let service = service().await;
    let address = service.emulator.http_address();
    assert_eq!(get("/k/v1/apis.json").to(&service).await.outcome(), "200");
    service.emulator.shutdown().await;
    #[expect(clippy::disallowed_methods, reason = "the test is the client")]
    let refused = TcpStream::connect(address).await;
    assert!(refused.is_err());
}
