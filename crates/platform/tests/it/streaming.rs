//! Bodies that are too large to be held: they stream both ways, and go out once.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use futures_util::stream;
use http::header::{HeaderValue, LOCATION, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt as _, Either, Full, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tombolo_platform::proxy::{AnswerBody, Call, CallBody, send};
use tombolo_platform::start::ConnectToOption;

use crate::faults::tokens;
use crate::world::{World, connect_to};

const CUSTOMERS: &str = "demoTokenCustomersAll0000000000000000000";
const MEBIBYTE: usize = 1 << 20;
const CHUNK: usize = 64 * 1024;

/// A vendor that sends every body back, redirects what has none, hangs up at `/drop`, and at `/busy` asks for an hour of
/// rest. Counts the requests.
async fn upstream(seen: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            let answer = move |request: Request<Incoming>| {
                seen.fetch_add(1, Ordering::Relaxed);
                async move {
                    if request.uri().path() == "/drop" {
                        drop(request.into_body().collect().await);
                        return Err(std::io::Error::other("hung up"));
                    }
                    if request.uri().path() == "/busy" {
                        let mut response = Response::new(request.into_body());
                        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
                        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("3600"));
                        return Ok(response);
                    }
                    let mut response = Response::new(request.into_body());
                    if response.body().is_end_stream() {
                        *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
                        let elsewhere = HeaderValue::from_static("http://169.254.169.254/latest/");
                        response.headers_mut().insert(LOCATION, elsewhere);
                    }
                    Ok(response)
                }
            };
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(http.serve_connection(TokioIo::new(socket), service_fn(answer)));
        }
    });
    address
}

type FrontBody = Either<AnswerBody, Full<Bytes>>;

async fn pass(world: &World, request: Request<Incoming>) -> Result<Response<FrontBody>, Infallible> {
    let (head, body) = request.into_parts();
    let outcome = async {
        let plan = world.platform.plan(&world.access.environment, None, "c").await?;
        let call = Call {
            method: head.method,
            target: head.uri.path_and_query().map_or("/", |target| target.as_str()),
            headers: head.headers,
            body: CallBody::Incoming(body),
            caller: None,
            request_id: "req_stream",
            started: Instant::now(),
        };
        send(&world.lane, &plan, call).await
    };
    Ok(match outcome.await {
        Ok(answer) => answer.map(Either::Left),
        Err(problem) => {
            let mut response = Response::new(Either::Right(Full::from(problem.code)));
            *response.status_mut() = StatusCode::from_u16(problem.kind.status()).expect("a status");
            response
        }
    })
}

/// A world whose vendor is `upstream`, behind a listener of our own.
async fn front(seen: &Arc<AtomicUsize>) -> SocketAddr {
    let address = upstream(Arc::clone(seen)).await.to_string();
    let world = World::start_with(|options, _| {
        let plain = ConnectToOption { without_tls: true, ..connect_to("demo.kintone.com", &address) };
        options.egress.connect_to = vec![plain];
    })
    .await;
    let mut draft = tokens("c", CUSTOMERS, "1");
    draft.settings.insert("retries".to_owned(), "1".to_owned());
    let made = world.platform.create_connection(&world.access, &draft, false, &mut |_| {}).await;
    assert!(made.expect("accepted").is_ok());
    let world = Arc::new(world);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let world = Arc::clone(&world);
            let service = service_fn(move |request| {
                let world = Arc::clone(&world);
                async move { pass(&world, request).await }
            });
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(http.serve_connection(TokioIo::new(socket), service));
        }
    });
    address
}

/// Sends a body of so many chunks whose length is not announced; with none, a small one whose length is. A GET has none.
#[expect(clippy::disallowed_methods, reason = "this is the caller, not the way out")]
async fn call(front: SocketAddr, method: Method, target: &str, chunks: usize) -> Response<Incoming> {
    let chunk = Bytes::from(vec![b'x'; CHUNK]);
    let frames = (0..chunks).map(move |_| Ok::<_, Infallible>(Frame::data(chunk.clone())));
    let builder = Request::builder().method(&method).uri(target).header("host", "localhost");
    let body = if chunks == 0 {
        Either::Right(Full::from(if method == Method::GET { "" } else { "{}" }))
    } else {
        Either::Left(StreamBody::new(stream::iter(frames)))
    };
    let request = builder.body(body).expect("a request");
    let socket = TcpStream::connect(front).await.expect("the front listens");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.expect("it speaks HTTP");
    tokio::spawn(connection);
    sender.send_request(request).await.expect("an answer")
}

/// Resident memory of this process in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the line");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_streams_both_ways_without_being_held() {
    const SIZE: usize = 256 * MEBIBYTE;
    let front = front(&Arc::default()).await;
    let before = resident();
    let mut answer = call(front, Method::POST, "/k/v1/file.json", SIZE / CHUNK).await.into_body();
    let (mut received, mut most) = (0, before);
    while let Some(frame) = answer.frame().await {
        let data = frame.expect("the whole body").into_data().unwrap_or_default();
        if received / MEBIBYTE != (received + data.len()) / MEBIBYTE {
            most = most.max(resident());
        }
        received += data.len();
    }
    assert_eq!(received, SIZE);
    // Other tests of this process grow meanwhile; a held body would be four times as much.
    let growth = most.saturating_sub(before) / MEBIBYTE;
    assert!(growth < 64, "{growth} MiB more");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_streams_goes_out_once_and_what_is_held_goes_out_again() {
    let seen = Arc::new(AtomicUsize::new(0));
    let front = front(&seen).await;
    for (chunks, times) in [(32, 1), (0, 2)] {
        seen.store(0, Ordering::Relaxed);
        let answer = call(front, Method::PUT, "/drop", chunks).await;
        assert_eq!(answer.status(), 502, "{chunks} chunks");
        assert_eq!(seen.load(Ordering::Relaxed), times, "{chunks} chunks");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_comes_back_and_is_never_followed() {
    let seen = Arc::new(AtomicUsize::new(0));
    let answer = call(front(&seen).await, Method::GET, "/k/v1/app.json", 0).await;
    assert_eq!((answer.status(), seen.load(Ordering::Relaxed)), (StatusCode::TEMPORARY_REDIRECT, 1));
    assert_eq!(answer.headers()[LOCATION], "http://169.254.169.254/latest/");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_is_longer_than_a_caller_waits_is_the_callers() {
    let seen = Arc::new(AtomicUsize::new(0));
    let answer = call(front(&seen).await, Method::GET, "/busy", 0).await;
    assert_eq!((answer.status(), seen.load(Ordering::Relaxed)), (StatusCode::TOO_MANY_REQUESTS, 1));
    assert_eq!(answer.headers()[RETRY_AFTER], "3600");
}
