use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A listener on loopback that counts who came.
pub struct Upstream {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    /// Handles each connection with `handle`, which also gets the number of the connection, from 0.
    pub async fn raw<F, R>(address: &str, handle: F) -> Self
    where
        F: Fn(TcpStream, usize) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(handle(stream, counter.fetch_add(1, Ordering::SeqCst)));
            }
        });
        Self { address, connections, heads: Arc::default() }
    }

    /// Reads one request head and answers with these bytes, then closes.
    pub async fn answering(answer: &'static [u8]) -> Self {
        Self::raw("127.0.0.1", move |mut stream, _| async move {
            read_head(&mut stream).await;
            stream.write_all(answer).await.ok();
        })
        .await
    }

    /// A web server that echoes method, path and body, and keeps connections.
    pub async fn web(tls: Option<Arc<ServerConfig>>) -> Self {
        Self::web_on("127.0.0.1", tls).await
    }

    pub async fn web_on(address: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&heads);
        let mut upstream = Self::raw(address, move |stream, _| {
            let (tls, log) = (tls.clone(), Arc::clone(&log));
            async move {
                match tls {
                    None => serve(stream, log).await,
                    Some(config) => {
                        if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                            serve(stream, log).await;
                        }
                    }
                }
            }
        })
        .await;
        upstream.heads = heads;
        upstream
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// What the web server was sent, one text per request: request line and headers.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Reads up to and including the empty line.
pub async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, log: Arc<Mutex<Vec<String>>>) {
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let log = Arc::clone(&log);
        async move {
            let (head, body) = request.into_parts();
            let mut text = format!("{} {}\n", head.method, head.uri);
            for (name, value) in &head.headers {
                writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
            }
            log.lock().unwrap().push(text);
            let body = body.collect().await?.to_bytes();
            let answer = format!("{} {} {}", head.method, head.uri, String::from_utf8_lossy(&body));
            Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from(answer))))
        }
    });
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}
