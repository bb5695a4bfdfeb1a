//! A server that answers as the compatible product's does, as far as a migration asks: written from what its published API
//! is known to do. One request for each connection.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Its keys are UUIDs.
pub const KEY: &str = "9d3f1c64-7a2e-4b80-8e15-c4a96b07d2f8";

pub struct StandIn {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// What it has, and how it behaves.
#[derive(Default)]
pub struct State {
    /// With their member `credentials`.
    pub integrations: Vec<Value>,
    /// Whole ones. One with the member `exhausted` cannot renew its token any more.
    pub connections: Vec<Value>,
    /// So many requests are answered with 429 first.
    pub busy: usize,
    /// From this request on it breaks every connection off.
    pub breaks_at: Option<usize>,
    /// From this request on it asks to wait.
    pub pauses_at: Option<usize>,
    /// Whether credentials are hidden from the key.
    pub hides_credentials: bool,
    /// The targets that were asked for.
    pub asked: Vec<String>,
}

impl StandIn {
    pub async fn start(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().expect("not poisoned"))
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).expect("ASCII");
    let target = head.split(' ').nth(1).expect("a request line").to_owned();
    let is_known = head.to_ascii_lowercase().contains(&format!("authorization: bearer {KEY}\r\n"));
    let (answer, pause) = {
        let mut state = state.lock().expect("not poisoned");
        (state.answer(&target, is_known), if state.pauses_at.is_some() { 300 } else { 0 })
    };
    let Some((status, body)) = answer else { return };
    let body = body.to_string();
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nretry-after: {pause}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    // Whoever asked may be gone.
    let _ = stream.write_all(answer.as_bytes()).await;
}

impl State {
    /// Nothing when the connection breaks off.
    fn answer(&mut self, target: &str, is_known: bool) -> Option<(u16, Value)> {
        self.asked.push(target.to_owned());
        if self.breaks_at.is_some_and(|at| self.asked.len() > at) {
            return None;
        }
        if self.busy > 0 || self.pauses_at.is_some_and(|at| self.asked.len() > at) {
            self.busy = self.busy.saturating_sub(1);
            return Some((
                429,
                json!({ "error": { "code": "too_many_request", "method": "GET", "path": target } }),
            ));
        }
        if !is_known {
            return Some(refusal(401, "unknown_account", "Authentication failed."));
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query: HashMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (decoded(name), decoded(&value.replace('+', " "))))
            .collect();
        let segments: Vec<String> = path.split('/').skip(1).map(decoded).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        Some(match segments[..] {
            ["integrations"] if query.is_empty() => {
                let all: Vec<Value> =
                    self.integrations.iter().map(|known| without(known, "credentials")).collect();
                (200, json!({ "data": all }))
            }
            ["integrations", key] => self.integration(key, &query),
            ["connections"] => self.list(&query),
            ["connections", id] => self.connection(id, &query),
            _ => refusal(404, "not_found", "Not found"),
        })
    }

    fn integration(&self, key: &str, query: &HashMap<String, String>) -> (u16, Value) {
        let found = self.integrations.iter().find(|known| known["unique_key"] == key);
        match (found, query.get("include").map(String::as_str)) {
            (None, _) => refusal(404, "not_found", "Integration does not exist"),
            (Some(_), Some("credentials")) if self.hides_credentials => {
                refusal(403, "forbidden", "The key needs environment:integrations:read_credentials")
            }
            (Some(known), Some("credentials")) => (200, json!({ "data": known })),
            (Some(known), _) => (200, json!({ "data": without(known, "credentials") })),
        }
    }

    /// Pages as the product makes them, and the strictness of its query.
    fn list(&self, query: &HashMap<String, String>) -> (u16, Value) {
        if query.keys().any(|name| !["limit", "page", "integrationId"].contains(&name.as_str())) {
            return refusal(400, "invalid_query_params", "unrecognized_keys");
        }
        let number = |name: &str, otherwise: usize| {
            query.get(name).map_or(otherwise, |text| text.parse().expect("a number"))
        };
        let (limit, page) = (number("limit", 10_000), number("page", 0));
        let of: Option<Vec<&str>> = query.get("integrationId").map(|keys| keys.split(',').collect());
        let of_them = |known: &&Value| {
            of.as_ref().is_none_or(|keys| keys.iter().any(|key| known["provider_config_key"] == **key))
        };
        let members = ["connection_config", "credentials", "webhook_url_override", "exhausted"];
        let listed = self.connections.iter().filter(of_them).skip(limit * page).take(limit).map(|known| {
            let mut listed = members.iter().fold(known.clone(), |known, member| without(&known, member));
            listed["created"] = "2026-01-05T08:30:00.000Z".into();
            listed
        });
        (200, json!({ "connections": listed.collect::<Vec<_>>() }))
    }

    fn connection(&self, id: &str, query: &HashMap<String, String>) -> (u16, Value) {
        let found = self.connections.iter().find(|known| {
            known["connection_id"] == id
                && query.get("provider_config_key").is_some_and(|key| known["provider_config_key"] == **key)
        });
        let Some(known) = found else { return refusal(404, "not_found", "Failed to find connection") };
        if known.get("exhausted").is_some() {
            let (status, mut body) =
                refusal(424, "connection_refresh_exhausted", "The refresh limit was reached");
            body["error"]["payload"] = json!({ "connection": without(known, "credentials") });
            return (status, body);
        }
        if self.hides_credentials {
            return refusal(403, "forbidden", "The key needs environment:connections:read_credentials");
        }
        let mut full = known.clone();
        for moment in ["created_at", "updated_at", "last_fetched_at"] {
            full[moment] = "2026-01-05T08:30:00.000+00:00".into();
        }
        if query.get("refresh_token").map(String::as_str) != Some("true") {
            full["credentials"] = without(&full["credentials"], "refresh_token");
        }
        (200, full)
    }
}

fn refusal(status: u16, code: &str, message: &str) -> (u16, Value) {
    (status, json!({ "error": { "code": code, "message": message } }))
}

fn without(value: &Value, member: &str) -> Value {
    let mut value = value.clone();
    if let Some(members) = value.as_object_mut() {
        members.remove(member);
    }
    value
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().expect("UTF-8").into_owned()
}
