use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use serde_json::Value;
use tombolo_api::{CreateProgress, CreatedConnection, IntegrationOfConnection, ReconnectConnection};
use tombolo_platform::{Access, Platform, Reconnection, Watch};

use super::create::{created, typed};
use super::progress::{lines, wants_lines};
use crate::routes::Routes;
use crate::routes::access::RequestId;
use crate::routes::body::Body;
use crate::routes::caller::Caller;
use crate::routes::query::{Named, Query};
use crate::routes::refusal::Refusal;
use crate::routes::right::UpdateConnection;

/// Gives a connection another credential or another address
///
/// Its id stays, and so does everything that is left out, except for its secrets, which have to be typed again. Tests first
/// and changes nothing when the connection could not be used, unless `test` is `false`: then its health is `unverified`.
/// With `Accept: application/x-ndjson` the test is told stage by stage, one JSON object per line; the last line has the
/// type `created` or `problem`. Scope: `environment:connections:update`.
#[utoipa::path(
    post, path = "/connections/{connection}/reconnect", operation_id = "reconnectConnection", tag = "connections",
    params(("connection" = String, Path, description = "Id, connection id or name"), IntegrationOfConnection),
    request_body = ReconnectConnection,
    responses(
        (status = 200, description = "The connection as it is now, or the test as it goes on", content(
            (CreatedConnection = "application/json"), (CreateProgress = "application/x-ndjson"),
        )),
        (status = 422, description = "The test failed, nothing was changed", body = tombolo_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reconnect_connection(
    State(routes): State<Routes>,
    caller: Caller<UpdateConnection>,
    id: RequestId,
    headers: HeaderMap,
    Named(reference): Named,
    Query(of): Query<IntegrationOfConnection>,
    Body(body): Body<ReconnectConnection>,
) -> Result<Response, Refusal> {
    let platform = routes.platform;
    let integration = of.provider_config_key;
    if wants_lines(&headers) {
        return lines(id, |events| async move {
            let mut tell = move |event| drop(events.send(event));
            let done =
                reconnect(&platform, &caller.access, integration.as_deref(), &reference, body, &mut tell);
            Ok(CreateProgress::Created(Box::new(done.await?)))
        })
        .await;
    }
    let untold = &mut |_| {};
    let done = reconnect(&platform, &caller.access, integration.as_deref(), &reference, body, untold).await?;
    Ok(Json(done).into_response())
}

async fn reconnect(
    platform: &Arc<Platform>,
    access: &Access,
    integration: Option<&str>,
    reference: &str,
    body: ReconnectConnection,
    watch: Watch<'_>,
) -> Result<CreatedConnection, Refusal> {
    let ReconnectConnection { auth_scheme, fields, settings, name, tags, metadata, test } = body;
    let metadata = metadata.map(Value::Object);
    let typed = Reconnection {
        auth_scheme,
        fields: typed(fields),
        settings,
        name,
        tags,
        metadata,
        test,
        session: None,
    };
    created(platform.reconnect(access, integration, reference, typed, watch).await?)
}
