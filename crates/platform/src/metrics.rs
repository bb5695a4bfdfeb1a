//! What the operator measures: the limits towards upstreams, background work, and what the log of calls had to leave out.

use std::sync::Arc;
use std::time::Duration;

use tombolo_store::{JobState, Timestamp};

use crate::platform::Platform;
use crate::problem::Problem;
use crate::proxy::HostLoad;

/// How often jobs are counted at most: anybody may ask for figures, and counting reads every job that is kept.
const JOBS_COUNTED_EVERY: Duration = Duration::from_secs(10);

/// A moment's figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlatformFigures {
    /// The load of every upstream host that was called since the start, by host.
    pub hosts: Vec<HostLoad>,
    /// How many calls the log had to leave out since the start.
    pub activity_dropped: u64,
    /// How many pages of browsers wait for what comes of a window that they opened.
    pub waiting_pages: usize,
    /// How many jobs of all environments and of the installation are kept in each state, up to ten seconds ago; empty
    /// when the database does not answer.
    pub jobs: Vec<(JobState, u64)>,
}

/// The jobs as they were counted last.
#[derive(Debug, Default)]
pub(crate) struct JobCounts(tokio::sync::Mutex<Option<(Timestamp, ByState)>>);

type ByState = Vec<(JobState, u64)>;

impl Platform {
    /// The figures of this moment.
    pub async fn figures(self: &Arc<Self>) -> PlatformFigures {
        let platform = Arc::clone(self);
        let jobs = self.for_a_call(async move { platform.counted_jobs().await }).await;
        let jobs = jobs.unwrap_or_else(|problem| {
            tracing::warn!(%problem, "the jobs could not be counted");
            Vec::new()
        });
        PlatformFigures {
            hosts: self.governors.loads(),
            activity_dropped: self.activity_dropped(),
            waiting_pages: self.sockets.waiting(),
            jobs,
        }
    }

    async fn counted_jobs(&self) -> Result<ByState, Problem> {
        let mut known = self.job_counts.0.lock().await;
        let now = self.now();
        if let Some((at, counts)) = known.as_ref()
            && (*at..at.plus(JOBS_COUNTED_EVERY)).contains(&now)
        {
            return Ok(counts.clone());
        }
        let counts = self.store.count_jobs().await?;
        *known = Some((now, counts.clone()));
        Ok(counts)
    }
}
