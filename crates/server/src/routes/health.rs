//! Whether the server lives, and whether it can serve.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(ready))
}

/// Tells that the process runs
///
/// Public.
#[utoipa::path(
    get, path = "/health", operation_id = "health", tag = "operation", security(()),
    responses((status = 200, description = "It runs", body = Value))
)]
async fn health() -> Json<Value> {
    Json(json!({ "result": "ok" }))
}

/// Tells that the server can serve
///
/// The database answers. Public.
#[utoipa::path(
    get, path = "/ready", operation_id = "ready", tag = "operation", security(()),
    responses(
        (status = 200, description = "It can serve", body = Value),
        (status = 503, description = "It cannot serve at the moment", body = Value),
    )
)]
async fn ready(State(routes): State<Routes>) -> (StatusCode, Json<Value>) {
    match routes.platform.ready().await {
        Ok(()) => (StatusCode::OK, Json(json!({ "result": "ok" }))),
        Err(problem) => {
            tracing::warn!(%problem, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "result": "unavailable" })))
        }
    }
}
