//! Token answers (RFC 6749 §5), and the many that are none.

use std::collections::BTreeMap;
use std::time::Duration;

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;
use tombolo_catalog::OAuth2;

use super::OAuth2Exchange;
use crate::credentials::{Credentials, CredentialsBuilder};
use crate::exchange::{ExchangeAnswer, ExchangeFailure, Tokens};

/// Longest code or description that is kept of a vendor's answer.
const WORDS_MAX: usize = 300;

pub(super) fn read(
    exchange: &OAuth2Exchange<'_>,
    answer: &ExchangeAnswer<'_>,
) -> Result<Tokens, ExchangeFailure> {
    let body = parse(answer.body);
    let error = body.as_ref().and_then(|body| text(body, "error"));
    if !answer.status.is_success() || error.is_some() {
        return Err(failure(answer, body.as_ref(), error.as_deref()));
    }
    let Some(body) = body else {
        return Err(ExchangeFailure::Malformed("it is neither JSON nor a form".to_owned()));
    };
    let names = &exchange.oauth2.token_answer;
    let elsewhere = names.alternate.as_ref().and_then(|path| member(&body, path));
    let token = |path: &str| text(&body, path).or_else(|| text(elsewhere?, path));
    let access_token = token(&names.access_token)
        .ok_or_else(|| ExchangeFailure::Malformed(format!("it has no `{}`", names.access_token)))?;
    // A refresh mostly gives no new refresh token: the old one stays good (RFC 6749 §6).
    let old = exchange.previous.and_then(|known| known.value(OAuth2::REFRESH_TOKEN)).map(str::to_owned);
    let refresh_token = token(&names.refresh_token).or(old);
    let mut builder = CredentialsBuilder::new().value(OAuth2::ACCESS_TOKEN, &access_token);
    if let Some(refresh_token) = refresh_token {
        builder = builder.value(OAuth2::REFRESH_TOKEN, &refresh_token);
    }
    let mut kept: BTreeMap<&str, String> =
        names.keep.iter().filter_map(|(name, path)| Some((name.as_str(), text(&body, path)?))).collect();
    if exchange.keeps_client {
        kept.insert(OAuth2::CLIENT_ID, exchange.client.id.to_owned());
        kept.extend(exchange.client.secret.map(|secret| (OAuth2::CLIENT_SECRET, secret.to_owned())));
    }
    for (name, value) in &kept {
        builder = builder.value(name, value);
    }
    for (name, value) in exchange.previous.into_iter().flat_map(Credentials::values) {
        if name != OAuth2::ACCESS_TOKEN && name != OAuth2::REFRESH_TOKEN && !kept.contains_key(name) {
            builder = builder.value(name, value);
        }
    }
    let told =
        member(&body, &names.expires_in).or_else(|| member(elsewhere?, &names.expires_in)).and_then(seconds);
    let told = told.map(|life| if names.expires_in_milliseconds { life / 1_000 } else { life });
    let life = told.or(exchange.oauth2.token_life.map(u64::from));
    // Not in the standard; these are the names that vendors use.
    let names_of_life = [names.refresh_expires_in.as_str(), "refresh_token_expires_in", "refresh_expires_in"];
    let refresh_life = names_of_life.iter().find_map(|name| seconds(member(&body, name)?));
    let config: BTreeMap<String, String> =
        names.config.iter().filter_map(|(field, path)| Some((field.clone(), text(&body, path)?))).collect();
    Ok(Tokens {
        credentials: builder.build(),
        expires_in: life.map(Duration::from_secs),
        refresh_expires_in: refresh_life.map(Duration::from_secs),
        scope: text(&body, "scope"),
        config,
    })
}

/// JSON, whatever the content type says; some vendors answer with a form.
fn parse(body: &[u8]) -> Option<Value> {
    if let Ok(value @ Value::Object(_)) = serde_json::from_slice(body) {
        return Some(value);
    }
    let form = std::str::from_utf8(body).ok().filter(|text| text.contains('=') && !text.contains('<'))?;
    let members = url::form_urlencoded::parse(form.trim().as_bytes())
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect();
    Some(Value::Object(members))
}

/// Why an answer that is no success has no token.
pub(crate) fn failure_of(answer: &ExchangeAnswer<'_>, body: Option<&Value>) -> ExchangeFailure {
    let error = body.and_then(|body| text(body, "error"));
    failure(answer, body, error.as_deref())
}

fn failure(answer: &ExchangeAnswer<'_>, body: Option<&Value>, error: Option<&str>) -> ExchangeFailure {
    let retry_after = retry_after(answer.headers);
    let description = body.and_then(|body| text(body, "error_description")).map(|words| shortened(&words));
    let code = error.map(shortened);
    let passing = answer.status.is_server_error()
        || matches!(answer.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
        || matches!(code.as_deref(), Some("temporarily_unavailable" | "server_error" | "slow_down"));
    match code {
        // Sent with any status; it never means that the same token will be good later.
        Some(code) if code == "invalid_grant" => ExchangeFailure::Dead { code, description },
        code if passing => {
            let what = code.unwrap_or_else(|| format!("HTTP {}", answer.status.as_u16()));
            ExchangeFailure::Passing { what, retry_after }
        }
        Some(code) => ExchangeFailure::Refused { code, description },
        None if answer.status.is_client_error() => {
            ExchangeFailure::Refused { code: format!("HTTP {}", answer.status.as_u16()), description }
        }
        None => ExchangeFailure::Malformed(format!("HTTP {}", answer.status.as_u16())),
    }
}

/// How long the vendor asks to wait. A date counts from the vendor's own: its clock need not be ours.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = |text: &str| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
    let pause = moment(asked)?.duration_since(moment(text(DATE)?)?);
    Some(Duration::try_from(pause).unwrap_or_default())
}

/// The words of a vendor, short and in one line.
fn shortened(words: &str) -> String {
    words.chars().take(WORDS_MAX).map(|char| if char.is_control() { ' ' } else { char }).collect()
}

fn member<'a>(body: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(body, |value, name| value.get(name))
}

fn text(body: &Value, path: &str) -> Option<String> {
    match member(body, path)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A life in seconds: a number, or a text with one. No life at all is how some vendors say that they do not tell.
fn seconds(value: &Value) -> Option<u64> {
    let seconds = match value {
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().map(|seconds| seconds as u64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    seconds.filter(|seconds| *seconds > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Step;
    use crate::oauth2::{Grant, OAuthClient};

    fn read_with(more: &str, status: u16, body: &str) -> String {
        let text = format!("flow: client_credentials\ntoken_url: https://a.example.com/token\n{more}");
        let oauth2: OAuth2 = serde_saphyr::from_str(&text).expect("reads");
        let previous: Credentials = CredentialsBuilder::new()
            .value("access_token", "old")
            .value("refresh_token", "kept")
            .value("client_id", "me")
            .build();
        let exchange = OAuth2Exchange {
            oauth2: &oauth2,
            url: "https://a.example.com/token",
            client: OAuthClient { id: "me", secret: None },
            grant: Grant::RefreshToken,
            previous: Some(&previous),
            config: &BTreeMap::new(),
            moment: None,
            keeps_client: false,
        };
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        let status = StatusCode::from_u16(status).expect("a status");
        match exchange.answered(&ExchangeAnswer { status, headers: &headers, body: body.as_bytes() }) {
            Step::Done(tokens) => {
                let values: Vec<String> =
                    tokens.credentials.values().map(|(name, value)| format!("{name}={value}")).collect();
                format!("{} {:?} {:?}", values.join(" "), tokens.expires_in, tokens.config)
            }
            Step::Failed(failure) => format!("{failure:?}"),
            Step::Send(_) => panic!("nothing more is sent"),
        }
    }

    #[test]
    fn a_token_is_found_in_every_form_that_vendors_use() {
        for (more, body, expected) in [
            (
                "",
                r#"{"access_token":"a","refresh_token":"r","expires_in":3600}"#,
                "access_token=a refresh_token=r client_id=me Some(3600s) {}",
            ),
            (
                "",
                r#"{"access_token":"a","expires_in":"3600"}"#,
                "access_token=a refresh_token=kept client_id=me Some(3600s) {}",
            ),
            (
                "",
                "access_token=a&expires_in=60",
                "access_token=a refresh_token=kept client_id=me Some(60s) {}",
            ),
            (
                "token_life: 90",
                r#"{"access_token":"a"}"#,
                "access_token=a refresh_token=kept client_id=me Some(90s) {}",
            ),
            ("", r#"{"access_token":"a"}"#, "access_token=a refresh_token=kept client_id=me None {}"),
            (
                "token_life: 90",
                r#"{"access_token":"a","expires_in":0}"#,
                "access_token=a refresh_token=kept client_id=me Some(90s) {}",
            ),
            (
                "token_answer: { access_token: authed_user.access_token, config: { team: team.id } }",
                r#"{"authed_user":{"access_token":"a"},"team":{"id":"T1"}}"#,
                r#"access_token=a refresh_token=kept client_id=me None {"team": "T1"}"#,
            ),
        ] {
            assert_eq!(read_with(more, 200, body), expected);
        }
    }

    #[test]
    fn a_vendor_says_how_long_to_wait_in_seconds_or_by_its_own_clock() {
        let wait = |date: &str, asked: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, date.parse().expect("a value"));
            headers.insert(RETRY_AFTER, asked.parse().expect("a value"));
            retry_after(&headers).map(|pause| pause.as_secs())
        };
        let wrong_clock = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(wait(wrong_clock, "120"), Some(120));
        assert_eq!(wait(wrong_clock, "Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(wait(wrong_clock, "Sun, 06 Nov 1994 08:40:00 GMT"), Some(0));
        assert_eq!(wait(wrong_clock, "soon"), None);
        assert_eq!(wait("yesterday", "Sun, 06 Nov 1994 08:50:37 GMT"), None);
    }

    #[test]
    fn a_dead_authorisation_an_outage_and_a_mistake_are_three_things() {
        for (status, body, expected) in [
            (
                400,
                r#"{"error":"invalid_grant","error_description":"token\nrevoked"}"#,
                r#"Dead { code: "invalid_grant", description: Some("token revoked") }"#,
            ),
            (200, r#"{"error":"invalid_grant"}"#, r#"Dead { code: "invalid_grant", description: None }"#),
            (
                401,
                r#"{"error":"invalid_client"}"#,
                r#"Refused { code: "invalid_client", description: None }"#,
            ),
            (403, "<h1>No</h1>", r#"Refused { code: "HTTP 403", description: None }"#),
            (503, "<h1>Later</h1>", r#"Passing { what: "HTTP 503", retry_after: Some(7s) }"#),
            (429, r#"{"error":"rate"}"#, r#"Passing { what: "rate", retry_after: Some(7s) }"#),
            (
                400,
                r#"{"error":"temporarily_unavailable"}"#,
                r#"Passing { what: "temporarily_unavailable", retry_after: Some(7s) }"#,
            ),
            (200, "<h1>Hello</h1>", r#"Malformed("it is neither JSON nor a form")"#),
            (200, "{}", r#"Malformed("it has no `access_token`")"#),
            (302, "", r#"Malformed("HTTP 302")"#),
        ] {
            assert_eq!(read_with("", status, body), expected, "{status} {body}");
        }
    }
}
