//! Upstreams that misbehave, each with its own error.

use std::time::{Duration, Instant};

use http::Request;
use tokio::io::AsyncWriteExt;
use tombolo_egress::{Body, EgressErrorKind, Retry, RouteOptions, Side, Timings};

use crate::support::upstream::{Upstream, read_head};
use crate::support::{egress, get, probe_code, route, route_with, settings, time_outs};

async fn code_of(answer: &'static [u8]) -> &'static str {
    let upstream = Upstream::answering(answer).await;
    probe_code(&egress(settings(upstream.port())), &format!("http://upstream.test:{}", upstream.port())).await
}

#[tokio::test]
async fn each_broken_answer_has_its_own_kind() {
    let cases: [(&[u8], &str); 9] = [
        (b"", "closed_before_head"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "closed_before_head"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "malformed_answer"),
        (b"HTTP/1.1 999999 OK\r\n\r\n", "malformed_answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello", "malformed_answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", "body_reset"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "body_reset"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello", "malformed_answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "answered"),
    ];
    for (answer, expected) in cases {
        assert_eq!(code_of(answer).await, expected, "{}", answer.escape_ascii());
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let upstream = Upstream::raw("127.0.0.1", |mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nX-Large: ").await.ok();
        for _ in 0..200 {
            if stream.write_all(&[b'a'; 1024]).await.is_err() {
                return;
            }
        }
        stream.write_all(b"\r\nContent-Length: 0\r\n\r\n").await.ok();
    })
    .await;
    let url = format!("http://upstream.test:{}", upstream.port());
    assert_eq!(probe_code(&egress(settings(upstream.port())), &url).await, "head_too_large");
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let egress = egress(settings(port));
    let route = route(&egress, &format!("http://upstream.test:{port}"));
    let error = egress.pool().send(&route, get("/"), &mut Timings::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.side()), (EgressErrorKind::ConnectionRefused, Side::Upstream));
    assert_eq!(error.may_retry(), Retry::Safe);
    insta::assert_snapshot!(
        error.to_string().replace(&port.to_string(), "PORT"),
        @"upstream.test:PORT refused the connection; check the host and port, and that the service is running"
    );
}

#[tokio::test]
async fn an_unknown_name_is_named() {
    let egress = egress(settings(443));
    assert_eq!(probe_code(&egress, "https://no-such-name.test").await, "name_not_found");
}

#[tokio::test]
async fn a_connection_reset_in_the_middle_of_the_body_is_an_error() {
    let upstream = Upstream::raw("127.0.0.1", |mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhello").await.ok();
        // Closing with unread input pending makes the kernel send a reset; a plain close is tested elsewhere.
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.set_zero_linger().ok();
    })
    .await;
    let url = format!("http://upstream.test:{}", upstream.port());
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &url));
    let response = pool.send(&route, get("/"), &mut Timings::default()).await.unwrap();
    let error = response.into_body().collect(1 << 20, Duration::from_secs(5)).await.unwrap_err();
    assert_eq!((error.kind(), error.may_retry()), (EgressErrorKind::BodyReset, Retry::IfIdempotent));
    assert_eq!(pool.idle_count(), 0);
}

fn impatient() -> RouteOptions {
    let mut time_outs = time_outs();
    time_outs.head = Duration::from_millis(150);
    time_outs.body_idle = Duration::from_millis(150);
    RouteOptions { time_outs, ..RouteOptions::default() }
}

#[tokio::test]
async fn a_head_that_does_not_come_is_given_up() {
    let upstream = Upstream::raw("127.0.0.1", |mut stream, index| async move {
        read_head(&mut stream).await;
        if index == 0 {
            // The first connection answers once, so that a kept-alive one is tried as well.
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.ok();
            read_head(&mut stream).await;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    })
    .await;
    let egress = egress(settings(upstream.port()));
    let pool = egress.pool();
    let route = route_with(&egress, &format!("http://upstream.test:{}", upstream.port()), impatient());
    crate::support::fetch(&pool, &route, get("/")).await;
    for reused in [true, false] {
        let start = Instant::now();
        let mut timings = Timings::default();
        let error = pool.send(&route, get("/"), &mut timings).await.unwrap_err();
        assert_eq!(error.kind(), EgressErrorKind::HeadTimedOut);
        assert_eq!(timings.reused, reused);
        assert!((140..2_000).contains(&start.elapsed().as_millis()), "after {:?}", start.elapsed());
        assert!(timings.first_byte >= 140_000);
    }
    assert_eq!(pool.idle_count(), 0);
}

#[tokio::test]
async fn a_body_that_stops_is_given_up_but_a_slow_one_is_not() {
    let upstream = Upstream::raw("127.0.0.1", |mut stream, index| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n").await.ok();
        let pieces = if index == 0 { 10 } else { 3 };
        for _ in 0..pieces {
            tokio::time::sleep(Duration::from_millis(50)).await;
            stream.write_all(b"x").await.ok();
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    })
    .await;
    let egress = egress(settings(upstream.port()));
    let pool = egress.pool();
    let route = route_with(&egress, &format!("http://upstream.test:{}", upstream.port()), impatient());
    // 500 ms altogether, though no silence is longer than 150 ms.
    assert_eq!(crate::support::fetch(&pool, &route, get("/")).await.1, "xxxxxxxxxx");
    pool.evict(|_| true);
    let response = pool.send(&route, get("/"), &mut Timings::default()).await.unwrap();
    let error = response.into_body().collect(1000, Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(error.kind(), EgressErrorKind::BodyTimedOut);
}

#[tokio::test]
async fn a_body_that_drips_is_given_up_when_it_is_collected() {
    let upstream = Upstream::raw("127.0.0.1", |mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n").await.ok();
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &format!("http://upstream.test:{}", upstream.port())));
    let response = pool.send(&route, get("/"), &mut Timings::default()).await.unwrap();
    let error = response.into_body().collect(1 << 20, Duration::from_millis(200)).await.unwrap_err();
    assert_eq!(error.kind(), EgressErrorKind::BodyTimedOut);
}

#[tokio::test]
async fn requests_that_would_be_misread_are_refused() {
    let upstream = Upstream::web(None).await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &format!("http://upstream.test:{}", upstream.port())));
    let requests = [
        Request::get("http://169.254.169.254/latest").body(Body::empty()),
        Request::builder().method("CONNECT").uri("internal:22").body(Body::empty()),
        Request::builder().method("CONNECT").uri("/").body(Body::empty()),
    ];
    for request in requests {
        let error = pool.send(&route, request.unwrap(), &mut Timings::default()).await.unwrap_err();
        assert_eq!((error.kind(), error.side()), (EgressErrorKind::InvalidRequest, Side::Caller));
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn no_error_holds_what_the_request_carried() {
    let upstream = Upstream::answering(b"nonsense nonsense nonsense\r\n\r\n").await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &format!("http://upstream.test:{}", upstream.port())));
    let request = Request::post("/path-marker?token=query-marker")
        .header("authorization", "Bearer header-marker")
        .body(Body::full("body-marker"))
        .unwrap();
    let error = pool.send(&route, request, &mut Timings::default()).await.unwrap_err();
    let text = format!("{error} {error:?} {route:?}");
    assert!(!text.contains("marker"), "{text}");
}
