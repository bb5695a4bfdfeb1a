//! The log of calls: cheap on the way of a call, written in blocks behind it.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use tombolo_egress::{EgressError, Timings};
use tombolo_store::{
    BlockEncoder, Call as PackedCall, CallDetail, EncodedBlock, EnvironmentId, Phases, Timestamp,
};

use crate::access::Access;
use crate::clock::Clock;
use crate::platform::Platform;
use crate::problem::Problem;
use crate::proxy::{Call, CallBody, Plan};

/// Most calls that wait to be written in one lane; further ones are counted and dropped.
const WAITING_MAX: u32 = 65_536;

/// One call. Query values, headers and bodies are never part of it.
pub struct CallRecord {
    pub(crate) plan: Arc<Plan>,
    pub(crate) method: Method,
    /// The path as the caller wrote it, with the names of its query parameters but not their values.
    pub(crate) path: String,
    pub(crate) request_id: String,
    pub(crate) caller: Option<Access>,
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
    fn begin(plan: &Arc<Plan>, call: &Call<'_>) -> Self {
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

    /// Nobody is interested any more; unless the call had ended before, the caller went away.
    fn dropped(&mut self) {
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

/// A call that is written into the log when it is dropped: there is no way around the log.
pub(crate) struct Recording {
    record: CallRecord,
    recorder: Recorder,
}

impl Deref for Recording {
    type Target = CallRecord;

    fn deref(&self) -> &CallRecord {
        &self.record
    }
}

impl DerefMut for Recording {
    fn deref_mut(&mut self) -> &mut CallRecord {
        &mut self.record
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.record.dropped();
        self.recorder.push(&self.record);
    }
}

/// Where a lane leaves its calls, packed at once; clones share it.
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

struct Shared {
    waiting: Mutex<Waiting>,
    dropped: AtomicU64,
    /// A call that took longer, in microseconds, is kept with its details.
    slow: u32,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Waiting {
    encoder: BlockEncoder,
    /// The environment of all calls of the block; `None` once there are several.
    environment: Option<EnvironmentId>,
    details: Vec<CallDetail>,
}

impl Recorder {
    /// A recorder for one lane.
    pub(crate) fn new(clock: Arc<dyn Clock>, slow: Duration) -> Self {
        let shared =
            Shared { waiting: Mutex::default(), dropped: AtomicU64::new(0), slow: micros(slow), clock };
        Self(Arc::new(shared))
    }

    /// Begins the record of a call.
    pub(crate) fn begin(&self, plan: &Arc<Plan>, call: &Call<'_>) -> Recording {
        Recording { record: CallRecord::begin(plan, call), recorder: self.clone() }
    }

    fn push(&self, record: &CallRecord) {
        let at = self.0.clock.now().minus(Duration::from_micros(record.total.into()));
        let call = record.packed(at);
        let notable = record.error.is_some() || call.status >= 400 || record.total > self.0.slow;
        let detail = notable.then(|| record.detail(at));
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.encoder.calls() >= WAITING_MAX {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if waiting.encoder.calls() == 0 {
            waiting.environment = Some(record.plan.environment.clone());
        } else if waiting.environment.as_ref().is_some_and(|known| *known != record.plan.environment) {
            waiting.environment = None;
        }
        waiting.encoder.push(&call);
        waiting.details.extend(detail);
    }

    /// Takes what waits.
    fn take(&self) -> Option<(Option<EnvironmentId>, EncodedBlock, Vec<CallDetail>)> {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let block = waiting.encoder.take()?;
        Some((waiting.environment.take(), block, std::mem::take(&mut waiting.details)))
    }

    /// How many calls were not written because too many waited.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

impl CallRecord {
    fn packed(&self, at: Timestamp) -> PackedCall<'_> {
        PackedCall {
            at,
            environment: self.plan.environment.as_str(),
            connection: self.plan.connection.as_ref().map_or("", |id| id.as_str()),
            integration: &self.plan.integration,
            method: self.method.as_str(),
            path: &self.path,
            status: self.status.map_or(0, |status| status.as_u16()),
            attempts: u16::try_from(self.attempts).unwrap_or(u16::MAX),
            bytes_up: self.bytes_up,
            bytes_down: self.bytes_down,
            phases: Phases {
                queue: self.queue.into(),
                dns: self.timings.dns.into(),
                tcp: self.timings.tcp.into(),
                tls: self.timings.tls.into(),
                first_byte: self.timings.first_byte.into(),
                total: self.total.into(),
            },
            pooled: self.timings.reused,
            error_kind: self.error.unwrap_or_default(),
            request_id: &self.request_id,
            api_key: self.caller.as_ref().map_or("", |caller| caller.actor.id.as_str()),
        }
    }

    fn detail(&self, at: Timestamp) -> CallDetail {
        let call = self.packed(at);
        CallDetail {
            environment_id: self.plan.environment.clone(),
            request_id: self.request_id.clone(),
            at,
            connection: call.connection.to_owned(),
            integration: call.integration.to_owned(),
            method: call.method.to_owned(),
            path: self.path.clone(),
            status: call.status,
            error_kind: self.error.map(str::to_owned),
            total_us: call.phases.total,
            detail: serde_json::json!({
                "host": self.plan.host(),
                "attempts": self.attempts,
                "pooled": call.pooled,
                "queue_us": call.phases.queue,
                "dns_us": call.phases.dns,
                "tcp_us": call.phases.tcp,
                "tls_us": call.phases.tls,
                "first_byte_us": call.phases.first_byte,
                "bytes_up": call.bytes_up,
                "bytes_down": call.bytes_down,
                "api_key": call.api_key,
            }),
        }
    }
}

impl Platform {
    /// Writes what the lanes left, four times a second, until the runtime ends.
    pub fn write_activity(self: &Arc<Self>) {
        let platform = Arc::clone(self);
        self.spawn(async move {
            let mut interval = tokio::time::interval(Duration::from_millis(250));
            interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                interval.tick().await;
                platform.flush_activity().await;
            }
        });
    }

    /// Writes what the lanes left until now. Calls that cannot be written are counted as dropped: a log must not
    /// stop the calls that it is about.
    pub async fn flush_activity(&self) {
        let recorders = self.recorders.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for recorder in recorders {
            let Some((environment, block, details)) = recorder.take() else { continue };
            let calls = block.calls;
            let written = self.store.append_activity(&[(environment, block)], &details, self.now()).await;
            if let Err(error) = written {
                recorder.0.dropped.fetch_add(calls.into(), Ordering::Relaxed);
                tracing::warn!(%error, calls, "calls could not be written to the log");
            }
        }
    }

    /// How many calls never reached the log.
    pub fn activity_dropped(&self) -> u64 {
        let recorders = self.recorders.lock().unwrap_or_else(PoisonError::into_inner);
        recorders.iter().map(Recorder::dropped).sum()
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
