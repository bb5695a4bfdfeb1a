use std::time::Duration;

use super::WebhookDeliveryState;
use crate::commit::Act;
use crate::database::query;
use crate::error::StoreError;
use crate::id::{EnvironmentId, WebhookDeliveryId};
use crate::store::Store;
use crate::timestamp::{Timestamp, milliseconds};

/// What became of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAttempt {
    /// Counts the attempts of a delivery, from 1.
    pub number: u32,
    /// When it was sent.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The status of the receiver's answer, if there was one.
    pub status: Option<u32>,
    /// A stable name for what happened, such as `delivered` or `redirected`.
    pub outcome: String,
    /// What happened, one clause.
    pub what: String,
    /// The beginning of what the receiver said, without secrets.
    pub answer: String,
    /// The process that sent it.
    pub worker: String,
}

/// An attempt to be noted.
#[derive(Debug, Clone)]
pub struct NewWebhookAttempt {
    /// The environment of the delivery.
    pub environment_id: EnvironmentId,
    /// The delivery.
    pub delivery: WebhookDeliveryId,
    /// What became of it; its number is one more than the delivery's attempts when it was read.
    pub attempt: WebhookAttempt,
    /// What becomes of the delivery.
    pub state: WebhookDeliveryState,
    /// When it is tried again, if it is.
    pub due_at: Timestamp,
}

impl Store {
    /// The attempts of a delivery in their order.
    pub async fn webhook_attempts(
        &self,
        delivery: &WebhookDeliveryId,
    ) -> Result<Vec<WebhookAttempt>, StoreError> {
        let select = query(
            "SELECT number, at, took_ms, status, outcome, what, answer, worker FROM webhook_attempts \
             WHERE delivery_id = $1 ORDER BY number",
        );
        let rows = self.database.read(select.bind(delivery)).await?;
        rows.into_iter()
            .map(|mut row| {
                Ok(WebhookAttempt {
                    number: row.small_counter()?,
                    at: row.time()?,
                    took: Duration::from_millis(row.counter()?),
                    status: row.optional_integer()?.and_then(|status| u32::try_from(status).ok()),
                    outcome: row.text()?,
                    what: row.text()?,
                    answer: row.text()?,
                    worker: row.text()?,
                })
            })
            .collect()
    }
}

/// The number tells whether somebody else has noted this attempt, or another one, meanwhile: theirs counts then.
pub(super) async fn record(act: &mut Act<'_>, new: &NewWebhookAttempt) -> Result<(), StoreError> {
    let attempt = &new.attempt;
    let finished_at = (new.state != WebhookDeliveryState::Pending).then_some(act.at);
    let statement = query(
        "UPDATE webhook_deliveries SET attempts = $1, tries = tries + 1, state = $2, due_at = $3, finished_at = $4 \
         WHERE environment_id = $5 AND id = $6 AND attempts = $1 - 1 AND finished_at IS NULL",
    );
    let statement = statement
        .bind(attempt.number)
        .bind(new.state.as_str())
        .bind(new.due_at)
        .bind(finished_at)
        .bind(&new.environment_id)
        .bind(&new.delivery);
    if act.transaction.execute(statement).await? == 0 {
        return Ok(());
    }
    let statement = query(
        "INSERT INTO webhook_attempts (delivery_id, number, at, took_ms, status, outcome, what, answer, worker) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    );
    let statement = statement
        .bind(&new.delivery)
        .bind(attempt.number)
        .bind(attempt.at)
        .bind(milliseconds(attempt.took))
        .bind(attempt.status.map(i64::from))
        .bind(attempt.outcome.as_str())
        .bind(attempt.what.as_str())
        .bind(attempt.answer.as_str())
        .bind(attempt.worker.as_str());
    act.transaction.execute(statement).await.map(drop)
}
