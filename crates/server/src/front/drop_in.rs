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
    let key = front.platform.caller_key(&integration, &head.headers)?;
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
    let origin = format!("https://{}", plan.host());
    for name in [LOCATION, LINK] {
        let Some(value) = headers.get(&name).and_then(|value| value.to_str().ok()) else { continue };
        if let Ok(value) = HeaderValue::from_str(&at_home(value, &origin, base)) {
            headers.insert(name, value);
        }
    }
}

/// Replaces an origin where it is followed by a path, the end or a delimiter.
fn at_home(text: &str, origin: &str, base: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(origin) {
        let after = &rest[start + origin.len()..];
        result.push_str(&rest[..start]);
        let ends_here = after.is_empty() || after.starts_with(['/', '?', '#', '>', ' ']);
        result.push_str(if ends_here { base } else { origin });
        rest = after;
    }
    result.push_str(rest);
    if let Some(path) = text.strip_prefix('/').filter(|path| !path.starts_with('/')) {
        return format!("{base}/{path}");
    }
    result
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
            ("https://elsewhere.test/", "https://elsewhere.test/"),
            ("/login", "/c/kintone/con_1/login"),
            ("//elsewhere.test/", "//elsewhere.test/"),
            ("<https://acme.cybozu.com/a?page=2>; rel=next", "</c/kintone/con_1/a?page=2>; rel=next"),
        ] {
            assert_eq!(at_home(text, "https://acme.cybozu.com", "/c/kintone/con_1"), expected);
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
