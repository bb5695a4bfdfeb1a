//! The routes of the control runtime. Each says who may call it: a [`caller::Caller`] with a right, or nobody in
//! particular.

mod access;
mod activity;
mod api_keys;
mod audit;
mod authorizations;
mod body;
mod caller;
mod connect;
mod connections;
mod cookies;
mod document;
mod envelope;
mod environment;
mod health;
mod integrations;
mod jobs;
mod keys;
mod metrics;
mod moment;
mod notifications;
mod oauth_clients;
pub(crate) mod oauth_pages;
mod own_page;
mod provider_requests;
mod providers;
pub(crate) mod query;
mod rate;
pub(crate) mod refusal;
mod right;
mod shape;
pub(crate) mod signed_in;
pub(crate) mod users;
mod webhooks;

use std::sync::Arc;

use axum::extract::Request;
use axum::{Router, middleware};
use bytes::Bytes;
use tombolo_platform::Platform;
use tower::ServiceExt as _;
use utoipa_axum::router::OpenApiRouter;

use crate::listen::accept::Places;
use crate::pages::manual::Library;
use crate::public_url::PublicUrl;

pub(crate) use access::KeptPlace;
pub use access::{Peer, RequestId};
pub(crate) use metrics::{Counted, RequestCounts, Requests};
pub(crate) use moment::{day, moment};
pub(crate) use oauth_pages::see_other;
pub(crate) use own_page::refuse_other_pages;

/// Where the first administrator is made.
pub(crate) const SET_UP: &str = "/setup";

/// What the routes share.
#[derive(Clone)]
pub struct Routes {
    pub(crate) platform: Arc<Platform>,
    pub(crate) public_url: PublicUrl,
    counts: RequestCounts,
    places: Option<Places>,
    document: Bytes,
    pub(crate) manual: Arc<Library>,
}

/// The router. Its answers to refused requests need the [`RequestId`] that the front gives each request.
pub(crate) fn router(
    platform: Arc<Platform>,
    public_url: PublicUrl,
    (counts, places): (RequestCounts, Option<Places>),
    requests_per_minute: u32,
) -> Router {
    let (router, document) = documented().split_for_parts();
    let document: Bytes = pretty(document).into();
    let manual = Arc::new(Library::new(Arc::clone(&platform), document.clone()));
    let rates = rate::Rates::new(Arc::clone(&platform), requests_per_minute);
    let state = Routes { platform, public_url, counts, places, document, manual };
    let router = router
        .merge(crate::pages::routes(&state))
        .fallback(envelope::unknown_route)
        .method_not_allowed_fallback(envelope::wrong_method)
        .layer(middleware::from_fn_with_state(rates, rate::limited))
        .layer(middleware::from_fn(envelope::wrap))
        .layer(envelope::any_origin())
        .with_state(state);
    let tolerant = router.map_request(envelope::without_trailing_slash as fn(Request) -> Request);
    Router::new().fallback_service(tolerant)
}

/// The OpenAPI document of the routes, as `docs/openapi.json` holds it.
pub fn openapi() -> String {
    pretty(documented().into_openapi())
}

fn documented() -> OpenApiRouter<Routes> {
    document::routes()
        .merge(connections::routes())
        .merge(connect::routes())
        .merge(environment::routes())
        .merge(integrations::routes())
        .merge(oauth_clients::routes())
        .merge(authorizations::routes())
        .merge(oauth_pages::routes())
        .merge(providers::routes())
        .merge(provider_requests::routes())
        .merge(users::routes())
        .merge(api_keys::routes())
        .merge(activity::routes())
        .merge(audit::routes())
        .merge(webhooks::routes())
        .merge(notifications::routes())
        .merge(jobs::routes())
        .merge(keys::routes())
        .merge(health::routes())
        .merge(metrics::routes())
}

fn pretty(document: utoipa::openapi::OpenApi) -> String {
    let complete = document::complete(document);
    // The document is plain data with text keys, which always serializes.
    let mut text = serde_json::to_string_pretty(&complete).expect("plain data serializes");
    text.push('\n');
    text
}
