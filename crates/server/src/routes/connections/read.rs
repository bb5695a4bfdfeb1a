use axum::Json;
use axum::extract::State;
use tombolo_api::{Connection, ReadConnectionQuery};
use tombolo_platform::{Problem, ProblemKind, Scope};

use super::wire;
use crate::routes::Routes;
use crate::routes::caller::Caller;
use crate::routes::query::{Named, Query};
use crate::routes::refusal::Refusal;
use crate::routes::right::ReadConnection;

/// Shows a connection
///
/// `{id}` is its id, its connection id or its name. The access token of a person's account is shown to keys that have the
/// scope `environment:connections:read_credentials` by its own name, and that is audited; other secrets are never shown.
/// Scope: `environment:connections:read`.
#[utoipa::path(
    get, path = "/connections/{id}", operation_id = "readConnection", tag = "connections",
    params(("id" = String, Path, description = "Id, connection id or name"), ReadConnectionQuery),
    responses((status = 200, description = "The connection", body = Connection))
)]
pub(super) async fn read_connection(
    State(routes): State<Routes>,
    caller: Caller<ReadConnection>,
    Named(reference): Named,
    Query(query): Query<ReadConnectionQuery>,
) -> Result<Json<Connection>, Refusal> {
    let integration = query.provider_config_key.as_deref();
    let flags = [&query.force_refresh, &query.refresh_token, &query.refresh_github_app_jwt_token];
    let [renew, refresh_token, renew_app] = flags.map(|flag| flag.as_deref().is_some_and(is_set));
    if refresh_token {
        let fix = "Ask with `refresh_token=false`: this server renews the access token by itself.";
        let what = "A refresh token cannot be read back";
        return Err(Problem::new(ProblemKind::Forbidden, "forbidden", what, fix).into());
    }
    let renew = renew || renew_app;
    let platform = &routes.platform;
    if !renew && caller.access.require(Scope::ReadCredentials).is_err() {
        let (connection, integration) =
            platform.read_connection(&caller.access, integration, &reference).await?;
        return Ok(Json(wire::connection(&connection, &integration)));
    }
    let (connection, integration, read) =
        platform.read_credentials(&caller.access, integration, &reference, renew).await?;
    let credentials = wire::credentials(&read);
    Ok(Json(Connection { credentials, ..wire::connection(&connection, &integration) }))
}

/// The compatible API takes several words for a flag.
fn is_set(flag: &str) -> bool {
    !matches!(flag, "false" | "0" | "no" | "off" | "")
}
