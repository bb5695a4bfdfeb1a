//! `ANY /c/{integration}/{connection}/{path}`: the drop-in URL. A vendor's own client works by changing its base URL
//! and giving one of our API keys in the place of its token or password.

use std::time::Instant;

use http::header::{HeaderMap, HeaderValue, LINK, LOCATION};
use http::{Request, Response};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use tombolo_platform::proxy::{Call, CallBody, Plan, send};
use tombolo_platform::{Problem, Scope};

use super::{Front, ServerBody};
use crate::routes::Peer;

pub(super) async fn call(
    front: &Front,
    peer: &Peer,
    request: Request<Incoming>,
    id: &str,
    started: Instant,
) -> Result<Response<ServerBody>, Problem> {
    let (head, body) = request.into_parts();
    let whole = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let parts = Parts::split(whole)?;
    let (integration, connection) = (decode(parts.integration)?, decode(parts.connection)?);
    let key = front.platform.caller_key(&integration, &head.headers, head.uri.query())?;
    let access = peer.access(&front.platform, key.as_deref().map(String::as_str), &head.headers).await?;
    access.require(Scope::Proxy)?;
    let plan = front.platform.plan(&access.environment, Some(&integration), &connection).await?;
    let call = Call {
        method: head.method,
        target: parts.target,
        headers: head.headers,
        body: CallBody::Incoming(body),
        caller: Some(access),
        request_id: id,
        started,
    };
    let mut response = send(&front.lane, &plan, call).await?.map(ServerBody::Answer);
    bring_home(response.headers_mut(), &plan, parts.base);
    Ok(response)
}

/// The parts of a drop-in URL.
struct Parts<'a> {
    /// `/c/{integration}/{connection}`.
    base: &'a str,
    integration: &'a str,
    connection: &'a str,
    /// The upstream's path and query.
    target: &'a str,
}

impl<'a> Parts<'a> {
    fn split(whole: &'a str) -> Result<Self, Problem> {
        let path_end = whole.find('?').unwrap_or(whole.len());
        let slashes: Vec<usize> =
            whole[..path_end].match_indices('/').map(|(index, _)| index).take(4).collect();
        let [_, first, second, third] = slashes[..] else {
            let fix = "Write `/c/{integration}/{connection}/` and then the upstream's path.";
            return Err(Problem::invalid(
                "path_refused",
                "The URL does not name a connection and a path",
                fix,
            ));
        };
        Ok(Self {
            base: &whole[..third],
            integration: &whole[first + 1..second],
            connection: &whole[second + 1..third],
            target: &whole[third..],
        })
    }
}

fn decode(segment: &str) -> Result<String, Problem> {
    percent_decode_str(segment).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| {
        Problem::invalid("path_refused", "A name in the URL is not UTF-8", "Percent-encode it as UTF-8.")
    })
}

/// Links of the upstream to itself lead through us again.
fn bring_home(headers: &mut HeaderMap, plan: &Plan, base: &str) {
    for name in [LOCATION, LINK] {
        if !headers.contains_key(&name) {
            continue;
        }
        let lines: Vec<HeaderValue> = headers.get_all(&name).iter().cloned().collect();
        headers.remove(&name);
        for line in lines {
            let home = line.to_str().ok().map(|text| at_home(text, plan.origin(), plan.base_path(), base));
            let home = home.and_then(|text| HeaderValue::from_str(&text).ok());
            headers.append(name.clone(), home.unwrap_or(line));
        }
    }
}

/// Puts `base` in the place of the origin and base path that it stands for, and of the base path alone where a link
/// has no origin. What leads elsewhere stays.
fn at_home(text: &str, origin: &str, base_path: &str, base: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    // A link begins with the header, or in angle brackets.
    let mut begins = true;
    while let Some(next) = rest.chars().next() {
        if let Some(path) = begins.then(|| own_path(rest, origin, base_path)).flatten() {
            result.push_str(base);
            rest = path;
            begins = false;
            continue;
        }
        if begins && is_relative(rest) {
            // Beside the base path: at our own address it would lead to one of our pages.
            result.push_str(origin);
        }
        result.push(next);
        rest = &rest[next.len_utf8()..];
        begins = next == '<';
    }
    result
}

/// What follows origin and base path, if the text leads there.
fn own_path<'a>(text: &'a str, origin: &str, base_path: &str) -> Option<&'a str> {
    let path = match text.strip_prefix(origin) {
        Some(path) => path,
        None if is_relative(text) => text,
        None => return None,
    };
    let path = path.strip_prefix(base_path)?;
    (path.is_empty() || path.starts_with(['/', '?', '#', '>', ' '])).then_some(path)
}

fn is_relative(text: &str) -> bool {
    text.starts_with('/') && !text.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_the_upstream_lead_through_us() {
        for (text, expected) in [
            ("https://acme.cybozu.com/k/1/", "/c/kintone/con_1/k/1/"),
            ("https://acme.cybozu.com", "/c/kintone/con_1"),
            ("https://acme.cybozu.com.evil.test/", "https://acme.cybozu.com.evil.test/"),
            ("https://acme.cybozu.com:8443/", "https://acme.cybozu.com:8443/"),
            ("https://elsewhere.test/", "https://elsewhere.test/"),
            (
                "https://elsewhere.test/?next=https://acme.cybozu.com/",
                "https://elsewhere.test/?next=https://acme.cybozu.com/",
            ),
            ("/login", "/c/kintone/con_1/login"),
            ("//elsewhere.test/", "//elsewhere.test/"),
            ("<https://acme.cybozu.com/a?page=2>; rel=next", "</c/kintone/con_1/a?page=2>; rel=next"),
            (
                "</a?page=2>; rel=next, </a>; rel=first",
                "</c/kintone/con_1/a?page=2>; rel=next, </c/kintone/con_1/a>; rel=first",
            ),
        ] {
            assert_eq!(at_home(text, "https://acme.cybozu.com", "", "/c/kintone/con_1"), expected);
        }
        for (text, expected) in [
            ("https://a.test:8443/api/v3/users?page=2", "/c/a/con_1/users?page=2"),
            ("/api/v3/users", "/c/a/con_1/users"),
            ("/api/v30/users", "https://a.test:8443/api/v30/users"),
            ("</elsewhere>; rel=prev", "<https://a.test:8443/elsewhere>; rel=prev"),
        ] {
            assert_eq!(at_home(text, "https://a.test:8443", "/api/v3", "/c/a/con_1"), expected, "{text}");
        }
    }

    #[test]
    fn the_url_names_integration_connection_and_path() {
        let parts = Parts::split("/c/kintone/con_1/k/v1/app.json?id=1").expect("complete");
        assert_eq!((parts.integration, parts.connection), ("kintone", "con_1"));
        assert_eq!((parts.base, parts.target), ("/c/kintone/con_1", "/k/v1/app.json?id=1"));
        for incomplete in ["/c/", "/c/kintone", "/c/kintone/con_1", "/c/kintone?a=/b/c/d"] {
            assert!(Parts::split(incomplete).is_err(), "{incomplete}");
        }
    }
}
