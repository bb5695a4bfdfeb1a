use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use tombolo_store::{ClaimedJob, JobId, JobLease};

use super::JobKind;

/// The jobs that a process works on. All of them are held by one statement, however many there are.
#[derive(Default)]
pub(crate) struct HeldJobs {
    jobs: Mutex<HashMap<JobId, Held>>,
    there_is_work: Notify,
    is_over: AtomicBool,
}

struct Held {
    lease: JobLease,
    kind: JobKind,
    task: AbortHandle,
}

impl HeldJobs {
    /// Has the worker look for work now instead of at its next glance.
    pub(crate) fn look(&self) {
        self.there_is_work.notify_one();
    }

    pub(super) async fn wanted(&self) {
        self.there_is_work.notified().await;
    }

    /// Starts the work on a claimed job, and lets go of it when the work ends, however it ends: a job whose work panicked
    /// is no longer held, so that another worker takes it up.
    pub(super) fn start(
        self: &Arc<Self>,
        running: &mut JoinSet<()>,
        job: &ClaimedJob,
        kind: JobKind,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let id = job.job.id.clone();
        // Locked until the job stands in the map, so that work that ends at once lets go of it afterwards.
        let mut jobs = self.lock();
        let release = Release { held: Arc::clone(self), id: id.clone() };
        let task = running.spawn(async move {
            let _release = release;
            work.await;
        });
        jobs.insert(id, Held { lease: job.lease.clone(), kind, task });
    }

    /// How many jobs of these kinds are held.
    pub(super) fn count(&self, kinds: &[JobKind]) -> usize {
        self.lock().values().filter(|held| kinds.contains(&held.kind)).count()
    }

    pub(super) fn leases(&self) -> Vec<JobLease> {
        self.lock().values().map(|held| held.lease.clone()).collect()
    }

    /// Ends the work on what `asked` for, and was not given, another term: somebody else has it, or it was cancelled.
    pub(super) fn keep_only(&self, asked: &[JobLease], given: &[JobLease]) {
        let jobs = self.lock();
        for lost in asked.iter().filter(|lease| !given.contains(lease)) {
            if let Some(held) = jobs.get(&lost.id).filter(|held| held.lease == *lost) {
                tracing::warn!(job = %lost.id, kind = held.kind.name(), "a job was taken over or cancelled");
                held.task.abort();
            }
        }
    }

    /// Whether no further job is to be begun.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Begins no further job, and has those that can stop early do so.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// Ends all work, and gives what was held.
    pub(super) fn abandon(&self) -> Vec<JobLease> {
        let jobs = self.lock();
        jobs.values().for_each(|held| held.task.abort());
        jobs.values().map(|held| held.lease.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Held>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Release {
    held: Arc<HeldJobs>,
    id: JobId,
}

impl Drop for Release {
    fn drop(&mut self) {
        self.held.lock().remove(&self.id);
    }
}
