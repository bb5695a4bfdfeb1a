//! The keys that seal secrets: which there are, never what they are.

use axum::Json;
use axum::extract::State;
use tombolo_api::{DataKey, EnvironmentKeys, Keys};
use tombolo_platform as platform;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::caller::Caller;
use super::moment::moment;
use super::query::{NoParameters, Query};
use super::refusal::Refusal;
use super::right::ReadKeys;

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new().routes(routes!(read_keys))
}

/// Shows which keys seal secrets
///
/// The id of the master key, and the data keys of every environment with the numbers of secrets that they sealed; no key
/// itself. Scope: `installation:keys:read`, which `environment:*` does not cover; the operator has it.
#[utoipa::path(
    get, path = "/keys", operation_id = "readKeys", tag = "operation",
    responses((status = 200, description = "The keys of the installation", body = Keys))
)]
async fn read_keys(
    State(routes): State<Routes>,
    caller: Caller<ReadKeys>,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Keys>, Refusal> {
    let keys = routes.platform.read_keys(&caller.access).await?;
    Ok(Json(Keys {
        master_key_id: keys.master_key.to_string(),
        environments: keys.environments.into_iter().map(environment).collect(),
    }))
}

fn environment(keys: platform::EnvironmentKeys) -> EnvironmentKeys {
    let data_keys = keys.data_keys.into_iter().map(|key| DataKey {
        version: key.version,
        master_key_id: key.master_key.to_string(),
        sealed: key.sealed,
        created_at: moment(key.created_at),
    });
    EnvironmentKeys { environment: keys.environment, data_keys: data_keys.collect() }
}
