//! Style sheets, scripts and pictures of the pages, as they were built into the program. Their address changes when one of
//! them does, so browsers may keep them for good.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use rust_embed::RustEmbed;
use tower_http::compression::CompressionLayer;

use crate::routes::Routes;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// Names all the files together.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Files::iter().collect();
    names.sort();
    let mut all = DefaultHasher::new();
    for name in names {
        (&name, Files::get(&name).map(|file| file.metadata.sha256_hash())).hash(&mut all);
    }
    format!("{:016x}", all.finish())
});

/// The path of a file. Relative imports of scripts stay within the version.
pub(super) fn path(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

/// The route of the files. Public: they are the same for everybody. Pages of others load the element that opens the
/// Connect UI.
pub(super) fn routes() -> Router<Routes> {
    Router::new().route("/assets/{version}/{name}", get(file)).layer(CompressionLayer::new())
}

async fn file(Path((version, name)): Path<(String, String)>) -> Response {
    let Some(file) = Files::get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let kind = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        _ => "text/plain; charset=utf-8",
    };
    // Somebody who asks for another version is in the middle of an upgrade.
    let kept = if version == *VERSION { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers: [(HeaderName, HeaderValue); 2] =
        [(CONTENT_TYPE, HeaderValue::from_static(kind)), (CACHE_CONTROL, HeaderValue::from_static(kept))];
    let bytes: Bytes = match file.data {
        std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => bytes.into(),
    };
    (headers, bytes).into_response()
}
