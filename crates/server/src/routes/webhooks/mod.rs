//! Webhooks: where an environment's events are posted to, and what is on its way there.

mod deliveries;
mod wire;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderName};
use tombolo_api::{
    CreateWebhook, ReplayWebhook, ReplayedWebhook, Success, UpdateWebhook, Webhook, WebhookDelivery,
    WebhookWithSecret, Webhooks,
};
use tombolo_platform::Problem;
use tombolo_platform::webhooks::{Replay, WebhookChanges, WebhookDraft};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{delivery, stored_format, webhook};
use super::Routes;
use super::body::Body;
use super::caller::Caller;
use super::moment::stored;
use super::query::{Named, NoParameters, Query};
use super::refusal::Refusal;
use super::right::{ManageWebhooks, ReadWebhooks};

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new()
        .routes(routes!(list_webhooks, create_webhook))
        .routes(routes!(read_webhook, update_webhook, delete_webhook))
        .routes(routes!(rotate_webhook_secret))
        .routes(routes!(test_webhook))
        .routes(routes!(replay_webhook))
        .merge(deliveries::routes())
}

type Shown = (StatusCode, [(HeaderName, &'static str); 1], Json<WebhookWithSecret>);

/// Lists webhooks
///
/// Without their secrets. Scope: `environment:webhooks:read`.
#[utoipa::path(
    get, path = "/webhooks", operation_id = "listWebhooks", tag = "webhooks",
    responses((status = 200, description = "The webhooks", body = Webhooks))
)]
async fn list_webhooks(
    State(routes): State<Routes>,
    caller: Caller<ReadWebhooks>,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Webhooks>, Refusal> {
    let found = routes.platform.list_webhooks(&caller.access).await?;
    Ok(Json(Webhooks { webhooks: found.iter().map(webhook).collect() }))
}

/// Makes a webhook
///
/// The answer shows the signing secret; nothing else ever does. Scope: `environment:webhooks:manage`.
#[utoipa::path(
    post, path = "/webhooks", operation_id = "createWebhook", tag = "webhooks", request_body = CreateWebhook,
    responses((status = 201, description = "The webhook and its secret", body = WebhookWithSecret))
)]
async fn create_webhook(
    State(routes): State<Routes>,
    caller: Caller<ManageWebhooks>,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<CreateWebhook>,
) -> Result<Shown, Refusal> {
    let draft = WebhookDraft {
        name: body.name,
        url: body.url,
        format: stored_format(body.format),
        event_types: body.event_types,
    };
    let (made, secret) = routes.platform.create_webhook(&caller.access, &draft).await?;
    let shown = WebhookWithSecret { webhook: webhook(&made), secret: secret.expose().to_owned() };
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(shown)))
}

/// Shows a webhook
///
/// Never shows its secret. Scope: `environment:webhooks:read`.
#[utoipa::path(
    get, path = "/webhooks/{reference}", operation_id = "readWebhook", tag = "webhooks",
    params(("reference" = String, Path, description = "Id or name")),
    responses((status = 200, description = "The webhook", body = Webhook))
)]
async fn read_webhook(
    State(routes): State<Routes>,
    caller: Caller<ReadWebhooks>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Webhook>, Refusal> {
    Ok(Json(webhook(&routes.platform.read_webhook(&caller.access, &reference).await?)))
}

/// Changes a webhook
///
/// Enabling one forgets its failures; disabling one gives up what is on its way to it. Scope:
/// `environment:webhooks:manage`.
#[utoipa::path(
    patch, path = "/webhooks/{reference}", operation_id = "updateWebhook", tag = "webhooks",
    params(("reference" = String, Path, description = "Id or name")), request_body = UpdateWebhook,
    responses((status = 200, description = "The webhook as it is now", body = Webhook))
)]
async fn update_webhook(
    State(routes): State<Routes>,
    caller: Caller<ManageWebhooks>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<UpdateWebhook>,
) -> Result<Json<Webhook>, Refusal> {
    let UpdateWebhook { name, url, event_types, enabled } = body;
    let change = WebhookChanges { name, url, event_types, enabled };
    Ok(Json(webhook(&routes.platform.update_webhook(&caller.access, &reference, change).await?)))
}

/// Deletes a webhook
///
/// What is on its way to it is given up. Scope: `environment:webhooks:manage`.
#[utoipa::path(
    delete, path = "/webhooks/{reference}", operation_id = "deleteWebhook", tag = "webhooks",
    params(("reference" = String, Path, description = "Id or name")),
    responses((status = 200, description = "The webhook is gone", body = Success))
)]
async fn delete_webhook(
    State(routes): State<Routes>,
    caller: Caller<ManageWebhooks>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Success>, Refusal> {
    routes.platform.delete_webhook(&caller.access, &reference).await?;
    Ok(Json(Success { success: true }))
}

/// Gives a webhook another secret
///
/// For 24 hours deliveries are signed with both, so that the receiver can change over. The answer shows the secret; nothing
/// else ever does. Scope: `environment:webhooks:manage`.
#[utoipa::path(
    post, path = "/webhooks/{reference}/rotate-secret", operation_id = "rotateWebhookSecret", tag = "webhooks",
    params(("reference" = String, Path, description = "Id or name")),
    responses((status = 200, description = "The webhook and its new secret", body = WebhookWithSecret))
)]
async fn rotate_webhook_secret(
    State(routes): State<Routes>,
    caller: Caller<ManageWebhooks>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Shown, Refusal> {
    let (changed, secret) = routes.platform.rotate_webhook_secret(&caller.access, &reference).await?;
    let shown = WebhookWithSecret { webhook: webhook(&changed), secret: secret.expose().to_owned() };
    Ok((StatusCode::OK, [(CACHE_CONTROL, "no-store")], Json(shown)))
}

/// Sends a test event
///
/// The event `webhook.test` says nothing and goes to this webhook alone; its delivery tells whether it arrives. Scope:
/// `environment:webhooks:manage`.
#[utoipa::path(
    post, path = "/webhooks/{reference}/test", operation_id = "testWebhook", tag = "webhooks",
    params(("reference" = String, Path, description = "Id or name")),
    responses((status = 202, description = "It is on its way", body = WebhookDelivery))
)]
async fn test_webhook(
    State(routes): State<Routes>,
    caller: Caller<ManageWebhooks>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<(StatusCode, Json<WebhookDelivery>), Refusal> {
    let made = routes.platform.test_webhook(&caller.access, &reference).await?;
    Ok((StatusCode::ACCEPTED, Json(delivery(made))))
}

/// Sends events again
///
/// One event, or those of a time that the webhook asks for: those that never arrived, or all of them. They keep their ids,
/// by which a receiver knows what it has seen. Scope: `environment:webhooks:manage`.
#[utoipa::path(
    post, path = "/webhooks/{reference}/replay", operation_id = "replayWebhook", tag = "webhooks",
    params(("reference" = String, Path, description = "Id or name")), request_body = ReplayWebhook,
    responses((status = 202, description = "They are on their way", body = ReplayedWebhook))
)]
async fn replay_webhook(
    State(routes): State<Routes>,
    caller: Caller<ManageWebhooks>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<ReplayWebhook>,
) -> Result<(StatusCode, Json<ReplayedWebhook>), Refusal> {
    let replay = match body {
        ReplayWebhook { event: Some(event), since: None, until: None, delivered_too: false } => {
            Replay::Event(event)
        }
        ReplayWebhook { event: None, since: Some(since), until, delivered_too } => {
            Replay::Time { since: stored(since), until: until.map(stored), delivered_too }
        }
        _ => {
            let what = "Either `event` or `since` says what is sent again";
            let fix = "Give `event` alone, or `since` with `until` and `delivered_too` as needed.";
            return Err(Problem::invalid("invalid_body", what, fix).into());
        }
    };
    let replayed = routes.platform.replay_webhook(&caller.access, &reference, &replay).await?;
    Ok((StatusCode::ACCEPTED, Json(ReplayedWebhook { replayed })))
}
