use std::sync::{Arc, Mutex};

use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpSocket;
use tokio_rustls::TlsAcceptor;
use tombolo_egress::{
    ChosenBy, Egress, EgressSettings, Origin, ProxyCredentials, ProxyServer, Route, RouteOptions, Side,
};

use crate::support::authority::Authority;
use crate::support::upstream::{Upstream, read_head};
use crate::support::{egress, fetch, get, probe, route_with, time_outs};

/// Opens tunnels to one upstream for those who know the password, and notes what it was asked.
async fn proxy(
    upstream: &Upstream,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> (Upstream, Arc<Mutex<Vec<String>>>) {
    let target = upstream.address;
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let log = Arc::clone(&asked);
    let server = Upstream::raw("127.0.0.1", move |stream, _| {
        let (log, tls) = (Arc::clone(&log), tls.clone());
        async move {
            match tls {
                None => tunnel(stream, target, log).await,
                Some(config) => {
                    tunnel(TlsAcceptor::from(config).accept(stream).await.unwrap(), target, log).await;
                }
            }
        }
    })
    .await;
    (server, asked)
}

async fn tunnel(
    mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    target: std::net::SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
) {
    let head = read_head(&mut stream).await;
    let allowed = head.contains("Proxy-Authorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n");
    let forbidden = head.starts_with("CONNECT forbidden.test");
    log.lock().unwrap().push(head);
    if !allowed {
        stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await.unwrap();
    } else if forbidden {
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.unwrap();
    } else {
        stream.write_all(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n").await.unwrap();
        let mut onward = TcpSocket::new_v4().unwrap().connect(target).await.unwrap();
        copy_bidirectional(&mut stream, &mut onward).await.ok();
    }
}

fn through(egress: &Egress, url: &str, proxy: &str, password: &str, chosen_by: ChosenBy) -> Arc<Route> {
    let server = ProxyServer {
        origin: Origin::from_operator(proxy).unwrap(),
        credentials: ProxyCredentials::new("user", password),
        chosen_by,
    };
    let options = RouteOptions { proxy: Some(server), time_outs: time_outs(), ..RouteOptions::default() };
    route_with(egress, url, options)
}

/// Strict about addresses: only what the operator chose may be private.
fn strict(authority: &Authority) -> Arc<Egress> {
    egress(EgressSettings { extra_authorities: vec![authority.der()], ..EgressSettings::default() })
}

#[tokio::test]
async fn a_request_goes_through_the_tunnel_with_tls_to_the_upstream() {
    let authority = Authority::new("Private CA");
    let upstream = Upstream::web(Some(authority.server("acme.test", 2090))).await;
    for proxy_tls in [None, Some(authority.server("upstream.test", 2090))] {
        let scheme = if proxy_tls.is_some() { "https" } else { "http" };
        let (server, asked) = proxy(&upstream, proxy_tls).await;
        let egress = strict(&authority);
        let address = format!("{scheme}://upstream.test:{}", server.port());
        let route = through(&egress, "https://acme.test", &address, "pass:word", ChosenBy::Operator);
        let pool = egress.pool();
        let (_, body, first) = fetch(&pool, &route, get("/one")).await;
        assert_eq!(body, "GET /one ");
        let (_, _, second) = fetch(&pool, &route, get("/two")).await;
        assert!(!first.reused && second.reused);
        assert_eq!(
            asked.lock().unwrap().as_slice(),
            [
                "CONNECT acme.test:443 HTTP/1.1\r\nHost: acme.test:443\r\nProxy-Authorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n\r\n"
            ]
        );
        // The upstream never sees what is meant for the proxy server.
        assert!(
            upstream.heads().iter().all(|head| !head.contains("proxy") && head.contains("host: acme.test\n"))
        );
    }
}

#[tokio::test]
async fn refusals_of_the_proxy_server_are_told_apart() {
    let authority = Authority::new("Private CA");
    let upstream = Upstream::web(Some(authority.server("acme.test", 2090))).await;
    let (server, _) = proxy(&upstream, None).await;
    let egress = strict(&authority);
    let address = format!("http://upstream.test:{}", server.port());
    let cases = [
        ("https://acme.test", "wrong-marker", "proxy_authentication"),
        ("https://forbidden.test", "pass:word", "proxy_refused"),
        ("https://mismatch.test", "pass:word", "tls_name_mismatch"),
    ];
    for (url, password, expected) in cases {
        let route = through(&egress, url, &address, password, ChosenBy::Operator);
        let error = probe(&egress, &route).await.unwrap_err();
        assert_eq!(error.kind().code(), expected, "{error}");
        let text = format!("{error:?} {error} {route:?}");
        assert!(!text.contains("marker") && !text.contains("dXNlcj"), "{text}");
    }

    let broken = Upstream::answering(b"SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
    let address = format!("http://upstream.test:{}", broken.port());
    let route = through(&egress, "https://acme.test", &address, "pass:word", ChosenBy::Operator);
    let error = probe(&egress, &route).await.unwrap_err();
    assert_eq!((error.kind().code(), error.side()), ("proxy_failed", Side::Proxy));
}

#[tokio::test]
async fn a_proxy_server_that_a_user_chose_is_guarded() {
    let authority = Authority::new("Private CA");
    let upstream = Upstream::web(Some(authority.server("acme.test", 2090))).await;
    let (server, _) = proxy(&upstream, None).await;
    let egress = strict(&authority);
    for host in ["upstream.test", "127.0.0.1", "[::1]"] {
        let address = format!("http://{host}:{}", server.port());
        let route = through(&egress, "https://acme.test", &address, "pass:word", ChosenBy::User);
        assert_eq!(probe(&egress, &route).await.unwrap_err().kind().code(), "address_refused");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_user_name_with_a_colon_is_refused() {
    assert!(ProxyCredentials::new("user:name", "password").is_none());
}
