//! The log of calls: cheap on the way of a call, written in blocks behind it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use tombolo_egress::{EgressError, Timings};

use crate::problem::Problem;
use crate::proxy::{Call, CallBody, Plan};

/// Most calls that wait to be written in one lane; further ones are counted and dropped.
const WAITING_MAX: usize = 8192;

/// One call. Query values, headers and bodies are never part of it.
pub struct CallRecord {
    pub(crate) plan: Arc<Plan>,
    pub(crate) method: Method,
    /// The path as the caller wrote it, with the names of its query parameters but not their values.
    pub(crate) path: String,
    pub(crate) request_id: String,
    pub(crate) caller: Option<Arc<str>>,
    pub(crate) started: Instant,
    pub(crate) status: Option<StatusCode>,
    pub(crate) attempts: u32,
    pub(crate) bytes_up: u64,
    pub(crate) bytes_down: u64,
    pub(crate) queue: u32,
    pub(crate) timings: Timings,
    pub(crate) total: u32,
    /// A stable name for what went wrong on our way.
    pub(crate) error: Option<&'static str>,
    finished: bool,
}

impl CallRecord {
    pub(crate) fn begin(plan: &Arc<Plan>, call: &Call<'_>) -> Self {
        let bytes_up = match &call.body {
            CallBody::Full(bytes) => bytes.len() as u64,
            CallBody::Incoming(body) => http_body::Body::size_hint(body).exact().unwrap_or(0),
        };
        Self {
            plan: Arc::clone(plan),
            method: call.method.clone(),
            path: without_values(call.target),
            request_id: call.request_id.to_owned(),
            caller: call.caller.clone(),
            started: call.started,
            status: None,
            attempts: 0,
            bytes_up,
            bytes_down: 0,
            queue: 0,
            timings: Timings::default(),
            total: 0,
            error: None,
            finished: false,
        }
    }

    pub(crate) fn sent(&mut self, queue: Duration) {
        self.queue = micros(queue);
    }

    pub(crate) fn timings(&mut self, timings: &Timings) {
        self.timings = *timings;
    }

    pub(crate) fn head(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    pub(crate) fn failed(&mut self, problem: &Problem) {
        self.error = Some(problem.code);
        self.finish();
    }

    pub(crate) fn ended(&mut self, error: Option<&EgressError>) {
        if !self.finished {
            self.error = error.map(|error| error.kind().code());
            self.finish();
        }
    }

    /// The answer is gone; unless it had ended before, the caller went away.
    pub(crate) fn dropped(&mut self) {
        if !self.finished {
            self.error = Some("caller_gone");
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.finished = true;
        self.total = micros(self.started.elapsed());
    }
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

/// The path with the names of the query parameters: `/k/v1/records.json?app&query`.
fn without_values(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let mut text = String::with_capacity(path.len() + 32);
    text.push_str(path);
    for (index, pair) in query.split('&').enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        text.push_str(pair.split('=').next().unwrap_or_default());
    }
    text
}

/// Where a lane leaves its calls; clones share it.
#[derive(Clone, Default)]
pub struct Recorder {
    waiting: Arc<Mutex<Vec<CallRecord>>>,
    dropped: Arc<AtomicU64>,
}

impl Recorder {
    pub(crate) fn push(&self, record: CallRecord) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING_MAX {
            waiting.push(record);
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes what waits, leaving a list with the same room behind.
    pub(crate) fn take(&self) -> Vec<CallRecord> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            return Vec::new();
        }
        let room = waiting.capacity();
        std::mem::replace(&mut *waiting, Vec::with_capacity(room))
    }

    /// How many calls were not written because too many waited.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::without_values;

    #[test]
    fn values_of_a_query_never_reach_the_log() {
        for (target, logged) in [
            ("/k/v1/records.json?app=1&query=name%20%3D%20%22MARKER%22", "/k/v1/records.json?app&query"),
            ("/k/v1/app.json", "/k/v1/app.json"),
            ("/a?MARKERlike", "/a?MARKERlike"),
            ("/a?", "/a?"),
        ] {
            assert_eq!(without_values(target), logged);
        }
    }
}
