use http::Request;
use tombolo_egress::{AddressPolicy, Body, ConnectRule, ConnectTo, EgressSettings};

use crate::support::authority::Authority;
use crate::support::upstream::Upstream;
use crate::support::{egress, fetch, get, probe, probe_code, route};

/// The strict default rules and one mapping: what a demo runs with.
fn mapped(host: &str, upstream: &Upstream, authority: &Authority) -> EgressSettings {
    let authorities = tombolo_egress::TlsSettings::authorities_from_pem(authority.pem().as_bytes()).unwrap();
    let rule = ConnectRule::parse(host, &upstream.address.to_string())
        .unwrap()
        .with_authorities(authorities)
        .with_browser_address(url::Url::parse("http://localhost:9000/t/demo").unwrap());
    EgressSettings { connect_to: ConnectTo::new(vec![rule]), ..EgressSettings::default() }
}

#[tokio::test]
async fn a_mapping_changes_the_socket_address_only() {
    let authority = Authority::new("Emulator");
    let upstream = Upstream::web(Some(authority.server("demo.kintone.com", 2090))).await;
    let egress = egress(mapped("demo.kintone.com:443", &upstream, &authority));
    let route = route(&egress, "https://demo.kintone.com");
    let request = Request::post("/k/v1/record.json").body(Body::full("{}")).unwrap();
    let (_, body, _) = fetch(&egress.pool(), &route, request).await;
    assert_eq!(body, "POST /k/v1/record.json {}");
    assert!(upstream.heads()[0].contains("host: demo.kintone.com\n"), "{:?}", upstream.heads());
    let browser = egress.browser_address(route.origin()).unwrap().as_str();
    assert_eq!(browser, "http://localhost:9000/t/demo");
}

#[tokio::test]
async fn a_mapping_does_not_weaken_verification() {
    let authority = Authority::new("Emulator");
    let upstream = Upstream::web(Some(authority.server("other.kintone.com", 2090))).await;
    let mapping = mapped("demo.kintone.com", &upstream, &authority);
    assert_eq!(probe_code(&egress(mapping), "https://demo.kintone.com").await, "tls_name_mismatch");

    let stranger = Authority::new("Somebody else");
    let upstream = Upstream::web(Some(stranger.server("demo.kintone.com", 2090))).await;
    let mapping = mapped("demo.kintone.com", &upstream, &authority);
    assert_eq!(probe_code(&egress(mapping), "https://demo.kintone.com").await, "tls_unknown_authority");
}

#[tokio::test]
async fn a_mapping_holds_for_its_host_and_port_only() {
    let authority = Authority::new("Emulator");
    let upstream = Upstream::web(Some(authority.server("demo.kintone.com", 2090))).await;
    let mapping = mapped("demo.kintone.com:443", &upstream, &authority);
    let client = egress(EgressSettings { addresses: AddressPolicy::default(), ..mapping.clone() });
    assert_eq!(probe_code(&client, "https://upstream.test").await, "address_refused");
    let mut wider = mapping;
    wider.origins.extra_ports = vec![8443];
    let client = egress(wider);
    let error = probe(&client, &route(&client, "https://demo.kintone.com:8443")).await.unwrap_err();
    assert_eq!(error.kind().code(), "name_not_found");
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn an_authority_of_a_mapping_is_trusted_nowhere_else() {
    let authority = Authority::new("Emulator");
    let upstream = Upstream::web(Some(authority.server("upstream.test", 2090))).await;
    let mut settings = mapped("demo.kintone.com", &upstream, &authority);
    let reachable = crate::support::settings(upstream.port());
    (settings.origins, settings.addresses) = (reachable.origins, reachable.addresses);
    let url = format!("https://upstream.test:{}", upstream.port());
    assert_eq!(probe_code(&egress(settings), &url).await, "tls_unknown_authority");
}

#[tokio::test]
async fn a_pool_keeps_mapped_hosts_apart() {
    let authority = Authority::new("Emulator");
    let upstream = Upstream::web(Some(authority.server("demo.kintone.com", 2090))).await;
    let egress = egress(mapped("demo.kintone.com", &upstream, &authority));
    let pool = egress.pool();
    let route = route(&egress, "https://demo.kintone.com");
    assert!(!fetch(&pool, &route, get("/")).await.2.reused);
    assert!(fetch(&pool, &route, get("/")).await.2.reused);
}

#[tokio::test]
async fn tls_is_left_out_on_loopback_only_and_never_through_a_proxy_server() {
    let elsewhere = ConnectRule::parse("demo.kintone.com", "192.0.2.1:80").unwrap();
    assert!(elsewhere.without_tls().is_err());

    let upstream = Upstream::web(None).await;
    let rule = || ConnectRule::parse("demo.kintone.com", &upstream.address.to_string()).unwrap();
    let settings =
        |rule| EgressSettings { connect_to: ConnectTo::new(vec![rule]), ..EgressSettings::default() };
    let plain = egress(settings(rule().without_tls().unwrap()));
    let request = Request::get("/k/v1/apis.json").body(Body::empty()).unwrap();
    let (_, body, _) = fetch(&plain.pool(), &route(&plain, "https://demo.kintone.com"), request).await;
    assert_eq!(body, "GET /k/v1/apis.json ");
    assert_eq!(probe_code(&egress(settings(rule())), "https://demo.kintone.com").await, "tls_not_spoken");
}
