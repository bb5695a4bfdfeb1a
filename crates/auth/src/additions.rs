//! What a scheme puts onto a request beside its credential, as its provider file writes it out.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tombolo_catalog::{Document, Expression, ExpressionValue, Send};
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use crate::authenticator::{Added, ApplyError, Signing, query_pair, sensitive};
use crate::credentials::Credentials;
use crate::fill::{Filling, Unfilled};

/// Headers, parameters and members, with the configuration that fills them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Additions {
    headers: Vec<Header>,
    query: Vec<(String, Expression)>,
    body: Document,
    config: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Header {
    name: HeaderName,
    expression: Expression,
    /// One without a secret is only a habit of the vendor's: a caller may say otherwise.
    has_secret: bool,
}

impl Additions {
    pub(crate) fn compile(send: &Send, config: &BTreeMap<String, String>) -> Result<Self, ApplyError> {
        let mut headers = Vec::new();
        for (name, expression) in &send.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| ApplyError::Header)?;
            let has_secret =
                expression.values().iter().any(|value| matches!(value, ExpressionValue::Secret(_)));
            headers.push(Header { name, expression: expression.clone(), has_secret });
        }
        let query = send.query.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok(Self { headers, query, body: send.body.clone(), config: config.clone() })
    }

    /// Whether a header with a secret in it is set here.
    pub(crate) fn sets(&self, name: &HeaderName) -> bool {
        self.headers.iter().any(|header| header.has_secret && header.name == *name)
    }

    pub(crate) fn filling<'a>(&'a self, credentials: &'a Credentials, signing: &Signing<'a>) -> Filling<'a> {
        Filling {
            config: &self.config,
            credentials: Some(credentials),
            answers: &[],
            assertion: None,
            moment: signing.moment,
            subject: Some(signing.subject),
        }
    }

    pub(crate) fn apply(
        &self,
        credentials: &Credentials,
        signing: &Signing<'_>,
        headers: &mut HeaderMap,
    ) -> Result<Added, ApplyError> {
        let mut added = Added::default();
        if self.headers.is_empty() && self.query.is_empty() && self.body.members().is_empty() {
            return Ok(added);
        }
        let filling = self.filling(credentials, signing);
        for (name, expression) in &self.query {
            if let Some(value) = filled(filling.text(expression))? {
                added.append(query_pair(name, &[&value]));
            }
        }
        for Header { name, expression, has_secret } in &self.headers {
            let is_said = headers.get(name).is_some_and(|value| !(name == ACCEPT && value == "*/*"));
            if is_said && !has_secret {
                continue;
            }
            if let Some(value) = filled(filling.text(expression))? {
                headers.insert(name, sensitive(&[&value])?);
            }
        }
        if !self.body.members().is_empty() && !matches!(*signing.subject.method, Method::GET | Method::HEAD) {
            let members = filling.json(&self.body);
            if let Some(Value::Object(members)) = filled(members)? {
                added.body = Some(merged(signing.subject.body, members, headers)?);
            }
        }
        Ok(added)
    }
}

/// Nothing where the configuration is not filled in: what needs it is left out.
fn filled<T>(text: Result<T, Unfilled>) -> Result<Option<T>, ApplyError> {
    match text {
        Ok(text) => Ok(Some(text)),
        Err(Unfilled::Config(_)) => Ok(None),
        Err(Unfilled::Secret(_) | Unfilled::Answer(_) | Unfilled::NoRequest) => Err(ApplyError::Missing),
        Err(Unfilled::Unfit(_)) => Err(ApplyError::Value),
    }
}

/// The body with further members: those of a form where it is one, otherwise those of a JSON object.
fn merged(
    body: &[u8],
    members: serde_json::Map<String, Value>,
    headers: &mut HeaderMap,
) -> Result<Bytes, ApplyError> {
    if is_form(headers) {
        let pairs = members.into_iter().map(|(name, value)| match value {
            Value::String(text) => (name, text),
            other => (name, other.to_string()),
        });
        let own = String::from_utf8_lossy(body).into_owned();
        return Ok(Bytes::from(Serializer::new(own).extend_pairs(pairs).finish()));
    }
    let mut object = match body {
        [] => Value::Object(serde_json::Map::new()),
        body => serde_json::from_slice(body).map_err(|_| ApplyError::Body)?,
    };
    let Value::Object(own) = &mut object else { return Err(ApplyError::Body) };
    own.extend(members);
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    Ok(Bytes::from(object.to_string()))
}

/// Whether the body is a form.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")
}

impl Added {
    /// Adds a parameter that is encoded already.
    pub(crate) fn append(&mut self, pair: Zeroizing<String>) {
        match &mut self.query {
            Some(query) => {
                query.push('&');
                query.push_str(&pair);
            }
            None => self.query = Some(pair),
        }
    }

    /// Path and query with the parameters that are added.
    pub fn target(&self, target: &str) -> Zeroizing<String> {
        Zeroizing::new(match &self.query {
            Some(query) => {
                let separator = if target.contains('?') { '&' } else { '?' };
                format!("{target}{separator}{}", query.as_str())
            }
            None => target.to_owned(),
        })
    }
}
