//! What a browser learns of its session, and does with it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use tombolo_api::{
    self as api, ConnectSessionAnswer, ConnectTelemetry, ConnectUiColors, ConnectUiSettings, ConnectUiTheme,
    FieldValue, SessionDefaults, SessionOverrides,
};
use tombolo_platform::connect::{ConnectUi, IntegrationDefaults};
use tombolo_platform::store;
use utoipa::ToSchema;

use super::holder::Holder;
use crate::pages::Colours;
use crate::routes::Routes;
use crate::routes::body::Body;
use crate::routes::query::{Named, NoParameters, Query};
use crate::routes::refusal::Refusal;

/// Shows a browser its session
///
/// For the holder of a connect session's token.
#[utoipa::path(
    get, path = "/connect/session", operation_id = "readConnectSession", tag = "connect",
    security(("connectSession" = [])),
    responses((status = 200, description = "The session", body = ConnectSessionAnswer))
)]
pub(super) async fn read_connect_session(
    State(routes): State<Routes>,
    Holder(holder): Holder,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<ConnectSessionAnswer>, Refusal> {
    let look = routes.platform.look_of_session(&holder).await?;
    let draft = &holder.draft;
    let keyed = |key: &String, defaults: &IntegrationDefaults| (key.clone(), told(defaults));
    let defaults = draft.defaults.iter().map(|(key, defaults)| keyed(key, defaults));
    let overrides = draft
        .guides
        .iter()
        .map(|(key, guide)| (key.clone(), SessionOverrides { docs_connect: Some(guide.clone()) }));
    Ok(Json(ConnectSessionAnswer {
        data: api::ConnectSession {
            end_user: draft.end_user.as_ref().map(end_user),
            connect_ui_settings: settings(&look),
            allowed_integrations: Some(draft.allowed_integrations.clone()).filter(|keys| !keys.is_empty()),
            integrations_config_defaults: (!draft.defaults.is_empty()).then(|| defaults.collect()),
            overrides: (!draft.guides.is_empty()).then(|| overrides.collect()),
            is_reconnecting: holder.session.connection.as_ref().map(|_| true),
            websockets_path: "/".to_owned(),
        },
    }))
}

/// Secrets by the names of the provider's form.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HandedOver {
    /// Such as a client certificate, its kind and its password.
    fields: BTreeMap<String, FieldValue>,
}

/// Keeps secrets for an account that is linked next
///
/// For the holder of a connect session's token. What opens a gate in front of the API, such as a client certificate, cannot
/// stand in the address of the window in which a person links an account: it waits here, sealed, in the place of what was
/// handed over before, and is gone with the session.
#[utoipa::path(
    put, path = "/connect/session/fields/{key}", operation_id = "handOverFields", tag = "connect",
    security(("connectSession" = [])),
    params(("key" = String, Path, description = "The key of the integration")),
    request_body = HandedOver,
    responses((status = 204, description = "They wait for the account"))
)]
pub(super) async fn hand_over_fields(
    State(routes): State<Routes>,
    Holder(holder): Holder,
    Named(key): Named,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<HandedOver>,
) -> Result<StatusCode, Refusal> {
    let fields = body.fields.into_iter().map(|(name, value)| (name, value.into_typed().into()));
    routes.platform.hand_over(&holder, &key, fields.collect()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a session before its time
///
/// For the holder of a connect session's token.
#[utoipa::path(
    delete, path = "/connect/session", operation_id = "endConnectSession", tag = "connect",
    security(("connectSession" = [])),
    responses((status = 204, description = "The token is good for nothing now"))
)]
pub(super) async fn end_connect_session(
    State(routes): State<Routes>,
    Holder(holder): Holder,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<StatusCode, Refusal> {
    routes.platform.end_connect_session(&holder).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes what a page tells about itself
///
/// For pages of the compatible API. Nothing of it is kept: there is no telemetry here. The token stands in the body.
#[utoipa::path(
    post, path = "/connect/telemetry", operation_id = "takeConnectTelemetry", tag = "connect",
    security(("connectSession" = [])),
    request_body = ConnectTelemetry,
    responses((status = 204, description = "It was taken, and is forgotten"))
)]
pub(super) async fn take_telemetry(
    State(routes): State<Routes>,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<ConnectTelemetry>,
) -> Result<StatusCode, Refusal> {
    routes.platform.session_access(&body.token.into_typed()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The person as the wire knows them.
pub(crate) fn end_user(user: &store::EndUser) -> api::EndUser {
    api::EndUser {
        id: user.id.clone(),
        display_name: user.display_name.clone(),
        email: user.email.clone(),
        tags: user.tags.clone(),
        organization: user.organization.as_ref().map(|organization| api::OrganizationOfUser {
            id: organization.id.clone(),
            display_name: organization.display_name.clone(),
        }),
    }
}

/// What a browser needs to know of what was filled in beforehand.
fn told(defaults: &IntegrationDefaults) -> SessionDefaults {
    let fields = defaults.fields.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
    let parameters = &defaults.authorization_parameters;
    SessionDefaults {
        user_scopes: None,
        authorization_params: (!parameters.is_empty()).then(|| parameters.clone()),
        connection_config: (!defaults.fields.is_empty()).then(|| fields.collect()),
    }
}

fn settings(look: &ConnectUi) -> ConnectUiSettings {
    let Colours { light, dark } = Colours::of(look);
    let theme = Some(&look.default_theme).filter(|theme| !theme.is_empty());
    ConnectUiSettings {
        theme: ConnectUiTheme {
            light: ConnectUiColors { primary: light.primary },
            dark: ConnectUiColors { primary: dark.primary },
        },
        default_theme: theme.cloned().unwrap_or_else(|| "system".to_owned()),
        show_watermark: look.show_watermark,
    }
}
