//! Webhooks: where events are sent to, and what is on its way there.

mod change;
mod create;
mod deliveries;
mod delivery;
mod form;
mod list;
mod show;

use axum::Router;
use axum::routing::{get, post};
use tombolo_platform::store::{Webhook, WebhookDelivery, WebhookDeliveryState};

use super::table::Moment;
use crate::pages::shell::Shell;
use crate::routes::Routes;

pub(super) fn routes() -> Router<Routes> {
    Router::new()
        .route("/dashboard/{environment}/webhooks", get(list::show))
        .route("/dashboard/{environment}/webhooks/new", get(create::form).post(create::submit))
        .route("/dashboard/{environment}/webhooks/deliveries", get(deliveries::show))
        .route("/dashboard/{environment}/webhooks/deliveries/{id}", get(delivery::show))
        .route("/dashboard/{environment}/webhooks/deliveries/{id}/replay", post(delivery::replay))
        .route("/dashboard/{environment}/webhooks/{id}", get(show::show).post(change::save))
        .route("/dashboard/{environment}/webhooks/{id}/test", post(change::test))
        .route("/dashboard/{environment}/webhooks/{id}/enable", post(change::enable))
        .route("/dashboard/{environment}/webhooks/{id}/disable", post(change::disable))
        .route("/dashboard/{environment}/webhooks/{id}/rotate-secret", post(change::rotate))
        .route("/dashboard/{environment}/webhooks/{id}/replay", post(change::replay))
        .route(
            "/dashboard/{environment}/webhooks/{id}/delete",
            get(change::ask_to_delete).post(change::delete),
        )
}

/// How a receiver does, in words, and the colour of it.
fn health(shell: &Shell, webhook: &Webhook) -> (String, &'static str) {
    let (words, colour) = match webhook {
        Webhook { disabled_at: Some(_), .. } => ("webhook-disabled", ""),
        Webhook { failing_since: Some(_), .. } => ("webhook-failing", "bad"),
        _ => ("webhook-enabled", "good"),
    };
    (shell.say(words), colour)
}

/// How far a delivery is, in words, and the colour of it.
fn progress(shell: &Shell, delivery: &WebhookDelivery) -> (String, &'static str) {
    let (words, colour) = match delivery.state {
        WebhookDeliveryState::Pending if delivery.attempts > 0 => ("delivery-again", "warn"),
        WebhookDeliveryState::Pending => ("delivery-pending", "running"),
        WebhookDeliveryState::Delivered => ("delivery-delivered", "good"),
        WebhookDeliveryState::Failed => ("delivery-failed", "bad"),
        WebhookDeliveryState::Skipped => ("delivery-skipped", ""),
    };
    (shell.say(words), colour)
}

/// A line of a list of deliveries.
struct DeliveryRow {
    id: String,
    version: String,
    event_type: String,
    webhook: String,
    webhook_name: String,
    state: String,
    colour: &'static str,
    attempts: u32,
    at: Moment,
}

impl DeliveryRow {
    fn new(shell: &Shell, delivery: &WebhookDelivery, webhooks: &[Webhook]) -> Self {
        let (state, colour) = progress(shell, delivery);
        let webhook = webhooks.iter().find(|webhook| webhook.id == delivery.webhook);
        Self {
            id: delivery.id.to_string(),
            version: format!("{} {}", delivery.state, delivery.attempts),
            event_type: delivery.event_type.clone(),
            webhook: delivery.webhook.to_string(),
            webhook_name: webhook.map(|webhook| webhook.name.clone()).unwrap_or_default(),
            state,
            colour,
            attempts: delivery.attempts,
            at: Moment::new(delivery.created_at),
        }
    }
}
