use serde_json::json;

use super::WEBHOOK_DELIVERY_JOB;
use super::receivers::wants;
use crate::commit::Act;
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::id::{EnvironmentId, WebhookDeliveryId, WebhookEventId, WebhookId};
use crate::jobs::{self, NewJob};
use crate::store::Store;
use crate::text_enum::text_enum;
use crate::timestamp::Timestamp;
use crate::webhook_events::{self, NewWebhookEvent, WebhookEvent};

/// One event on its way to one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookDelivery {
    /// Names it.
    pub id: WebhookDeliveryId,
    /// The event.
    pub event: WebhookEventId,
    /// What happened.
    pub event_type: String,
    /// The webhook.
    pub webhook: WebhookId,
    /// How far it is.
    pub state: WebhookDeliveryState,
    /// When it is tried next, while it is pending.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was asked for first.
    pub created_at: Timestamp,
    /// When it was delivered or given up.
    pub finished_at: Option<Timestamp>,
}

text_enum! {
    /// How far a delivery is.
    WebhookDeliveryState {
        /// It waits for its first or next attempt.
        Pending = "pending",
        /// The receiver said yes.
        Delivered = "delivered",
        /// Given up.
        Failed = "failed",
        /// The webhook's format has no word for this event.
        Skipped = "skipped",
    }
}

/// A delivery to be tried now.
#[derive(Debug, Clone, PartialEq)]
pub struct DueDelivery {
    /// Names it.
    pub id: WebhookDeliveryId,
    /// How often it was tried.
    pub attempts: u32,
    /// How often it was tried since somebody last asked for it.
    pub tries: u32,
    /// The event.
    pub event: WebhookEvent,
}

/// Which deliveries a list shows; everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookDeliveryFilter {
    /// Those to this webhook.
    pub webhook: Option<WebhookId>,
    /// Those of this event.
    pub event: Option<WebhookEventId>,
    /// Those in this state.
    pub state: Option<WebhookDeliveryState>,
}

/// Which events are sent to a webhook again, or for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redelivery {
    /// The environment.
    pub environment_id: EnvironmentId,
    /// The webhook.
    pub webhook: WebhookId,
    /// Which events.
    pub events: RedeliveredEvents,
}

/// The events of a [`Redelivery`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedeliveredEvents {
    /// This one, whatever became of it and whatever types the webhook asks for.
    One(WebhookEventId),
    /// Those that happened in a time; refused when that has more than `limit` events.
    Between {
        /// From this moment on.
        since: Timestamp,
        /// Before this moment.
        until: Timestamp,
        /// Those that were delivered are sent again too.
        delivered_too: bool,
        /// The types that the webhook asks for; empty for all.
        event_types: Vec<String>,
        /// How many at most.
        limit: u32,
    },
}

const COLUMNS: &str =
    "d.id, d.event_id, e.type, d.webhook_id, d.state, d.due_at, d.attempts, d.created_at, d.finished_at";

impl Store {
    /// The environment's deliveries, newest first, beginning after `after`.
    pub async fn webhook_deliveries(
        &self,
        environment: &EnvironmentId,
        filter: &WebhookDeliveryFilter,
        after: Option<&WebhookDeliveryId>,
        limit: u32,
    ) -> Result<Vec<WebhookDelivery>, StoreError> {
        let mut select = query("").bind(environment);
        let mut conditions = Vec::new();
        if let Some(webhook) = &filter.webhook {
            conditions.push(format!(" AND d.webhook_id = ${}", select.push(webhook)));
        }
        if let Some(event) = &filter.event {
            conditions.push(format!(" AND d.event_id = ${}", select.push(event)));
        }
        if let Some(state) = filter.state {
            conditions.push(format!(" AND d.state = ${}", select.push(state.as_str())));
        }
        if let Some(after) = after {
            conditions.push(format!(" AND d.id < ${}", select.push(after)));
        }
        let limit = select.push(limit);
        select.append(&format!(
            "SELECT {COLUMNS} FROM webhook_deliveries d JOIN webhook_events e ON e.id = d.event_id \
             WHERE d.environment_id = $1{} ORDER BY d.id DESC LIMIT ${limit}",
            conditions.concat()
        ));
        self.database.read(select).await?.into_iter().map(read).collect()
    }

    /// The environment's delivery with this id.
    pub async fn webhook_delivery(
        &self,
        environment: &EnvironmentId,
        id: &WebhookDeliveryId,
    ) -> Result<Option<WebhookDelivery>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM webhook_deliveries d JOIN webhook_events e ON e.id = d.event_id \
             WHERE d.environment_id = $1 AND d.id = $2"
        ));
        self.database.read_one(select.bind(environment).bind(id)).await?.map(read).transpose()
    }

    /// What is to be sent to a webhook now, longest due first.
    pub async fn due_webhook_deliveries(
        &self,
        webhook: &WebhookId,
        at: Timestamp,
        limit: u32,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        let select = query(
            "SELECT d.id, d.attempts, d.tries, e.id, e.environment_id, e.type, e.payload, e.connection, e.created_at \
             FROM webhook_deliveries d JOIN webhook_events e ON e.id = d.event_id \
             WHERE d.webhook_id = $1 AND d.finished_at IS NULL AND d.due_at <= $2 ORDER BY d.due_at, d.id LIMIT $3",
        );
        let rows = self.database.read(select.bind(webhook).bind(at).bind(limit)).await?;
        rows.into_iter()
            .map(|mut row| {
                Ok(DueDelivery {
                    id: row.parsed()?,
                    attempts: row.small_counter()?,
                    tries: row.small_counter()?,
                    event: webhook_events::read(&mut row)?,
                })
            })
            .collect()
    }

    /// When the next delivery to a webhook is due, if any is on its way.
    pub async fn next_webhook_delivery_at(
        &self,
        webhook: &WebhookId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let select = query(
            "SELECT due_at FROM webhook_deliveries WHERE webhook_id = $1 AND finished_at IS NULL ORDER BY due_at LIMIT 1",
        );
        self.database.read_one(select.bind(webhook)).await?.map(|mut row| row.time()).transpose()
    }
}

fn read(mut row: Row) -> Result<WebhookDelivery, StoreError> {
    Ok(WebhookDelivery {
        id: row.parsed()?,
        event: row.parsed()?,
        event_type: row.text()?,
        webhook: row.parsed()?,
        state: row.parsed()?,
        due_at: row.time()?,
        attempts: row.small_counter()?,
        created_at: row.time()?,
        finished_at: row.optional_time()?,
    })
}

/// Makes a delivery of the event for every webhook that wants it, and wakes whoever delivers.
pub(crate) async fn fan_out(
    act: &mut Act<'_>,
    new: &NewWebhookEvent,
    event: &WebhookEventId,
) -> Result<(), StoreError> {
    // In the order of their ids, so that acts that run at once lock the jobs in the same order.
    let select = query(
        "SELECT id, event_types FROM webhooks WHERE environment_id = $1 AND disabled_at IS NULL \
         AND deleted_at IS NULL ORDER BY id",
    );
    for mut row in act.transaction.rows(select.bind(&new.environment_id)).await? {
        let (webhook, types): (WebhookId, Vec<String>) = (row.parsed()?, row.json()?);
        let is_meant = match &new.only {
            Some(only) => *only == webhook,
            None => wants(&types, &new.event_type),
        };
        if is_meant {
            ask_for(act, &new.environment_id, event, &webhook).await?;
            wake(act, &new.environment_id, &webhook).await?;
        }
    }
    Ok(())
}

/// Makes the delivery, or begins it anew.
async fn ask_for(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    event: &WebhookEventId,
    webhook: &WebhookId,
) -> Result<(), StoreError> {
    let id = WebhookDeliveryId::generate(act.at, act.random)?;
    let statement = query(
        "INSERT INTO webhook_deliveries (id, environment_id, event_id, webhook_id, state, due_at, attempts, tries, \
         created_at) VALUES ($1, $2, $3, $4, 'pending', $5, 0, 0, $5) ON CONFLICT (event_id, webhook_id) \
         DO UPDATE SET state = 'pending', due_at = excluded.due_at, tries = 0, finished_at = NULL",
    );
    let statement = statement.bind(&id).bind(environment).bind(event).bind(webhook).bind(act.at);
    act.transaction.execute(statement).await.map(drop)
}

async fn wake(act: &mut Act<'_>, environment: &EnvironmentId, webhook: &WebhookId) -> Result<(), StoreError> {
    let job = NewJob {
        environment_id: Some(environment.clone()),
        kind: WEBHOOK_DELIVERY_JOB.to_owned(),
        payload: json!({ "webhook": webhook.as_str() }),
        run_at: act.at,
        // Workers may be killed as often as they like: the deliveries count their own attempts.
        max_attempts: 1_000_000,
        idempotency_key: Some(webhook.to_string()),
    };
    jobs::wake(act, &job).await
}

pub(super) async fn give_up(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    webhook: &WebhookId,
) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE webhook_deliveries SET state = 'failed', finished_at = $1 \
         WHERE environment_id = $2 AND webhook_id = $3 AND finished_at IS NULL",
    );
    act.transaction.execute(statement.bind(act.at).bind(environment).bind(webhook)).await.map(drop)
}

pub(super) async fn redeliver(act: &mut Act<'_>, redelivery: &Redelivery) -> Result<u64, StoreError> {
    let Redelivery { environment_id, webhook, events } = redelivery;
    let events = match events {
        RedeliveredEvents::One(event) => {
            let known = query("SELECT id FROM webhook_events WHERE environment_id = $1 AND id = $2");
            if act.transaction.row(known.bind(environment_id).bind(event)).await?.is_none() {
                return Err(StoreError::not_found("webhook event", event));
            }
            vec![event.clone()]
        }
        RedeliveredEvents::Between { since, until, delivered_too, event_types, limit } => {
            let select = query(
                "SELECT e.id, e.type FROM webhook_events e LEFT JOIN webhook_deliveries d \
                 ON d.event_id = e.id AND d.webhook_id = $1 WHERE e.environment_id = $2 AND e.created_at >= $3 \
                 AND e.created_at < $4 AND (d.state IS NULL OR d.state <> 'delivered' OR $5 = 1) \
                 ORDER BY e.id LIMIT $6",
            );
            let select = select
                .bind(webhook)
                .bind(environment_id)
                .bind(*since)
                .bind(*until)
                .bind(i64::from(*delivered_too))
                .bind(limit + 1);
            let rows = act.transaction.rows(select).await?;
            if rows.len() > *limit as usize {
                let what = format!("there are more than {limit} events in this time; choose a shorter one");
                return Err(StoreError::Invalid(what));
            }
            let mut found = Vec::new();
            for mut row in rows {
                let (event, event_type) = (row.parsed()?, row.text()?);
                if wants(event_types, &event_type) {
                    found.push(event);
                }
            }
            found
        }
    };
    for event in &events {
        ask_for(act, environment_id, event, webhook).await?;
    }
    if !events.is_empty() {
        wake(act, environment_id, webhook).await?;
    }
    Ok(events.len() as u64)
}
