//! Sockets of browsers that wait for the outcome of an authorization. The vendor's answer may come to another process, so
//! what they are told goes through the database.

use std::collections::HashMap;
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
    platform: Weak<Platform>,
}

impl Platform {
    /// Opens a socket. The first one makes this process ask the database until the last one is gone.
    pub fn open_socket(self: &Arc<Self>) -> Result<Socket, Problem> {
        let id = secret_text(&*self.random)?;
        let (sender, news) = mpsc::channel(4);
        let key = hash(&id);
        let is_served = {
            let mut waiting = self.sockets.lock();
            if waiting.sockets.len() >= SOCKETS_MAX {
                let what = "Too many browsers are waiting for an authorization";
                let problem =
                    Problem::new(ProblemKind::Unavailable, "too_many_sockets", what, "Try again later.");
                return Err(problem.retry_after(30));
            }
            waiting.sockets.insert(key.clone(), sender);
            std::mem::replace(&mut waiting.is_served, true)
        };
        if !is_served {
            let platform = Arc::clone(self);
            self.spawn(async move { platform.serve_sockets().await });
        }
        Ok(Socket { id: id.into(), news, hash: key, platform: Arc::downgrade(self) })
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

impl Sockets {
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
            platform.sockets.lock().sockets.remove(&self.hash);
        }
    }
}
