//! Accepts sockets and hands each to the proxy thread with the fewest.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::options::ServerError;
use super::thread::{Inbox, Load, Socket as Handed};

/// Callers that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Listens, also right after a predecessor stopped.
pub(super) fn bind(address: SocketAddr) -> Result<TcpListener, ServerError> {
    let listen = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    listen().map_err(|source| ServerError::bind(address, source))
}

/// The places that connections of the network may have at the same time.
#[derive(Clone)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    all: usize,
}

impl Places {
    pub(super) fn new(all: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(all)), all }
    }

    /// How many there are.
    pub(crate) fn all(&self) -> usize {
        self.all
    }

    /// How many are taken. One of them waits for whoever comes next.
    pub(crate) fn taken(&self) -> usize {
        self.all.saturating_sub(self.free.available_permits()).saturating_sub(1)
    }
}

/// Accepts until the server stops.
pub(super) async fn run(
    listener: TcpListener,
    threads: Vec<Inbox>,
    places: Places,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let Ok(place) = Arc::clone(&places.free).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        let socket = match accepted.and_then(|(socket, peer)| Ok((socket.into_std()?, peer))) {
            Ok((socket, peer)) => {
                // Answers are written whole; waiting for more to send only delays them.
                let _ = socket.set_nodelay(true);
                Handed { stream: socket, peer, place }
            }
            Err(error) => {
                // Out of file descriptors, mostly: accepting again at once would only burn the processor.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        if let Some(thread) = threads.iter().min_by_key(|thread| thread.load.load(Ordering::Relaxed)) {
            let load = Load::of(&thread.load);
            // A thread only goes away when the server stops.
            let _ = thread.sockets.send((socket, load));
        }
    }
}
