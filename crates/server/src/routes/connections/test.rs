use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use tombolo_api::{IntegrationOfConnection, TestConnection, TestProgress, TestReport};

use super::create::Draft;
use super::progress::{lines, wants_lines};
use super::wire;
use crate::routes::Routes;
use crate::routes::access::RequestId;
use crate::routes::body::Body;
use crate::routes::caller::Caller;
use crate::routes::query::{Named, NoParameters, Query};
use crate::routes::refusal::Refusal;
use crate::routes::right::{CreateConnection, UpdateConnection};

/// Tests what a connection would be made from
///
/// Stores nothing. With `Accept: application/x-ndjson` the test is told stage by stage, one JSON object per line; the last
/// line has the type `report` or `problem`. A connection that is named `test` is read, changed and deleted at this path as
/// any other is at its own, and tested at `/connections/test/test`. Scope: `environment:connections:create`.
#[utoipa::path(
    post, path = "/connections/test", operation_id = "testDraft", tag = "connections", request_body = TestConnection,
    responses((status = 200, description = "What the test found", content(
        (TestReport = "application/json"), (TestProgress = "application/x-ndjson"),
    )))
)]
pub(super) async fn test_draft(
    State(routes): State<Routes>,
    caller: Caller<CreateConnection>,
    id: RequestId,
    headers: HeaderMap,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<TestConnection>,
) -> Result<Response, Refusal> {
    let draft = Draft::from(body).0;
    let platform = routes.platform;
    if wants_lines(&headers) {
        return lines(id, |events| async move {
            let mut tell = move |event| drop(events.send(event));
            let report = platform.test_draft(&caller.access, &draft, &mut tell).await?;
            Ok(TestProgress::Report(wire::report(&report)))
        })
        .await;
    }
    let report = platform.test_draft(&caller.access, &draft, &mut |_| {}).await?;
    Ok(Json(wire::report(&report)).into_response())
}

/// Tests a connection
///
/// Notes how it did. A credential that the upstream refused is tried again by this, and by nothing else. With
/// `Accept: application/x-ndjson` the test is told stage by stage, one JSON object per line; the last line has the type
/// `report` or `problem`. Scope: `environment:connections:update`.
#[utoipa::path(
    post, path = "/connections/{id}/test", operation_id = "testConnection", tag = "connections",
    params(("id" = String, Path, description = "Id, connection id or name"), IntegrationOfConnection),
    responses((status = 200, description = "What the test found", content(
        (TestReport = "application/json"), (TestProgress = "application/x-ndjson"),
    )))
)]
pub(super) async fn test_connection(
    State(routes): State<Routes>,
    caller: Caller<UpdateConnection>,
    id: RequestId,
    headers: HeaderMap,
    Named(reference): Named,
    Query(query): Query<IntegrationOfConnection>,
) -> Result<Response, Refusal> {
    let platform = routes.platform;
    let integration = query.provider_config_key;
    if wants_lines(&headers) {
        return lines(id, |events| async move {
            let mut tell = move |event| drop(events.send(event));
            let report = platform
                .test_connection(&caller.access, integration.as_deref(), &reference, &mut tell)
                .await?;
            Ok(TestProgress::Report(wire::report(&report)))
        })
        .await;
    }
    let integration = integration.as_deref();
    let report = platform.test_connection(&caller.access, integration, &reference, &mut |_| {}).await?;
    Ok(Json(wire::report(&report)).into_response())
}
