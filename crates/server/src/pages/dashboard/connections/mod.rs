//! Connections: looked through, made, tested, changed.

mod account;
mod change;
mod choose;
mod confirm;
mod list;
mod show;
mod snippets;
mod subject;
mod vendor;

use axum::Router;
use axum::routing::{get, post};

pub(super) use snippets::snippets;

use crate::routes::Routes;

pub(super) fn routes() -> Router<Routes> {
    Router::new()
        .route("/dashboard/{environment}/connections", get(list::show))
        .route("/dashboard/{environment}/connections/new", get(choose::choose))
        .route(
            "/dashboard/{environment}/connections/new/{integration}",
            get(account::form).post(account::submit),
        )
        .route("/dashboard/{environment}/connections/new/{integration}/paste", post(account::paste))
        .route("/dashboard/{environment}/connections/new/{integration}/places", post(account::places))
        .route("/dashboard/{environment}/connections/confirm", get(confirm::show))
        .route("/dashboard/{environment}/connections/confirm/{id}", get(confirm::show).post(confirm::decide))
        .route("/dashboard/{environment}/connections/linked", get(vendor::back).post(vendor::finish))
        .route("/dashboard/{environment}/connections/{id}", get(show::show).post(change::save))
        .route("/dashboard/{environment}/connections/{id}/account", get(account::form).post(account::submit))
        .route("/dashboard/{environment}/connections/{id}/account/paste", post(account::paste))
        .route("/dashboard/{environment}/connections/{id}/account/places", post(account::places))
        .route("/dashboard/{environment}/connections/{id}/test", post(change::test))
        .route(
            "/dashboard/{environment}/connections/{id}/delete",
            get(change::ask_to_delete).post(change::delete),
        )
        .route("/dashboard/{environment}/connections/{id}/link", post(change::make_link))
}
