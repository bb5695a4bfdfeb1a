//! The caller's environment: what its administrators decided, and its variables.

use axum::Json;
use axum::extract::State;
use secrecy::{ExposeSecret as _, SecretString};
use tombolo_api::{
    ConnectUi, Environment, EnvironmentVariable, PutEnvironmentVariable, Success, UpdateConnectUi,
    UpdateEnvironment,
};
use tombolo_platform::connect::ConnectUiChange;
use tombolo_platform::{EnvironmentChange, EnvironmentSettings, store};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::body::Body;
use super::caller::Caller;
use super::moment::moment;
use super::query::{Named, NoParameters, Query};
use super::refusal::Refusal;
use super::right::{ManageEnvironment, ReadVariables, WriteVariables};

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new()
        .routes(routes!(read_environment, update_environment))
        .routes(routes!(list_environment_variables))
        .routes(routes!(put_environment_variable, delete_environment_variable))
}

/// Shows the environment
///
/// That of the API key. Scope: `environment:settings`.
#[utoipa::path(
    get, path = "/environment", operation_id = "readEnvironment", tag = "environments",
    responses((status = 200, description = "The environment", body = Environment))
)]
async fn read_environment(
    State(routes): State<Routes>,
    caller: Caller<ManageEnvironment>,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Environment>, Refusal> {
    let (environment, settings) = routes.platform.read_environment(&caller.access).await?;
    Ok(Json(wire(&environment, &settings)))
}

/// Changes what the administrators of the environment decided
///
/// The audit trail keeps who did. Scope: `environment:settings`.
#[utoipa::path(
    patch, path = "/environment", operation_id = "updateEnvironment", tag = "environments",
    request_body = UpdateEnvironment,
    responses((status = 200, description = "The environment as it is now", body = Environment))
)]
async fn update_environment(
    State(routes): State<Routes>,
    caller: Caller<ManageEnvironment>,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<UpdateEnvironment>,
) -> Result<Json<Environment>, Refusal> {
    let change = EnvironmentChange {
        confirm_authorizations: body.confirm_authorizations,
        allowed_origins: body.allowed_origins,
        return_urls: body.return_urls,
        connect_ui: body.connect_ui.map(changed_look).unwrap_or_default(),
    };
    let (environment, settings) = routes.platform.update_environment(&caller.access, change).await?;
    Ok(Json(wire(&environment, &settings)))
}

/// Lists the variables of the environment
///
/// With their values. The answer is a bare array, as the compatible API has it. Scope: `environment:variables:read`.
#[utoipa::path(
    get, path = "/environment-variables", operation_id = "listEnvironmentVariables", tag = "environments",
    responses((status = 200, description = "The variables in the order of their names", body = Vec<EnvironmentVariable>))
)]
async fn list_environment_variables(
    State(routes): State<Routes>,
    caller: Caller<ReadVariables>,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Vec<EnvironmentVariable>>, Refusal> {
    let found = routes.platform.environment_variables(&caller.access).await?;
    let wire = |(name, value): (String, SecretString)| EnvironmentVariable {
        name,
        value: value.expose_secret().to_owned().into(),
    };
    Ok(Json(found.into_iter().map(wire).collect()))
}

/// Writes a variable of the environment
///
/// A new one, or another value. Scope: `environment:variables:write`.
#[utoipa::path(
    put, path = "/environment-variables/{name}", operation_id = "putEnvironmentVariable", tag = "environments",
    params(("name" = String, Path, description = "Its name: letters, digits and _")),
    request_body = PutEnvironmentVariable,
    responses((status = 200, description = "It is written", body = Success))
)]
async fn put_environment_variable(
    State(routes): State<Routes>,
    caller: Caller<WriteVariables>,
    Named(name): Named,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<PutEnvironmentVariable>,
) -> Result<Json<Success>, Refusal> {
    let value = body.value.into_typed().into();
    routes.platform.put_environment_variable(&caller.access, &name, &value).await?;
    Ok(Json(Success { success: true }))
}

/// Deletes a variable of the environment
///
/// Scope: `environment:variables:write`.
#[utoipa::path(
    delete, path = "/environment-variables/{name}", operation_id = "deleteEnvironmentVariable", tag = "environments",
    params(("name" = String, Path, description = "Its name")),
    responses((status = 200, description = "It is gone", body = Success))
)]
async fn delete_environment_variable(
    State(routes): State<Routes>,
    caller: Caller<WriteVariables>,
    Named(name): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Success>, Refusal> {
    routes.platform.delete_environment_variable(&caller.access, &name).await?;
    Ok(Json(Success { success: true }))
}

fn wire(environment: &store::Environment, settings: &EnvironmentSettings) -> Environment {
    Environment {
        id: environment.id.to_string(),
        name: environment.name.clone(),
        confirm_authorizations: settings.confirm_authorizations,
        allowed_origins: settings.allowed_origins.clone(),
        return_urls: settings.return_urls.clone(),
        connect_ui: look(&settings.connect_ui),
        created_at: moment(environment.created_at),
    }
}

fn look(look: &tombolo_platform::connect::ConnectUi) -> ConnectUi {
    let theme = Some(&look.default_theme).filter(|theme| !theme.is_empty());
    ConnectUi {
        display_name: look.display_name.clone(),
        logo_url: look.logo_url.clone(),
        primary_light: look.primary_light.clone(),
        primary_dark: look.primary_dark.clone(),
        default_theme: theme.cloned().unwrap_or_else(|| "system".to_owned()),
        show_watermark: look.show_watermark,
    }
}

fn changed_look(change: UpdateConnectUi) -> ConnectUiChange {
    ConnectUiChange {
        display_name: change.display_name,
        logo_url: change.logo_url,
        primary_light: change.primary_light,
        primary_dark: change.primary_dark,
        default_theme: change.default_theme,
        show_watermark: change.show_watermark,
    }
}
