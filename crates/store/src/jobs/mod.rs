//! Work for later: written in the transaction of the act that wants it, done by whoever claims it.

mod claim;
mod finish;
mod wake;

use serde_json::Value as Json;

pub(crate) use finish::{cancel, complete, fail, rest, retry};
pub(crate) use wake::wake;

use crate::commit::Act;
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::id::{EnvironmentId, JobId};
use crate::store::Store;
use crate::text_enum::text_enum;
use crate::timestamp::Timestamp;

/// A piece of work as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Names it.
    pub id: JobId,
    /// The environment it works for; `None` for the installation's own housekeeping.
    pub environment_id: Option<EnvironmentId>,
    /// Which handler does it.
    pub kind: String,
    /// What the handler needs to know. Never a secret.
    pub payload: Json,
    /// How far it is.
    pub state: JobState,
    /// When it may be claimed: its start while queued, the end of its lease while running.
    pub due_at: Timestamp,
    /// How often it was begun.
    pub attempts: u32,
    /// How often it may be begun.
    pub max_attempts: u32,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When it succeeded, died or was cancelled.
    pub finished_at: Option<Timestamp>,
    /// The process that works on it, or did last.
    pub worker: Option<String>,
}

text_enum! {
    /// How far a job is.
    JobState {
        /// Waits for its time, or for its next attempt.
        Queued = "queued",
        /// Somebody works on it.
        Running = "running",
        /// Done.
        Succeeded = "succeeded",
        /// Failed for good.
        Dead = "dead",
        /// Ended by somebody.
        Cancelled = "cancelled",
    }
}

/// A piece of work to be enqueued.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// The environment it works for; `None` for the installation's own housekeeping.
    pub environment_id: Option<EnvironmentId>,
    /// Which handler does it.
    pub kind: String,
    /// What the handler needs to know. Never a secret.
    pub payload: Json,
    /// When to begin.
    pub run_at: Timestamp,
    /// How often it may be begun, at least once.
    pub max_attempts: u32,
    /// A second job of the same kind and key is not enqueued, even after the first is finished, until that one is pruned.
    pub idempotency_key: Option<String>,
}

/// The right to finish a job. It is worth nothing once somebody else claimed the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobLease {
    /// Which job.
    pub id: JobId,
    /// Grows with every claim.
    pub token: u64,
}

/// A job to work on now.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedJob {
    /// The job; its `attempts` count this one.
    pub job: Job,
    /// The right to finish it.
    pub lease: JobLease,
}

/// Which jobs a list shows; everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Those in this state.
    pub state: Option<JobState>,
    /// Those of this kind.
    pub kind: Option<String>,
    /// The installation's own beside those of the environment.
    pub installation: bool,
}

pub(crate) const COLUMNS: &str = "id, environment_id, kind, payload, state, due_at, attempts, max_attempts, last_error, \
                                  created_at, finished_at, lease_owner";

impl Store {
    /// The environment's jobs, and the installation's own if the filter says so, newest first, beginning after `after`.
    pub async fn jobs(
        &self,
        environment: &EnvironmentId,
        filter: &JobFilter,
        after: Option<&JobId>,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError> {
        let mut select = query("").bind(environment);
        let mut conditions = Vec::new();
        if let Some(state) = filter.state {
            conditions.push(format!(" AND state = ${}", select.push(state.as_str())));
        }
        if let Some(kind) = &filter.kind {
            conditions.push(format!(" AND kind = ${}", select.push(kind.as_str())));
        }
        if let Some(after) = after {
            conditions.push(format!(" AND id < ${}", select.push(after)));
        }
        let conditions = conditions.concat();
        let limit = select.push(limit);
        let newest = |owner: &str| {
            format!("SELECT {COLUMNS} FROM jobs WHERE {owner}{conditions} ORDER BY id DESC LIMIT ${limit}")
        };
        let own = newest("environment_id = $1");
        if filter.installation {
            // Each half walks along the index; one condition with OR would sort every job that is kept.
            let shared = newest("environment_id IS NULL");
            select.append(&format!(
                "SELECT {COLUMNS} FROM (SELECT * FROM ({own}) own UNION ALL SELECT * FROM ({shared}) shared) found \
                 ORDER BY id DESC LIMIT ${limit}"
            ));
        } else {
            select.append(&own);
        }
        self.database.read(select).await?.into_iter().map(|mut row| read(&mut row)).collect()
    }

    /// The environment's job with this id, or with `installation` one of the installation's own.
    pub async fn job(
        &self,
        environment: &EnvironmentId,
        installation: bool,
        id: &JobId,
    ) -> Result<Option<Job>, StoreError> {
        let or_shared = if installation { " OR environment_id IS NULL" } else { "" };
        let select =
            query(format!("SELECT {COLUMNS} FROM jobs WHERE id = $2 AND (environment_id = $1{or_shared})"));
        self.database
            .read_one(select.bind(environment).bind(id))
            .await?
            .map(|mut row| read(&mut row))
            .transpose()
    }

    /// How many jobs are kept in each state, every state told. (Works on all environments.)
    pub async fn count_jobs(&self) -> Result<Vec<(JobState, u64)>, StoreError> {
        let mut counts: Vec<(JobState, u64)> = JobState::ALL.iter().map(|state| (*state, 0)).collect();
        for mut row in self.database.read(query("SELECT state, COUNT(*) FROM jobs GROUP BY state")).await? {
            let state: JobState = row.parsed()?;
            let count = row.counter()?;
            counts.iter_mut().filter(|(known, _)| *known == state).for_each(|(_, known)| *known = count);
        }
        Ok(counts)
    }

    /// Forgets at most `limit` jobs that were finished before `before`, dead ones only before `dead_before`, and says how
    /// many. (Works on all environments.)
    pub async fn prune_jobs(
        &self,
        before: Timestamp,
        dead_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let statement = query(
            "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at IS NOT NULL AND finished_at < $1 \
             AND (state <> 'dead' OR finished_at < $2) LIMIT $3)",
        );
        self.database.execute(statement.bind(before).bind(dead_before).bind(limit)).await
    }
}

pub(crate) fn read(row: &mut Row) -> Result<Job, StoreError> {
    Ok(Job {
        id: row.parsed()?,
        environment_id: row.optional_parsed()?,
        kind: row.text()?,
        payload: row.json()?,
        state: row.parsed()?,
        due_at: row.time()?,
        attempts: row.small_counter()?,
        max_attempts: row.small_counter()?,
        last_error: row.optional_text()?,
        created_at: row.time()?,
        finished_at: row.optional_time()?,
        worker: row.optional_text()?,
    })
}

/// The new job's id, or that of the earlier job with the same idempotency key.
pub(crate) async fn enqueue(act: &mut Act<'_>, new: &NewJob) -> Result<JobId, StoreError> {
    let id = JobId::generate(act.at, act.random)?;
    let statement = query(
        "INSERT INTO jobs (id, environment_id, kind, payload, state, due_at, attempts, max_attempts, lease_token, \
         idempotency_key, created_at) VALUES ($1, $2, $3, $4, 'queued', $5, 0, $6, 0, $7, $8) \
         ON CONFLICT (kind, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING",
    );
    let statement = statement
        .bind(&id)
        .bind(new.environment_id.as_ref())
        .bind(new.kind.as_str())
        .bind(&new.payload)
        .bind(new.run_at)
        .bind(new.max_attempts.max(1))
        .bind(new.idempotency_key.as_deref())
        .bind(act.at);
    if act.transaction.execute(statement).await? == 1 {
        return Ok(id);
    }
    let earlier = query("SELECT id FROM jobs WHERE kind = $1 AND idempotency_key = $2");
    let row =
        act.transaction.row(earlier.bind(new.kind.as_str()).bind(new.idempotency_key.as_deref())).await?;
    // Another process may prune the earlier job between the two statements.
    row.ok_or(StoreError::Busy)?.parsed()
}
