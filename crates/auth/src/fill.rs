//! Fills the holes of expressions.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Map, Value};
use tombolo_catalog::{
    Document, Expression, ExpressionPart, ExpressionValue, Function, RequestPart, UrlBuilder,
};
use zeroize::Zeroizing;

use crate::credentials::Credentials;
use crate::key::{public_key, sign_ed25519};
use crate::moment::Moment;
use crate::text::{hex, pairs, sorted};

/// The request that something is signed for.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The method.
    pub method: &'a Method,
    /// Scheme and host, such as `https://acme.example.com`.
    pub origin: &'a str,
    /// Path and query, as they are sent.
    pub target: &'a str,
    /// The body, where the scheme needs it; empty otherwise.
    pub body: &'a [u8],
}

impl<'a> Subject<'a> {
    /// Host and a port that is not the usual one.
    pub fn host(&self) -> &'a str {
        self.origin.split_once("://").map_or(self.origin, |(_, host)| host)
    }

    /// The path without the query.
    pub fn path(&self) -> &'a str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query.
    pub fn query(&self) -> &'a str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// What holes are filled with.
#[derive(Clone, Copy)]
pub(crate) struct Filling<'a> {
    pub(crate) config: &'a BTreeMap<String, String>,
    pub(crate) credentials: Option<&'a Credentials>,
    pub(crate) answers: &'a [Value],
    pub(crate) assertion: Option<&'a str>,
    pub(crate) moment: Option<Moment>,
    pub(crate) subject: Option<Subject<'a>>,
}

/// Why a hole stays empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfilled {
    /// A field of the configuration is not filled in.
    #[error("`config.{0}` is not filled in")]
    Config(String),
    /// The credentials lack a value.
    #[error("the credentials have no `{0}`")]
    Secret(String),
    /// An earlier answer lacks a member.
    #[error("an answer has no `{0}`")]
    Answer(String),
    /// A value does not fit where it is to go.
    #[error("{0}")]
    Unfit(String),
    /// Nothing is signed at this place.
    #[error("there is no request here that could be signed")]
    NoRequest,
}

impl<'a> Filling<'a> {
    /// Only what is known before anything is sent.
    pub(crate) fn of_config(config: &'a BTreeMap<String, String>) -> Self {
        Self { config, credentials: None, answers: &[], assertion: None, moment: None, subject: None }
    }

    /// The text of an expression: its first choice that has all its values.
    pub(crate) fn text(&self, expression: &Expression) -> Result<Zeroizing<String>, Unfilled> {
        let mut outcome = Ok(Zeroizing::new(String::new()));
        for choice in expression.choices() {
            outcome = self.choice(choice);
            if !matches!(&outcome, Err(Unfilled::Config(_) | Unfilled::Secret(_) | Unfilled::Answer(_))) {
                return outcome;
            }
        }
        outcome
    }

    fn choice(&self, parts: &[ExpressionPart]) -> Result<Zeroizing<String>, Unfilled> {
        let mut text = Zeroizing::new(String::new());
        for part in parts {
            match part {
                ExpressionPart::Literal(literal) => text.push_str(literal),
                ExpressionPart::Value(value) => text.push_str(&self.value(value)?),
            }
        }
        Ok(text)
    }

    /// The address of an expression: each value encoded for the part that it lands in.
    pub(crate) fn url(&self, expression: &Expression) -> Result<Zeroizing<String>, Unfilled> {
        let mut outcome = Ok(Zeroizing::new(String::new()));
        for choice in expression.choices() {
            outcome = self.url_of(choice);
            if !matches!(&outcome, Err(Unfilled::Config(_) | Unfilled::Secret(_) | Unfilled::Answer(_))) {
                return outcome;
            }
        }
        outcome
    }

    fn url_of(&self, parts: &[ExpressionPart]) -> Result<Zeroizing<String>, Unfilled> {
        let mut url = UrlBuilder::default();
        for (position, part) in parts.iter().enumerate() {
            match part {
                ExpressionPart::Literal(literal) => url.literal(literal),
                ExpressionPart::Value(value) => {
                    let next = parts.get(position + 1).map(|next| match next {
                        ExpressionPart::Literal(literal) => literal.as_str(),
                        ExpressionPart::Value(_) => "",
                    });
                    let filled = self.value(value)?;
                    url.value(&filled, next)
                        .map_err(|reason| Unfilled::Unfit(format!("a part of an address {reason}")))?;
                }
            }
        }
        Ok(Zeroizing::new(url.finish()))
    }

    /// A JSON value with its holes filled. A member with a field that is not filled in is left out: forms see
    /// to it that only optional ones are empty.
    pub(crate) fn json(&self, document: &Document) -> Result<Value, Unfilled> {
        Ok(match document {
            Document::Text(expression) => Value::String(self.text(expression)?.to_string()),
            Document::Plain(plain) => plain.clone(),
            Document::List(items) => {
                Value::Array(items.iter().map(|item| self.json(item)).collect::<Result<_, _>>()?)
            }
            Document::Object(members) => {
                let mut object = Map::new();
                for (name, member) in members {
                    match self.json(member) {
                        Ok(value) => drop(object.insert(name.clone(), value)),
                        Err(Unfilled::Config(_) | Unfilled::Secret(_)) => {}
                        Err(other) => return Err(other),
                    }
                }
                Value::Object(object)
            }
        })
    }

    fn value(&self, value: &ExpressionValue) -> Result<Zeroizing<String>, Unfilled> {
        let plain = |text: &str| Ok(Zeroizing::new(text.to_owned()));
        match value {
            ExpressionValue::Config(name) => match self.config.get(name) {
                Some(value) => plain(value),
                None => Err(Unfilled::Config(name.clone())),
            },
            ExpressionValue::Secret(name) => match self.credentials.and_then(|known| known.value(name)) {
                Some(value) => plain(value),
                None => Err(Unfilled::Secret(name.clone())),
            },
            ExpressionValue::Answer { step, path } => {
                let found = self.answers.get(*step).and_then(|answer| member(answer, path));
                found.and_then(text_of).map(Zeroizing::new).ok_or_else(|| Unfilled::Answer(path.clone()))
            }
            ExpressionValue::Assertion => match self.assertion {
                Some(assertion) => plain(assertion),
                None => Err(Unfilled::Answer("assertion".to_owned())),
            },
            ExpressionValue::Random => self.moment().map(|moment| Zeroizing::new(moment.nonce())),
            ExpressionValue::Now { ahead, format } => {
                let at = self.moment()?.milliseconds.saturating_add(ahead.saturating_mul(1_000));
                Ok(Zeroizing::new(format.write(at)))
            }
            ExpressionValue::Request(part) => self.part(*part),
            ExpressionValue::Call(function, arguments) => self.call(*function, arguments),
        }
    }

    fn moment(&self) -> Result<Moment, Unfilled> {
        self.moment.ok_or(Unfilled::NoRequest)
    }

    fn part(&self, part: RequestPart) -> Result<Zeroizing<String>, Unfilled> {
        let subject = self.subject.ok_or(Unfilled::NoRequest)?;
        Ok(Zeroizing::new(match part {
            RequestPart::Method => subject.method.as_str().to_owned(),
            RequestPart::Host => subject.host().to_owned(),
            RequestPart::Path => subject.path().to_owned(),
            RequestPart::Parameters => sorted(&pairs(subject.query())),
            RequestPart::Endpoint => subject.target.to_owned(),
            RequestPart::Body => String::from_utf8_lossy(subject.body).into_owned(),
        }))
    }

    fn call(&self, function: Function, arguments: &[Expression]) -> Result<Zeroizing<String>, Unfilled> {
        let argument = |number: usize| match arguments.get(number) {
            Some(argument) => self.text(argument),
            None => Ok(Zeroizing::new(String::new())),
        };
        let first = argument(0)?;
        let bytes = first.as_bytes();
        let unfit = |error: crate::key::KeyError| Unfilled::Unfit(error.to_string());
        Ok(Zeroizing::new(match function {
            Function::Base64 => STANDARD.encode(bytes),
            Function::Sha1Hex => hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref()),
            Function::Sha256Hex => hex(digest(&SHA256, bytes).as_ref()),
            Function::Sha256Base64 => STANDARD.encode(digest(&SHA256, bytes)),
            Function::HmacSha1Hex => hex(&mac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &argument(1)?, bytes)),
            Function::HmacSha256Hex => hex(&mac(hmac::HMAC_SHA256, &argument(1)?, bytes)),
            Function::HmacSha256Base64 => STANDARD.encode(mac(hmac::HMAC_SHA256, &argument(1)?, bytes)),
            Function::Ed25519Sign => STANDARD.encode(sign_ed25519(&argument(1)?, bytes).map_err(unfit)?),
            Function::Fingerprint => {
                let key = public_key(&first).map_err(unfit)?;
                format!("SHA256:{}", STANDARD.encode(digest(&SHA256, &key)))
            }
            Function::Before => match first.split_once(argument(1)?.as_str()) {
                Some((before, _)) => before.to_owned(),
                None => first.to_string(),
            },
            Function::After => match first.split_once(argument(1)?.as_str()) {
                Some((_, after)) => after.to_owned(),
                None => String::new(),
            },
        }))
    }
}

fn mac(algorithm: hmac::Algorithm, key: &str, message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), message).as_ref().to_vec()
}

/// The member of a JSON value at a path such as `data.token`; a number picks an item of a list. The empty path is the
/// value itself.
pub(crate) fn member<'a>(body: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(body);
    }
    path.split('.').try_fold(body, |value, name| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    })
}

/// A text or a number as a text; nothing of an empty one.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
