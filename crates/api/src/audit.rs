use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// One thing that somebody did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEvent {
    /// Names it.
    pub id: String,
    /// Its place in the chain; `null` until it is chained.
    pub sequence: Option<u64>,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: AuditActor,
    /// What was done, such as `connection.created`.
    pub action: String,
    /// What it was done to.
    pub object: AuditObject,
    /// More about it, or `null`.
    pub detail: Value,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditActor {
    /// What kind of somebody: `api_key`, `user`, `connect_session`, `operator` or `system`.
    pub kind: String,
    /// Their id.
    pub id: String,
    /// Their name at that time.
    pub label: String,
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditObject {
    /// What kind of thing, such as `connection`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name at that time.
    pub label: String,
}

/// One page of the audit trail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEvents {
    /// Newest first.
    pub events: Vec<AuditEvent>,
    /// Where the next page begins; `null` on the last one.
    pub next_cursor: Option<String>,
}

/// What a walk along the chain found. There is one chain for the whole installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditVerification {
    /// Whether every chained event is as it was written.
    pub intact: bool,
    /// How many events are chained and intact, from the first on.
    pub verified: u64,
    /// How many events wait for being chained.
    pub waiting: u64,
    /// The first place where the chain does not hold.
    pub broken: Option<AuditBreak>,
}

/// The first place where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditBreak {
    /// The place of the event that is missing or was changed.
    pub sequence: u64,
    /// What is wrong with it.
    pub reason: String,
}
