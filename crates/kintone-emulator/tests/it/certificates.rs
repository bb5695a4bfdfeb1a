//! Client certificates: the host with `.s.` asks for one, and lets in from everywhere whoever has it.

use http::Method;
use jiff::SignedDuration;
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use rcgen::{CertificateParams, KeyPair};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tombolo_kintone_emulator::ClientCertificate;

use crate::client::{CUSTOMERS, Request, Service, get, post_form, send, service};
use crate::transport::{Identity, over_tls};

const SECURE: &str = "demo.s.kintone.com";
const APP: &str = "/k/v1/app.json?id=1";

fn identity(certificate: &ClientCertificate) -> Identity {
    let chain = vec![CertificateDer::from_pem_slice(certificate.certificate_pem.as_bytes()).unwrap()];
    (chain, PrivateKeyDer::from_pem_slice(certificate.private_key_pem.as_bytes()).unwrap())
}

fn certificate_of(service: &Service, user: &str) -> Identity {
    identity(&service.control.issue_client_certificate("demo", user, None).unwrap())
}

/// Status and code behind the host with `.s.`; `refused` when the handshake fails.
async fn outcome(service: &Service, identity: Option<Identity>, request: Request) -> String {
    match over_tls(service, SECURE, identity, request).await {
        Ok(reply) => reply.outcome(),
        Err(_) => "refused".to_owned(),
    }
}

#[tokio::test]
async fn the_handshake_asks_for_a_certificate_of_the_service() {
    let service = service().await;
    let anna = certificate_of(&service, "anna");
    let open = outcome(&service, Some(anna), get("/k/v1/apis.json")).await;
    assert_eq!(open, "200");
    assert_eq!(outcome(&service, None, get("/k/v1/apis.json")).await, "refused");

    let key = KeyPair::generate().unwrap();
    let foreign = CertificateParams::new(vec!["anna".to_owned()]).unwrap().self_signed(&key).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let foreign = (vec![foreign.der().clone()], key);
    assert_eq!(outcome(&service, Some(foreign), get("/k/v1/apis.json")).await, "refused");
    // The host without `.s.` asks for none.
    let plain = over_tls(&service, "demo.kintone.com", None, get("/k/v1/apis.json")).await.unwrap();
    assert_eq!(plain.outcome(), "200");
}

#[tokio::test]
async fn a_certificate_ends_by_the_services_clock() {
    let service = service().await;
    let hour = service.control.now() + SignedDuration::from_hours(1);
    let made = service.control.issue_client_certificate("demo", "anna", Some(hour)).unwrap();
    let expired = service.control.now() - SignedDuration::from_hours(1);
    let expired = service.control.issue_client_certificate("demo", "anna", Some(expired)).unwrap();
    assert_eq!(outcome(&service, Some(identity(&expired)), get("/k/v1/apis.json")).await, "refused");
    assert_eq!(outcome(&service, Some(identity(&made)), get("/k/v1/apis.json")).await, "200");
    service.clock.advance(SignedDuration::from_mins(61));
    assert_eq!(outcome(&service, Some(identity(&made)), get("/k/v1/apis.json")).await, "refused");
}

#[tokio::test]
async fn a_certificate_of_nobody_here_meets_a_page() {
    let service = service().await;
    let of_sample = service.control.issue_client_certificate("sample", "sato", None).unwrap();
    let revoked = certificate_of(&service, "ben");
    assert_eq!(service.control.revoke_client_certificates("demo", "ben").unwrap(), 1);
    for identity in [identity(&of_sample), revoked] {
        let reply = over_tls(&service, SECURE, Some(identity), get("/k/v1/apis.json")).await.unwrap();
        assert_eq!(reply.outcome(), "403");
        assert!(reply.header("content-type").unwrap().starts_with("text/html"));
    }
    // Whoever says the name without a handshake has shown nothing either.
    let plain = get("/k/v1/apis.json").header("host", SECURE).to(&service).await;
    assert_eq!(plain.outcome(), "403");
    assert!(service.control.issue_client_certificate("demo", "nobody", None).is_err());
}

#[tokio::test]
async fn a_certificate_opens_what_is_closed_to_other_networks() {
    let service = service().await;
    service.control.set_allowed_networks("demo", vec!["203.0.113.0/24".to_owned()]).unwrap();
    let plain = over_tls(&service, "demo.kintone.com", None, get(APP).token(CUSTOMERS)).await.unwrap();
    assert_eq!(plain.outcome(), "403");
    let anna = certificate_of(&service, "anna");
    assert_eq!(outcome(&service, Some(anna), get(APP).token(CUSTOMERS)).await, "200");
    // A tenant has this twin without naming it, and its Basic gate asks for nothing there.
    let sato = service.control.issue_client_certificate("sample", "sato", None).unwrap();
    let apis = get("/k/v1/apis.json");
    let reply = over_tls(&service, "sample.s.cybozu.com", Some(identity(&sato)), apis).await.unwrap();
    assert_eq!(reply.outcome(), "200");
}

#[tokio::test]
async fn the_password_has_to_be_of_the_same_user() {
    let service = service().await;
    let with_anna = || Some(certificate_of(&service, "anna"));
    let ben = || get(APP).user("ben", "demo-password-ben");
    assert_eq!(outcome(&service, with_anna(), get(APP).anna()).await, "200");
    assert_eq!(outcome(&service, with_anna(), get(APP).token(CUSTOMERS)).await, "200");
    assert_eq!(outcome(&service, with_anna(), get(APP).user("ben", "wrong")).await, "401 CB_WA01");
    assert_eq!(outcome(&service, with_anna(), ben()).await, "401 SLASH_IL06");
    let login = || post_form("/login", &[("login_name", "ben"), ("password", "demo-password-ben")]);
    assert_eq!(outcome(&service, with_anna(), login()).await, "401");
    service.control.set_certificate_of_another_user("demo", true).unwrap();
    assert_eq!(outcome(&service, with_anna(), ben()).await, "200");
    assert_eq!(outcome(&service, with_anna(), login()).await, "302");
}

#[tokio::test]
async fn a_pfx_holds_the_certificate_and_its_key() {
    let service = service().await;
    let made = service.control.issue_client_certificate("demo", "anna", None).unwrap();
    let (certificate, key) = identity(&made);
    for pfx in [made.pfx("pfx-password-アンナ").unwrap(), made.legacy_pfx("pfx-password-アンナ").unwrap()]
    {
        let store = KeyStore::from_pkcs12(&pfx, "pfx-password-アンナ", Pkcs12ImportPolicy::Strict).unwrap();
        let (_, chain) = store.private_key_chain().unwrap();
        assert_eq!(chain.certs().len(), 2, "the certificate and its authority");
        assert_eq!(chain.certs()[0].as_der(), certificate[0].as_ref());
        assert_eq!(chain.key().as_der(), key.secret_der());
        assert!(KeyStore::from_pkcs12(&pfx, "wrong", Pkcs12ImportPolicy::Strict).is_err());
    }
    let mut request = send(Method::POST, "", &json!({"user": "anna", "pfx_password": "pfx-password"}));
    request.path = "/tenants/demo/client-certificates".to_owned();
    let answer = request.try_at(service.emulator.control_address().unwrap()).await.unwrap().json();
    assert!(answer["certificate_pem"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(answer["pfx"].as_str().unwrap().len() > 1000, "{answer}");
}
