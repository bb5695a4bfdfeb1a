//! Authorizations: links with which a person links an account at the vendor.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tombolo_api::{
    AccountToConfirm, AccountsToConfirm, Authorization, AuthorizationProblem, AuthorizationStage,
    ConfirmAuthorization, CreateAuthorization, CreatedAuthorization, CreatedConnection, Success,
};
use tombolo_platform::oauth::{AuthorizationDraft, AuthorizationState, Confirmation, StartedAuthorization};
use tombolo_platform::{Belonging, store};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::body::{Body, OptionalBody};
use super::caller::Caller;
use super::connections;
use super::moment::moment;
use super::query::{Named, NoParameters, Query};
use super::refusal::Refusal;
use super::right::{self, CreateConnection};

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new()
        .routes(routes!(create_authorization, list_accounts_to_confirm))
        .routes(routes!(read_authorization))
        .routes(routes!(confirm_authorization))
        .routes(routes!(reject_authorization))
}

/// Makes a link for a person
///
/// The person opens `url`, agrees at the vendor and comes back. The vendor's answer then waits until whoever made the link
/// confirms that it is about the account of the person whom the link was for: a link can be forwarded. Scope:
/// `environment:connections:create`.
#[utoipa::path(
    post, path = "/authorizations", operation_id = "createAuthorization", tag = "oauth",
    request_body = CreateAuthorization,
    responses((status = 201, description = "The link", body = CreatedAuthorization))
)]
async fn create_authorization(
    State(routes): State<Routes>,
    caller: Caller<CreateConnection>,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<CreateAuthorization>,
) -> Result<(StatusCode, Json<CreatedAuthorization>), Refusal> {
    let public_url = routes.public_url.needed()?;
    let draft = AuthorizationDraft {
        integration: body.integration,
        name: body.name,
        connection_id: body.connection_id,
        auth_scheme: body.auth_scheme,
        oauth_client: body.oauth_client,
        fields: body.fields,
        gate_fields: connections::typed(body.gate_fields),
        settings: body.settings,
        tags: body.tags,
        metadata: Value::Object(body.metadata),
        scopes: body.scopes,
        narrowed_to: Vec::new(),
        parameters: BTreeMap::new(),
        belonging: Belonging::default(),
        return_url: body.return_url,
        again: None,
        socket_hash: None,
        from_message: false,
        by_user: None,
    };
    let StartedAuthorization { authorization, link_secret, .. } =
        routes.platform.start_authorization(&caller.access, draft).await?;
    let created = CreatedAuthorization {
        id: authorization.id.to_string(),
        url: format!("{public_url}/oauth/start/{}", link_secret.expose_secret()),
        expires_at: moment(authorization.expires_at),
        stage: stage(authorization.stage),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Lists the accounts that wait for their confirmation with a code
///
/// The person has agreed at the vendor and was shown a code; whoever made the link confirms with it, within ten minutes. What
/// a page of yours confirms is not listed. Scope: `environment:connections:create`.
#[utoipa::path(
    get, path = "/authorizations", operation_id = "listAccountsToConfirm", tag = "oauth",
    responses((status = 200, description = "The accounts", body = AccountsToConfirm))
)]
async fn list_accounts_to_confirm(
    State(routes): State<Routes>,
    caller: Caller<CreateConnection>,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<AccountsToConfirm>, Refusal> {
    let waiting = routes.platform.accounts_to_confirm(&caller.access).await?;
    let accounts = waiting.into_iter().map(|account| AccountToConfirm {
        authorization: account.authorization.to_string(),
        name: account.name,
        integration: account.integration,
        connection: account.again.map(|id| id.to_string()),
        needs_end_user: account.needs_end_user,
        expires_at: moment(account.expires_at),
    });
    Ok(Json(AccountsToConfirm { accounts: accounts.collect() }))
}

/// Shows how an authorization does
///
/// Scope: `environment:connections:create`.
#[utoipa::path(
    get, path = "/authorizations/{id}", operation_id = "readAuthorization", tag = "oauth",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The authorization", body = Authorization))
)]
async fn read_authorization(
    State(routes): State<Routes>,
    caller: Caller<CreateConnection>,
    Named(id): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Authorization>, Refusal> {
    let found = routes.platform.read_authorization(&caller.access, &id).await?;
    Ok(Json(wire(&found)))
}

/// Confirms an authorization
///
/// Says that the account is that of the person whom the link was for, and shows what the browser that finished was given.
/// Only then is the vendor asked for tokens and the account tested; the connection is made when it can be used. It counts
/// once: whatever fails after the proof was accepted ends the authorization, and the person begins again, in the same session
/// if there is one. Scope: `environment:connections:create` or `environment:connect_sessions:write`.
#[utoipa::path(
    post, path = "/authorizations/{id}/confirm", operation_id = "confirmAuthorization", tag = "oauth",
    params(("id" = String, Path, description = "Its id, or that of the connection that it makes")),
    request_body = ConfirmAuthorization,
    responses(
        (status = 201, description = "The connection was made", body = CreatedConnection),
        (status = 422, description = "The test failed, nothing was stored", body = tombolo_api::Problem, content_type = "application/problem+json"),
    )
)]
async fn confirm_authorization(
    State(routes): State<Routes>,
    caller: Caller<right::ConfirmAuthorization>,
    Named(id): Named,
    Query(NoParameters {}): Query<NoParameters>,
    OptionalBody(body): OptionalBody<ConfirmAuthorization>,
) -> Result<(StatusCode, Json<CreatedConnection>), Refusal> {
    let proof = body.proof.map(|proof| SecretString::from(proof.into_typed()));
    let confirmation = Confirmation { end_user: body.end_user_id, proof };
    let outcome = routes.platform.confirm_authorization(&caller.access, &id, &confirmation).await?;
    Ok((StatusCode::CREATED, Json(connections::created(outcome)?)))
}

/// Refuses an authorization
///
/// Says that the account is not that of the person whom the link was for: what came back is forgotten. Scope:
/// `environment:connections:create` or `environment:connect_sessions:write`.
#[utoipa::path(
    post, path = "/authorizations/{id}/reject", operation_id = "rejectAuthorization", tag = "oauth",
    params(("id" = String, Path, description = "Its id, or that of the connection that it would make")),
    responses((status = 200, description = "There will be no connection", body = Success))
)]
async fn reject_authorization(
    State(routes): State<Routes>,
    caller: Caller<right::ConfirmAuthorization>,
    Named(id): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Success>, Refusal> {
    routes.platform.reject_authorization(&caller.access, &id).await?;
    Ok(Json(Success { success: true }))
}

/// What is told of what was asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    name: String,
    integration: String,
    config: BTreeMap<String, String>,
    scopes: Vec<String>,
}

/// What is told of what came of it; the platform writes it as it ends.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    connection: Option<String>,
    code: String,
    what: String,
    fix: String,
}

fn wire(state: &AuthorizationState) -> Authorization {
    let AuthorizationState { authorization, is_over } = state;
    let asked = Asked::deserialize(&authorization.draft).unwrap_or_default();
    let told = Told::deserialize(&authorization.outcome).unwrap_or_default();
    let stage = stage(authorization.stage);
    Authorization {
        id: authorization.id.to_string(),
        stage,
        is_over: *is_over,
        expires_at: moment(authorization.expires_at),
        name: asked.name,
        integration: asked.integration,
        config: asked.config,
        scopes: asked.scopes,
        connection: told.connection.filter(|_| stage == AuthorizationStage::Linked),
        problem: (stage == AuthorizationStage::Failed).then_some(AuthorizationProblem {
            code: told.code,
            message: told.what,
            fix: told.fix,
        }),
    }
}

fn stage(stage: store::AuthorizationStage) -> AuthorizationStage {
    match stage {
        store::AuthorizationStage::Waiting => AuthorizationStage::Waiting,
        store::AuthorizationStage::Started => AuthorizationStage::Started,
        store::AuthorizationStage::Answered => AuthorizationStage::Answered,
        store::AuthorizationStage::Unconfirmed => AuthorizationStage::Unconfirmed,
        store::AuthorizationStage::Linked => AuthorizationStage::Linked,
        store::AuthorizationStage::Failed => AuthorizationStage::Failed,
    }
}
