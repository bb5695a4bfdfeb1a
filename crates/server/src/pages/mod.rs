//! What people see: pages that are rendered here, with scripts only where they help. Everything works on what the platform
//! does; pages have no logic of their own.

mod assets;
mod connect;
mod dashboard;
mod form;
pub(crate) mod manual;
mod page;
pub(crate) mod people;
mod shell;
mod words;

pub(crate) use connect::Colours;
pub(crate) use shell::Shell;

use axum::Router;

use crate::routes::Routes;

/// The routes of all pages. Each part says who may see its own.
pub(crate) fn routes(state: &Routes) -> Router<Routes> {
    Router::new()
        .merge(assets::routes())
        .merge(connect::routes())
        .merge(manual::routes())
        .merge(people::routes(state))
        .merge(dashboard::routes(state))
}
