//! What the embedder's back end does: make sessions.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tombolo_api::{
    self as api, CreateConnectSession, CreateReconnectSession, CreatedConnectSessionAnswer, SessionDefaults,
    SessionOAuthClients,
};
use tombolo_platform::catalog::{FieldError, Text};
use tombolo_platform::connect::{
    ConnectSessionDraft, CreatedConnectSession, IntegrationDefaults, OAuthClientRight, Reconnected,
};
use tombolo_platform::store::{EndUser, Organization};
use tombolo_platform::{Access, Problem};

use super::holder::listed;
use crate::routes::Routes;
use crate::routes::body::Body;
use crate::routes::caller::Caller;
use crate::routes::moment::moment;
use crate::routes::query::{NoParameters, Query};
use crate::routes::refusal::Refusal;
use crate::routes::right;

/// Makes a connect session
///
/// Its token lets a browser link one account within thirty minutes, and nothing else. Scope:
/// `environment:connect_sessions:write`.
#[utoipa::path(
    post, path = "/connect/sessions", operation_id = "createConnectSession", tag = "connect",
    request_body = CreateConnectSession,
    responses((status = 201, description = "The session", body = CreatedConnectSessionAnswer))
)]
pub(super) async fn create_connect_session(
    State(routes): State<Routes>,
    caller: Caller<right::CreateConnectSession>,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<CreateConnectSession>,
) -> Result<(StatusCode, Json<CreatedConnectSessionAnswer>), Refusal> {
    if body.end_user.is_none() && body.tags.is_none() {
        return Err(Problem::fields(vec![needed_user()]).into());
    }
    let draft = ConnectSessionDraft {
        end_user: end_user_of(body.end_user, body.organization),
        tags: body.tags.unwrap_or_default(),
        allowed_integrations: body.allowed_integrations.unwrap_or_default(),
        return_url: body.return_url,
        oauth_clients: right_to_clients(body.oauth_clients),
        ..shared(body.integrations_config_defaults, body.overrides, body.webhook_url_override)
    };
    let session = routes.platform.create_connect_session(&caller.access, draft).await?;
    answer(&routes, &caller.access, &session).await
}

/// Makes a connect session for a connection that there is
///
/// A browser links an account of it again: its id, name and metadata stay. What is said of the person, the tags and the
/// receiver of webhook events takes effect at once. Scope: `environment:connect_sessions:write`.
#[utoipa::path(
    post, path = "/connect/sessions/reconnect", operation_id = "createReconnectSession", tag = "connect",
    request_body = CreateReconnectSession,
    responses((status = 201, description = "The session", body = CreatedConnectSessionAnswer))
)]
pub(super) async fn create_reconnect_session(
    State(routes): State<Routes>,
    caller: Caller<right::CreateConnectSession>,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<CreateReconnectSession>,
) -> Result<(StatusCode, Json<CreatedConnectSessionAnswer>), Refusal> {
    let of = Reconnected { connection: body.connection_id, integration: body.integration_id };
    let draft = ConnectSessionDraft {
        end_user: end_user_of(body.end_user, body.organization),
        tags: body.tags.unwrap_or_default(),
        return_url: body.return_url,
        oauth_clients: right_to_clients(body.oauth_clients),
        ..shared(body.integrations_config_defaults, body.overrides, body.webhook_url_override)
    };
    let session = routes.platform.create_reconnect_session(&caller.access, &of, draft).await?;
    answer(&routes, &caller.access, &session).await
}

fn right_to_clients(wanted: Option<SessionOAuthClients>) -> OAuthClientRight {
    match wanted.unwrap_or_default() {
        SessionOAuthClients::None => OAuthClientRight::None,
        SessionOAuthClients::Choose => OAuthClientRight::Choose,
        SessionOAuthClients::Manage => OAuthClientRight::Manage,
    }
}

async fn answer(
    routes: &Routes,
    access: &Access,
    session: &CreatedConnectSession,
) -> Result<(StatusCode, Json<CreatedConnectSessionAnswer>), Refusal> {
    let public_url = routes.public_url.needed()?;
    let environment = routes.platform.environment_of(access).await?;
    let token = session.token.expose_secret();
    let data = api::CreatedConnectSession {
        token: token.to_owned(),
        connect_link: format!("{public_url}/connect/{}/?session_token={token}", environment.name),
        expires_at: moment(session.expires_at),
    };
    Ok((StatusCode::CREATED, Json(CreatedConnectSessionAnswer { data })))
}

fn shared(
    defaults: Option<BTreeMap<String, SessionDefaults>>,
    overrides: Option<BTreeMap<String, api::SessionOverrides>>,
    webhook_url: Option<String>,
) -> ConnectSessionDraft {
    let defaults = defaults.unwrap_or_default();
    // An older form of the compatible API has the receiver among the fields.
    let nested = defaults.values().find_map(|defaults| {
        let config = defaults.connection_config.as_ref()?;
        config.get("webhook_url")?.as_str().map(str::to_owned)
    });
    ConnectSessionDraft {
        defaults: defaults.into_iter().map(|(key, defaults)| (key, filled_in(defaults))).collect(),
        guides: overrides
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(key, overrides)| Some((key, overrides.docs_connect?)))
            .collect(),
        webhook_url: webhook_url.or(nested).filter(|url| !url.is_empty()),
        ..ConnectSessionDraft::default()
    }
}

fn filled_in(defaults: SessionDefaults) -> IntegrationDefaults {
    let mut fields = defaults.connection_config.unwrap_or_default();
    fields.remove("webhook_url");
    let override_scopes = fields.remove("oauth_scopes_override");
    let scopes = override_scopes.as_ref().and_then(Value::as_str).or(defaults.user_scopes.as_deref());
    IntegrationDefaults {
        scopes: scopes.map(listed).unwrap_or_default(),
        fields: fields.into_iter().map(|(name, value)| (name, text_of(value))).collect(),
        authorization_parameters: defaults.authorization_params.unwrap_or_default(),
    }
}

/// Fields are texts; what JSON has other types for is written as it stands there.
pub(crate) fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// The person as the platform knows them.
pub(crate) fn end_user_of(
    user: Option<api::EndUserDraft>,
    organization: Option<api::OrganizationOfUser>,
) -> Option<EndUser> {
    user.map(|user| EndUser {
        id: user.id,
        display_name: user.display_name,
        email: user.email,
        tags: user.tags.unwrap_or_default(),
        organization: organization.map(|organization| Organization {
            id: organization.id,
            display_name: organization.display_name,
        }),
    })
}

fn needed_user() -> FieldError {
    FieldError {
        field: "end_user".to_owned(),
        code: "invalid_type",
        message: Text {
            en: "Say whom the account is linked for with `end_user`, or give `tags`.".to_owned(),
            ja: "「end_user」で接続する利用者を指定するか、「tags」を指定してください。".to_owned(),
        },
    }
}
