//! What every request and answer of the router goes through.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::uri::PathAndQuery;
use http::{Method, Uri};
use tombolo_platform::{Problem, ProblemKind};
use tower_http::cors::{Any, CorsLayer};

use super::access::RequestId;
use super::refusal::Refusal;

/// Writes the bodies of refusals and forbids guessing of content types.
pub(super) async fn wrap(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        let known = std::mem::take(response.headers_mut());
        response = refusal.answer(id.as_ref().map_or("", |id| &id.0));
        let kept = known.into_iter().filter_map(|(name, value)| Some((name?, value)));
        let kept = kept.filter(|(name, _)| *name == ALLOW || name.as_str().starts_with("x-ratelimit-"));
        response.headers_mut().extend(kept);
    }
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Pages of any origin may call the API: what answers is a key or token that the page itself shows, never a cookie.
pub(super) fn any_origin() -> CorsLayer {
    let request = [
        AUTHORIZATION,
        CONTENT_TYPE,
        HeaderName::from_static("provider-config-key"),
        HeaderName::from_static("connection-id"),
        HeaderName::from_static("nango-activity-log-id"),
        HeaderName::from_static("nango-is-sync"),
        HeaderName::from_static("nango-is-dry-run"),
        HeaderName::from_static("nango-is-script"),
        HeaderName::from_static("sentry-trace"),
        HeaderName::from_static("baggage"),
    ];
    let answer = [
        HeaderName::from_static("tombolo-request-id"),
        HeaderName::from_static("tombolo-error"),
        HeaderName::from_static("retry-after"),
        HeaderName::from_static("x-ratelimit-limit"),
        HeaderName::from_static("x-ratelimit-remaining"),
        HeaderName::from_static("x-ratelimit-reset"),
    ];
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(request)
        .expose_headers(answer)
        .max_age(Duration::from_mins(10))
}

/// Clients of the compatible API write `/records/?model=…`.
pub(super) fn without_trailing_slash(mut request: Request) -> Request {
    let path = request.uri().path();
    if path.len() > 1 && path.ends_with('/') {
        let shorter = path.trim_end_matches('/');
        let shorter = if shorter.is_empty() { "/" } else { shorter };
        let target = match request.uri().query() {
            Some(query) => format!("{shorter}?{query}"),
            None => shorter.to_owned(),
        };
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = PathAndQuery::try_from(target).ok();
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// The parts of the compatible API for syncs, actions and functions, which do not exist here.
const NOT_AVAILABLE: [&str; 8] =
    ["/records", "/sync", "/action", "/actions", "/functions", "/scripts", "/deploy", "/v1"];

pub(super) async fn unknown_route(uri: Uri) -> Refusal {
    let is_below = |part: &str| {
        uri.path().strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let has_templates = uri.path().starts_with("/providers/") && uri.path().ends_with("/templates");
    if has_templates || NOT_AVAILABLE.iter().any(|part| is_below(part)) {
        let what = "There are no syncs, actions and functions of the compatible API here";
        let fix = "Call the vendor through `/proxy` instead.";
        return Problem::new(ProblemKind::NotAvailable, "not_available", what, fix).into();
    }
    let path: String = uri.path().chars().take(200).collect();
    let fix = "`/openapi.json` lists every route.";
    let what = format!("There is nothing at `{path}`");
    Problem::new(ProblemKind::NotFound, "unknown_route", what, fix).into()
}

pub(super) async fn wrong_method(method: Method, uri: Uri) -> Refusal {
    if method == Method::POST && uri.path() == "/integrations/quickstart" {
        let what = "There are no clients that all installations share";
        let fix = "Register an OAuth client with the vendor, and make the integration with it.";
        return Problem::new(ProblemKind::NotAvailable, "not_available", what, fix).into();
    }
    let path: String = uri.path().chars().take(200).collect();
    let what = format!("`{path}` does not take {method}");
    let fix = "The header `Allow` lists the methods that it takes.";
    Problem::new(ProblemKind::MethodNotAllowed, "method_not_allowed", what, fix).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_is_not_seen_by_the_routes() {
        for (asked, seen) in [
            ("/connections/", "/connections"),
            ("/connections/?limit=1", "/connections?limit=1"),
            ("/connections", "/connections"),
            ("/connections//", "/connections"),
            ("/", "/"),
            ("//", "/"),
        ] {
            let request = Request::builder().uri(asked).body(axum::body::Body::empty()).expect("a request");
            assert_eq!(without_trailing_slash(request).uri().to_string(), seen);
        }
    }
}
