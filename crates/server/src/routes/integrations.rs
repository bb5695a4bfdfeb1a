//! Integrations: providers configured in an environment.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use tombolo_api::{
    CreateIntegration, Integration, IntegrationAnswer, IntegrationCredentials, IntegrationQuery,
    Integrations, RegisteredClient, Success, UpdateIntegration,
};
use tombolo_platform::catalog::{AuthMode, AuthScheme};
use tombolo_platform::oauth::redirect_uri;
use tombolo_platform::{ChosenClient, IntegrationChange, IntegrationDraft, OwnClient, Problem, store};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::body::Body;
use super::caller::Caller;
use super::connect::{IntegrationsCaller, listed};
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
    refuse_forwarding(body.forward_webhooks)?;
    let draft = IntegrationDraft {
        provider: body.provider,
        unique_key: body.unique_key,
        display_name: body.display_name,
        auth_schemes: body.auth_schemes,
        oauth_client: client(body.oauth_client, body.credentials, body.integration_config),
    };
    let made = routes.platform.create_integration(&caller.access, &draft).await?;
    Ok(Json(IntegrationAnswer { data: wire(&made) }))
}

/// Shows an integration
///
/// Scope: `environment:integrations:read`.
#[utoipa::path(
    get, path = "/integrations/{key}", operation_id = "readIntegration", tag = "integrations",
    params(("key" = String, Path, description = "Its unique key"), IntegrationQuery),
    responses((status = 200, description = "The integration", body = IntegrationAnswer))
)]
async fn read_integration(
    State(routes): State<Routes>,
    caller: Caller<ReadIntegration>,
    Named(key): Named,
    Query(query): Query<IntegrationQuery>,
) -> Result<Json<IntegrationAnswer>, Refusal> {
    let found = routes.platform.read_integration(&caller.access, &key).await?;
    let mut data = wire(&found);
    let wants_client = query.include.iter().any(|wanted| wanted == "credentials");
    if let Some(id) = data.oauth_client.as_ref().filter(|_| wants_client) {
        let client = routes.platform.read_oauth_client(&caller.access, id).await?;
        let provider = routes.platform.provider_of(&found)?;
        let mode = provider.scheme(&client.auth_scheme).and_then(AuthScheme::client_mode);
        data.credentials = Some(shown(mode, client, routes.public_url.known()));
    }
    Ok(Json(IntegrationAnswer { data }))
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
    refuse_forwarding(body.forward_webhooks)?;
    let change = IntegrationChange {
        unique_key: body.unique_key,
        display_name: body.display_name,
        auth_schemes: body.auth_schemes,
        oauth_client: client(body.oauth_client, body.credentials, body.integration_config),
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

/// The OAuth client that a body means.
fn client(
    known: Option<String>,
    credentials: Option<IntegrationCredentials>,
    config: Option<BTreeMap<String, String>>,
) -> ChosenClient {
    match (known, credentials) {
        (Some(reference), _) => ChosenClient::Known(reference),
        (None, None) => ChosenClient::Unchanged,
        (None, Some(credentials)) => {
            let (mode, client) = match credentials {
                IntegrationCredentials::OAuth2(client) => (AuthMode::OAuth2, client),
                IntegrationCredentials::OAuth1(client) => (AuthMode::OAuth1, client),
                IntegrationCredentials::Tba(client) => (AuthMode::Tba, client),
                IntegrationCredentials::AwsSigV4(client) => (AuthMode::AwsSigV4, client),
            };
            ChosenClient::Own(OwnClient {
                mode,
                client_id: client.client_id,
                client_secret: client.client_secret.map(|secret| secret.into_typed().into()),
                scopes: client.scopes.map(|scopes| listed(&scopes)),
                config: config.unwrap_or_default(),
            })
        }
    }
}

/// A client in the form of the compatible API.
fn shown(
    mode: Option<AuthMode>,
    client: store::OAuthClient,
    public_url: Option<&str>,
) -> IntegrationCredentials {
    let wire = |redirect_uri, client: store::OAuthClient| RegisteredClient {
        redirect_uri,
        client_id: client.client_id,
        client_secret: None,
        scopes: Some(client.scopes.join(",")),
        webhook_secret: None,
    };
    let callback = public_url.map(|url| redirect_uri(url, &client));
    match mode {
        Some(AuthMode::OAuth1) => IntegrationCredentials::OAuth1(wire(callback, client)),
        Some(AuthMode::Tba) => IntegrationCredentials::Tba(wire(None, client)),
        Some(AuthMode::AwsSigV4) => IntegrationCredentials::AwsSigV4(wire(None, client)),
        _ => IntegrationCredentials::OAuth2(wire(callback, client)),
    }
}

fn refuse_forwarding(wanted: Option<bool>) -> Result<(), Problem> {
    if wanted != Some(true) {
        return Ok(());
    }
    let what = "Webhooks of vendors are not forwarded";
    Err(Problem::invalid("invalid_body", what, "Leave `forward_webhooks` out, or send `false`."))
}

fn wire(integration: &store::Integration) -> Integration {
    Integration {
        unique_key: integration.unique_key.clone(),
        provider: integration.provider.clone(),
        display_name: integration.display_name.clone(),
        auth_schemes: integration.auth_schemes.clone(),
        logo: None,
        forward_webhooks: false,
        oauth_client: integration.oauth_client.as_ref().map(ToString::to_string),
        credentials: None,
        created_at: moment(integration.created_at),
        updated_at: moment(integration.updated_at),
    }
}
