use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use tombolo_api::{CreateConnection, CreateProgress, CreatedConnection, FieldValue, ImportConnection};
use tombolo_platform::{Access, Belonging, ConnectionDraft, Platform, ProblemKind, TestReport, Watch};

use super::import::import;
use super::progress::{lines, wants_lines};
use super::wire;
use crate::routes::Routes;
use crate::routes::access::RequestId;
use crate::routes::body::JsonBytes;
use crate::routes::caller::Caller;
use crate::routes::query::{NoParameters, Query};
use crate::routes::refusal::Refusal;
use crate::routes::right::CreateConnection as MayCreate;

/// Makes a connection
///
/// Tests it first and stores nothing when it cannot be used, unless `test` is `false`. A body with `credentials` is that of
/// the compatible API: it takes a connection of another product over. When that has renewed its tokens, which exist nowhere else
/// then, the connection is stored whatever the test says, and its health tells. With
/// `Accept: application/x-ndjson` the test is told stage by stage, one JSON object per line; the last line has the type
/// `created` or `problem`. Scope: `environment:connections:create`.
#[utoipa::path(
    post, path = "/connections", operation_id = "createConnection", tag = "connections",
    request_body(content((CreateConnection = "application/json"), (ImportConnection = "application/json"))),
    responses(
        (status = 201, description = "The connection was made", body = CreatedConnection),
        (status = 200, description = "The test as it goes on", body = CreateProgress, content_type = "application/x-ndjson"),
        (status = 422, description = "The test failed, nothing was stored", body = tombolo_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create_connection(
    State(routes): State<Routes>,
    caller: Caller<MayCreate>,
    id: RequestId,
    headers: HeaderMap,
    Query(NoParameters {}): Query<NoParameters>,
    bytes: JsonBytes,
) -> Result<Response, Refusal> {
    if bytes.fits::<OfCompatibleApi>()?.credentials.is_some() {
        let body = bytes.fits::<ImportConnection>()?;
        let made = Box::pin(import(&routes, &caller.access, body)).await?;
        return Ok((StatusCode::CREATED, Json(made)).into_response());
    }
    let body: CreateConnection = bytes.fits()?;
    let test = body.test;
    let draft = Draft::from(body).0;
    let platform = routes.platform;
    if wants_lines(&headers) {
        return lines(id, |events| async move {
            let mut tell = move |event| drop(events.send(event));
            let created = create(&platform, &caller.access, &draft, test, &mut tell).await?;
            Ok(CreateProgress::Created(Box::new(created)))
        })
        .await;
    }
    let created = create(&platform, &caller.access, &draft, test, &mut |_| {}).await?;
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

/// What tells a body of the compatible API from one of ours.
#[derive(Deserialize)]
struct OfCompatibleApi {
    credentials: Option<IgnoredAny>,
}

async fn create(
    platform: &Arc<Platform>,
    access: &Access,
    draft: &ConnectionDraft,
    test: bool,
    watch: Watch<'_>,
) -> Result<CreatedConnection, Refusal> {
    created(platform.create_connection(access, draft, test, watch).await?)
}

/// The connection as it was stored, or the test that failed.
pub(in crate::routes) fn created(
    outcome: Result<tombolo_platform::CreatedConnection, TestReport>,
) -> Result<CreatedConnection, Refusal> {
    match outcome {
        Ok(created) => Ok(made(&created)),
        Err(report) => Err(test_failed(&report)),
    }
}

/// The connection as it was stored.
pub(super) fn made(created: &tombolo_platform::CreatedConnection) -> CreatedConnection {
    CreatedConnection {
        connection: wire::connection(&created.connection, &created.integration),
        report: created.report.as_ref().map(wire::report),
    }
}

/// The first failed stage's verdict as a problem.
fn test_failed(report: &TestReport) -> Refusal {
    let problem = report.as_problem(ProblemKind::TestFailed);
    Refusal::with_report(problem, wire::report(report))
}

/// What was sent as the platform takes it.
pub(super) struct Draft(pub(super) ConnectionDraft);

impl From<CreateConnection> for Draft {
    fn from(body: CreateConnection) -> Self {
        Self(ConnectionDraft {
            integration: body.provider_config_key,
            name: body.name,
            connection_id: body.connection_id,
            auth_scheme: body.auth_scheme,
            fields: typed(body.fields),
            settings: body.settings,
            tags: body.tags,
            metadata: Value::Object(body.metadata),
            belonging: Belonging::default(),
        })
    }
}

impl From<tombolo_api::TestConnection> for Draft {
    fn from(body: tombolo_api::TestConnection) -> Self {
        Self(ConnectionDraft {
            integration: body.provider_config_key,
            name: body.name.unwrap_or_default(),
            connection_id: body.connection_id,
            auth_scheme: body.auth_scheme,
            fields: typed(body.fields),
            settings: body.settings,
            tags: BTreeMap::new(),
            metadata: Value::Object(Map::new()),
            belonging: Belonging::default(),
        })
    }
}

pub(in crate::routes) fn typed<Typed: FromIterator<(String, Secret)>, Secret: From<String>>(
    fields: BTreeMap<String, FieldValue>,
) -> Typed {
    fields.into_iter().map(|(name, value)| (name, value.into_typed().into())).collect()
}
