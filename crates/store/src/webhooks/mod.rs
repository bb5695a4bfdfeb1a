//! Receivers of webhook events, and what is on its way to them.

mod attempts;
mod deliveries;
mod receivers;

pub use attempts::{NewWebhookAttempt, WebhookAttempt};
pub(crate) use deliveries::fan_out;
pub use deliveries::{
    DueDelivery, RedeliveredEvents, Redelivery, WebhookDelivery, WebhookDeliveryFilter, WebhookDeliveryState,
};
pub use receivers::{NewWebhook, Webhook, WebhookFormat, WebhookHealth, WebhookUpdate};

use crate::commit::Act;
use crate::error::StoreError;
use crate::id::{EnvironmentId, WebhookId};

/// The kind of the job that delivers to one webhook whatever is due. There is one for each webhook, which rests between
/// deliveries: so that one receiver is never written to by two workers, and a slow one keeps no other waiting.
pub const WEBHOOK_DELIVERY_JOB: &str = "webhook_delivery";

/// One thing to write about webhooks.
#[derive(Debug, Clone)]
pub enum WebhookChange {
    /// Makes a webhook.
    Insert(NewWebhook),
    /// Changes a webhook.
    Update(WebhookUpdate),
    /// Empties the secrets of a webhook, frees its name and gives up what is on its way to it.
    Delete(EnvironmentId, WebhookId),
    /// Notes how the receiver does.
    RecordHealth(WebhookHealth),
    /// Stops deliveries to a webhook that is not disabled yet, and gives up what is on its way to it.
    Disable {
        /// Its environment.
        environment_id: EnvironmentId,
        /// Which one.
        id: WebhookId,
        /// Why, for people.
        reason: String,
    },
    /// Lets a webhook get events again.
    Enable(EnvironmentId, WebhookId),
    /// Notes what became of an attempt. One that another worker has noted meanwhile is left out.
    RecordAttempt(NewWebhookAttempt),
    /// Sends events again, or for the first time.
    Redeliver(Redelivery),
}

impl WebhookChange {
    /// Stores the change, and says how many deliveries it asked for.
    pub(crate) async fn apply(&self, act: &mut Act<'_>) -> Result<u64, StoreError> {
        match self {
            Self::Insert(new) => receivers::insert(act, new).await?,
            Self::Update(update) => receivers::update(act, update).await?,
            Self::Delete(environment, id) => {
                receivers::delete(act, environment, id).await?;
                deliveries::give_up(act, environment, id).await?;
            }
            Self::RecordHealth(health) => receivers::record_health(act, health).await?,
            Self::Disable { environment_id, id, reason } => {
                receivers::disable(act, environment_id, id, reason).await?;
                deliveries::give_up(act, environment_id, id).await?;
            }
            Self::Enable(environment, id) => receivers::enable(act, environment, id).await?,
            Self::RecordAttempt(attempt) => attempts::record(act, attempt).await?,
            Self::Redeliver(redelivery) => return deliveries::redeliver(act, redelivery).await,
        }
        Ok(0)
    }
}
