//! Background work: what has to be done, by whom, and what happens when it fails.
//!
//! Every node runs a worker. Jobs are claimed with a lease that runs out, so a killed node's jobs are taken up.

mod by_hand;
mod held;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tombolo_store::{
    Change, ClaimedJob, JobLease, NOTIFICATION_JOB, REVOCATION_JOB, Schedule, Timestamp, WEBHOOK_DELIVERY_JOB,
};

use crate::platform::Platform;
use crate::problem::Problem;
use crate::users::{ATTEMPT_WINDOW, SIGN_IN_IDLE};

pub(crate) use held::HeldJobs;

/// How long a claimed job belongs to its worker without a sign of life: a killed worker's jobs are taken up after this and
/// a glance. The clocks of all nodes decide together, so they have to agree within a part of it.
const LEASE: Duration = Duration::from_secs(8);
/// How often a worker gives signs of life, in one statement for all its jobs; three may fail before a job is lost.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);
/// How long the right to chain audit events belongs to its holder.
const CHAIN_LEASE: Duration = Duration::from_mins(1);
/// Jobs that are claimed at a time: few, so that workers that look at the same time share them.
const BITE: usize = 4;
/// The pause before the next bite when there may be more to claim, for every job that is held already: so a worker that
/// has much leaves the rest to those that have little, and one whose jobs are short goes on as they end.
const CHEW: Duration = Duration::from_millis(50);
/// How often the worker looks for work that nobody here knows of.
const PERIOD: Duration = Duration::from_secs(1);
/// How often audit events that are not chained yet are looked for.
const CHAIN_PERIOD: Duration = Duration::from_secs(10);
/// How long a server that stops waits for its jobs: as long as a receiver of webhooks may take, and a little.
const STOP_MAX: Duration = Duration::from_secs(25);
/// How long what a browser's socket was to be told is kept: nobody waits longer for it.
const SOCKET_MESSAGES_KEPT: Duration = Duration::from_hours(1);
/// How long the tokens of a deleted connection are kept, should their job have been cancelled: the vendor was to have them
/// back long before.
const REVOCATIONS_KEPT: Duration = Duration::from_hours(48);
/// For how long finished jobs and webhook events are kept.
const JOBS_KEPT: Duration = Duration::from_hours(7 * 24);
/// For how long dead jobs are kept: somebody has to have a chance to see them and to try again.
const DEAD_JOBS_KEPT: Duration = Duration::from_hours(30 * 24);
/// For how long is known what people were told, so that they are not told again.
const NOTICES_KEPT: Duration = Duration::from_hours(90 * 24);
/// Rows that one step of retention removes, or of chaining chains.
const STEP: u32 = 1000;

/// The kinds of job, each done by one function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JobKind {
    /// Remove what is older than its retention.
    Retention,
    /// Test connections that fail or were not tested for a while, and warn of credentials that end.
    Verification,
    /// Deliver what is due to one webhook.
    WebhookDelivery,
    /// Tell one recipient what is due.
    Notification,
    /// Give the tokens of a deleted connection back to the vendor.
    Revocation,
}

/// Kinds that share the places of a worker: those that mostly wait for somebody else do not keep the others waiting.
const GROUPS: [(&[JobKind], usize); 4] = [
    (&[JobKind::Retention, JobKind::Verification], 4),
    (&[JobKind::WebhookDelivery], 64),
    (&[JobKind::Notification], 8),
    (&[JobKind::Revocation], 8),
];

/// How a job goes on when its work has ended well.
enum Done {
    /// Not at all.
    Finished,
    /// It rests until somebody wakes it, or until then.
    Resting(Option<Timestamp>),
}

/// How long what is kept, and how often connections are tested.
#[derive(Debug, Clone, Copy)]
pub struct Housekeeping {
    /// For how long calls are kept in the log.
    pub activity: Duration,
    /// How often each connection is tested by the server itself; `None` for never.
    pub verify_every: Option<Duration>,
}

impl Housekeeping {
    /// For how long finished jobs, events for webhooks and their deliveries are kept.
    pub const JOBS_KEPT: Duration = JOBS_KEPT;
    /// For how long jobs are kept that failed for good.
    pub const DEAD_JOBS_KEPT: Duration = DEAD_JOBS_KEPT;
}

/// The names of all kinds of job, for those who choose among them.
pub fn job_kinds() -> impl Iterator<Item = &'static str> {
    JobKind::ALL.into_iter().map(JobKind::name)
}

impl JobKind {
    const ALL: [Self; 5] =
        [Self::Retention, Self::Verification, Self::WebhookDelivery, Self::Notification, Self::Revocation];

    fn name(self) -> &'static str {
        match self {
            Self::Retention => "retention",
            Self::Verification => "verification",
            Self::WebhookDelivery => WEBHOOK_DELIVERY_JOB,
            Self::Notification => NOTIFICATION_JOB,
            Self::Revocation => REVOCATION_JOB,
        }
    }

    /// How often it is done by the clock; `None` for what is enqueued by whatever happens.
    fn every(self) -> Option<Duration> {
        match self {
            Self::Retention => Some(Duration::from_hours(1)),
            Self::Verification => Some(Duration::from_mins(1)),
            Self::WebhookDelivery | Self::Notification | Self::Revocation => None,
        }
    }
}

impl Platform {
    /// Sets the schedules up, works on due jobs and chains audit events until the runtime ends.
    pub fn work(self: &Arc<Self>, housekeeping: Housekeeping) {
        let platform = Arc::clone(self);
        // Whoever asks is told what the first start of the work was told; there is one in a process.
        let _ = self.housekeeping.set(housekeeping);
        self.spawn(async move {
            if let Err(problem) = platform.put_schedules().await {
                tracing::error!(%problem, "the schedules could not be written; background work waits for the next start");
                return;
            }
            tokio::join!(platform.look_for_work(housekeeping), platform.hold_jobs(), platform.chain());
        });
    }

    /// Begins no further job, waits for what is under way (a request that is cut off here would be sent twice), and gives
    /// back what is left, so that others need not wait until its leases run out.
    pub async fn stop_working(&self, patience: Duration) {
        self.held_jobs.end();
        let deadline = Instant::now() + patience.min(STOP_MAX);
        while !self.held_jobs.leases().is_empty() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let leases = self.held_jobs.abandon();
        if let Err(error) = self.store.release_jobs(&leases, self.now()).await {
            tracing::warn!(%error, "jobs could not be given back; others take them up in a moment");
        }
    }

    async fn look_for_work(self: &Arc<Self>, housekeeping: Housekeeping) {
        let mut glance = every(PERIOD);
        let mut running = JoinSet::new();
        let mut next_bite = None;
        loop {
            tokio::select! {
                _ = glance.tick() => {
                    if let Err(problem) = self.renew_due().await {
                        tracing::warn!(%problem, "tokens that are to be renewed could not be looked for");
                    }
                }
                () = self.held_jobs.wanted() => {}
                // The place that is free now may be wanted.
                Some(_) = running.join_next(), if !running.is_empty() => {}
                () = tokio::time::sleep_until(next_bite.unwrap_or_else(Instant::now)), if next_bite.is_some() => {}
            }
            next_bite = None;
            match self.start_jobs(&mut running, &self.name, housekeeping).await {
                Ok(true) => {
                    let pause = CHEW.saturating_mul(running.len() as u32).min(PERIOD);
                    next_bite = Some(Instant::now() + pause);
                }
                Ok(false) => {}
                Err(problem) => tracing::warn!(%problem, "background work could not be looked for"),
            }
        }
    }

    /// Beside the work, so that nothing that takes its time lets a job look abandoned.
    async fn hold_jobs(&self) {
        let mut beat = every(SIGN_OF_LIFE);
        loop {
            beat.tick().await;
            let leases = self.held_jobs.leases();
            if leases.is_empty() {
                continue;
            }
            match self.store.renew_jobs(&leases, LEASE, self.now()).await {
                Ok(given) => self.held_jobs.keep_only(&leases, &given),
                // A database that does not answer for a moment takes no job away.
                Err(error) => tracing::warn!(%error, "jobs could not be held for another moment"),
            }
        }
    }

    async fn chain(&self) {
        let mut chain = every(CHAIN_PERIOD);
        loop {
            chain.tick().await;
            if let Err(problem) = self.chain_audit(&self.name).await {
                tracing::warn!(%problem, "audit events could not be chained; they are with the next ones");
            }
        }
    }

    async fn put_schedules(&self) -> Result<(), Problem> {
        let known = self.store.schedules().await?;
        let changes: Vec<Change> = JobKind::ALL
            .iter()
            .filter_map(|kind| Some((kind.name(), kind.every()?)))
            .filter(|(name, every)| {
                !known.iter().any(|schedule| schedule.name == *name && schedule.every == *every)
            })
            .map(|(name, every)| {
                Change::PutSchedule(Schedule {
                    name: name.to_owned(),
                    environment_id: None,
                    kind: name.to_owned(),
                    payload: json!({}),
                    every,
                    next_fire_at: self.now().plus(every),
                })
            })
            .collect();
        if changes.is_empty() { Ok(()) } else { self.commit(&changes).await.map(drop) }
    }

    /// Renews tokens, fires due schedules, does the jobs that are due, and says how many.
    pub async fn work_once(
        self: &Arc<Self>,
        owner: &str,
        housekeeping: Housekeeping,
    ) -> Result<usize, Problem> {
        self.renew_due().await?;
        let mut done = 0;
        loop {
            let mut running = JoinSet::new();
            while self.start_jobs(&mut running, owner, housekeeping).await? {}
            if running.is_empty() {
                return Ok(done);
            }
            done += running.len();
            tokio::select! {
                () = all_done(running) => {}
                () = self.hold_jobs() => {}
            }
        }
    }

    /// Fires due schedules and starts due jobs, each beside the others: a long one holds no other up. Says whether there may
    /// be more.
    async fn start_jobs(
        self: &Arc<Self>,
        running: &mut JoinSet<()>,
        owner: &str,
        housekeeping: Housekeeping,
    ) -> Result<bool, Problem> {
        self.store.fire_due_schedules(self.now()).await?;
        let mut may_be_more = false;
        if self.held_jobs.is_over() {
            return Ok(may_be_more);
        }
        for (kinds, places) in GROUPS {
            let room = places.saturating_sub(self.held_jobs.count(kinds)).min(BITE);
            if room == 0 {
                continue;
            }
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            let claimed = self.store.claim_jobs(&names, owner, room as u32, LEASE, self.now()).await?;
            may_be_more |= claimed.len() == room;
            for job in claimed {
                let Some(kind) = kinds.iter().find(|kind| kind.name() == job.job.kind) else { continue };
                let (platform, kind, working) = (Arc::clone(self), *kind, job.clone());
                let work = async move { platform.do_job(&working, kind, housekeeping).await };
                self.held_jobs.start(running, &job, kind, work);
            }
        }
        Ok(may_be_more)
    }

    async fn do_job(self: &Arc<Self>, job: &ClaimedJob, kind: JobKind, housekeeping: Housekeeping) {
        let lease: JobLease = job.lease.clone();
        // Boxed, because the state of a connection test is large.
        let change = match Box::pin(self.work_on(job, kind, housekeeping)).await {
            Ok(Done::Finished) => Change::CompleteJob(lease),
            Ok(Done::Resting(until)) => Change::RestJob(lease, until),
            Err(problem) => {
                tracing::warn!(job = %job.job.id, kind = job.job.kind, %problem, "a job failed");
                Change::FailJob { lease, error: problem.to_string(), retry: true }
            }
        };
        // A lost lease means that another worker has the job by now; its outcome counts.
        if let Err(problem) = self.commit(&[change]).await {
            tracing::warn!(%problem, "the end of a job could not be written");
        }
    }

    async fn work_on(
        self: &Arc<Self>,
        job: &ClaimedJob,
        kind: JobKind,
        housekeeping: Housekeeping,
    ) -> Result<Done, Problem> {
        match kind {
            JobKind::Retention => self.retain(housekeeping).await.map(|()| Done::Finished),
            JobKind::Verification => {
                self.warn_of_ends().await?;
                self.verify_connections(housekeeping.verify_every).await.map(|()| Done::Finished)
            }
            JobKind::WebhookDelivery => self.deliver(job).await.map(Done::Resting),
            JobKind::Notification => self.notify(job).await.map(Done::Resting),
            JobKind::Revocation => self.revoke(job).await.map(|()| Done::Finished),
        }
    }

    async fn retain(&self, housekeeping: Housekeeping) -> Result<(), Problem> {
        let now = self.now();
        while self.store.prune_activity(now.minus(housekeeping.activity), STEP).await? > 0 {}
        self.store.shrink_activity().await?;
        let oldest = now.minus(JOBS_KEPT);
        while self.store.prune_jobs(oldest, now.minus(DEAD_JOBS_KEPT), STEP).await? > 0 {}
        while self.store.prune_reconnect_links(oldest, STEP).await? > 0 {}
        while self.store.prune_notices(now.minus(NOTICES_KEPT), STEP).await? > 0 {}
        while self.store.prune_webhook_events(oldest, STEP).await? > 0 {}
        self.store.empty_authorizations(now).await?;
        self.store.empty_connect_sessions(now).await?;
        while self.store.prune_authorizations(oldest, STEP).await? > 0 {}
        while self.store.prune_revocations(now.minus(REVOCATIONS_KEPT), STEP).await? > 0 {}
        while self.store.prune_connect_sessions(oldest, STEP).await? > 0 {}
        while self.store.prune_socket_messages(now.minus(SOCKET_MESSAGES_KEPT), STEP).await? > 0 {}
        while self.store.prune_sign_ins(SIGN_IN_IDLE, now, STEP).await? > 0 {}
        while self.store.prune_identifications(now, STEP).await? > 0 {}
        while self.store.prune_attempts(now.minus(ATTEMPT_WINDOW), STEP).await? > 0 {}
        Ok(())
    }

    /// Chains the audit events that were written since; at most one node does it at a time. Nothing is written when there
    /// are none.
    pub async fn chain_audit(&self, owner: &str) -> Result<(), Problem> {
        if !self.store.has_unchained_audit_events().await? {
            return Ok(());
        }
        let Some(lease) = self.store.take_lease("audit_chain", owner, CHAIN_LEASE, self.now()).await? else {
            return Ok(());
        };
        while self.store.chain_audit_events(&lease, STEP, self.now()).await? == u64::from(STEP) {}
        self.store.release_lease(&lease).await?;
        Ok(())
    }
}

/// Ticks at once and then in this rhythm; ticks that were missed are not made up for.
fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    interval
}

/// Waits for all jobs. One that is stopped because its lease was lost has ended too: another worker does it again.
async fn all_done(mut running: JoinSet<()>) {
    while let Some(ended) = running.join_next().await {
        match ended.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(()) | Err(Err(_)) => {}
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_that_is_stopped_brings_down_no_other() {
        let mut running = JoinSet::new();
        running.spawn(std::future::pending()).abort();
        running.spawn(async {});
        all_done(running).await;
    }
}
