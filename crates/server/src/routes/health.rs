//! Whether the server lives, and whether it can serve.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Routes;

pub(super) fn routes() -> Router<Routes> {
    Router::new().route("/health", get(health)).route("/ready", get(ready))
}

/// Public: the process runs.
async fn health() -> Json<Value> {
    Json(json!({ "result": "ok" }))
}

/// Public: the database answers.
async fn ready(State(routes): State<Routes>) -> (StatusCode, Json<Value>) {
    match routes.platform.store().generations().await {
        Ok(_) => (StatusCode::OK, Json(json!({ "result": "ok" }))),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "result": "unavailable" })))
        }
    }
}
