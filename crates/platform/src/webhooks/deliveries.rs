use serde_json::json;
use tombolo_store::{
    Change, NewWebhookEvent, RedeliveredEvents, Redelivery, Timestamp, Webhook, WebhookAttempt,
    WebhookChange, WebhookDelivery, WebhookDeliveryFilter, WebhookDeliveryId, WebhookDeliveryState,
    WebhookEvent, WebhookEventId,
};

use super::event_types::EventType;
use super::receivers::{object_of, shortened};
use crate::access::{Access, Scope};
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind};

/// Most events that one replay may look at.
const REPLAYED_MAX: u32 = 10_000;

/// What is sent to a webhook again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// One event, by its id.
    Event(String),
    /// The events of a time that the webhook asks for.
    Time {
        /// From this moment on.
        since: Timestamp,
        /// Before this moment; until now when absent.
        until: Option<Timestamp>,
        /// Those that arrived are sent again too.
        delivered_too: bool,
    },
}

impl Platform {
    /// Sends a webhook an event that says nothing, and gives its delivery.
    pub async fn test_webhook(&self, access: &Access, reference: &str) -> Result<WebhookDelivery, Problem> {
        access.require(Scope::ManageWebhooks)?;
        let webhook = self.enabled_webhook(access, reference).await?;
        let event = NewWebhookEvent {
            environment_id: access.environment.clone(),
            event_type: EventType::WebhookTest.name().to_owned(),
            payload: json!({ "webhook": { "id": webhook.id.as_str(), "name": webhook.name } }),
            connection: None,
            only: Some(webhook.id.clone()),
        };
        let mut changes = vec![Change::AddWebhookEvent(event)];
        changes.extend(events(access, "webhook.tested", object_of(&webhook), json!(null), false));
        let committed = self.commit(&changes).await?;
        let filter = WebhookDeliveryFilter {
            webhook: Some(webhook.id),
            event: committed.webhook_events.first().cloned(),
            state: None,
        };
        let made = self.store.webhook_deliveries(&access.environment, &filter, None, 1).await?.pop();
        made.ok_or_else(|| Problem::not_found("unknown_webhook_delivery", "The delivery is gone"))
    }

    /// Sends events again, or those that the webhook never got, and says how many. They keep their ids, by which receivers
    /// know what they have seen.
    pub async fn replay_webhook(
        &self,
        access: &Access,
        reference: &str,
        replay: &Replay,
    ) -> Result<u64, Problem> {
        access.require(Scope::ManageWebhooks)?;
        let webhook = self.enabled_webhook(access, reference).await?;
        let (wanted, detail) = match replay {
            Replay::Event(id) => {
                let event = parsed_event(id)?;
                let detail = json!({ "event": event.as_str() });
                (RedeliveredEvents::One(event), detail)
            }
            Replay::Time { since, until, delivered_too } => {
                let until = until.unwrap_or_else(|| self.now());
                if until <= *since {
                    let fix = "Give a `since` that lies before `until`.";
                    return Err(Problem::invalid("invalid_body", "The time to replay has no length", fix));
                }
                let detail = json!({
                    "since": since.as_milliseconds(), "until": until.as_milliseconds(), "delivered_too": delivered_too,
                });
                let between = RedeliveredEvents::Between {
                    since: *since,
                    until,
                    delivered_too: *delivered_too,
                    event_types: webhook.event_types.clone(),
                    limit: REPLAYED_MAX,
                };
                (between, detail)
            }
        };
        let redelivery = Redelivery {
            environment_id: access.environment.clone(),
            webhook: webhook.id.clone(),
            events: wanted,
        };
        let mut changes = vec![Change::Webhook(WebhookChange::Redeliver(redelivery))];
        changes.extend(events(access, "webhook.replayed", object_of(&webhook), detail, false));
        match self.commit(&changes).await {
            Ok(committed) => Ok(committed.redelivered),
            Err(problem) if problem.code == "not_found" => Err(unknown_event(&shortened(match replay {
                Replay::Event(id) => id,
                Replay::Time { .. } => "",
            }))),
            Err(problem) => Err(problem),
        }
    }

    /// The environment's deliveries, newest first; to one webhook if one is named.
    pub async fn list_webhook_deliveries(
        &self,
        access: &Access,
        webhook: Option<&str>,
        event: Option<&str>,
        state: Option<WebhookDeliveryState>,
        after: Option<&WebhookDeliveryId>,
        limit: u32,
    ) -> Result<Vec<WebhookDelivery>, Problem> {
        access.require(Scope::ReadWebhooks)?;
        let webhook = match webhook {
            Some(reference) => Some(self.find_webhook(access, reference).await?.id),
            None => None,
        };
        let event = event.map(parsed_event).transpose()?;
        let filter = WebhookDeliveryFilter { webhook, event, state };
        Ok(self.store.webhook_deliveries(&access.environment, &filter, after, limit).await?)
    }

    /// One delivery with its event and its attempts.
    pub async fn read_webhook_delivery(
        &self,
        access: &Access,
        id: &str,
    ) -> Result<(WebhookDelivery, WebhookEvent, Vec<WebhookAttempt>), Problem> {
        access.require(Scope::ReadWebhooks)?;
        let unknown = || {
            let what = format!("There is no webhook delivery `{}`", shortened(id));
            Problem::not_found("unknown_webhook_delivery", what)
        };
        let id: WebhookDeliveryId = id.parse().map_err(|_| unknown())?;
        let delivery = self.store.webhook_delivery(&access.environment, &id).await?.ok_or_else(unknown)?;
        let event = self.store.webhook_event(&access.environment, &delivery.event).await?;
        let event = event.ok_or_else(unknown)?;
        let attempts = self.store.webhook_attempts(&id).await?;
        Ok((delivery, event, attempts))
    }

    async fn enabled_webhook(&self, access: &Access, reference: &str) -> Result<Webhook, Problem> {
        let webhook = self.find_webhook(access, reference).await?;
        if webhook.disabled_at.is_none() {
            return Ok(webhook);
        }
        let what = format!("The webhook `{}` is disabled", webhook.name);
        Err(Problem::new(ProblemKind::Conflict, "webhook_disabled", what, "Enable it first."))
    }
}

fn parsed_event(id: &str) -> Result<WebhookEventId, Problem> {
    id.parse().map_err(|_| unknown_event(&shortened(id)))
}

fn unknown_event(id: &str) -> Problem {
    Problem::not_found("unknown_webhook_event", format!("There is no webhook event `{id}`"))
}
