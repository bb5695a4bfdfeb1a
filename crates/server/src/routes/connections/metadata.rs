use axum::Json;
use axum::extract::State;
use http::StatusCode;
use tombolo_api::{ConnectionIds, PutMetadata};

use crate::routes::Routes;
use crate::routes::body::Body;
use crate::routes::caller::Caller;
use crate::routes::query::{NoParameters, Query};
use crate::routes::refusal::Refusal;
use crate::routes::right::UpdateConnection;

/// Replaces the data of an embedder's own
///
/// Of one connection or of several, whole. Scope: `environment:connections:update`.
#[utoipa::path(
    post, path = "/connections/metadata", operation_id = "replaceMetadata", tag = "connections",
    request_body = PutMetadata,
    responses((status = 201, description = "It is written; what was sent comes back", body = PutMetadata))
)]
pub(super) async fn replace_metadata(
    State(routes): State<Routes>,
    caller: Caller<UpdateConnection>,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<PutMetadata>,
) -> Result<(StatusCode, Json<PutMetadata>), Refusal> {
    put(&routes, &caller, &body, false).await?;
    Ok((StatusCode::CREATED, Json(body)))
}

/// Adds to the data of an embedder's own
///
/// Of one connection or of several: members of the same name are replaced, others stay. Scope:
/// `environment:connections:update`.
#[utoipa::path(
    patch, path = "/connections/metadata", operation_id = "mergeMetadata", tag = "connections",
    request_body = PutMetadata,
    responses((status = 200, description = "It is written; what was sent comes back", body = PutMetadata))
)]
pub(super) async fn merge_metadata(
    State(routes): State<Routes>,
    caller: Caller<UpdateConnection>,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<PutMetadata>,
) -> Result<Json<PutMetadata>, Refusal> {
    put(&routes, &caller, &body, true).await?;
    Ok(Json(body))
}

async fn put(
    routes: &Routes,
    caller: &Caller<UpdateConnection>,
    body: &PutMetadata,
    merge: bool,
) -> Result<(), Refusal> {
    let ids = match &body.connection_id {
        ConnectionIds::One(id) => std::slice::from_ref(id),
        ConnectionIds::Several(ids) => ids,
    };
    let platform = &routes.platform;
    platform.put_metadata(&caller.access, &body.provider_config_key, ids, &body.metadata, merge).await?;
    Ok(())
}
