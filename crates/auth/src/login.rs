//! Logins: requests that lead to a token, each of which sees the answers to those before it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use http::{Method, StatusCode};
use serde_json::Value;
use tombolo_catalog::{Document, ExpiryForm, Login, LoginStep, OAuth2, StepFormat};
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use crate::credentials::{Credentials, CredentialsBuilder};
use crate::exchange::{ExchangeAnswer, ExchangeFailure, ExchangeRequest, Step, Tokens};
use crate::fill::{Filling, Unfilled, member, text_of};
use crate::jwt;
use crate::moment::Moment;
use crate::oauth2::failure_of;

/// One login, or the renewal of its token.
pub struct LoginExchange<'a> {
    login: &'a Login,
    config: &'a BTreeMap<String, String>,
    credentials: &'a Credentials,
    moment: Moment,
    assertion: Option<Zeroizing<String>>,
    answers: Vec<Value>,
    cookies: Vec<String>,
    refreshing: bool,
}

impl<'a> LoginExchange<'a> {
    /// A login with what was typed; the renewal of a token where there is a refresh token and a request for it.
    pub fn new(
        login: &'a Login,
        config: &'a BTreeMap<String, String>,
        credentials: &'a Credentials,
        moment: Moment,
    ) -> Self {
        let refreshing = login.refresh.is_some() && credentials.value(OAuth2::REFRESH_TOKEN).is_some();
        Self {
            login,
            config,
            credentials,
            moment,
            assertion: None,
            answers: Vec::new(),
            cookies: Vec::new(),
            refreshing,
        }
    }

    /// The first request.
    pub fn begin(&mut self) -> Step {
        if let Some(assertion) = &self.login.assertion {
            match jwt::sign(assertion, &self.filling()) {
                Ok(signed) => self.assertion = Some(signed),
                Err(unfilled) => return Step::Failed(unusable(&unfilled)),
            }
        }
        self.next()
    }

    /// What comes after an answer.
    pub fn answered(&mut self, answer: &ExchangeAnswer<'_>) -> Step {
        let body = body_of(answer.body);
        if !answer.status.is_success() {
            return self.refused(answer, &body);
        }
        for cookie in answer.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let pair = cookie.split(';').next().unwrap_or_default().trim();
            self.cookies.push(pair.to_owned());
        }
        self.answers.push(body);
        if !self.refreshing && self.answers.len() < self.login.steps.len() {
            return self.next();
        }
        match self.tokens() {
            Ok(tokens) => Step::Done(tokens),
            Err(failure) => Step::Failed(failure),
        }
    }

    fn next(&self) -> Step {
        let step = match (&self.login.refresh, self.login.steps.get(self.answers.len())) {
            (Some(refresh), _) if self.refreshing => refresh,
            (_, Some(step)) => step,
            (_, None) => return Step::Failed(ExchangeFailure::Nothing),
        };
        match write(step, &self.filling()) {
            Ok(request) => Step::Send(request),
            Err(Unfilled::Answer(path)) => {
                Step::Failed(ExchangeFailure::Malformed(format!("an answer on the way has no `{path}`")))
            }
            Err(unfilled) => Step::Failed(unusable(&unfilled)),
        }
    }

    fn filling(&self) -> Filling<'_> {
        Filling {
            config: self.config,
            credentials: Some(self.credentials),
            answers: &self.answers,
            assertion: self.assertion.as_ref().map(|assertion| assertion.as_str()),
            moment: Some(self.moment),
            subject: None,
        }
    }

    /// A refresh token that is not good any more makes way for the login itself; a login that was good once and is refused
    /// now is dead.
    fn refused(&mut self, answer: &ExchangeAnswer<'_>, body: &Value) -> Step {
        let failure = failure_of(answer, Some(body).filter(|body| body.is_object()));
        let is_passing = matches!(failure, ExchangeFailure::Passing { .. });
        if self.refreshing && !is_passing {
            self.refreshing = false;
            self.answers.clear();
            return self.next();
        }
        let was_good = self.credentials.value(OAuth2::ACCESS_TOKEN).is_some();
        let is_refusal = matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        Step::Failed(match failure {
            ExchangeFailure::Refused { code, description } if was_good && is_refusal => {
                ExchangeFailure::Dead { code, description }
            }
            ExchangeFailure::Dead { code, description } if !was_good => {
                ExchangeFailure::Refused { code, description }
            }
            other => other,
        })
    }

    fn tokens(&self) -> Result<Tokens, ExchangeFailure> {
        let names = &self.login.answer;
        let body = self.answers.last().unwrap_or(&Value::Null);
        let token = member(body, &names.token).and_then(text_of);
        let token =
            token.ok_or_else(|| ExchangeFailure::Malformed(format!("it has no `{}`", names.token)))?;
        let old = self.credentials.value(OAuth2::REFRESH_TOKEN).map(str::to_owned);
        let given = names.refresh_token.as_ref().and_then(|path| member(body, path).and_then(text_of));
        let mut made: Vec<(&str, String)> = vec![(OAuth2::ACCESS_TOKEN, token)];
        made.extend(given.or(old).map(|token| (OAuth2::REFRESH_TOKEN, token)));
        if names.cookies && !self.cookies.is_empty() {
            made.push((Login::COOKIES, self.cookies.join("; ")));
        }
        // A renewal may say less than a login: what it does not say stays.
        for (name, path) in &names.keep {
            made.extend(member(body, path).and_then(text_of).map(|value| (name.as_str(), value)));
        }
        let config = names.config.iter().filter_map(|(field, path)| {
            let found = self.answers.iter().rev().find_map(|answer| member(answer, path).and_then(text_of));
            Some((field.clone(), found?))
        });
        Ok(Tokens {
            credentials: over(self.credentials, &made),
            expires_in: self.life(body),
            scope: None,
            refresh_expires_in: None,
            config: config.collect(),
        })
    }

    fn life(&self, body: &Value) -> Option<Duration> {
        let told = self.login.answer.expires.as_ref().and_then(|path| member(body, path)).and_then(text_of);
        let told = told.and_then(|told| match self.login.answer.expires_as {
            ExpiryForm::Seconds => told.parse::<f64>().ok().map(|seconds| seconds as i64),
            ExpiryForm::Milliseconds => told.parse::<i64>().ok().map(|life| life / 1_000),
            ExpiryForm::Moment => seconds_until(&told, self.moment.seconds()),
        });
        let told =
            told.filter(|seconds| *seconds > 0).map(|seconds| Duration::from_secs(seconds.unsigned_abs()));
        told.or(self.login.token_life.map(|seconds| Duration::from_secs(seconds.into())))
    }
}

/// The credentials with some values replaced or added.
pub(crate) fn over(known: &Credentials, made: &[(&str, String)]) -> Credentials {
    let kept = known.values().filter(|(name, _)| made.iter().all(|(new, _)| new != name));
    let builder = kept.fold(CredentialsBuilder::new(), |builder, (name, value)| builder.value(name, value));
    made.iter().fold(builder, |builder, (name, value)| builder.value(name, value)).build()
}

/// RFC 3339, seconds or milliseconds since 1970, or a span such as `361:35:18`.
fn seconds_until(text: &str, now: i64) -> Option<i64> {
    if let Ok(number) = text.parse::<i64>() {
        let seconds = if number > 100_000_000_000 { number / 1_000 } else { number };
        return Some(seconds - now);
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_second() - now);
    }
    let parts: Vec<i64> = text.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    match parts.as_slice() {
        [hours, minutes, seconds] => Some(hours * 3_600 + minutes * 60 + seconds),
        _ => None,
    }
}

fn write(step: &LoginStep, filling: &Filling<'_>) -> Result<ExchangeRequest, Unfilled> {
    let mut url = filling.url(&step.url.expression)?.to_string();
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    for (name, expression) in &step.headers {
        let unfit = || Unfilled::Unfit("a header has characters that cannot travel".to_owned());
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
        let mut value = match filling.text(expression) {
            Err(Unfilled::Config(_)) => continue,
            text => HeaderValue::from_str(&text?).map_err(|_| unfit())?,
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let form = |document: &Document| -> Result<String, Unfilled> {
        let Value::Object(members) = filling.json(document)? else { return Ok(String::new()) };
        let pairs = members.iter().map(|(name, value)| (name.clone(), plain(value)));
        Ok(Serializer::new(String::new()).extend_pairs(pairs).finish())
    };
    let (method, kind, body) = match step.format {
        StepFormat::Json => {
            (Method::POST, Some("application/json"), filling.json(&step.parameters)?.to_string())
        }
        StepFormat::Form => {
            (Method::POST, Some("application/x-www-form-urlencoded"), form(&step.parameters)?)
        }
        StepFormat::Query => {
            let query = form(&step.parameters)?;
            if !query.is_empty() {
                url.push(if url.contains('?') { '&' } else { '?' });
                url.push_str(&query);
            }
            (Method::GET, None, String::new())
        }
    };
    if let Some(kind) = kind {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    Ok(ExchangeRequest { method, url, headers, body: Bytes::from(body) })
}

/// A JSON value in a form: a text without its quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// JSON, a form, or else the text itself: some vendors answer with nothing but the token.
fn body_of(body: &[u8]) -> Value {
    if let Ok(value) = serde_json::from_slice(body) {
        return value;
    }
    let text = String::from_utf8_lossy(body).trim().to_owned();
    if text.starts_with('<') { Value::Null } else { Value::String(text) }
}

pub(crate) fn unusable(unfilled: &Unfilled) -> ExchangeFailure {
    ExchangeFailure::Refused { code: "unusable".to_owned(), description: Some(unfilled.to_string()) }
}
