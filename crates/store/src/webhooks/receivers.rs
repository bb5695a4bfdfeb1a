use serde_json::Value as Json;
use tombolo_vault::Sealed;

use crate::commit::Act;
use crate::database::{Row, query};
use crate::environments::count_sealed;
use crate::error::StoreError;
use crate::id::{EnvironmentId, WebhookId};
use crate::name::name_key;
use crate::store::Store;
use crate::text_enum::text_enum;
use crate::timestamp::Timestamp;

/// Where an environment's events are sent to.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// Names it for ever; part of what its secret is bound to.
    pub id: WebhookId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// What people call it; unique in its environment.
    pub name: String,
    /// Where events are posted to.
    pub url: String,
    /// What a body looks like.
    pub format: WebhookFormat,
    /// The types it asks for, such as `connection.created` or `connection.*`; empty for all.
    pub event_types: Vec<String>,
    /// Its signing secrets.
    pub sealed: Option<Sealed>,
    /// The record version that `sealed` is bound to.
    pub sealed_version: u64,
    /// Until when the secret before the present one signs as well.
    pub previous_until: Option<Timestamp>,
    /// Since when it gets nothing.
    pub disabled_at: Option<Timestamp>,
    /// Why it gets nothing.
    pub disabled_reason: Option<String>,
    /// The first of the failures that no success interrupted.
    pub failing_since: Option<Timestamp>,
    /// The last of them.
    pub last_failed_at: Option<Timestamp>,
    /// When the receiver wants to be asked again.
    pub paused_until: Option<Timestamp>,
    /// Grows with every change.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

text_enum! {
    /// What the body of a delivery looks like.
    WebhookFormat {
        /// Type, time and data, as the Standard Webhooks specification recommends.
        Standard = "standard",
        /// As receivers of the compatible product expect.
        Nango = "nango",
    }
}

/// A webhook to be made.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// The id that the secret was sealed for.
    pub id: WebhookId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// What people call it.
    pub name: String,
    /// Where events are posted to.
    pub url: String,
    /// What a body looks like.
    pub format: WebhookFormat,
    /// The types it asks for; empty for all.
    pub event_types: Vec<String>,
    /// Its signing secret, sealed for version 1.
    pub sealed: Sealed,
}

/// New values for a webhook; `None` keeps what is there.
#[derive(Debug, Clone)]
pub struct WebhookUpdate {
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Which one.
    pub id: WebhookId,
    /// The version that was read; another one is a conflict.
    pub expected_version: u64,
    /// What people call it.
    pub name: Option<String>,
    /// Where events are posted to.
    pub url: Option<String>,
    /// The types it asks for.
    pub event_types: Option<Vec<String>>,
    /// Other secrets, sealed for the read `sealed_version` + 1, and until when the previous one signs as well.
    pub secrets: Option<(Sealed, Timestamp)>,
}

/// How a receiver does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookHealth {
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Which one.
    pub id: WebhookId,
    /// The first of the failures that no success interrupted.
    pub failing_since: Option<Timestamp>,
    /// The last of them.
    pub last_failed_at: Option<Timestamp>,
    /// When the receiver wants to be asked again.
    pub paused_until: Option<Timestamp>,
}

const COLUMNS: &str = "id, environment_id, name, url, format, event_types, sealed, sealed_version, previous_until, \
                       disabled_at, disabled_reason, failing_since, last_failed_at, paused_until, version, created_at, \
                       updated_at";

impl Webhook {
    /// Whether it gets events of a type.
    pub fn wants(&self, event_type: &str) -> bool {
        wants(&self.event_types, event_type)
    }
}

/// `connection.*` stands for every type that begins with `connection.`; no types at all stand for every type.
pub(super) fn wants(types: &[String], event_type: &str) -> bool {
    let covers = |wanted: &String| match wanted.strip_suffix('*') {
        Some(stem) => event_type.starts_with(stem),
        None => wanted == event_type,
    };
    types.is_empty() || types.iter().any(covers)
}

impl Store {
    /// The environment's live webhooks in the order of their names.
    pub async fn webhooks(&self, environment: &EnvironmentId) -> Result<Vec<Webhook>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM webhooks WHERE environment_id = $1 AND deleted_at IS NULL ORDER BY name_key"
        ));
        self.database.read(select.bind(environment)).await?.into_iter().map(read).collect()
    }

    /// The live webhook with this id, or of this name.
    pub async fn webhook(
        &self,
        environment: &EnvironmentId,
        reference: &str,
    ) -> Result<Option<Webhook>, StoreError> {
        let name = name_key(reference).unwrap_or_default();
        let select = query(format!(
            "SELECT {COLUMNS} FROM webhooks WHERE environment_id = $1 AND (id = $2 OR name_key = $3) \
             AND deleted_at IS NULL ORDER BY CASE WHEN id = $2 THEN 0 ELSE 1 END LIMIT 1"
        ));
        let select = select.bind(environment).bind(reference).bind(name);
        self.database.read_one(select).await?.map(read).transpose()
    }
}

fn read(mut row: Row) -> Result<Webhook, StoreError> {
    Ok(Webhook {
        id: row.parsed()?,
        environment_id: row.parsed()?,
        name: row.text()?,
        url: row.text()?,
        format: row.parsed()?,
        event_types: row.json()?,
        sealed: row.optional_bytes()?.map(Sealed::from_bytes).transpose()?,
        sealed_version: row.counter()?,
        previous_until: row.optional_time()?,
        disabled_at: row.optional_time()?,
        disabled_reason: row.optional_text()?,
        failing_since: row.optional_time()?,
        last_failed_at: row.optional_time()?,
        paused_until: row.optional_time()?,
        version: row.counter()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

pub(super) async fn insert(act: &mut Act<'_>, new: &NewWebhook) -> Result<(), StoreError> {
    let key = free_name(act, &new.environment_id, &new.name, &new.id).await?;
    count_sealed(act, &new.environment_id, &new.sealed).await?;
    let statement = query(
        "INSERT INTO webhooks (id, environment_id, name, name_key, url, format, event_types, sealed, sealed_version, \
         version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, 1, $9, $9)",
    );
    let statement = statement
        .bind(&new.id)
        .bind(&new.environment_id)
        .bind(new.name.trim())
        .bind(key)
        .bind(new.url.as_str())
        .bind(new.format.as_str())
        .bind(&Json::from(new.event_types.clone()))
        .bind(new.sealed.as_bytes())
        .bind(act.at);
    act.transaction.execute(statement).await.map(drop)
}

pub(super) async fn update(act: &mut Act<'_>, update: &WebhookUpdate) -> Result<(), StoreError> {
    let key = match &update.name {
        Some(name) => Some(free_name(act, &update.environment_id, name, &update.id).await?),
        None => None,
    };
    if let Some((sealed, _)) = &update.secrets {
        count_sealed(act, &update.environment_id, sealed).await?;
    }
    let (sealed, previous_until) = update.secrets.as_ref().map(|(sealed, until)| (sealed, *until)).unzip();
    let statement = query(
        "UPDATE webhooks SET name = COALESCE($1, name), name_key = COALESCE($2, name_key), url = COALESCE($3, url), \
         event_types = COALESCE($4, event_types), sealed = COALESCE($5, sealed), \
         previous_until = COALESCE($6, previous_until), sealed_version = sealed_version + $7, version = version + 1, \
         updated_at = $8 WHERE environment_id = $9 AND id = $10 AND version = $11 AND deleted_at IS NULL",
    );
    let statement = statement
        .bind(update.name.as_deref().map(str::trim))
        .bind(key)
        .bind(update.url.as_deref())
        .bind(update.event_types.clone().map(|types| Json::from(types).to_string()))
        .bind(sealed.map(Sealed::as_bytes))
        .bind(previous_until)
        .bind(u64::from(update.secrets.is_some()))
        .bind(act.at)
        .bind(&update.environment_id)
        .bind(&update.id)
        .bind(update.expected_version);
    match act.transaction.execute(statement).await? {
        1 => Ok(()),
        _ => Err(StoreError::version_conflict("webhook", &update.id)),
    }
}

pub(super) async fn delete(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &WebhookId,
) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE webhooks SET sealed = NULL, sealed_version = sealed_version + 1, version = version + 1, \
         updated_at = $1, deleted_at = $1 WHERE environment_id = $2 AND id = $3 AND deleted_at IS NULL",
    );
    match act.transaction.execute(statement.bind(act.at).bind(environment).bind(id)).await? {
        0 => Err(StoreError::not_found("webhook", id)),
        _ => Ok(()),
    }
}

pub(super) async fn record_health(act: &mut Act<'_>, health: &WebhookHealth) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE webhooks SET failing_since = $1, last_failed_at = $2, paused_until = $3 \
         WHERE environment_id = $4 AND id = $5 AND deleted_at IS NULL",
    );
    let statement = statement
        .bind(health.failing_since)
        .bind(health.last_failed_at)
        .bind(health.paused_until)
        .bind(&health.environment_id)
        .bind(&health.id);
    act.transaction.execute(statement).await.map(drop)
}

/// A webhook that is disabled already is a conflict: whoever did it has told about it.
pub(super) async fn disable(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &WebhookId,
    reason: &str,
) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE webhooks SET disabled_at = $1, disabled_reason = $2, version = version + 1, updated_at = $1 \
         WHERE environment_id = $3 AND id = $4 AND disabled_at IS NULL AND deleted_at IS NULL",
    );
    match act.transaction.execute(statement.bind(act.at).bind(reason).bind(environment).bind(id)).await? {
        0 => Err(StoreError::version_conflict("webhook", id)),
        _ => Ok(()),
    }
}

pub(super) async fn enable(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &WebhookId,
) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE webhooks SET disabled_at = NULL, disabled_reason = NULL, failing_since = NULL, last_failed_at = NULL, \
         paused_until = NULL, version = version + 1, updated_at = $1 \
         WHERE environment_id = $2 AND id = $3 AND deleted_at IS NULL",
    );
    match act.transaction.execute(statement.bind(act.at).bind(environment).bind(id)).await? {
        0 => Err(StoreError::not_found("webhook", id)),
        _ => Ok(()),
    }
}

async fn free_name(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    name: &str,
    except: &WebhookId,
) -> Result<String, StoreError> {
    let key = name_key(name)?;
    let select = query(
        "SELECT id FROM webhooks WHERE environment_id = $1 AND name_key = $2 AND id <> $3 AND deleted_at IS NULL",
    );
    match act.transaction.row(select.bind(environment).bind(key.as_str()).bind(except)).await? {
        Some(_) => Err(StoreError::UniqueKeyTaken { object: "webhook", key: name.trim().to_owned() }),
        None => Ok(key),
    }
}

#[cfg(test)]
mod tests {
    use super::wants;

    #[test]
    fn a_star_stands_for_the_rest_of_a_type() {
        for (types, event_type, expected) in [
            (&[][..], "connection.created", true),
            (&["connection.created"], "connection.created", true),
            (&["connection.created"], "connection.deleted", false),
            (&["webhook.*", "connection.*"], "connection.deleted", true),
            (&["connection.*"], "webhook.disabled", false),
            (&["*"], "webhook.disabled", true),
        ] {
            let types: Vec<String> = types.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(wants(&types, event_type), expected, "{types:?} {event_type}");
        }
    }
}
