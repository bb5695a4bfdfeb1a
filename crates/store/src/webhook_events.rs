use serde_json::Value as Json;

use crate::commit::Act;
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::id::{EnvironmentId, WebhookEventId};
use crate::store::Store;
use crate::text_enum::text_enum;
use crate::timestamp::Timestamp;

/// News for an embedder, written in the transaction of what it tells about: neither can exist without the other.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookEvent {
    /// Stays the same over all deliveries.
    pub id: WebhookEventId,
    /// The environment it is about.
    pub environment_id: EnvironmentId,
    /// What happened, such as `connection.created`.
    pub event_type: String,
    /// The body to deliver. Never a secret.
    pub payload: Json,
    /// Whether it was delivered.
    pub state: WebhookState,
    /// When it happened.
    pub created_at: Timestamp,
}

text_enum! {
    /// Whether a webhook event was delivered.
    WebhookState {
        /// Not yet.
        Pending = "pending",
        /// The receiver said yes.
        Delivered = "delivered",
        /// Given up.
        Failed = "failed",
        /// There was nobody to deliver it to.
        Skipped = "skipped",
    }
}

/// News to be delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct NewWebhookEvent {
    /// The environment it is about.
    pub environment_id: EnvironmentId,
    /// What happened, such as `connection.created`.
    pub event_type: String,
    /// The body to deliver. Never a secret.
    pub payload: Json,
}

const COLUMNS: &str = "id, environment_id, type, payload, state, created_at";

impl Store {
    /// The environment's oldest events that are neither delivered nor given up.
    pub async fn pending_webhook_events(
        &self,
        environment: &EnvironmentId,
        limit: u32,
    ) -> Result<Vec<WebhookEvent>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM webhook_events WHERE environment_id = $1 AND finished_at IS NULL ORDER BY id LIMIT $2"
        ));
        self.database.read(select.bind(environment).bind(limit)).await?.into_iter().map(read).collect()
    }

    /// The environment's event with this id.
    pub async fn webhook_event(
        &self,
        environment: &EnvironmentId,
        id: &WebhookEventId,
    ) -> Result<Option<WebhookEvent>, StoreError> {
        let select =
            query(format!("SELECT {COLUMNS} FROM webhook_events WHERE environment_id = $1 AND id = $2"));
        self.database.read_one(select.bind(environment).bind(id)).await?.map(read).transpose()
    }

    /// Forgets at most `limit` events that are older than `before`, whether they were delivered or not, and says how many.
    /// (Works on all environments.)
    pub async fn prune_webhook_events(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let statement = query(
            "DELETE FROM webhook_events WHERE id IN (SELECT id FROM webhook_events WHERE created_at < $1 LIMIT $2)",
        );
        self.database.execute(statement.bind(before).bind(limit)).await
    }
}

fn read(mut row: Row) -> Result<WebhookEvent, StoreError> {
    Ok(WebhookEvent {
        id: row.parsed()?,
        environment_id: row.parsed()?,
        event_type: row.text()?,
        payload: row.json()?,
        state: row.parsed()?,
        created_at: row.time()?,
    })
}

pub(crate) async fn insert(act: &mut Act<'_>, new: &NewWebhookEvent) -> Result<WebhookEventId, StoreError> {
    let id = WebhookEventId::generate(act.at, act.random)?;
    let statement = query(
        "INSERT INTO webhook_events (id, environment_id, type, payload, state, created_at) \
         VALUES ($1, $2, $3, $4, 'pending', $5)",
    );
    let statement = statement
        .bind(&id)
        .bind(&new.environment_id)
        .bind(new.event_type.as_str())
        .bind(&new.payload)
        .bind(act.at);
    act.transaction.execute(statement).await?;
    Ok(id)
}

/// Only a pending event changes: one that was delivered stays delivered.
pub(crate) async fn finish(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &WebhookEventId,
    state: WebhookState,
) -> Result<(), StoreError> {
    let finished_at = (state != WebhookState::Pending).then_some(act.at);
    let statement = query(
        "UPDATE webhook_events SET state = $1, finished_at = $2 \
         WHERE environment_id = $3 AND id = $4 AND finished_at IS NULL",
    );
    let statement = statement.bind(state.as_str()).bind(finished_at).bind(environment).bind(id);
    match act.transaction.execute(statement).await? {
        0 => Err(StoreError::not_found("pending webhook event", id)),
        _ => Ok(()),
    }
}
