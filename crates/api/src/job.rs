use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// A piece of work that runs by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Names it.
    pub id: String,
    /// What kind of work it is.
    pub kind: String,
    /// Whether it works for the whole installation rather than for the environment.
    pub installation: bool,
    /// What it works on.
    pub payload: Value,
    /// How far it is.
    pub state: JobState,
    /// When it begins; while it runs, when it counts as lost.
    pub due_at: Timestamp,
    /// How often it was begun.
    pub attempts: u32,
    /// How often it may be begun.
    pub max_attempts: u32,
    /// Why its last attempt failed.
    pub last_error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The process that works on it, or did last.
    pub worker: Option<String>,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits for its time, or for its next attempt.
    Queued,
    /// Somebody works on it.
    Running,
    /// It is done.
    Succeeded,
    /// It failed for good; `POST /jobs/{id}/retry` begins it anew.
    Dead,
    /// Somebody ended it.
    Cancelled,
}

/// One page of jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Jobs {
    /// Newest first.
    pub jobs: Vec<Job>,
    /// Where the next page begins; `null` on the last one.
    pub next_cursor: Option<String>,
}

/// Which jobs are shown; everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct JobsQuery {
    /// Only those in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<JobState>,
    /// Only those of this kind, such as `retention`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// At most this many, 100 unless given, 1000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
