use axum::Json;
use axum::extract::State;
use tombolo_api::{Connection, ReadConnectionQuery};
use tombolo_platform::{Problem, ProblemKind};

use super::wire;
use crate::routes::Routes;
use crate::routes::caller::Caller;
use crate::routes::query::{Named, Query};
use crate::routes::refusal::Refusal;
use crate::routes::right::ReadConnection;

/// Shows a connection
///
/// `{id}` is its id, its connection id or its name. Never shows a credential. Scope: `environment:connections:read`.
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
    let asked = [&query.force_refresh, &query.refresh_token, &query.refresh_github_app_jwt_token];
    if asked.into_iter().flatten().any(|flag| !matches!(flag.as_str(), "false" | "0" | "no" | "off" | "")) {
        let fix = "Call the upstream through `/proxy`, which adds the credential.";
        let what = "Credentials cannot be read back";
        return Err(Problem::new(ProblemKind::Forbidden, "forbidden", what, fix).into());
    }
    let integration = query.provider_config_key.as_deref();
    let (connection, integration) =
        routes.platform.read_connection(&caller.access, integration, &reference).await?;
    Ok(Json(wire::connection(&connection, &integration)))
}
