//! What arrived, for tests that ask what the service really saw.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::http::Request;

/// A request that arrived, and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedRequest {
    /// When it had arrived completely.
    pub at: Timestamp,
    /// The tenant it was for; `None` when no tenant has that host.
    pub tenant: Option<String>,
    /// Method as sent, before an override.
    pub method: String,
    /// Path as sent.
    pub path: String,
    /// Query string as sent.
    pub query: String,
    /// Address of the other end of the connection.
    pub peer: String,
    /// Every header in the order of arrival, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Length of the body in bytes.
    pub body_size: usize,
    /// The body as text, when it is short.
    pub body: Option<String>,
    /// Status of the answer; `None` when there was none because of a fault.
    pub status: Option<u16>,
}

impl LoggedRequest {
    /// The first header of this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Bodies up to this length are kept.
const LONGEST_BODY: usize = 16 * 1024;
/// Requests that are kept; older ones make room.
const KEPT: usize = 10_000;

/// The last requests.
#[derive(Debug, Default)]
pub(crate) struct RequestLog(VecDeque<LoggedRequest>);

impl RequestLog {
    pub(crate) fn record(
        &mut self,
        at: Timestamp,
        tenant: Option<&str>,
        request: &Request,
        status: Option<u16>,
    ) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        let short = request.body.len() <= LONGEST_BODY && !request.body.is_empty();
        self.0.push_back(LoggedRequest {
            at,
            tenant: tenant.map(str::to_owned),
            method: request.method.to_string(),
            path: request.path.clone(),
            query: request.query.clone(),
            peer: request.peer.to_string(),
            headers: request
                .headers
                .iter()
                .map(|(name, value)| {
                    (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
            body_size: request.body.len(),
            body: short.then(|| String::from_utf8_lossy(&request.body).into_owned()),
            status,
        });
    }

    pub(crate) fn list(&self) -> Vec<LoggedRequest> {
        self.0.iter().cloned().collect()
    }

    pub(crate) fn count(&self, counts: impl Fn(&LoggedRequest) -> bool) -> usize {
        self.0.iter().filter(|request| counts(request)).count()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
