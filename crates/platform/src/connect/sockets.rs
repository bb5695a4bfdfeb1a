//! Sockets of browsers that wait for the outcome of an authorization. The vendor's answer may come to another process, so
//! what they are told goes through the database.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::{Notify, mpsc};
use tombolo_store::{Change, SocketMessage, Timestamp};

use crate::oauth::{hash, secret_text};
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

/// How often the database is asked while sockets wait.
const POLL: Duration = Duration::from_millis(500);
/// Most sockets of one process.
const SOCKETS_MAX: usize = 10_000;
/// Most sockets of one address. Behind a server that adds TLS all callers may have one address, so it is not a small number;
/// those on this machine are not bounded.
const SOCKETS_PER_ADDRESS: usize = 1_000;
/// Most sockets that one statement asks for.
const ASKED_AT_ONCE: usize = 400;

/// What a socket is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "message_type", rename_all = "snake_case")]
pub enum SocketNews {
    /// The account is linked, or waits for its confirmation.
    Success {
        /// The key of the integration.
        provider_config_key: String,
        /// The connection.
        connection_id: String,
        /// Whether somebody has to confirm it first.
        is_pending: bool,
    },
    /// It has come to nothing.
    Error {
        /// The key of the integration.
        provider_config_key: String,
        /// The connection that it was to be.
        connection_id: String,
        /// What kind of failure it is, in the words of the compatible API.
        error_type: String,
        /// What happened, and what to do.
        error_desc: String,
    },
}

/// The sockets of this process by their hash.
#[derive(Default)]
pub(crate) struct Sockets {
    waiting: Mutex<Waiting>,
    /// Wakes whoever asks the database.
    news: Notify,
}

#[derive(Default)]
struct Waiting {
    sockets: HashMap<Vec<u8>, mpsc::Sender<SocketNews>>,
    /// How many of them each address has.
    of_address: HashMap<IpAddr, usize>,
    /// Whether a task asks the database for them: never more than one.
    is_served: bool,
}

/// A socket that waits. It is forgotten when this is dropped.
pub struct Socket {
    /// Names it to whoever begins the authorization; a secret, because whoever knows it decides what the socket is told.
    pub id: SecretString,
    /// What it is told.
    pub news: mpsc::Receiver<SocketNews>,
    hash: Vec<u8>,
    address: Option<IpAddr>,
    platform: Weak<Platform>,
}

impl Platform {
    /// Opens a socket. The first one makes this process ask the database until the last one is gone.
    /// `address` is whose it is, as far as that is known.
    pub fn open_socket(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Socket, Problem> {
        let address = address.filter(|address| !address.is_loopback()).map(network_of);
        let id = secret_text(&*self.random)?;
        let (sender, news) = mpsc::channel(4);
        let key = hash(&id);
        let is_served = {
            let mut waiting = self.sockets.lock();
            let of_address = address.map_or(0, |address| *waiting.of_address.get(&address).unwrap_or(&0));
            if waiting.sockets.len() >= SOCKETS_MAX || of_address >= SOCKETS_PER_ADDRESS {
                let what = "Too many browsers are waiting for an authorization";
                let problem =
                    Problem::new(ProblemKind::Unavailable, "too_many_sockets", what, "Try again later.");
                return Err(problem.retry_after(30));
            }
            if let Some(address) = address {
                *waiting.of_address.entry(address).or_default() += 1;
            }
            waiting.sockets.insert(key.clone(), sender);
            std::mem::replace(&mut waiting.is_served, true)
        };
        if !is_served {
            let platform = Arc::clone(self);
            self.spawn(async move { platform.serve_sockets().await });
        }
        Ok(Socket { id: id.into(), news, hash: key, address, platform: Arc::downgrade(self) })
    }

    /// Tells a socket, by the name that a browser gave, why an authorization did not begin. Nothing is written for it: who
    /// asks need not have been allowed anything. A socket that another process holds waits until its page gives up.
    pub fn tell_of_refusal(&self, socket: &str, integration: &str, problem: &Problem) {
        let news = SocketNews::Error {
            provider_config_key: integration.to_owned(),
            connection_id: String::new(),
            error_type: problem.popup_error_type().to_owned(),
            error_desc: problem.to_string(),
        };
        self.sockets.tell_now(&hash(socket), news);
    }

    /// What leaves news for a socket, in the act that they are about; they are told when they are due, unless others come
    /// before.
    pub(crate) fn tell_socket(socket_hash: &[u8], news: &SocketNews, due_at: Timestamp) -> Change {
        let (socket_hash, message) = (socket_hash.to_vec(), json!(news));
        Change::AddSocketMessage(SocketMessage { socket_hash, message, due_at })
    }

    /// Has this process look at once: the socket may be its own.
    pub(crate) fn hasten_sockets(&self) {
        self.sockets.news.notify_one();
    }

    async fn serve_sockets(self: Arc<Self>) {
        loop {
            let hashes: Vec<Vec<u8>> = {
                let mut waiting = self.sockets.lock();
                if waiting.sockets.is_empty() || self.store.is_closed() {
                    waiting.is_served = false;
                    return;
                }
                waiting.sockets.keys().cloned().collect()
            };
            for some in hashes.chunks(ASKED_AT_ONCE) {
                match self.store.take_socket_messages(some, self.now()).await {
                    Ok(taken) => taken.into_iter().for_each(|message| self.sockets.tell(message)),
                    Err(error) => tracing::warn!(%error, "what sockets are to be told could not be read"),
                }
            }
            let _ = tokio::time::timeout(POLL, self.sockets.news.notified()).await;
        }
    }
}

impl Socket {
    /// Whether any window was opened whose outcome it waits for. One that nobody names waits for nothing.
    pub async fn is_named(&self) -> bool {
        let Some(platform) = self.platform.upgrade() else { return false };
        // While the database does not answer nobody is sent away.
        platform.store.is_socket_named(&self.hash).await.unwrap_or(true)
    }
}

/// Whoever has an address of IPv6 has all of its network.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or_else(
            || {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            },
            IpAddr::from,
        ),
    }
}

impl Sockets {
    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().sockets.len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, message: SocketMessage) {
        if let Ok(news) = serde_json::from_value(message.message) {
            self.tell_now(&message.socket_hash, news);
        }
    }

    fn tell_now(&self, socket_hash: &[u8], news: SocketNews) {
        if let Some(socket) = self.lock().sockets.get(socket_hash) {
            // A socket that does not read is told nothing more.
            let _ = socket.try_send(news);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(platform) = self.platform.upgrade() {
            let mut waiting = platform.sockets.lock();
            waiting.sockets.remove(&self.hash);
            if let Some(address) = self.address
                && let Some(count) = waiting.of_address.get_mut(&address)
            {
                *count -= 1;
                if *count == 0 {
                    waiting.of_address.remove(&address);
                }
            }
        }
    }
}
