//! Connections: looked through, made, tested, changed.

mod change;
mod create;
mod list;
mod show;
mod snippets;
mod vendor;

use axum::Router;
use axum::routing::{get, post};

pub(super) use snippets::snippets;

use crate::routes::Routes;

pub(super) fn routes() -> Router<Routes> {
    Router::new()
        .route("/dashboard/{environment}/connections", get(list::show))
        .route("/dashboard/{environment}/connections/new", get(create::choose))
        .route(
            "/dashboard/{environment}/connections/new/{integration}",
            get(create::form).post(create::submit),
        )
        .route("/dashboard/{environment}/connections/new/{integration}/paste", post(create::paste))
        .route("/dashboard/{environment}/connections/linked", get(vendor::back).post(vendor::finish))
        .route("/dashboard/{environment}/connections/{id}", get(show::show).post(change::save))
        .route("/dashboard/{environment}/connections/{id}/test", post(change::test))
        .route(
            "/dashboard/{environment}/connections/{id}/delete",
            get(change::ask_to_delete).post(change::delete),
        )
        .route("/dashboard/{environment}/connections/{id}/link", post(change::make_link))
}
