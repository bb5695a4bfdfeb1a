//! OAuth clients: what an administrator registers with a vendor.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use tombolo_api::{
    CreateOAuthClient, OAuthClient, OAuthClientOwner, OAuthClients, Success, UpdateOAuthClient,
};
use tombolo_platform::oauth::{OAuthClientChange, OAuthClientDraft, redirect_uri};
use tombolo_platform::store;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::body::Body;
use super::caller::Caller;
use super::moment::moment;
use super::query::{Named, NoParameters, Query};
use super::refusal::Refusal;
use super::right::{
    CreateIntegration, DeleteIntegration, ListIntegrations, ReadIntegration, UpdateIntegration,
};

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new().routes(routes!(list_oauth_clients, create_oauth_client)).routes(routes!(
        read_oauth_client,
        update_oauth_client,
        delete_oauth_client
    ))
}

/// Lists OAuth clients
///
/// Scope: `environment:integrations:list`.
#[utoipa::path(
    get, path = "/oauth-clients", operation_id = "listOAuthClients", tag = "oauth",
    responses((status = 200, description = "The OAuth clients", body = OAuthClients))
)]
async fn list_oauth_clients(
    State(routes): State<Routes>,
    caller: Caller<ListIntegrations>,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<OAuthClients>, Refusal> {
    let found = routes.platform.list_oauth_clients(&caller.access).await?;
    Ok(Json(OAuthClients { oauth_clients: found.iter().map(|client| wire(&routes, client)).collect() }))
}

/// Makes an OAuth client
///
/// Its redirect URI is known from then on: register it with the vendor, and give the id and the secret that the vendor
/// shows, now or later. Scope: `environment:integrations:create`.
#[utoipa::path(
    post, path = "/oauth-clients", operation_id = "createOAuthClient", tag = "oauth",
    request_body = CreateOAuthClient,
    responses((status = 201, description = "The OAuth client", body = OAuthClient))
)]
async fn create_oauth_client(
    State(routes): State<Routes>,
    caller: Caller<CreateIntegration>,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<CreateOAuthClient>,
) -> Result<(StatusCode, Json<OAuthClient>), Refusal> {
    let draft = OAuthClientDraft {
        provider: body.provider,
        auth_scheme: body.auth_scheme,
        name: body.name,
        client_id: body.client_id,
        client_secret: body.client_secret.map(Into::into),
        config: body.config,
        scopes: body.scopes,
        shared_callback: body.shared_callback,
    };
    let made = routes.platform.create_oauth_client(&caller.access, &draft).await?;
    Ok((StatusCode::CREATED, Json(wire(&routes, &made))))
}

/// Shows an OAuth client
///
/// Never shows its secret. Scope: `environment:integrations:read`.
#[utoipa::path(
    get, path = "/oauth-clients/{reference}", operation_id = "readOAuthClient", tag = "oauth",
    params(("reference" = String, Path, description = "Id or name")),
    responses((status = 200, description = "The OAuth client", body = OAuthClient))
)]
async fn read_oauth_client(
    State(routes): State<Routes>,
    caller: Caller<ReadIntegration>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<OAuthClient>, Refusal> {
    let found = routes.platform.read_oauth_client(&caller.access, &reference).await?;
    Ok(Json(wire(&routes, &found)))
}

/// Changes an OAuth client
///
/// Another secret is good at once, so that the vendor's can be changed without a gap. Scope:
/// `environment:integrations:update`.
#[utoipa::path(
    patch, path = "/oauth-clients/{reference}", operation_id = "updateOAuthClient", tag = "oauth",
    params(("reference" = String, Path, description = "Id or name")), request_body = UpdateOAuthClient,
    responses((status = 200, description = "The OAuth client as it is now", body = OAuthClient))
)]
async fn update_oauth_client(
    State(routes): State<Routes>,
    caller: Caller<UpdateIntegration>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<UpdateOAuthClient>,
) -> Result<Json<OAuthClient>, Refusal> {
    let change = OAuthClientChange {
        name: body.name,
        client_id: body.client_id,
        client_secret: body.client_secret.map(Into::into),
        scopes: body.scopes,
    };
    let changed = routes.platform.update_oauth_client(&caller.access, &reference, change).await?;
    Ok(Json(wire(&routes, &changed)))
}

/// Deletes an OAuth client
///
/// One that connections still need is kept. Scope: `environment:integrations:delete`.
#[utoipa::path(
    delete, path = "/oauth-clients/{reference}", operation_id = "deleteOAuthClient", tag = "oauth",
    params(("reference" = String, Path, description = "Id or name")),
    responses((status = 200, description = "The OAuth client is gone", body = Success))
)]
async fn delete_oauth_client(
    State(routes): State<Routes>,
    caller: Caller<DeleteIntegration>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Success>, Refusal> {
    routes.platform.delete_oauth_client(&caller.access, &reference).await?;
    Ok(Json(Success { success: true }))
}

fn wire(routes: &Routes, client: &store::OAuthClient) -> OAuthClient {
    let config: BTreeMap<String, String> = serde_json::from_value(client.config.clone()).unwrap_or_default();
    OAuthClient {
        id: client.id.to_string(),
        name: client.name.clone(),
        provider: client.provider.clone(),
        auth_scheme: client.auth_scheme.clone(),
        client_id: client.client_id.clone(),
        has_secret: client.sealed.is_some(),
        config,
        scopes: client.scopes.clone(),
        redirect_uri: routes.public_url.known().map(|url| redirect_uri(url, client)),
        shared_callback: client.shared_callback,
        owner: client
            .owner
            .as_ref()
            .map(|owner| OAuthClientOwner { kind: owner.kind().to_owned(), id: owner.id().to_owned() }),
        version: client.version,
        created_at: moment(client.created_at),
        updated_at: moment(client.updated_at),
    }
}
