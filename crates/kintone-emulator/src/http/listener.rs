//! Accept loops over hyper's HTTP/1.1 connections, plain and with TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::tls::TlsServer;
use super::{AnswerBody, Request};

/// Answers requests; `None` closes the connection without an answer.
pub(crate) trait Respond: Send + Sync + 'static {
    /// Answers one request.
    fn respond(&self, request: Request) -> impl Future<Output = Option<http::Response<AnswerBody>>> + Send;
}

/// Listening sockets and their connections; they end together.
pub(crate) struct Listeners {
    stop: watch::Sender<bool>,
    loops: JoinSet<()>,
}

/// How long open connections may finish after the stop.
const GRACE: Duration = Duration::from_millis(500);

impl Listeners {
    pub(crate) fn new() -> Self {
        Self { stop: watch::Sender::new(false), loops: JoinSet::new() }
    }

    /// Binds a socket and answers on it until the stop. Answers the address that was bound.
    pub(crate) async fn listen(
        &mut self,
        address: SocketAddr,
        tls: Option<TlsServer>,
        responder: Arc<impl Respond>,
    ) -> std::io::Result<SocketAddr> {
        let listener = TcpListener::bind(address).await?;
        let bound = listener.local_addr()?;
        self.loops.spawn(accept(listener, tls, responder, self.stop.subscribe()));
        Ok(bound)
    }

    /// Accepts nothing more, lets open requests finish for a moment, then closes everything.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.loops.join_next().await.is_some() {}
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsServer>,
    responder: Arc<impl Respond>,
    stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let mut end = stop.clone();
    loop {
        tokio::select! {
            () = stopped(&mut end) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((stream, peer)) = accepted else {
                    // Out of descriptors, most likely: wait for some to become free.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                };
                let (tls, responder, stop) = (tls.clone(), Arc::clone(&responder), stop.clone());
                connections.spawn(connection(stream, peer, tls, responder, stop));
            }
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, finished).await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsServer>,
    responder: Arc<impl Respond>,
    stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(stream, peer, None, responder, stop).await,
        Some(tls) => {
            if let Ok((stream, certificate)) = tls.accept(stream).await {
                serve(stream, peer, certificate, responder, stop).await;
            }
        }
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: SocketAddr,
    certificate: Option<CertificateDer<'static>>,
    responder: Arc<impl Respond>,
    mut stop: watch::Receiver<bool>,
) {
    let service = service_fn(move |incoming: http::Request<Incoming>| {
        let (responder, certificate) = (Arc::clone(&responder), certificate.clone());
        async move {
            let (parts, body) = incoming.into_parts();
            let body = body.collect().await.map_or_else(|_| None, |whole| Some(whole.to_bytes()));
            let body: Bytes = body.ok_or(NoAnswer)?;
            let request = Request {
                method: parts.method,
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                headers: parts.headers,
                body,
                peer,
                certificate,
            };
            responder.respond(request).await.ok_or(NoAnswer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(1 << 16)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stopped(&mut stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Resolves at the stop, or when nobody is left who could order it.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stopped| *stopped).await.is_ok();
}

/// The connection is closed without an answer, because of a fault or because the request broke off.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer")]
struct NoAnswer;
