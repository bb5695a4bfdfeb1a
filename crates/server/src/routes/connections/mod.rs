//! Connections: made, listed, read, changed, deleted and tested.

mod change;
mod create;
mod import;
mod list;
mod metadata;
mod progress;
mod read;
mod reconnect;
mod test;
mod wire;

use axum::Extension;
use axum::routing::{MethodRouter, get};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use create::{created, typed};

use super::Routes;
use super::query::Spelled;

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new()
        .routes(routes!(list::list_connections, create::create_connection))
        .routes(routes!(read::read_connection, change::update_connection, change::delete_connection))
        .routes(routes!(reconnect::reconnect_connection))
        .routes(routes!(metadata::replace_metadata, metadata::merge_metadata))
        .routes(routes!(test::test_draft))
        .route("/connections/test", named("test"))
        .route("/connections/metadata", others_named_metadata())
        .routes(routes!(test::test_connection))
}

/// A connection may be named `test`. The path of its own is also that of the test of a draft, which is only posted to.
fn named(name: &'static str) -> MethodRouter<Routes> {
    get(read::read_connection)
        .patch(change::update_connection)
        .delete(change::delete_connection)
        .layer(Extension(Spelled(name)))
}

/// A connection may be named `metadata` as well, but is changed only by its id.
fn others_named_metadata() -> MethodRouter<Routes> {
    get(read::read_connection).delete(change::delete_connection).layer(Extension(Spelled("metadata")))
}
