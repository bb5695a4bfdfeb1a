//! Background work: what has to be done, by whom, and what happens when it fails.
//!
//! Every node runs a worker. Jobs are claimed with a lease that runs out, so a killed node's jobs are taken up.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tombolo_store::{ActorKind, Change, ClaimedJob, ConnectionFilter, Health, Schedule, StoreError};

use crate::access::Access;
use crate::platform::Platform;
use crate::problem::Problem;

/// How long a claimed job belongs to its worker without a sign of life.
const LEASE: Duration = Duration::from_mins(1);
/// Jobs that one worker does at the same time.
const AT_ONCE: usize = 4;
/// How often the worker looks for work.
const PERIOD: Duration = Duration::from_secs(1);
/// How often audit events that are not chained yet are looked for.
const CHAIN_PERIOD: Duration = Duration::from_secs(10);
/// For how long finished jobs and webhook events are kept.
const JOBS_KEPT: Duration = Duration::from_hours(7 * 24);
/// Rows that one step of retention removes, or of chaining chains.
const STEP: u32 = 1000;

/// The kinds of job, each done by one function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JobKind {
    /// Remove what is older than its retention.
    Retention,
    /// Test connections that were not tested for a while.
    Verification,
}

/// How long what is kept, and how often connections are tested.
#[derive(Debug, Clone, Copy)]
pub struct Housekeeping {
    /// For how long calls are kept in the log.
    pub activity: Duration,
    /// How often each connection is tested by the server itself; `None` for never.
    pub verify_every: Option<Duration>,
}

impl JobKind {
    const ALL: [Self; 2] = [Self::Retention, Self::Verification];

    fn name(self) -> &'static str {
        match self {
            Self::Retention => "retention",
            Self::Verification => "verification",
        }
    }

    fn every(self) -> Duration {
        match self {
            Self::Retention => Duration::from_hours(1),
            Self::Verification => Duration::from_mins(10),
        }
    }
}

impl Platform {
    /// Sets the schedules up, works on due jobs and chains audit events until the runtime ends.
    pub fn work(self: &Arc<Self>, housekeeping: Housekeeping) {
        let platform = Arc::clone(self);
        self.spawn(async move {
            if let Err(problem) = platform.put_schedules().await {
                tracing::error!(%problem, "the schedules could not be written; background work waits for the next start");
                return;
            }
            let (mut work, mut chain) = (every(PERIOD), every(CHAIN_PERIOD));
            let mut running = JoinSet::new();
            loop {
                tokio::select! {
                    _ = work.tick() => {
                        if let Err(problem) = platform.start_jobs(&mut running, &platform.name, housekeeping).await {
                            tracing::warn!(%problem, "background work could not be looked for");
                        }
                    }
                    Some(_) = running.join_next(), if !running.is_empty() => {}
                    _ = chain.tick() => {
                        if let Err(problem) = platform.chain_audit(&platform.name).await {
                            tracing::warn!(%problem, "audit events could not be chained; they are with the next ones");
                        }
                    }
                }
            }
        });
    }

    async fn put_schedules(&self) -> Result<(), Problem> {
        let known = self.store.schedules().await?;
        let changes: Vec<Change> = JobKind::ALL
            .iter()
            .filter(|kind| {
                !known.iter().any(|schedule| schedule.name == kind.name() && schedule.every == kind.every())
            })
            .map(|kind| {
                Change::PutSchedule(Schedule {
                    name: kind.name().to_owned(),
                    environment_id: None,
                    kind: kind.name().to_owned(),
                    payload: json!({}),
                    every: kind.every(),
                    next_fire_at: self.now().plus(kind.every()),
                })
            })
            .collect();
        if changes.is_empty() { Ok(()) } else { self.commit(&changes).await.map(drop) }
    }

    /// Fires due schedules, does the jobs that are due, and says how many.
    pub async fn work_once(
        self: &Arc<Self>,
        owner: &str,
        housekeeping: Housekeeping,
    ) -> Result<usize, Problem> {
        let mut running = JoinSet::new();
        self.start_jobs(&mut running, owner, housekeeping).await?;
        Ok(running.join_all().await.len())
    }

    /// Fires due schedules and starts due jobs, each beside the others: a long one holds no other up.
    async fn start_jobs(
        self: &Arc<Self>,
        running: &mut JoinSet<()>,
        owner: &str,
        housekeeping: Housekeeping,
    ) -> Result<(), Problem> {
        self.renew_due().await?;
        self.store.fire_due_schedules(self.now()).await?;
        let room = AT_ONCE.saturating_sub(running.len());
        let kinds = JobKind::ALL.map(JobKind::name);
        for job in self.store.claim_jobs(&kinds, owner, room as u32, LEASE, self.now()).await? {
            let platform = Arc::clone(self);
            running.spawn(async move { platform.do_job(job, housekeeping).await });
        }
        Ok(())
    }

    async fn do_job(self: &Arc<Self>, job: ClaimedJob, housekeeping: Housekeeping) {
        // Boxed, because the state of a connection test is large.
        let work = Box::pin(self.work_on(&job, housekeeping));
        let Some(outcome) = self.while_held(&job, work).await else {
            tracing::warn!(job = %job.job.id, kind = job.job.kind, "a job was taken over by another worker");
            return;
        };
        let change = match outcome {
            Ok(()) => Change::CompleteJob(job.lease),
            Err(problem) => {
                tracing::warn!(job = %job.job.id, kind = job.job.kind, %problem, "a job failed");
                Change::FailJob { lease: job.lease, error: problem.to_string(), retry: true }
            }
        };
        // A lost lease means that another worker has the job by now; its outcome counts.
        if let Err(problem) = self.commit(&[change]).await {
            tracing::warn!(%problem, "the end of a job could not be written");
        }
    }

    /// Works while the job is ours, which is renewed well before it runs out; `None` once another worker has it.
    async fn while_held<T>(&self, job: &ClaimedJob, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let mut renewals = every(LEASE / 3);
        renewals.tick().await;
        loop {
            tokio::select! {
                outcome = work.as_mut() => return Some(outcome),
                _ = renewals.tick() => match self.store.renew_job(&job.lease, LEASE, self.now()).await {
                    Err(StoreError::LeaseLost { .. }) => return None,
                    // A database that does not answer for a moment takes no job away.
                    Err(error) => tracing::warn!(job = %job.job.id, %error, "a job could not be renewed"),
                    Ok(()) => {}
                },
            }
        }
    }

    async fn work_on(self: &Arc<Self>, job: &ClaimedJob, housekeeping: Housekeeping) -> Result<(), Problem> {
        match JobKind::ALL.into_iter().find(|kind| kind.name() == job.job.kind) {
            Some(JobKind::Retention) => self.retain(housekeeping).await,
            Some(JobKind::Verification) => self.verify_connections(housekeeping).await,
            None => Ok(()),
        }
    }

    async fn retain(&self, housekeeping: Housekeeping) -> Result<(), Problem> {
        let now = self.now();
        while self.store.prune_activity(now.minus(housekeeping.activity), STEP).await? > 0 {}
        self.store.shrink_activity().await?;
        let oldest = now.minus(JOBS_KEPT);
        while self.store.prune_jobs(oldest, STEP).await? > 0 {}
        while self.store.prune_webhook_events(oldest, STEP).await? > 0 {}
        while self.store.prune_authorizations(oldest, STEP).await? > 0 {}
        Ok(())
    }

    /// Chains the audit events that were written since; at most one node does it at a time. Nothing is written when there
    /// are none.
    pub async fn chain_audit(&self, owner: &str) -> Result<(), Problem> {
        if !self.store.has_unchained_audit_events().await? {
            return Ok(());
        }
        let Some(lease) = self.store.take_lease("audit_chain", owner, LEASE, self.now()).await? else {
            return Ok(());
        };
        while self.store.chain_audit_events(&lease, STEP, self.now()).await? == u64::from(STEP) {}
        self.store.release_lease(&lease).await?;
        Ok(())
    }

    /// Tests every connection whose last test is too old. One that was refused is left alone: only a person may try
    /// its credential again.
    async fn verify_connections(self: &Arc<Self>, housekeeping: Housekeeping) -> Result<(), Problem> {
        let Some(every) = housekeeping.verify_every else { return Ok(()) };
        for environment in self.store.environments().await? {
            let access = Access::unrestricted(environment.id.clone(), ActorKind::System, "verification");
            let mut after = None;
            loop {
                let page = self
                    .store
                    .list_connections(&environment.id, &ConnectionFilter::default(), after.as_ref(), 100)
                    .await?;
                let oldest = self.now().minus(every);
                for connection in page.connections {
                    let due = connection.last_tested_at.is_none_or(|tested| tested < oldest);
                    if due && connection.health != Health::Refused && connection.sealed.is_some() {
                        let id = connection.id.as_str();
                        // What the test found stands in the connection's health; one that cannot be tested is no
                        // reason not to test the others.
                        if let Err(problem) = self.test_connection(&access, None, id, &mut |_| {}).await {
                            tracing::warn!(connection = id, %problem, "a connection could not be tested");
                        }
                    }
                }
                match page.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
        Ok(())
    }
}

/// Ticks at once and then in this rhythm; ticks that were missed are not made up for.
fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    interval
}
