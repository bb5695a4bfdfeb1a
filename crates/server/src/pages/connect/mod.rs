//! The Connect UI: pages on which somebody links an account in a connect session. They may stand in a frame of the embedder's
//! pages. Whoever looks shows the session's token with every step, in the body: there is no cookie, so nothing here can be
//! done in the name of somebody who is signed in.

mod client;
mod element;
mod linking;
mod opening;
mod problem;
mod theme;
mod view;
mod visit;
mod window;

pub(crate) use theme::Colours;

pub(super) use problem::{error_type, in_words as problem_in_words};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::routes::Routes;

/// Larger than any form with a certificate.
const BODY_MAX: usize = 1024 * 1024;

/// The routes of the Connect UI. For holders of a connect session's token, but the empty page that waits for one.
pub(super) fn routes() -> Router<Routes> {
    Router::new()
        .route("/connect/{environment}", get(opening::open).post(opening::show))
        .route("/connect/{environment}/theme.css", get(theme::sheet))
        .route("/connect/{environment}/paste", post(opening::paste))
        .route("/connect/{environment}/places", post(opening::places))
        .route("/connect/{environment}/test", post(linking::test))
        .route("/connect/{environment}/link", post(linking::link))
        .route("/connect/{environment}/vendor", post(window::begin))
        .route("/connect/{environment}/client", post(client::ask))
        .route("/connect/{environment}/client/save", post(client::save))
        .route("/connect/{environment}/state", post(window::state))
        .route("/connect/element.js", get(element::script))
        .route("/connect/element.d.ts", get(element::types))
        .layer(DefaultBodyLimit::max(BODY_MAX))
}
