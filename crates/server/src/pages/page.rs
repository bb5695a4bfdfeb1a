//! A page as it goes to a browser, with what keeps others from doing harm with it.

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY, X_FRAME_OPTIONS,
};

/// Who may show a page within one of theirs.
#[derive(Debug, Clone)]
pub(crate) enum Framing {
    /// Nobody.
    Nobody,
    /// Pages of these origins, and our own.
    Origins {
        /// The origins.
        origins: Vec<String>,
        /// The address of the only picture of others that the page shows; empty when there is none.
        picture: String,
    },
}

/// A rendered page with the headers that go with it: nothing is kept on the way, no address leaks to other sites, and only
/// scripts and styles of our own run, none of them written into the page.
pub(crate) fn page(template: &impl Template, framing: &Framing) -> Response {
    with_status(StatusCode::OK, template, framing)
}

/// A page that says that something is wrong.
pub(crate) fn with_status(status: StatusCode, template: &impl Template, framing: &Framing) -> Response {
    match template.render() {
        Ok(html) => answer(status, html, framing),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            answer(StatusCode::INTERNAL_SERVER_ERROR, String::new(), framing)
        }
    }
}

/// HTML of ours with the headers of a page.
pub(crate) fn answer(status: StatusCode, html: String, framing: &Framing) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CONTENT_SECURITY_POLICY, policy(framing));
    if matches!(framing, Framing::Nobody) {
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    response
}

fn policy(framing: &Framing) -> HeaderValue {
    let (ancestors, picture) = match framing {
        Framing::Nobody => ("'none'".to_owned(), ""),
        Framing::Origins { origins, picture } => (format!("'self' {}", origins.join(" ")), picture.as_str()),
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' {picture}; connect-src 'self'; \
         frame-src 'self'; form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'; frame-ancestors {ancestors}"
    );
    // The origins were checked as they were stored. One that cannot stand in a header lets nobody frame the page.
    HeaderValue::try_from(policy)
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
}
