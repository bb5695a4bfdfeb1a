use axum::Json;
use axum::extract::State;
use tombolo_api::{WebhookDeliveries, WebhookDeliveriesQuery, WebhookDeliveryDetails};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Routes;
use super::super::caller::Caller;
use super::super::query::{Named, NoParameters, Query, cursor, page_size};
use super::super::refusal::Refusal;
use super::super::right::ReadWebhooks;
use super::wire::{attempt, delivery, stored_state};

const USUAL_PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 1000;

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new().routes(routes!(list_webhook_deliveries)).routes(routes!(read_webhook_delivery))
}

/// Lists deliveries
///
/// Newest first. They are kept for 7 days. Scope: `environment:webhooks:read`.
#[utoipa::path(
    get, path = "/webhook-deliveries", operation_id = "listWebhookDeliveries", tag = "webhooks",
    params(WebhookDeliveriesQuery),
    responses((status = 200, description = "One page of deliveries", body = WebhookDeliveries))
)]
async fn list_webhook_deliveries(
    State(routes): State<Routes>,
    caller: Caller<ReadWebhooks>,
    Query(query): Query<WebhookDeliveriesQuery>,
) -> Result<Json<WebhookDeliveries>, Refusal> {
    let limit = page_size(query.limit, USUAL_PAGE, LARGEST_PAGE)?;
    let after = cursor(query.cursor.as_deref())?;
    let (webhook, event) = (query.webhook.as_deref(), query.event.as_deref());
    let state = query.state.map(stored_state);
    let found = routes
        .platform
        .list_webhook_deliveries(&caller.access, webhook, event, state, after.as_ref(), limit)
        .await?;
    let is_full = found.len() == limit as usize;
    let next_cursor = found.last().filter(|_| is_full).map(|last| last.id.to_string());
    Ok(Json(WebhookDeliveries { deliveries: found.into_iter().map(delivery).collect(), next_cursor }))
}

/// Shows a delivery
///
/// With its event, and with what came of each attempt. Scope: `environment:webhooks:read`.
#[utoipa::path(
    get, path = "/webhook-deliveries/{id}", operation_id = "readWebhookDelivery", tag = "webhooks",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The delivery", body = WebhookDeliveryDetails))
)]
async fn read_webhook_delivery(
    State(routes): State<Routes>,
    caller: Caller<ReadWebhooks>,
    Named(id): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<WebhookDeliveryDetails>, Refusal> {
    let (found, event, attempts) = routes.platform.read_webhook_delivery(&caller.access, &id).await?;
    Ok(Json(WebhookDeliveryDetails {
        delivery: delivery(found),
        data: event.payload,
        tried: attempts.into_iter().map(attempt).collect(),
    }))
}
