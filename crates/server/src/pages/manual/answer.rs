//! Answers that may be kept: each has a tag, and whoever has it already is told so instead of getting it again.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use askama::Template;
use axum::body::Body;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, LINK, VARY};
use http::{HeaderMap, StatusCode};

use crate::pages::page::{Framing, answer};

/// Asked again each time, and answered with nothing while it is the same: an upgrade shows at once.
const KEPT: HeaderValue = HeaderValue::from_static("public, no-cache");
/// What else decides about an answer.
const DEPENDS: HeaderValue = HeaderValue::from_static("accept, accept-language");

/// A page, with the address of its source where it has one.
pub(super) fn page(
    status: StatusCode,
    template: &impl Template,
    source: Option<&str>,
    asked: &HeaderMap,
) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page of the manual could not be rendered");
            return answer(StatusCode::INTERNAL_SERVER_ERROR, String::new(), &Framing::Nobody);
        }
    };
    let tag = tag(html.as_bytes());
    let mut response = answer(status, html, &Framing::Nobody);
    let link = source.map(|source| format!("<{source}>; rel=\"alternate\"; type=\"text/markdown\""));
    if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
        response.headers_mut().insert(LINK, link);
    }
    tagged(response, tag, asked)
}

/// A file, such as the source of a page.
pub(super) fn file(
    kind: &'static str,
    content: impl Into<Body> + AsRef<[u8]>,
    asked: &HeaderMap,
) -> Response {
    let tag = tag(content.as_ref());
    let mut response = Response::new(content.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    tagged(response, tag, asked)
}

/// Another address for good.
pub(super) fn moved(to: &str) -> Response {
    Redirect::permanent(to).into_response()
}

fn tagged(mut response: Response, tag: HeaderValue, asked: &HeaderMap) -> Response {
    let is_known = response.status() == StatusCode::OK && knows(asked, &tag);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, KEPT);
    headers.insert(VARY, DEPENDS);
    headers.insert(ETAG, tag);
    if is_known {
        *response.body_mut() = Body::empty();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    response
}

/// A weak tag, because what is sent may be compressed on its way.
fn tag(content: &[u8]) -> HeaderValue {
    let mut hash = DefaultHasher::new();
    content.hash(&mut hash);
    HeaderValue::try_from(format!("W/\"{:016x}\"", hash.finish()))
        .expect("hexadecimal digits are visible ASCII")
}

fn knows(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let tags = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let tag = tag.to_str().unwrap_or_default();
    tags.flat_map(|tags| tags.split(',')).any(|known| known.trim() == tag || known.trim() == "*")
}
