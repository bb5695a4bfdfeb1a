//! Connections: made, listed, read, changed, deleted and tested.

mod change;
mod create;
mod list;
mod progress;
mod read;
mod reconnect;
mod test;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new()
        .routes(routes!(list::list_connections, create::create_connection))
        .routes(routes!(read::read_connection, change::update_connection, change::delete_connection))
        .routes(routes!(reconnect::reconnect_connection))
        .routes(routes!(test::test_draft))
        .routes(routes!(test::test_connection))
}
