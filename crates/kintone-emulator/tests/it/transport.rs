//! TLS, kept connections and the end of an emulator.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::{Service, get, service};

async fn over_tls(service: &Service, host: &'static str) -> Result<u16, std::io::Error> {
    let authority = service.emulator.certificate_authority_pem().unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    #[expect(clippy::disallowed_methods, reason = "the test is the client")]
    let stream = TcpStream::connect(service.emulator.https_address().unwrap()).await?;
    let name = ServerName::try_from(host).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let mut request = get("/").header("host", host);
    request.path = String::from("/k/v1/apis.json");
    Ok(request.over(stream).await.unwrap().status.as_u16())
}

#[tokio::test]
async fn the_certificate_covers_the_services_names() {
    let service = service().await;
    assert_eq!(over_tls(&service, "demo.kintone.com").await.unwrap(), 200);
    assert_eq!(over_tls(&service, "demo.s.kintone.com").await.unwrap(), 200);
    assert_eq!(over_tls(&service, "sample.cybozu.com").await.unwrap(), 401);
    assert_eq!(over_tls(&service, "nobody.cybozu.cn").await.unwrap(), 404);
    assert!(over_tls(&service, "demo.example.com").await.is_err());
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
