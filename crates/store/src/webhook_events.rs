use serde_json::{Value as Json, json};

use crate::commit::Act;
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::id::{ConnectionId, EnvironmentId, WebhookEventId, WebhookId};
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::webhooks;

/// News for an embedder, written in the transaction of what it tells about, together with a delivery for every webhook that
/// wants it: none can exist without the others.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookEvent {
    /// Stays the same over all deliveries and attempts.
    pub id: WebhookEventId,
    /// The environment it is about.
    pub environment_id: EnvironmentId,
    /// What happened, such as `connection.created`.
    pub event_type: String,
    /// What there is to tell. Never a secret.
    pub payload: Json,
    /// The connection that it is about.
    pub connection: Option<ConnectionId>,
    /// When it happened.
    pub created_at: Timestamp,
}

/// News to be delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct NewWebhookEvent {
    /// The environment it is about.
    pub environment_id: EnvironmentId,
    /// What happened, such as `connection.created`.
    pub event_type: String,
    /// What there is to tell: a JSON object. Never a secret.
    pub payload: Json,
    /// The connection that it is about; what embedders know it by is added to the payload, as it is in this transaction.
    pub connection: Option<ConnectionId>,
    /// The only webhook that is to get it, whatever types it asks for; all that want it when absent.
    pub only: Option<WebhookId>,
}

const COLUMNS: &str = "id, environment_id, type, payload, connection, created_at";

impl Store {
    /// The environment's events, newest first, beginning after `after`.
    pub async fn webhook_events(
        &self,
        environment: &EnvironmentId,
        after: Option<&WebhookEventId>,
        limit: u32,
    ) -> Result<Vec<WebhookEvent>, StoreError> {
        let mut select = query("").bind(environment);
        let rest = after.map(|after| format!(" AND id < ${}", select.push(after))).unwrap_or_default();
        let limit = select.push(limit);
        select.append(&format!(
            "SELECT {COLUMNS} FROM webhook_events WHERE environment_id = $1{rest} ORDER BY id DESC LIMIT ${limit}"
        ));
        self.database.read(select).await?.into_iter().map(|mut row| read(&mut row)).collect()
    }

    /// The environment's event with this id.
    pub async fn webhook_event(
        &self,
        environment: &EnvironmentId,
        id: &WebhookEventId,
    ) -> Result<Option<WebhookEvent>, StoreError> {
        let select =
            query(format!("SELECT {COLUMNS} FROM webhook_events WHERE environment_id = $1 AND id = $2"));
        let row = self.database.read_one(select.bind(environment).bind(id)).await?;
        row.map(|mut row| read(&mut row)).transpose()
    }

    /// Forgets at most `limit` events that are older than `before`, with their deliveries, whatever became of them, and
    /// says how many. (Works on all environments.)
    pub async fn prune_webhook_events(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        const OLD: &str =
            "SELECT id FROM webhook_events WHERE created_at < $1 ORDER BY created_at, id LIMIT $2";
        let deliveries = format!("SELECT id FROM webhook_deliveries WHERE event_id IN ({OLD})");
        let mut transaction = self.database.begin().await?;
        let mut pruned = 0;
        for statement in [
            format!("DELETE FROM webhook_attempts WHERE delivery_id IN ({deliveries})"),
            format!("DELETE FROM webhook_deliveries WHERE event_id IN ({OLD})"),
            format!("DELETE FROM webhook_events WHERE id IN ({OLD})"),
        ] {
            pruned = transaction.execute(query(statement).bind(before).bind(limit)).await?;
        }
        transaction.commit().await?;
        Ok(pruned)
    }
}

pub(crate) fn read(row: &mut Row) -> Result<WebhookEvent, StoreError> {
    Ok(WebhookEvent {
        id: row.parsed()?,
        environment_id: row.parsed()?,
        event_type: row.text()?,
        payload: row.json()?,
        connection: row.optional_parsed()?,
        created_at: row.time()?,
    })
}

pub(crate) async fn insert(act: &mut Act<'_>, new: &NewWebhookEvent) -> Result<WebhookEventId, StoreError> {
    let id = WebhookEventId::generate(act.at, act.random)?;
    let mut payload = new.payload.clone();
    if let (Some(connection), Json::Object(members)) = (&new.connection, &mut payload)
        && let Some(known_by) = known_by(act, &new.environment_id, connection).await?
    {
        members.insert("connection".to_owned(), known_by);
    }
    let statement = query(
        "INSERT INTO webhook_events (id, environment_id, type, payload, connection, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    );
    let statement = statement
        .bind(&id)
        .bind(&new.environment_id)
        .bind(new.event_type.as_str())
        .bind(&payload)
        .bind(new.connection.as_ref())
        .bind(act.at);
    act.transaction.execute(statement).await?;
    webhooks::fan_out(act, new, &id).await?;
    Ok(id)
}

/// What an embedder knows a connection by; a deleted one is still known.
async fn known_by(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    connection: &ConnectionId,
) -> Result<Option<Json>, StoreError> {
    let select = query(
        "SELECT c.connection_id, c.name, c.auth_scheme, c.tags, i.unique_key, i.provider, e.name, c.end_user FROM connections c \
         JOIN integrations i ON i.id = c.integration_id JOIN environments e ON e.id = c.environment_id WHERE c.environment_id = $1 AND c.id = $2",
    );
    let Some(mut row) = act.transaction.row(select.bind(environment).bind(connection)).await? else {
        return Ok(None);
    };
    let (connection_id, name, auth_scheme) = (row.text()?, row.text()?, row.text()?);
    let (tags, integration, provider): (Json, _, _) = (row.json()?, row.text()?, row.text()?);
    let (environment, end_user): (_, Json) = (row.text()?, row.json()?);
    Ok(Some(json!({
        "id": connection.as_str(),
        "connection_id": connection_id,
        "name": name,
        "integration": integration,
        "provider": provider,
        "auth_scheme": auth_scheme,
        "environment": environment,
        "tags": tags,
        "end_user": end_user,
    })))
}
