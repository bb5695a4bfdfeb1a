//! The dashboard, for people who are signed in. Each page takes a [`Visitor`], which nobody else becomes, and calls what the
//! REST API calls: what somebody may do is decided there. Its paths begin with the environment's name.

mod activity;
mod audit;
mod catalog;
mod clients;
mod connections;
mod environments;
mod find;
mod frame;
mod home;
mod integrations;
mod jobs;
mod keys;
mod settings;
mod shown;
mod table;
mod visitor;
mod webhooks;

pub(crate) use frame::{Frame, Section};
pub(crate) use visitor::{Visitor, go_to};

use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use axum::routing::get;
use axum::{Router, middleware};
use tombolo_platform::Problem;

use crate::routes::Routes;
use crate::routes::signed_in::guarded;

/// Larger than any form with a certificate.
const BODY_MAX: usize = 1024 * 1024;

/// The routes of the dashboard. For people who are signed in.
pub(super) fn routes(state: &Routes) -> Router<Routes> {
    Router::new()
        .route("/dashboard", get(home::go_to_environment))
        .route("/dashboard/{environment}", get(home::show))
        .merge(connections::routes())
        .merge(catalog::routes())
        .merge(integrations::routes())
        .merge(clients::routes())
        .merge(keys::routes())
        .merge(audit::routes())
        .merge(environments::routes())
        .merge(activity::routes())
        .merge(jobs::routes())
        .merge(webhooks::routes())
        .merge(settings::routes())
        .merge(find::routes())
        .route("/dashboard/{environment}/{*rest}", get(unknown))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(middleware::from_fn_with_state(state.clone(), guarded))
}

/// Says within the dashboard that there is no such page, for people who followed an old address.
async fn unknown(visitor: Visitor) -> Response {
    let problem = Problem::not_found("unknown_page", "There is no page at this address");
    visitor.failed(Section::Home, &problem)
}
