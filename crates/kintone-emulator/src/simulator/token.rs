//! The token endpoints of a simulated provider: whoever proves to be an accepted client gets the scheme's token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Map, Value, json};
use tombolo_catalog::{AuthScheme, Flow, OAuth2, Provider};

use super::accepted::AcceptedCredential;
use crate::http::{Answer, Request};

/// Seconds that a simulated token is said to live.
const LIFE: u32 = 3_600;

/// The answer of a token endpoint; `None` when the request is about something else.
pub(super) fn answer(
    provider: &Provider,
    accepted: &[AcceptedCredential],
    request: &Request,
) -> Option<Answer> {
    let is_asked = |scheme: &AuthScheme| {
        scheme.oauth2().is_some_and(|oauth2| {
            oauth2.flow == Flow::ClientCredentials && path_of(oauth2.token_url.source()) == request.path
        })
    };
    let scheme = provider.auth.iter().find(|scheme| is_asked(scheme))?;
    let oauth2 = scheme.oauth2()?;
    let given = parameters(request);
    let value = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default();
    let in_body = || (value(OAuth2::CLIENT_ID).to_owned(), value(OAuth2::CLIENT_SECRET).to_owned());
    let (id, secret) = basic(request).unwrap_or_else(in_body);
    if value("grant_type") != "client_credentials" {
        return Some(refused(StatusCode::BAD_REQUEST, "unsupported_grant_type"));
    }
    let known = accepted.iter().find(|credential| {
        credential.scheme == scheme.id
            && credential.fields.get(OAuth2::CLIENT_ID) == Some(&id)
            && credential.fields.get(OAuth2::CLIENT_SECRET) == Some(&secret)
    });
    let Some(token) = known.and_then(|credential| credential.fields.get(OAuth2::ACCESS_TOKEN)) else {
        return Some(refused(StatusCode::UNAUTHORIZED, "invalid_client"));
    };
    let mut body = json!({ "token_type": "bearer" });
    put(&mut body, &oauth2.token_answer.access_token, json!(token));
    put(&mut body, &oauth2.token_answer.expires_in, json!(LIFE));
    Some(Answer::json(&body))
}

fn refused(status: StatusCode, error: &str) -> Answer {
    Answer::json(&json!({ "error": error })).with_status(status)
}

/// The path of an address that may have holes in its host.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |start| &rest[start..])
}

/// JSON, a form or the query, whichever the request has.
fn parameters(request: &Request) -> Map<String, Value> {
    if let Ok(Value::Object(members)) = serde_json::from_slice(&request.body) {
        return members;
    }
    let text = if request.body.is_empty() { request.query.as_bytes() } else { &request.body };
    url::form_urlencoded::parse(text)
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect()
}

/// Id and secret, each form-encoded (RFC 6749 §2.3.1).
fn basic(request: &Request) -> Option<(String, String)> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    let plain = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = plain.split_once(':')?;
    let decode = |text: &str| {
        let pair = format!("a={text}");
        url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((decode(id)?, decode(secret)?))
}

/// Puts a value where a path such as `data.access_token` says.
fn put(body: &mut Value, path: &str, value: Value) {
    let mut place = body;
    for name in path.split('.') {
        place = &mut place[name];
    }
    *place = value;
}
