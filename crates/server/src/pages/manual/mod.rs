//! The manual: the articles of `docs/`, a guide for each provider and the reference of the API, as pages and as the Markdown that
//! they are made of. Public: it says nothing that is not in the program or in a provider file.

mod address;
mod answer;
mod guide;
mod index;
mod library;
mod lists;
mod markdown;
mod providers;
mod reader;
mod reference;
mod say;
mod search;
mod shelf;
mod text;

use axum::Router;
use axum::routing::get;
use tower_http::compression::CompressionLayer;

use crate::routes::Routes;
pub(crate) use library::Library;

/// The routes of the manual.
pub(super) fn routes() -> Router<Routes> {
    Router::new()
        .route("/docs", get(lists::home))
        .route("/docs/search", get(lists::search))
        .route("/docs/openapi.json", get(text::openapi))
        .route("/docs/providers", get(lists::providers))
        .route("/docs/{page}", get(text::page))
        .route("/docs/{folder}/{page}", get(text::page_in_folder))
        .route("/docs/providers/{id}/{picture}", get(text::picture))
        .route("/llms.txt", get(text::index))
        .route("/llms-full.txt", get(text::whole))
        .layer(CompressionLayer::new())
}
