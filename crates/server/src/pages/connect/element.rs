//! The custom element with which pages of others show the Connect UI, at an address that stays. Public: every page may load
//! it.

use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

/// The module.
pub(super) async fn script() -> Response {
    told("text/javascript; charset=utf-8", include_str!("../../../assets/element.js"))
}

/// Its types.
pub(super) async fn types() -> Response {
    told("text/plain; charset=utf-8", include_str!("../../../assets/element.d.ts"))
}

fn told(kind: &'static str, text: &'static str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
