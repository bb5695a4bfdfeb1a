//! The routes of the control runtime. Each says who may call it: public, or a caller with a scope.

mod access;
mod health;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use tombolo_platform::Platform;

pub use access::{Peer, RequestId};

/// What the routes share.
#[derive(Clone)]
pub struct Routes {
    pub(crate) platform: Arc<Platform>,
}

/// The router.
pub fn router(platform: Arc<Platform>) -> Router {
    Router::new()
        .merge(health::routes())
        .fallback(async || (StatusCode::NOT_FOUND, "not found"))
        .with_state(Routes { platform })
}
