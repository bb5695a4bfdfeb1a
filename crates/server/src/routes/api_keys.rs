//! API keys: made (shown once), listed, revoked.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderName};
use tombolo_api::{
    ApiKey, ApiKeyAnswer, ApiKeys, CreateApiKey, CreatedApiKey, CreatedApiKeyAnswer, ImportApiKey, Success,
};
use tombolo_platform::store;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::body::Body;
use super::caller::Caller;
use super::moment::{day, moment, stored};
use super::query::{Named, NoParameters, Query};
use super::refusal::Refusal;
use super::right::ManageApiKeys;

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new()
        .routes(routes!(list_api_keys, create_api_key))
        .routes(routes!(import_api_key))
        .routes(routes!(revoke_api_key))
}

/// Lists API keys
///
/// Without their secrets. Scope: `environment:api_keys`.
#[utoipa::path(
    get, path = "/api-keys", operation_id = "listApiKeys", tag = "api keys",
    responses((status = 200, description = "All keys, newest first", body = ApiKeys))
)]
async fn list_api_keys(
    State(routes): State<Routes>,
    caller: Caller<ManageApiKeys>,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<ApiKeys>, Refusal> {
    let keys = routes.platform.list_api_keys(&caller.access).await?;
    Ok(Json(ApiKeys { data: keys.iter().map(wire).collect() }))
}

/// Makes an API key
///
/// The answer shows the whole key; nothing else ever does. Scope: `environment:api_keys`.
#[utoipa::path(
    post, path = "/api-keys", operation_id = "createApiKey", tag = "api keys", request_body = CreateApiKey,
    responses((status = 201, description = "The key and its secret", body = CreatedApiKeyAnswer))
)]
async fn create_api_key(
    State(routes): State<Routes>,
    caller: Caller<ManageApiKeys>,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<CreateApiKey>,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Json<CreatedApiKeyAnswer>), Refusal> {
    let scopes = body.scopes.unwrap_or_else(everything);
    let expires_at = body.expires_at.map(stored);
    let (key, text) =
        routes.platform.create_api_key(&caller.access, &body.display_name, &scopes, expires_at).await?;
    let data = CreatedApiKey { api_key: wire(&key), secret: text.expose().to_owned() };
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(CreatedApiKeyAnswer { data })))
}

/// Accepts an API key of the compatible product
///
/// Programs that hold it go on without a change. Only what can check it is stored. Scope: `environment:api_keys`.
#[utoipa::path(
    post, path = "/imported-api-keys", operation_id = "importApiKey", tag = "api keys", request_body = ImportApiKey,
    responses((status = 201, description = "The key is accepted from now on", body = ApiKeyAnswer))
)]
async fn import_api_key(
    State(routes): State<Routes>,
    caller: Caller<ManageApiKeys>,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<ImportApiKey>,
) -> Result<(StatusCode, Json<ApiKeyAnswer>), Refusal> {
    let ImportApiKey { display_name, key, scopes, expires_at } = body;
    let (scopes, key) = (scopes.unwrap_or_else(everything), key.into_typed().into());
    let expires_at = expires_at.map(stored);
    let imported =
        routes.platform.import_api_key(&caller.access, &display_name, &scopes, expires_at, &key).await?;
    Ok((StatusCode::CREATED, Json(ApiKeyAnswer { data: wire(&imported) })))
}

/// Revokes an API key
///
/// It is refused on every node within a second. Scope: `environment:api_keys`.
#[utoipa::path(
    delete, path = "/api-keys/{id}", operation_id = "revokeApiKey", tag = "api keys",
    params(("id" = String, Path, description = "Id or display name")),
    responses((status = 200, description = "The key is refused from now on", body = Success))
)]
async fn revoke_api_key(
    State(routes): State<Routes>,
    caller: Caller<ManageApiKeys>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Success>, Refusal> {
    routes.platform.revoke_api_key(&caller.access, &reference).await?;
    Ok(Json(Success { success: true }))
}

fn everything() -> Vec<String> {
    vec!["environment:*".to_owned()]
}

fn wire(key: &store::ApiKey) -> ApiKey {
    ApiKey {
        id: key.id.to_string(),
        display_name: key.display_name.clone(),
        scopes: key.scopes.clone(),
        created_at: moment(key.created_at),
        expires_at: key.expires_at.map(moment),
        last_used_on: key.last_used_day.and_then(day),
        revoked_at: key.revoked_at.map(moment),
    }
}
