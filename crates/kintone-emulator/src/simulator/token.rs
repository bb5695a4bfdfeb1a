//! The token endpoints of a simulated provider: whoever proves to be an accepted client gets the scheme's token.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Map, Value, json};
use tombolo_catalog::{AuthScheme, ClientAuthentication, Flow, OAuth2, ParameterFormat, Provider};

use super::accepted::AcceptedCredential;
use super::expected::Expected;
use super::logins::{CODE, url_fits};
use super::signed::is_signed_token;
use crate::http::{Answer, Request};

/// Seconds that a simulated token is said to live.
pub(super) const LIFE: u32 = 3_600;

/// The answer of a token endpoint; `None` when the request is about something else.
pub(super) fn answer(
    provider: &Provider,
    accepted: &[AcceptedCredential],
    config: &BTreeMap<String, String>,
    request: &Request,
) -> Option<Answer> {
    let is_asked = |scheme: &AuthScheme| {
        scheme.oauth2().is_some_and(|oauth2| {
            // A page of people and a token endpoint may share a path; what is asked for tells them apart.
            oauth2.token_urls().any(|url| url_fits(url.source(), request))
                && (request.method == http::Method::POST || oauth2.token_request == ParameterFormat::Query)
        })
    };
    let scheme = provider.auth.iter().find(|scheme| is_asked(scheme))?;
    let oauth2 = scheme.oauth2()?;
    let given = parameters(request);
    let value = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default();
    let in_body = || (value(OAuth2::CLIENT_ID).to_owned(), value(OAuth2::CLIENT_SECRET).to_owned());
    let (id, secret) = basic(request).unwrap_or_else(in_body);
    let proves_itself = |credential: &AcceptedCredential| match &oauth2.client_assertion {
        Some(jwt) if oauth2.client_authentication == ClientAuthentication::PrivateKeyJwt => {
            let expected = Expected::new(config, &credential.fields, request);
            is_signed_token(jwt, value("client_assertion"), &expected)
        }
        _ => credential.value(OAuth2::CLIENT_ID) == id && credential.value(OAuth2::CLIENT_SECRET) == secret,
    };
    let gives_back = oauth2.revocation_url.as_ref().is_some_and(|url| url_fits(url.source(), request));
    if gives_back && !oauth2.revocation.authenticated {
        return Some(Answer::json(&json!({})));
    }
    let known =
        accepted.iter().find(|credential| credential.scheme == scheme.id && proves_itself(credential));
    let Some(known) = known else {
        return Some(refused(StatusCode::UNAUTHORIZED, "invalid_client"));
    };
    if gives_back {
        // A token that is not known is as good as one that was given back (RFC 7009 §2.2).
        return Some(Answer::json(&json!({})));
    }
    match (oauth2.flow, value("grant_type")) {
        (Flow::ClientCredentials, "client_credentials") => {}
        (Flow::AuthorizationCode, "authorization_code") if value("code") == CODE => {}
        (Flow::AuthorizationCode, "refresh_token")
            if value("refresh_token") == known.value(OAuth2::REFRESH_TOKEN) => {}
        (Flow::AuthorizationCode, "authorization_code" | "refresh_token") => {
            return Some(refused(StatusCode::BAD_REQUEST, "invalid_grant"));
        }
        _ => return Some(refused(StatusCode::BAD_REQUEST, "unsupported_grant_type")),
    }
    let names = &oauth2.token_answer;
    let mut body = json!({ "token_type": "bearer" });
    put(&mut body, &names.access_token, json!(known.value(OAuth2::ACCESS_TOKEN)));
    if oauth2.flow == Flow::AuthorizationCode {
        put(&mut body, &names.refresh_token, json!(known.value(OAuth2::REFRESH_TOKEN)));
    }
    let life = if names.expires_in_milliseconds { LIFE * 1_000 } else { LIFE };
    put(&mut body, &names.expires_in, json!(life));
    for (name, path) in &names.keep {
        put(&mut body, path, json!(known.value(name)));
    }
    for path in names.config.values() {
        put(&mut body, path, json!(format!("https://{}", request.host().unwrap_or_default())));
    }
    Some(Answer::json(&body))
}

fn refused(status: StatusCode, error: &str) -> Answer {
    Answer::json(&json!({ "error": error })).with_status(status)
}

/// JSON, a form or the query, whichever the request has.
pub(super) fn parameters(request: &Request) -> Map<String, Value> {
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
pub(super) fn put(body: &mut Value, path: &str, value: Value) {
    let mut place = body;
    for name in path.split('.') {
        place = &mut place[name];
    }
    *place = value;
}
