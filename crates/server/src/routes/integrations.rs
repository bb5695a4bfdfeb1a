//! Integrations: providers configured in an environment.

use axum::Json;
use axum::extract::State;
use tombolo_api::{
    CreateIntegration, Integration, IntegrationAnswer, Integrations, Success, UpdateIntegration,
};
use tombolo_platform::{IntegrationChange, IntegrationDraft, store};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::body::Body;
use super::caller::Caller;
use super::connect::IntegrationsCaller;
use super::moment::moment;
use super::query::{Named, NoParameters, Query};
use super::refusal::Refusal;
use super::right::{self, DeleteIntegration, ReadIntegration};

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new().routes(routes!(list_integrations, create_integration)).routes(routes!(
        read_integration,
        update_integration,
        delete_integration
    ))
}

/// Lists integrations
///
/// A browser in a connect session sees those that it may link. Scope: `environment:integrations:list`.
#[utoipa::path(
    get, path = "/integrations", operation_id = "listIntegrations", tag = "integrations",
    responses((status = 200, description = "All integrations", body = Integrations))
)]
async fn list_integrations(
    State(routes): State<Routes>,
    caller: IntegrationsCaller,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Integrations>, Refusal> {
    let found = match &caller.session {
        Some(session) => routes.platform.integrations_of_session(session).await?,
        None => routes.platform.list_integrations(&caller.access).await?,
    };
    Ok(Json(Integrations { data: found.iter().map(wire).collect() }))
}

/// Makes an integration
///
/// Scope: `environment:integrations:create`.
#[utoipa::path(
    post, path = "/integrations", operation_id = "createIntegration", tag = "integrations",
    request_body = CreateIntegration,
    responses((status = 200, description = "The integration", body = IntegrationAnswer))
)]
async fn create_integration(
    State(routes): State<Routes>,
    caller: Caller<right::CreateIntegration>,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<CreateIntegration>,
) -> Result<Json<IntegrationAnswer>, Refusal> {
    let draft = IntegrationDraft {
        provider: body.provider,
        unique_key: body.unique_key,
        display_name: body.display_name,
        auth_schemes: body.auth_schemes,
    };
    let made = routes.platform.create_integration(&caller.access, &draft).await?;
    Ok(Json(IntegrationAnswer { data: wire(&made) }))
}

/// Shows an integration
///
/// Scope: `environment:integrations:read`.
#[utoipa::path(
    get, path = "/integrations/{key}", operation_id = "readIntegration", tag = "integrations",
    params(("key" = String, Path, description = "Its unique key")),
    responses((status = 200, description = "The integration", body = IntegrationAnswer))
)]
async fn read_integration(
    State(routes): State<Routes>,
    caller: Caller<ReadIntegration>,
    Named(key): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<IntegrationAnswer>, Refusal> {
    let found = routes.platform.read_integration(&caller.access, &key).await?;
    Ok(Json(IntegrationAnswer { data: wire(&found) }))
}

/// Changes an integration
///
/// Scope: `environment:integrations:update`.
#[utoipa::path(
    patch, path = "/integrations/{key}", operation_id = "updateIntegration", tag = "integrations",
    params(("key" = String, Path, description = "Its unique key")), request_body = UpdateIntegration,
    responses((status = 200, description = "The integration as it is now", body = IntegrationAnswer))
)]
async fn update_integration(
    State(routes): State<Routes>,
    caller: Caller<right::UpdateIntegration>,
    Named(key): Named,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<UpdateIntegration>,
) -> Result<Json<IntegrationAnswer>, Refusal> {
    let change = IntegrationChange {
        unique_key: body.unique_key,
        display_name: body.display_name,
        auth_schemes: body.auth_schemes,
    };
    let changed = routes.platform.update_integration(&caller.access, &key, change).await?;
    Ok(Json(IntegrationAnswer { data: wire(&changed) }))
}

/// Deletes an integration
///
/// One that still has connections is kept. Scope: `environment:integrations:delete`.
#[utoipa::path(
    delete, path = "/integrations/{key}", operation_id = "deleteIntegration", tag = "integrations",
    params(("key" = String, Path, description = "Its unique key")),
    responses((status = 200, description = "The integration is gone", body = Success))
)]
async fn delete_integration(
    State(routes): State<Routes>,
    caller: Caller<DeleteIntegration>,
    Named(key): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Success>, Refusal> {
    routes.platform.delete_integration(&caller.access, &key).await?;
    Ok(Json(Success { success: true }))
}

fn wire(integration: &store::Integration) -> Integration {
    Integration {
        unique_key: integration.unique_key.clone(),
        provider: integration.provider.clone(),
        display_name: integration.display_name.clone(),
        auth_schemes: integration.auth_schemes.clone(),
        logo: None,
        forward_webhooks: false,
        created_at: moment(integration.created_at),
        updated_at: moment(integration.updated_at),
    }
}
