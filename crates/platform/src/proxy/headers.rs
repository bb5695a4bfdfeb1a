//! Headers of proxied calls: what goes to the upstream, and what comes back.

use std::borrow::Cow;

use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LINK,
    LOCATION, REFRESH,
};

use super::query;

/// The prefix under which a caller may pass any header by, as compatible SDKs do.
const PASS_PREFIX: &str = "nango-proxy-";

/// Turns a caller's headers into those for the upstream, in place.
///
/// Removed are hop-by-hop headers (RFC 9110 §7.6.1) and those that `Connection` names, framing, forwarding and
/// cookie headers, the ones that speak to us, and every header that carries a credential of the provider, each in any
/// spelling of `-` and `_`. Headers with the pass prefix lose it; they cannot bring a removed header back.
pub fn to_upstream(headers: &mut HeaderMap, owned: &[HeaderName], has_body: bool) {
    let named = named_by_connection(headers);
    let mut kept = HeaderMap::with_capacity(headers.len() + 4);
    let mut passed: Vec<(HeaderName, HeaderValue)> = Vec::new();
    let mut current: Option<(HeaderName, Fate)> = None;
    // Moving what stays is cheaper than removing what does not: most of a short request is for us.
    for (name, value) in headers.drain() {
        if let Some(name) = name {
            let fate = fate(&name, owned, &named);
            current = Some((name, fate));
        }
        // Further values of a header come without its name.
        match &current {
            Some((name, Fate::Keep)) => drop(kept.append(name, value)),
            Some((_, Fate::PassAs(name))) => passed.push((name.clone(), value)),
            Some((_, Fate::Remove)) | None => {}
        }
    }
    for (name, value) in passed {
        kept.insert(name, value);
    }
    if !has_body {
        kept.remove(CONTENT_TYPE);
    }
    *headers = kept;
}

/// What becomes of a caller's header.
enum Fate {
    Keep,
    Remove,
    PassAs(HeaderName),
}

fn fate(name: &HeaderName, owned: &[HeaderName], named: &[String]) -> Fate {
    let text = &*folded(name.as_str());
    if let Some(rest) = text.strip_prefix(PASS_PREFIX) {
        let written = &name.as_str()[PASS_PREFIX.len()..];
        return match HeaderName::from_bytes(written.as_bytes()) {
            Ok(name) if !is_removed(rest, owned) && !is_hop_by_hop(rest) => Fate::PassAs(name),
            _ => Fate::Remove,
        };
    }
    let removed = is_hop_by_hop(text) || is_removed(text, owned) || named.iter().any(|other| other == text);
    if removed { Fate::Remove } else { Fate::Keep }
}

/// Removes the hop-by-hop headers of an answer, in place, and from its links the query parameters that carry a
/// credential: vendors lead on to the URL that they were asked for. Everything else comes back as it is.
pub fn to_downstream(headers: &mut HeaderMap, owned_parameters: &[String]) {
    if !owned_parameters.is_empty() {
        strip_links(headers, owned_parameters);
    }
    for name in named_by_connection(headers) {
        headers.remove(name);
    }
    // Answers seldom have any of these, and most have none but `Connection`.
    while let Some(name) = headers.keys().find(|name| is_hop_by_hop(name.as_str())).cloned() {
        headers.remove(name);
    }
}

fn strip_links(headers: &mut HeaderMap, owned_parameters: &[String]) {
    for (name, value) in headers.iter_mut() {
        if ![LOCATION, CONTENT_LOCATION, LINK, REFRESH].contains(name) {
            continue;
        }
        // A byte that is no text cannot be part of a parameter's name.
        let text = String::from_utf8_lossy(value.as_bytes());
        if let Cow::Owned(stripped) = query::without_in_links(&text, owned_parameters) {
            *value = HeaderValue::from_bytes(stripped.as_bytes()).unwrap_or(HeaderValue::from_static(""));
        }
    }
}

/// The headers that a `Connection` header declares to be for this hop only.
fn named_by_connection(headers: &HeaderMap) -> Vec<String> {
    let is_plain = |value: &HeaderValue| matches!(value.as_bytes(), b"keep-alive" | b"close" | b"Keep-Alive");
    match headers.get(CONNECTION) {
        None => return Vec::new(),
        Some(value) if is_plain(value) && headers.get_all(CONNECTION).iter().nth(1).is_none() => {
            return Vec::new();
        }
        Some(_) => {}
    }
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| name != CONTENT_LENGTH.as_str())
        .collect()
}

fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Whether a header never goes to the upstream.
fn is_removed(name: &str, owned: &[HeaderName]) -> bool {
    match name {
        "host" | "content-length" | "expect" | "cookie" | "forwarded" | "via" | "http2-settings"
        // What speaks to us.
        | "connection-id" | "provider-config-key" | "retries" | "retry-on" | "base-url-override" | "decompress"
        | "forward-headers-on-redirect" => true,
        _ => {
            name.starts_with("x-forwarded-")
                || name.starts_with("tombolo-")
                || name.starts_with("nango-")
                || owned.iter().any(|other| folded(other.as_str()) == name)
        }
    }
}

/// The name that servers may take a header for: some fold `_` into `-`.
fn folded(name: &str) -> Cow<'_, str> {
    if name.contains('_') { Cow::Owned(name.replace('_', "-")) } else { Cow::Borrowed(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[&str]) -> HeaderMap {
        lines
            .iter()
            .map(|line| {
                let (name, value) = line.split_once(": ").expect("a header line");
                (name.parse::<HeaderName>().expect("a name"), value.parse().expect("a value"))
            })
            .collect()
    }

    fn lines(headers: &HeaderMap) -> Vec<String> {
        let mut lines: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")))
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn only_what_is_the_upstreams_business_goes_there() {
        let owned = [HeaderName::from_static("authorization"), HeaderName::from_static("x-cybozu-api-token")];
        let mut headers = map(&[
            "accept: */*",
            "Authorization: Bearer tmb_key",
            "X-Cybozu-API-Token: stolen",
            "x_cybozu_api_token: stolen",
            "Connection: keep-alive, X-Private",
            "X-Private: for this hop",
            "Keep-Alive: timeout=5",
            "TE: trailers",
            "Transfer-Encoding: chunked",
            "Host: tombolo.example",
            "Cookie: session=1",
            "X-Forwarded-For: 10.0.0.1",
            "X_Forwarded_For: 10.0.0.1",
            "Proxy_Authorization: stolen",
            "Transfer_Encoding: chunked",
            "Connection-Id: con_1",
            "Provider-Config-Key: kintone",
            "Nango-Is-Sync: false",
            "Nango-Proxy-X-Trace: 7",
            "Nango-Proxy-Authorization: stolen",
            "Nango-Proxy-X_Cybozu_API_Token: stolen",
            "Nango-Proxy-Connection: close",
            "user-agent: client/1",
            "content-type: application/json",
        ]);
        to_upstream(&mut headers, &owned, true);
        assert_eq!(
            lines(&headers),
            ["accept: */*", "content-type: application/json", "user-agent: client/1", "x-trace: 7"]
        );
        to_upstream(&mut headers, &owned, false);
        assert!(!headers.contains_key(CONTENT_TYPE), "a request without a body has no type of body");
    }

    #[test]
    fn an_answer_only_loses_what_is_for_the_hop() {
        let mut headers = map(&[
            "content-length: 12",
            "connection: close, x-hop",
            "x-hop: 1",
            "transfer-encoding: chunked",
            "set-cookie: a=b",
            "x-cybozu-error: GAIA_IA02",
        ]);
        to_downstream(&mut headers, &[]);
        assert_eq!(lines(&headers), ["content-length: 12", "set-cookie: a=b", "x-cybozu-error: GAIA_IA02"]);
    }

    #[test]
    fn a_link_of_an_answer_does_not_show_the_key_that_the_question_carried() {
        let mut headers = map(&[
            "location: /things/?page=2&key=secret",
            "link: <https://acme.example/things?key=secret&page=3>; rel=\"next\"",
            "x-about: ?key=not-a-link",
        ]);
        to_downstream(&mut headers, &["key".to_owned()]);
        let expected = [
            "link: <https://acme.example/things?page=3>; rel=\"next\"",
            "location: /things/?page=2",
            "x-about: ?key=not-a-link",
        ];
        assert_eq!(lines(&headers), expected);
    }
}
