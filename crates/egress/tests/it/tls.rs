use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use tokio::io::AsyncWriteExt;
use tombolo_egress::{Egress, RouteOptions, Side, TlsSettings};

use crate::support::authority::Authority;
use crate::support::upstream::{Upstream, read_head};
use crate::support::{egress, fetch, get, probe, probe_code, route, route_with, settings, time_outs};

/// A client that trusts one private authority everywhere.
fn trusting(authority: &Authority, port: u16) -> Arc<Egress> {
    let mut settings = settings(port);
    settings.extra_authorities = vec![authority.der()];
    egress(settings)
}

fn url(upstream: &Upstream) -> String {
    format!("https://upstream.test:{}", upstream.port())
}

#[tokio::test]
async fn a_valid_certificate_is_accepted() {
    let authority = Authority::new("Private CA");
    let upstream = Upstream::web(Some(authority.server("upstream.test", 2090))).await;
    let egress = trusting(&authority, upstream.port());
    let (status, body, timings) =
        fetch(&egress.pool(), &route(&egress, &url(&upstream)), get("/hello?x=1")).await;
    assert_eq!((status, body.as_str()), (200, "GET /hello?x=1 "));
    assert!(timings.tls > 0 && !timings.reused);
    let expected = format!("GET /hello?x=1\nhost: upstream.test:{}\n", upstream.port());
    assert_eq!(upstream.heads(), [expected]);
}

#[tokio::test]
async fn each_bad_certificate_has_its_own_kind() {
    let authority = Authority::new("Private CA");
    let stranger = Authority::new("Somebody else");
    let cases = [
        (stranger.server("upstream.test", 2090), "tls_unknown_authority"),
        (authority.server("another.test", 2090), "tls_name_mismatch"),
        (authority.server("upstream.test", 2021), "tls_expired"),
    ];
    for (config, expected) in cases {
        let upstream = Upstream::web(Some(config)).await;
        let egress = trusting(&authority, upstream.port());
        assert_eq!(probe_code(&egress, &url(&upstream)).await, expected);
        assert_eq!(
            upstream.heads(),
            Vec::<String>::new(),
            "no byte of HTTP may go to a server that is not verified"
        );
    }
}

#[tokio::test]
async fn a_self_signed_authority_as_server_is_not_trusted() {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["upstream.test".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                rustls_pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap();
    let upstream = Upstream::web(Some(Arc::new(config))).await;
    let egress = egress(settings(upstream.port()));
    assert_eq!(probe_code(&egress, &url(&upstream)).await, "tls_unknown_authority");
}

#[tokio::test]
async fn a_missing_client_certificate_is_named() {
    let (servers, clients) = (Authority::new("Servers"), Authority::new("Clients"));
    for version in [&TLS12, &TLS13] {
        let config = servers.server_for_clients("upstream.test", &clients, version);
        let upstream = Upstream::web(Some(config)).await;
        let egress = trusting(&servers, upstream.port());
        // With TLS 1.3 the refusal comes after the handshake, so a race would show in repetition.
        for _ in 0..20 {
            let error = probe(&egress, &route(&egress, &url(&upstream))).await.unwrap_err();
            assert_eq!(error.kind().code(), "tls_certificate_required", "{version:?}: {error}");
            assert_eq!(error.side(), Side::Caller);
        }
    }
}

#[tokio::test]
async fn a_client_certificate_is_presented_or_refused() {
    let (servers, clients) = (Authority::new("Servers"), Authority::new("Clients"));
    for version in [&TLS12, &TLS13] {
        let config = servers.server_for_clients("upstream.test", &clients, version);
        let upstream = Upstream::web(Some(config)).await;
        let egress = trusting(&servers, upstream.port());
        let with = |identity| {
            let tls = TlsSettings { identity: Some(identity), ..TlsSettings::default() };
            route_with(
                &egress,
                &url(&upstream),
                RouteOptions { tls, time_outs: time_outs(), ..RouteOptions::default() },
            )
        };
        let answer = probe(&egress, &with(clients.client("us"))).await.unwrap();
        assert_eq!(answer.status, 200);
        let error = probe(&egress, &with(servers.client("us"))).await.unwrap_err();
        assert_eq!(error.kind().code(), "tls_client_certificate_refused", "{version:?}: {error}");
    }
}

#[tokio::test]
async fn a_port_without_tls_is_named() {
    let plain = Upstream::raw("127.0.0.1", |mut stream, _| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await.ok();
        read_head(&mut stream).await;
    })
    .await;
    assert_eq!(probe_code(&egress(settings(plain.port())), &url(&plain)).await, "tls_not_spoken");
}

#[tokio::test]
async fn an_old_tls_version_is_named() {
    // A TLS record with the fatal alert protocol_version (RFC 8446 §6.2).
    let upstream = Upstream::raw("127.0.0.1", |mut stream, _| async move {
        stream.write_all(&[21, 3, 1, 0, 2, 2, 70]).await.ok();
        read_head(&mut stream).await;
    })
    .await;
    assert_eq!(probe_code(&egress(settings(upstream.port())), &url(&upstream)).await, "tls_version");
}

#[tokio::test]
async fn other_ends_of_the_handshake_are_told_apart() {
    let alert = Upstream::raw("127.0.0.1", |mut stream, _| async move {
        stream.write_all(&[21, 3, 3, 0, 2, 2, 112]).await.ok();
        read_head(&mut stream).await;
    })
    .await;
    assert_eq!(probe_code(&egress(settings(alert.port())), &url(&alert)).await, "tls_alert");

    let closing = Upstream::raw("127.0.0.1", |stream, _| async move { drop(stream) }).await;
    assert_eq!(probe_code(&egress(settings(closing.port())), &url(&closing)).await, "tls_closed");

    let silent = Upstream::raw("127.0.0.1", |mut stream, _| async move {
        read_head(&mut stream).await;
    })
    .await;
    let egress = egress(settings(silent.port()));
    let mut time_outs = time_outs();
    time_outs.tls = std::time::Duration::from_millis(100);
    let route = route_with(&egress, &url(&silent), RouteOptions { time_outs, ..RouteOptions::default() });
    assert_eq!(probe(&egress, &route).await.unwrap_err().kind().code(), "tls_timed_out");
}

#[tokio::test]
async fn a_body_that_ends_without_the_end_of_tls_is_cut_short() {
    let authority = Authority::new("Private CA");
    let config = authority.server("upstream.test", 2090);
    let upstream = Upstream::raw("127.0.0.1", move |stream, index| {
        let config = Arc::clone(&config);
        async move {
            let mut stream = tokio_rustls::TlsAcceptor::from(config).accept(stream).await.unwrap();
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf of it").await.unwrap();
            stream.flush().await.unwrap();
            if index == 0 {
                stream.shutdown().await.unwrap();
            }
        }
    })
    .await;
    let egress = trusting(&authority, upstream.port());
    assert_eq!(probe_code(&egress, &url(&upstream)).await, "answered");
    // Without this, anybody on the network could shorten an answer unnoticed.
    assert_eq!(probe_code(&egress, &url(&upstream)).await, "body_reset");
}
