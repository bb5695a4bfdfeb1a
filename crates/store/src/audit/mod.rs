//! Who did what to which object. Events are written in the transaction of the act and chained by hash afterwards, so that
//! acts need not wait for each other.

mod chain;
mod verify;

use serde_json::Value as Json;

pub use verify::{AuditBreak, AuditVerification};

use crate::commit::Act;
use crate::database::{Query, Row, query};
use crate::error::StoreError;
use crate::id::{AuditEventId, EnvironmentId};
use crate::store::Store;
use crate::text_enum::text_enum;
use crate::timestamp::Timestamp;

/// One thing that somebody did.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// Names it; sorts by time.
    pub id: AuditEventId,
    /// Its place in the chain, from 1 without gaps; `None` until it is chained.
    pub sequence: Option<u64>,
    /// The environment it happened in; `None` for acts on the installation.
    pub environment_id: Option<EnvironmentId>,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What was done, such as `connection.created`.
    pub action: String,
    /// What it was done to.
    pub object: Object,
    /// More about it: a JSON object, or null. Never a secret.
    pub detail: Json,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What kind of somebody.
    pub kind: ActorKind,
    /// Their id.
    pub id: String,
    /// Their name at that time.
    pub label: String,
}

text_enum! {
    /// What kind of somebody did something.
    ActorKind {
        /// The holder of an API key.
        ApiKey = "api_key",
        /// Somebody who is signed in.
        User = "user",
        /// The end user of a connect session.
        ConnectSession = "connect_session",
        /// The operator, at the machine itself.
        Operator = "operator",
        /// The platform by itself.
        System = "system",
    }
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What kind of thing, such as `connection`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name at that time.
    pub label: String,
}

/// An event to be written; its id and moment come from the commit.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAuditEvent {
    /// The environment it happened in; `None` for acts on the installation.
    pub environment_id: Option<EnvironmentId>,
    /// Who did it.
    pub actor: Actor,
    /// What was done, such as `connection.created`.
    pub action: String,
    /// What it was done to.
    pub object: Object,
    /// More about it: a JSON object, or null. Never a secret.
    pub detail: Json,
}

/// The columns of [`read`]. The detail comes last: its text is what the hash covers.
const COLUMNS: &str = "id, sequence, environment_id, at, actor_kind, actor_id, actor_label, action, object_kind, \
                       object_id, object_label, detail";

impl Store {
    /// The environment's events, newest first, beginning after `after`.
    pub async fn audit_events(
        &self,
        environment: &EnvironmentId,
        after: Option<&AuditEventId>,
        limit: u32,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let select =
            query(format!("SELECT {COLUMNS} FROM audit_events WHERE environment_id = $1")).bind(environment);
        self.page_of_audit_events(select, after, limit).await
    }

    /// The events of acts on the installation itself, likewise.
    pub async fn installation_audit_events(
        &self,
        after: Option<&AuditEventId>,
        limit: u32,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let select = query(format!("SELECT {COLUMNS} FROM audit_events WHERE environment_id IS NULL"));
        self.page_of_audit_events(select, after, limit).await
    }

    async fn page_of_audit_events(
        &self,
        mut select: Query,
        after: Option<&AuditEventId>,
        limit: u32,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        if let Some(after) = after {
            let after = select.push(after);
            select.append(&format!(" AND id < ${after}"));
        }
        let limit = select.push(limit);
        select.append(&format!(" ORDER BY id DESC LIMIT ${limit}"));
        self.database.read(select).await?.into_iter().map(|mut row| Ok(read(&mut row)?.0)).collect()
    }
}

/// The event, and the text of its detail exactly as stored.
fn read(row: &mut Row) -> Result<(AuditEvent, String), StoreError> {
    let mut event = AuditEvent {
        id: row.parsed()?,
        sequence: row.optional_integer()?.map(i64::unsigned_abs),
        environment_id: row.optional_parsed()?,
        at: row.time()?,
        actor: Actor { kind: row.parsed()?, id: row.text()?, label: row.text()? },
        action: row.text()?,
        object: Object { kind: row.text()?, id: row.text()?, label: row.text()? },
        detail: Json::Null,
    };
    let detail = row.text()?;
    event.detail = serde_json::from_str(&detail).map_err(|error| StoreError::corrupt(&error))?;
    Ok((event, detail))
}

/// `position` is the event's place among those of the same act.
pub(crate) async fn insert(
    act: &mut Act<'_>,
    new: &NewAuditEvent,
    position: usize,
) -> Result<(), StoreError> {
    let id = AuditEventId::at_position(act.at, position, act.random)?;
    let statement = query(
        "INSERT INTO audit_events (id, environment_id, at, actor_kind, actor_id, actor_label, action, object_kind, \
         object_id, object_label, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    );
    let statement = statement
        .bind(&id)
        .bind(new.environment_id.as_ref())
        .bind(act.at)
        .bind(new.actor.kind.as_str())
        .bind(new.actor.id.as_str())
        .bind(new.actor.label.as_str())
        .bind(new.action.as_str())
        .bind(new.object.kind.as_str())
        .bind(new.object.id.as_str())
        .bind(new.object.label.as_str())
        .bind(&new.detail);
    act.transaction.execute(statement).await.map(drop)
}
