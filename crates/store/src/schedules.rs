use std::time::Duration;

use serde_json::Value as Json;

use crate::commit::Act;
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::id::{EnvironmentId, JobId};
use crate::jobs::{self, NewJob};
use crate::store::Store;
use crate::timestamp::{Timestamp, milliseconds};

/// Enqueues a job again and again. Times that passed while no process ran are made up for by one job, not by many.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Names it.
    pub name: String,
    /// The environment of its jobs; `None` for the installation's own housekeeping.
    pub environment_id: Option<EnvironmentId>,
    /// The kind of its jobs.
    pub kind: String,
    /// The payload of its jobs.
    pub payload: Json,
    /// The time between two jobs, at least a millisecond.
    pub every: Duration,
    /// When the next job is enqueued.
    pub next_fire_at: Timestamp,
}

const COLUMNS: &str = "name, environment_id, kind, payload, every_ms, next_fire_at";
const MAX_ATTEMPTS: u32 = 5;

impl Store {
    /// All schedules by name. (Works on all environments.)
    pub async fn schedules(&self) -> Result<Vec<Schedule>, StoreError> {
        let rows =
            self.database.read(query(format!("SELECT {COLUMNS} FROM schedules ORDER BY name"))).await?;
        rows.into_iter().map(read).collect()
    }

    /// Enqueues a job for every schedule whose time has come and gives their ids. However many processes call this at
    /// once, one job comes of each fire time. (Works on all environments.)
    pub async fn fire_due_schedules(&self, at: Timestamp) -> Result<Vec<JobId>, StoreError> {
        let due = format!("SELECT {COLUMNS} FROM schedules WHERE next_fire_at <= $1 ORDER BY name");
        if self.database.read_one(query(due.clone()).bind(at)).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut act = Act::begin(self, at).await?;
        let mut fired = Vec::new();
        for row in act.transaction.rows(query(due + self.database.skip_locked()).bind(at)).await? {
            fired.push(fire(&mut act, &read(row)?).await?);
        }
        act.transaction.commit().await?;
        Ok(fired)
    }
}

async fn fire(act: &mut Act<'_>, schedule: &Schedule) -> Result<JobId, StoreError> {
    let fire_at = schedule.next_fire_at;
    let job = NewJob {
        environment_id: schedule.environment_id.clone(),
        kind: schedule.kind.clone(),
        payload: schedule.payload.clone(),
        run_at: fire_at,
        max_attempts: MAX_ATTEMPTS,
        idempotency_key: Some(format!("schedule:{}:{}", schedule.name, fire_at.as_milliseconds())),
    };
    let id = jobs::enqueue(act, &job).await?;
    let statement = query("UPDATE schedules SET next_fire_at = $1 WHERE name = $2");
    let next = next_fire(fire_at, schedule.every, act.at);
    act.transaction.execute(statement.bind(next).bind(schedule.name.as_str())).await?;
    Ok(id)
}

/// The first time of the rhythm that lies after `now`.
fn next_fire(fired: Timestamp, every: Duration, now: Timestamp) -> Timestamp {
    let every = milliseconds(every).max(1);
    let missed = (now.as_milliseconds() - fired.as_milliseconds()).max(0) / every;
    Timestamp::from_milliseconds(fired.as_milliseconds().saturating_add((missed + 1).saturating_mul(every)))
}

fn read(mut row: Row) -> Result<Schedule, StoreError> {
    Ok(Schedule {
        name: row.text()?,
        environment_id: row.optional_parsed()?,
        kind: row.text()?,
        payload: row.json()?,
        every: Duration::from_millis(row.counter()?),
        next_fire_at: row.time()?,
    })
}

/// Makes or changes a schedule. One that exists keeps its next time, unless its rhythm changes.
pub(crate) async fn put(act: &mut Act<'_>, schedule: &Schedule) -> Result<(), StoreError> {
    let statement = query(
        "INSERT INTO schedules (name, environment_id, kind, payload, every_ms, next_fire_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO UPDATE SET environment_id = excluded.environment_id, \
         kind = excluded.kind, payload = excluded.payload, every_ms = excluded.every_ms, next_fire_at = \
         CASE WHEN schedules.every_ms = excluded.every_ms THEN schedules.next_fire_at ELSE excluded.next_fire_at END",
    );
    let statement = statement
        .bind(schedule.name.as_str())
        .bind(schedule.environment_id.as_ref())
        .bind(schedule.kind.as_str())
        .bind(&schedule.payload)
        .bind(milliseconds(schedule.every).max(1))
        .bind(schedule.next_fire_at);
    act.transaction.execute(statement).await.map(drop)
}
