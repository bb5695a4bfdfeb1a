use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Request;
use tokio::io::AsyncWriteExt;
use tombolo_egress::{Body, EgressErrorKind, PoolSettings, RouteOptions, Timings};

use crate::support::authority::Authority;
use crate::support::upstream::{Upstream, read_head};
use crate::support::{egress, fetch, get, route, route_with, settings, time_outs};

fn url(upstream: &Upstream) -> String {
    format!("http://upstream.test:{}", upstream.port())
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let authority = Authority::new("Private CA");
    for tls in [None, Some(authority.server("upstream.test", 2090))] {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let upstream = Upstream::web(tls).await;
        let mut settings = settings(upstream.port());
        settings.extra_authorities = vec![authority.der()];
        let egress = egress(settings);
        let pool = egress.pool();
        let route = route(&egress, &format!("{scheme}://upstream.test:{}", upstream.port()));
        for index in 0..100 {
            let (_, body, timings) = fetch(&pool, &route, get(&format!("/{index}"))).await;
            assert_eq!(body, format!("GET /{index} "));
            assert_eq!(timings.reused, index > 0);
            assert_eq!(timings.tcp > 0, index == 0);
        }
        assert_eq!((upstream.connections(), pool.idle_count()), (1, 1), "{scheme}");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_gives_its_connection_back_at_once() {
    let answers: [&[u8]; 4] = [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ];
    let upstream = Upstream::raw("127.0.0.1", move |mut stream, _| async move {
        for answer in answers {
            read_head(&mut stream).await;
            stream.write_all(answer).await.ok();
        }
        read_head(&mut stream).await;
    })
    .await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &url(&upstream)));
    for (method, status) in [("GET", 204), ("GET", 304), ("HEAD", 200), ("GET", 200)] {
        let request = Request::builder().method(method).uri("/").body(Body::empty()).unwrap();
        let response = pool.send(&route, request, &mut Timings::default()).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(pool.idle_count(), 1, "before the body is read");
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_body_that_is_not_read_closes_its_connection() {
    let upstream = Upstream::raw("127.0.0.1", |mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nstart").await.ok();
        read_head(&mut stream).await;
    })
    .await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &url(&upstream)));
    for _ in 0..3 {
        let response = pool.send(&route, get("/"), &mut Timings::default()).await.unwrap();
        drop(response);
        assert_eq!(pool.idle_count(), 0);
    }
    assert_eq!(upstream.connections(), 3);
}

/// Answers one request per connection, and closes it a moment later without saying so.
async fn forgetful() -> Upstream {
    Upstream::raw("127.0.0.1", |mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.ok();
    })
    .await
}

#[tokio::test]
async fn a_connection_that_closed_while_idle_is_replaced() {
    let upstream = forgetful().await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &url(&upstream)));
    for index in 0..50 {
        let request = Request::post("/").body(Body::full("not to be sent twice")).unwrap();
        let (status, _, timings) = fetch(&pool, &route, request).await;
        assert_eq!(status, 200);
        assert!(!timings.reused, "request {index} says that it went out on a closed connection");
        // Sometimes the close is seen when the connection is picked, sometimes only when it is used.
        if index % 2 == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    assert_eq!(upstream.connections(), 50, "each request arrived once");
}

#[tokio::test]
async fn a_stale_connection_is_replaced_once_and_says_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // A thread of its own, so that it closes the connection while this runtime is kept from noticing.
    let server = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 4096];
            assert!(stream.read(&mut head).unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
            // The answer has to be read before the close arrives.
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let egress = egress(settings(port));
    let (pool, route) = (egress.pool(), route(&egress, &format!("http://upstream.test:{port}")));
    fetch(&pool, &route, get("/")).await;
    std::thread::sleep(Duration::from_millis(200));
    // Lets the runtime learn of the close, but resumes before the connection's own task has run.
    tokio::task::yield_now().await;
    let request = Request::post("/").body(Body::full("whole")).unwrap();
    let (status, body, timings) = fetch(&pool, &route, request).await;
    assert_eq!((status, body.as_str()), (200, "ok"));
    assert!(timings.retried_stale && !timings.reused);
    server.join().unwrap();
}

#[tokio::test]
async fn a_request_that_was_written_is_never_repeated() {
    let upstream = Upstream::raw("127.0.0.1", |mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.ok();
        read_head(&mut stream).await;
    })
    .await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &url(&upstream)));
    fetch(&pool, &route, get("/first")).await;
    let mut timings = Timings::default();
    let error = pool.send(&route, get("/second"), &mut timings).await.unwrap_err();
    assert_eq!(error.kind(), EgressErrorKind::ClosedBeforeHead);
    assert_eq!(error.may_retry(), tombolo_egress::Retry::IfIdempotent);
    assert!(timings.reused && !timings.retried_stale);
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn different_partitions_never_share_a_connection() {
    let upstream = Upstream::web(None).await;
    let egress = egress(settings(upstream.port()));
    let pool = egress.pool();
    let labelled = |partition: &str| {
        let options = RouteOptions {
            partition: partition.to_owned(),
            time_outs: time_outs(),
            ..RouteOptions::default()
        };
        route_with(&egress, &url(&upstream), options)
    };
    let (first, second, first_again) = (labelled("1"), labelled("2"), labelled("1"));
    assert_eq!(first.pool_key(), first_again.pool_key());
    assert!(!fetch(&pool, &first, get("/")).await.2.reused);
    assert!(!fetch(&pool, &second, get("/")).await.2.reused);
    assert!(fetch(&pool, &first_again, get("/")).await.2.reused);

    pool.evict(|key| key.partition() == "1");
    assert_eq!(pool.idle_count(), 1);
    assert!(!fetch(&pool, &first, get("/")).await.2.reused);
    assert!(fetch(&pool, &second, get("/")).await.2.reused);
}

#[tokio::test]
async fn a_connection_in_use_is_closed_after_its_request_when_its_key_was_evicted() {
    let closed = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&closed);
    let upstream = Upstream::raw("127.0.0.1", move |mut stream, _| {
        let counter = Arc::clone(&counter);
        async move {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.ok();
            assert_eq!(read_head(&mut stream).await, "", "nothing more is sent on this connection");
            counter.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &url(&upstream)));
    let first = pool.send(&route, get("/"), &mut Timings::default()).await.unwrap();
    let second = pool.send(&route, get("/"), &mut Timings::default()).await.unwrap();
    pool.evict(|_| true);
    first.into_body().collect(1000, Duration::from_secs(5)).await.unwrap();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if closed.load(Ordering::SeqCst) > 0 {
            break;
        }
    }
    assert_eq!(closed.load(Ordering::SeqCst), 1, "while the second is still in use");
    second.into_body().collect(1000, Duration::from_secs(5)).await.unwrap();
    assert_eq!(pool.idle_count(), 0);
}

#[tokio::test]
async fn idle_connections_are_closed_after_their_time_and_above_their_number() {
    let upstream = Upstream::web(None).await;
    let mut settings = settings(upstream.port());
    settings.pool = PoolSettings { idle_max: 3, idle_time: Duration::from_millis(200) };
    let egress = egress(settings);
    let (pool, route) = (egress.pool(), route(&egress, &url(&upstream)));
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(pool.send(&route, get("/"), &mut Timings::default()).await.unwrap());
    }
    for answer in answers {
        answer.into_body().collect(1000, Duration::from_secs(5)).await.unwrap();
    }
    assert_eq!(pool.idle_count(), 3);
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if pool.idle_count() == 0 {
            break;
        }
    }
    assert_eq!(pool.idle_count(), 0);
    // The task that closes them has ended, and starts again for the next ones.
    assert!(!fetch(&pool, &route, get("/")).await.2.reused);
    assert_eq!(pool.idle_count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_may_be_shared_by_threads() {
    let upstream = Upstream::web(None).await;
    let egress = egress(settings(upstream.port()));
    let (pool, route) = (egress.pool(), route(&egress, &url(&upstream)));
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let (pool, route) = (pool.clone(), Arc::clone(&route));
        tasks.spawn(async move {
            for index in 0..100 {
                let path = format!("/{task}/{index}");
                let (_, body, _) = fetch(&pool, &route, get(&path)).await;
                assert_eq!(body, format!("GET {path} "));
            }
        });
    }
    tasks.join_all().await;
    assert!(upstream.connections() <= 64, "{} connections for 8 tasks", upstream.connections());
}
