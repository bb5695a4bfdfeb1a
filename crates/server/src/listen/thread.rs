//! A proxy thread: a runtime of its own, its own sockets, its own connections to upstreams.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::options::ServerError;
use crate::front::Front;
use crate::routes::Peer;

/// Longest time for the head of a request; it also bounds how long an idle socket is kept, so it is longer than the
/// keep-alive of the usual front servers.
const HEAD_TIME: Duration = Duration::from_secs(75);
/// Longest time for a TLS handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Largest head of a request.
const HEAD_BYTES: usize = 64 * 1024;

/// An accepted socket and its place among the connections.
pub(super) struct Socket {
    pub(super) stream: std::net::TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) place: OwnedSemaphorePermit,
}

/// The place of a connection among all, and its weight on its thread. Whoever keeps a socket beyond its request keeps this too.
pub(crate) struct Place {
    _among_all: OwnedSemaphorePermit,
    _on_thread: Load,
}

/// Counts a socket towards the load of its thread until it is dropped.
pub(super) struct Load(Arc<AtomicUsize>);

impl Load {
    pub(super) fn of(load: &Arc<AtomicUsize>) -> Self {
        load.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(load))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where sockets for a thread are handed in.
#[derive(Clone)]
pub(super) struct Inbox {
    pub(super) sockets: mpsc::UnboundedSender<(Socket, Load)>,
    pub(super) load: Arc<AtomicUsize>,
}

/// A running proxy thread.
pub(super) struct ProxyThread {
    inbox: Inbox,
    handle: JoinHandle<()>,
}

impl ProxyThread {
    pub(super) fn start(
        number: usize,
        front: Arc<Front>,
        tls: Option<TlsAcceptor>,
        stopped: watch::Receiver<bool>,
        drain: Duration,
    ) -> Result<Self, ServerError> {
        let (sockets, received) = mpsc::unbounded_channel();
        let inbox = Inbox { sockets, load: Arc::default() };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ServerError::Thread)?;
        let handle = std::thread::Builder::new()
            .name(format!("proxy-{number}"))
            .spawn(move || runtime.block_on(run(front, tls, received, stopped, drain)))
            .map_err(ServerError::Thread)?;
        Ok(Self { inbox, handle })
    }

    pub(super) fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    pub(super) fn join(self) {
        if self.handle.join().is_err() {
            tracing::error!("a proxy thread ended in a panic");
        }
    }
}

async fn run(
    front: Arc<Front>,
    tls: Option<TlsAcceptor>,
    mut received: mpsc::UnboundedReceiver<(Socket, Load)>,
    mut stopped: watch::Receiver<bool>,
    drain: Duration,
) {
    let mut connections = JoinSet::new();
    let watching = stopped.clone();
    loop {
        tokio::select! {
            socket = received.recv() => match socket {
                Some((socket, load)) => {
                    connections.spawn(connection(Arc::clone(&front), tls.clone(), socket, load, watching.clone()));
                }
                None => break,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            _ = stopped.wait_for(|stopped| *stopped) => break,
        }
    }
    end_within(drain, connections).await;
}

/// Lets the requests of connections that were told to stop end in this time.
pub(super) async fn end_within(drain: Duration, mut connections: JoinSet<()>) {
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(drain, all_ended).await.is_err() {
        tracing::warn!("some requests did not end in time and are cut off");
    }
}

async fn connection(
    front: Arc<Front>,
    tls: Option<TlsAcceptor>,
    socket: Socket,
    load: Load,
    stopped: watch::Receiver<bool>,
) {
    let Socket { stream, peer, place } = socket;
    let place = Some(Arc::new(Place { _among_all: place, _on_thread: load }));
    let Ok(stream) = tokio::net::TcpStream::from_std(stream) else { return };
    match tls {
        None => serve(stream, front, (Peer::Network(peer), place), stopped).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
                serve(stream, front, (Peer::Network(peer), place), stopped).await;
            }
        }
    }
}

/// Serves the requests of one socket until it closes or the server stops.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    front: Arc<Front>,
    (peer, place): (Peer, Option<Arc<Place>>),
    mut stopped: watch::Receiver<bool>,
) {
    let service = service_fn(move |request| Arc::clone(&front).serve(peer.clone(), place.clone(), request));
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(HEAD_BYTES)
            .pipeline_flush(true)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    // Errors of a caller's socket are the caller's: it went away or sent something that is no HTTP.
    let ended = tokio::select! {
        _ = connection.as_mut() => true,
        _ = stopped.wait_for(|stopped| *stopped) => false,
    };
    if !ended {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}
