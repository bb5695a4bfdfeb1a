//! Providers that somebody asks for who may not enable them.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use tombolo_api::{
    CreateProviderRequest, ProviderRequest, ProviderRequestState, ProviderRequests, SettleProviderRequest,
};
use tombolo_platform::store;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::body::Body;
use super::caller::Caller;
use super::moment::moment;
use super::query::{Named, NoParameters, Query};
use super::refusal::Refusal;
use super::right::{ManageProviderRequests, RequestProvider, SeeProviderRequests};

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new()
        .routes(routes!(list_provider_requests, request_provider))
        .routes(routes!(settle_provider_request))
}

/// Lists what providers were asked for
///
/// The open requests first, then the newest, 200 at most. Scope: `environment:provider_requests:create` or `:manage`.
#[utoipa::path(
    get, path = "/provider-requests", operation_id = "listProviderRequests", tag = "providers",
    responses((status = 200, description = "The requests", body = ProviderRequests))
)]
async fn list_provider_requests(
    State(routes): State<Routes>,
    caller: Caller<SeeProviderRequests>,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<ProviderRequests>, Refusal> {
    let found = routes.platform.list_provider_requests(&caller.access).await?;
    Ok(Json(ProviderRequests { requests: found.iter().map(wire).collect() }))
}

/// Asks for a provider
///
/// For one that has no integration in the environment. Scope: `environment:provider_requests:create`.
#[utoipa::path(
    post, path = "/provider-requests", operation_id = "requestProvider", tag = "providers",
    request_body = CreateProviderRequest,
    responses((status = 201, description = "The request", body = ProviderRequest))
)]
async fn request_provider(
    State(routes): State<Routes>,
    caller: Caller<RequestProvider>,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<CreateProviderRequest>,
) -> Result<(StatusCode, Json<ProviderRequest>), Refusal> {
    let made = routes.platform.request_provider(&caller.access, &body.provider, &body.reason).await?;
    Ok((StatusCode::CREATED, Json(wire(&made))))
}

/// Grants or declines a request for a provider
///
/// Granting makes the provider's integration unless there is one. Scope: `environment:provider_requests:manage`, and
/// `environment:integrations:create` to grant.
#[utoipa::path(
    patch, path = "/provider-requests/{id}", operation_id = "settleProviderRequest", tag = "providers",
    params(("id" = String, Path, description = "Its id")), request_body = SettleProviderRequest,
    responses((status = 200, description = "The request as it is now", body = ProviderRequest))
)]
async fn settle_provider_request(
    State(routes): State<Routes>,
    caller: Caller<ManageProviderRequests>,
    Named(id): Named,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<SettleProviderRequest>,
) -> Result<Json<ProviderRequest>, Refusal> {
    let settled =
        routes.platform.settle_provider_request(&caller.access, &id, body.grant, &body.answer).await?;
    Ok(Json(wire(&settled)))
}

fn wire(request: &store::ProviderRequest) -> ProviderRequest {
    ProviderRequest {
        id: request.id.to_string(),
        provider: request.provider.clone(),
        reason: request.reason.clone(),
        state: match request.state {
            store::ProviderRequestState::Open => ProviderRequestState::Open,
            store::ProviderRequestState::Granted => ProviderRequestState::Granted,
            store::ProviderRequestState::Declined => ProviderRequestState::Declined,
        },
        asked_by: request.asked_by_label.clone(),
        answer: request.answer.clone(),
        settled_by: request.settled_by_label.clone(),
        created_at: moment(request.created_at),
        settled_at: request.settled_at.map(moment),
    }
}
