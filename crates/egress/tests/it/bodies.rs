use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tombolo_egress::{Body, EgressErrorKind, Pool, Route, Timings};

use crate::support::upload::upload;
use crate::support::upstream::{Upstream, read_head};
use crate::support::{egress, fetch, get, route, route_with, settings, time_outs};

fn url(upstream: &Upstream) -> String {
    format!("http://upstream.test:{}", upstream.port())
}

#[tokio::test]
async fn every_kind_of_body_is_framed_exactly() {
    let upstream = Upstream::web(None).await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &url(&upstream)));
    let uploaded = async |length| {
        let (mut caller, body) = upload(length).await;
        tokio::spawn(async move {
            for piece in ["one ", "two"] {
                caller.send(piece.as_bytes()).await;
            }
            caller.end().await;
        });
        body
    };
    let cases = [
        (Body::empty(), "", "content-length: 0"),
        (Body::full("hello"), "hello", "content-length: 5"),
        (uploaded(Some(7)).await, "one two", "content-length: 7"),
        (uploaded(None).await, "one two", "transfer-encoding: chunked"),
    ];
    for (body, expected, framing) in cases {
        let (_, answer, _) = fetch(&pool, &route, Request::post("/").body(body).unwrap()).await;
        assert_eq!(answer, format!("POST / {expected}"));
        let head = upstream.heads().pop().unwrap();
        assert!(head.contains(framing), "{head}");
        assert_eq!(head.matches("content-length").count() + head.matches("transfer-encoding").count(), 1);
    }
    fetch(&pool, &route, get("/")).await;
    let head = upstream.heads().pop().unwrap();
    assert!(!head.contains("content-length") && !head.contains("transfer-encoding"), "{head}");
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn the_caller_cannot_frame_a_second_request() {
    let upstream = Upstream::web(None).await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &url(&upstream)));
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    let framings: [&[(&str, &str)]; 5] = [
        &[("content-length", "0")],
        &[("content-length", "3"), ("content-length", "4")],
        &[("transfer-encoding", "chunked")],
        &[("transfer-encoding", "identity"), ("content-length", "1")],
        &[("host", "internal.test"), ("host", "second.test")],
    ];
    for headers in framings {
        let mut request = Request::post("/outer").body(Body::full(smuggled)).unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let (_, answer, _) = fetch(&pool, &route, request).await;
        assert_eq!(answer, format!("POST /outer {smuggled}"));
    }
    let heads = upstream.heads();
    assert_eq!(heads.len(), framings.len(), "{heads:?}");
    assert!(heads.iter().all(|head| head.starts_with("POST /outer\n") && !head.contains("internal.test")));
    let framing = format!("content-length: {}\n", smuggled.len());
    assert!(heads.iter().all(|head| !head.contains("transfer-encoding") && head.contains(&framing)));
}

#[tokio::test]
async fn a_large_body_streams_both_ways() {
    const SIZE: usize = 32 << 20;
    let upstream = Upstream::raw("127.0.0.1", |mut stream, _| async move {
        read_head(&mut stream).await;
        let mut received = vec![0; SIZE];
        stream.read_exact(&mut received).await.unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&received).await.unwrap();
        read_head(&mut stream).await;
    })
    .await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &url(&upstream)));
    let (mut caller, body) = upload(Some(SIZE)).await;
    tokio::spawn(async move {
        for index in 0..(SIZE >> 16) {
            caller.send(&vec![index as u8; 1 << 16]).await;
        }
    });
    let request = Request::put("/").body(body).unwrap();
    let mut body = pool.send(&route, request, &mut Timings::default()).await.unwrap().into_body();
    let mut position = 0;
    while let Some(frame) = body.frame().await {
        for byte in frame.unwrap().into_data().unwrap() {
            assert_eq!(byte, (position >> 16) as u8);
            position += 1;
        }
    }
    assert_eq!((position, pool.idle_count()), (SIZE, 1));
}

#[tokio::test]
async fn an_upload_may_take_longer_than_the_wait_for_an_answer() {
    let upstream = Upstream::web(None).await;
    let egress = egress(settings(upstream.port()));
    let mut time_outs = time_outs();
    time_outs.head = Duration::from_millis(200);
    let options = tombolo_egress::RouteOptions { time_outs, ..Default::default() };
    let route = route_with(&egress, &url(&upstream), options);
    let (mut caller, body) = upload(None).await;
    tokio::spawn(async move {
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(60)).await;
            caller.send(b"x").await;
        }
        caller.end().await;
    });
    let (_, answer, _) = fetch(&egress.pool(), &route, Request::post("/").body(body).unwrap()).await;
    assert_eq!(answer, "POST / xxxxxxxxxx");
}

#[tokio::test]
async fn a_caller_that_goes_away_in_the_middle_of_its_body_is_an_error() {
    let upstream = Upstream::web(None).await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &url(&upstream)));
    for length in [Some(20), None] {
        let (mut caller, body) = upload(length).await;
        tokio::spawn(async move { caller.send(b"too short").await });
        let request = Request::post("/").body(body).unwrap();
        let error = pool.send(&route, request, &mut Timings::default()).await.unwrap_err();
        assert_eq!(error.kind(), EgressErrorKind::RequestBodyFailed, "{error}");
    }
    assert_eq!(pool.idle_count(), 0);
}

#[tokio::test]
async fn a_body_above_the_cap_is_refused_whether_it_is_announced_or_not() {
    let upstream = Upstream::raw("127.0.0.1", |mut stream, index| async move {
        read_head(&mut stream).await;
        let head: &[u8] = if index == 0 {
            b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"
        } else {
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        };
        stream.write_all(head).await.ok();
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &url(&upstream)));
    for _ in 0..2 {
        let response = pool.send(&route, get("/"), &mut Timings::default()).await.unwrap();
        let error = response.into_body().collect(10_000, Duration::from_secs(5)).await.unwrap_err();
        assert_eq!(error.kind(), EgressErrorKind::BodyTooLarge);
    }
}

#[tokio::test]
async fn nothing_is_decompressed_and_no_redirect_followed() {
    let upstream = Upstream::answering(
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
    )
    .await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &url(&upstream)));
    let response = pool.send(&route, get("/"), &mut Timings::default()).await.unwrap();
    assert_eq!(response.status(), 302);
    assert_eq!(response.headers()["location"], "http://169.254.169.254/");
    let body = response.into_body().collect(100, Duration::from_secs(5)).await.unwrap();
    assert_eq!(body.as_ref(), b"\x1f\x8b\x08\x00");
    assert_eq!(upstream.connections(), 1);
}

/// A web server of the plainest kind that passes every request on, as the proxy does.
async fn relay(pool: Pool, route: Arc<Route>) -> Upstream {
    Upstream::raw("127.0.0.1", move |stream, _| {
        let (pool, route) = (pool.clone(), Arc::clone(&route));
        async move {
            let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
                let (pool, route) = (pool.clone(), Arc::clone(&route));
                async move {
                    let (head, mut body) = request.into_parts();
                    let body = if head.uri.path() == "/peek" {
                        let read = body.frame().await.unwrap().unwrap().into_data().unwrap();
                        Body::peeked(read, body)
                    } else {
                        Body::incoming(body)
                    };
                    pool.send(&route, Request::from_parts(head, body), &mut Timings::default()).await
                }
            });
            let stream = hyper_util::rt::TokioIo::new(stream);
            hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await.ok();
        }
    })
    .await
}

#[tokio::test]
async fn a_relay_keeps_sizes_and_connections() {
    let upstream = Upstream::web(None).await;
    let egress = egress(settings(upstream.port()));
    let pool = egress.pool();
    let relay = relay(pool.clone(), route(&egress, &url(&upstream))).await;
    // A client of its own, so that its connections are not counted with those of the relay.
    let front = crate::support::egress(settings(relay.port()));
    let (client, to_relay) = (front.pool(), route(&front, &url(&relay)));
    let large = "large ".repeat(20_000);
    let cases = [
        ("/", Body::empty(), "", "content-length: 0"),
        ("/", Body::full("small"), "small", "content-length: 5"),
        ("/", Body::full(large.clone()), large.as_str(), "content-length: 120000"),
        ("/peek", Body::full("small"), "small", "content-length: 5"),
        ("/peek", Body::full(large.clone()), large.as_str(), "content-length: 120000"),
    ];
    for (path, body, expected, framing) in cases {
        let (status, answer, _) = fetch(&client, &to_relay, Request::post(path).body(body).unwrap()).await;
        assert_eq!(status, 200);
        assert!(answer == format!("POST {path} {expected}"), "{path}: {} bytes", answer.len());
        assert!(upstream.heads().pop().unwrap().contains(framing), "{:?}", upstream.heads().pop());
        // The relay's server has not asked for the end of the body, but the connection is free again.
        assert_eq!(pool.idle_count(), 1);
    }
    assert_eq!((upstream.connections(), relay.connections()), (1, 1));
}

#[tokio::test]
async fn an_answer_that_comes_before_the_end_of_the_upload_is_passed_on() {
    let upstream = Upstream::raw("127.0.0.1", |mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!").await.ok();
        tokio::time::sleep(Duration::from_millis(100)).await;
    })
    .await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &url(&upstream)));
    let (caller, body) = upload(None).await;
    let request = Request::post("/").body(body).unwrap();
    let (status, answer, _) = fetch(&pool, &route, request).await;
    assert_eq!((status, answer.as_str()), (413, "no!"));
    // Nobody else is given a connection on which an upload is still going on.
    let (_, _, timings) = fetch(&pool, &route, Request::post("/").body(Body::full("x")).unwrap()).await;
    assert!(!timings.reused);
    assert_eq!(upstream.connections(), 2);
    drop(caller);
}
