use axum::Json;
use axum::extract::State;
use serde_json::Value;
use tombolo_api::{DeletedConnection, IntegrationOfConnection, UpdateConnection, UpdatedConnection};
use tombolo_platform::{ConnectionChange, Revoked};

use super::wire;
use crate::routes::Routes;
use crate::routes::body::Body;
use crate::routes::caller::Caller;
use crate::routes::connect::end_user_of;
use crate::routes::query::{Named, Query};
use crate::routes::refusal::Refusal;
use crate::routes::right::{DeleteConnection, UpdateConnection as MayUpdate};

/// Changes a connection
///
/// Its name, tags, metadata and the settings that do not decide where requests go; anything else needs its secrets typed
/// again. Scope: `environment:connections:update`.
#[utoipa::path(
    patch, path = "/connections/{id}", operation_id = "updateConnection", tag = "connections",
    params(("id" = String, Path, description = "Id, connection id or name"), IntegrationOfConnection),
    request_body = UpdateConnection,
    responses((status = 200, description = "The connection as it is now", body = UpdatedConnection))
)]
pub(super) async fn update_connection(
    State(routes): State<Routes>,
    caller: Caller<MayUpdate>,
    Named(reference): Named,
    Query(query): Query<IntegrationOfConnection>,
    Body(body): Body<UpdateConnection>,
) -> Result<Json<UpdatedConnection>, Refusal> {
    let change = ConnectionChange {
        name: body.name,
        settings: body.settings,
        tags: body.tags,
        metadata: body.metadata.map(Value::Object),
        end_user: end_user_of(body.end_user, None),
        webhook_url: body.webhook_url_override,
    };
    let integration = query.provider_config_key.as_deref();
    let (connection, integration) =
        routes.platform.update_connection(&caller.access, integration, &reference, change).await?;
    Ok(Json(UpdatedConnection { success: true, connection: wire::connection(&connection, &integration) }))
}

/// Deletes a connection
///
/// Its secrets are emptied at once. Where the vendor takes tokens back (RFC 7009), a job does that; the audit trail tells the
/// outcome. Scope: `environment:connections:delete`.
#[utoipa::path(
    delete, path = "/connections/{id}", operation_id = "deleteConnection", tag = "connections",
    params(("id" = String, Path, description = "Id, connection id or name"), IntegrationOfConnection),
    responses((status = 200, description = "The connection is gone", body = DeletedConnection))
)]
pub(super) async fn delete_connection(
    State(routes): State<Routes>,
    caller: Caller<DeleteConnection>,
    Named(reference): Named,
    Query(query): Query<IntegrationOfConnection>,
) -> Result<Json<DeletedConnection>, Refusal> {
    let integration = query.provider_config_key.as_deref();
    let revoked = routes.platform.delete_connection(&caller.access, integration, &reference).await?;
    Ok(Json(DeletedConnection { success: true, revokes_at_vendor: revoked == Revoked::Soon }))
}
