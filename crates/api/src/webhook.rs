use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Where an environment's events are posted to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// Names it for ever.
    pub id: String,
    /// What people call it; unique in its environment.
    pub name: String,
    /// Where events are posted to.
    pub url: String,
    /// What a body looks like.
    pub format: WebhookFormat,
    /// The types it asks for, such as `connection.created` or `connection.*`; empty for all.
    pub event_types: Vec<String>,
    /// Whether it gets events.
    pub enabled: bool,
    /// Since when it gets none.
    pub disabled_at: Option<Timestamp>,
    /// Why it gets none.
    pub disabled_reason: Option<String>,
    /// The first of the failures that no success interrupted; after five days of them it is disabled.
    pub failing_since: Option<Timestamp>,
    /// When its receiver wants to be asked again.
    pub paused_until: Option<Timestamp>,
    /// Until when the secret before the present one signs as well.
    pub previous_secret_until: Option<Timestamp>,
    /// Grows with every change.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What the body of a delivery looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFormat {
    /// Type, time and data, as the Standard Webhooks specification recommends.
    #[default]
    Standard,
    /// The `auth` webhook of the compatible API.
    Nango,
}

/// The environment's webhooks in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Webhooks {
    /// All of them.
    pub webhooks: Vec<Webhook>,
}

/// What a webhook is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWebhook {
    /// What people are to call it; unique in its environment.
    pub name: String,
    /// Where events are to be posted to: an `https` address on the public internet, unless the operator allows more.
    pub url: String,
    /// What a body is to look like; `standard` unless given. It stays.
    #[serde(default)]
    pub format: WebhookFormat,
    /// The types it is to get, such as `connection.created` or `connection.*`; all unless given.
    #[serde(default)]
    pub event_types: Vec<String>,
}

/// What changes about a webhook; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateWebhook {
    /// What people are to call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where events are to be posted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The types it is to get; empty for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_types: Option<Vec<String>>,
    /// Whether it is to get events. `false` gives up what is on its way to it, `true` forgets its failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A webhook with its signing secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookWithSecret {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What its deliveries are signed with, `whsec_…`; shown this once.
    pub secret: String,
}

impl fmt::Debug for WebhookWithSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WebhookWithSecret").field("webhook", &self.webhook).finish_non_exhaustive()
    }
}

/// Which events are sent again: one, or those of a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReplayWebhook {
    /// The id of one event, whatever became of it; then nothing else is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Those that happened from this moment on, and that the webhook asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Those that happened before this moment; until now unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Whether those that arrived are sent again too.
    pub delivered_too: bool,
}

/// What a replay came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayedWebhook {
    /// How many events are on their way.
    pub replayed: u64,
}

/// One event on its way to one webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookDelivery {
    /// Names it.
    pub id: String,
    /// The id of the event, which the receiver sees as `webhook-id`.
    pub event: String,
    /// What happened.
    pub event_type: String,
    /// The id of the webhook.
    pub webhook: String,
    /// How far it is.
    pub state: WebhookDeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; `null` when it is not.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was asked for first.
    pub created_at: Timestamp,
    /// When it was delivered or given up.
    pub finished_at: Option<Timestamp>,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookDeliveryState {
    /// It waits for its first or next attempt.
    Pending,
    /// The receiver said yes.
    Delivered,
    /// Given up; a replay sends it again.
    Failed,
    /// The webhook's format has no word for this event.
    Skipped,
}

/// One page of deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookDeliveries {
    /// Newest first.
    pub deliveries: Vec<WebhookDelivery>,
    /// Where the next page begins; `null` on the last one.
    pub next_cursor: Option<String>,
}

/// Which deliveries are shown; everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct WebhookDeliveriesQuery {
    /// Only those to this webhook, named by id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// Only those of the event with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Only those in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<WebhookDeliveryState>,
    /// At most this many, 100 unless given, 1000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A delivery with its event and its attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookDeliveryDetails {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: WebhookDelivery,
    /// What there is to tell: the member `data` of the format `standard`.
    pub data: Value,
    /// Its attempts in their order.
    pub tried: Vec<WebhookAttempt>,
}

/// What became of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookAttempt {
    /// Counts the attempts of a delivery, from 1.
    pub number: u32,
    /// When it was sent.
    pub at: Timestamp,
    /// How long it took.
    pub milliseconds: u64,
    /// The status of the receiver's answer, if there was one.
    pub status: Option<u32>,
    /// A stable name for what happened: `delivered`, `redirected`, `gone`, `busy`, `refused`, `address_refused`,
    /// `unreachable`, `timed_out` or `skipped`.
    pub outcome: String,
    /// What happened.
    pub what: String,
    /// The beginning of what the receiver said, without what looks like a secret.
    pub answer: String,
    /// The process that sent it.
    pub worker: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let webhook = Webhook {
            id: "whk_1".to_owned(),
            name: "crm".to_owned(),
            url: "https://hooks.example.com/".to_owned(),
            format: WebhookFormat::Standard,
            event_types: Vec::new(),
            enabled: true,
            disabled_at: None,
            disabled_reason: None,
            failing_since: None,
            paused_until: None,
            previous_secret_until: None,
            version: 1,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        };
        let with_secret = WebhookWithSecret { webhook, secret: "MARKER".to_owned() };
        assert!(!format!("{with_secret:?}").contains("MARKER"));
    }
}
