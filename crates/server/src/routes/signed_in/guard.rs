//! What keeps other sites from doing something in the name of whoever is signed in. It stands around all pages at once, and
//! [`SignedIn`](super::SignedIn) takes no request that changes something and did not come through it.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode;
use secrecy::ExposeSecret as _;
use tombolo_platform::users::is_form_token;
use tombolo_platform::{Problem, ProblemKind};

use super::super::Routes;
use super::super::body;
use super::super::own_page::refuse_other_pages;
use super::{is_safe, refusal, shown};

/// The field of every form that says what [`SignedIn::form_token`](super::SignedIn::form_token) gave.
const FORM_TOKEN: &str = "form_token";
/// The header with which scripts of ours say the same.
const FORM_TOKEN_HEADER: HeaderName = HeaderName::from_static("tombolo-form-token");

/// Marks a request that came from a page that was made for whoever is signed in.
#[derive(Clone)]
pub(super) struct Guarded;

/// Lets looking through, and of what changes something only what a page of ours sent: as the browser says, and as the form
/// proves with a text that only a page for this very sign-in has. The two fail in different ways.
pub(crate) async fn guarded(State(routes): State<Routes>, request: Request, next: Next) -> Response {
    if is_safe(request.method()) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    match checked(&routes, &mut parts, body).await {
        Ok(body) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => refusal(&mut parts, &routes, problem).await,
    }
}

async fn checked(routes: &Routes, parts: &mut Parts, body: Body) -> Result<Body, Problem> {
    refuse_other_pages(routes, &parts.headers)?;
    // Whoever is not signed in has nothing that others could do in their name; the page sends them to sign in.
    let Some(token) = shown(routes, &parts.headers) else { return Ok(body) };
    let (given, body) = if let Some(given) = parts.headers.get(FORM_TOKEN_HEADER) {
        (given.to_str().ok().map(str::to_owned), body)
    } else {
        let bytes = body::read(body).await?;
        (in_form(&parts.headers, &bytes), Body::from(bytes))
    };
    if !given.is_some_and(|given| is_form_token(token.expose_secret(), &given)) {
        let what = "This page was made before you signed in, or by another site";
        let fix = "Go back, reload the page, and try again.";
        return Err(Problem::new(ProblemKind::Forbidden, "other_form", what, fix));
    }
    parts.extensions.insert(Guarded);
    Ok(body)
}

/// The text in a form, however the browser sends it.
fn in_form(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let (name, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    match name.trim().to_ascii_lowercase().as_str() {
        "application/x-www-form-urlencoded" => {
            let mut pairs = body.split(|byte| *byte == b'&');
            let value =
                pairs.find_map(|pair| pair.strip_prefix(FORM_TOKEN.as_bytes())?.strip_prefix(b"="))?;
            percent_decode(value).decode_utf8().ok().map(Into::into)
        }
        "multipart/form-data" => {
            let boundary = parameters.split(';').find_map(|one| one.trim().strip_prefix("boundary="))?;
            let boundary = Some(boundary.trim_matches('"')).filter(|boundary| !boundary.is_empty())?;
            in_parts(body, boundary)
        }
        _ => None,
    }
}

/// The value of the part that is the field (RFC 7578). Only its own first lines count, not what a file says.
fn in_parts(body: &[u8], boundary: &str) -> Option<String> {
    let mut rest = body;
    let mark = format!("--{boundary}");
    while let Some(start) = find(rest, mark.as_bytes()) {
        let part = &rest[start + mark.len()..];
        let end = find(part, mark.as_bytes()).unwrap_or(part.len());
        let head_end = find(&part[..end], b"\r\n\r\n")?;
        let head = std::str::from_utf8(&part[..head_end]).ok()?;
        if head.contains(&format!("name=\"{FORM_TOKEN}\"")) && !head.contains("filename") {
            return Some(std::str::from_utf8(&part[head_end + 4..end]).ok()?.trim_end().to_owned());
        }
        rest = part;
    }
    None
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() { None } else { bytes.windows(wanted.len()).position(|window| window == wanted) }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_text_is_found_in_every_kind_of_form() {
        let multipart = "--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nb\r\n\
                         --x\r\nContent-Disposition: form-data; name=\"form_token\"\r\n\r\nt-1\r\n--x--\r\n";
        let in_file = "--x\r\ncontent-disposition: form-data; name=\"a\"; filename=\"name=\\\"form_token\\\"\"\r\n\r\nt-1\r\n--x--";
        for (kind, body, expected) in [
            ("application/x-www-form-urlencoded", "form_token=t-1", Some("t-1")),
            ("application/x-www-form-urlencoded; charset=utf-8", "a=b&form_token=t%2D1&c=d", Some("t-1")),
            ("application/x-www-form-urlencoded", "a=form_token=t-1", None),
            ("application/x-www-form-urlencoded", "", None),
            ("multipart/form-data; boundary=x", multipart, Some("t-1")),
            ("multipart/form-data; boundary=\"x\"", multipart, Some("t-1")),
            ("multipart/form-data; boundary=y", multipart, None),
            ("multipart/form-data; boundary=", multipart, None),
            ("multipart/form-data; boundary=x", in_file, None),
            ("text/plain", "form_token=t-1", None),
            ("application/json", r#"{"form_token":"t-1"}"#, None),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
            assert_eq!(in_form(&headers, body.as_bytes()).as_deref(), expected, "{kind} {body}");
        }
    }
}
