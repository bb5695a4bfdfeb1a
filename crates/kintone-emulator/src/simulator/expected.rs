//! What an expression of a provider file comes to, worked out apart from the product: a request is judged by it.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use serde_json::Value as Json;
use tombolo_catalog::{
    Document, Expression, ExpressionPart, ExpressionValue, Function, OAuth2, RequestPart, Send,
};

use crate::http::Request;

/// What is known about the account and the request when an expression is worked out.
pub(super) struct Expected<'a> {
    pub(super) config: &'a BTreeMap<String, String>,
    pub(super) fields: &'a BTreeMap<String, String>,
    pub(super) request: &'a Request,
    /// What chance and the clock gave, as far as the request says it somewhere in plain.
    moments: BTreeMap<String, String>,
}

impl<'a> Expected<'a> {
    pub(super) fn new(
        config: &'a BTreeMap<String, String>,
        fields: &'a BTreeMap<String, String>,
        request: &'a Request,
    ) -> Self {
        Self { config, fields, request, moments: BTreeMap::new() }
    }

    /// Whether the request carries everything with a secret in it that a scheme sends.
    pub(super) fn is_sent(&mut self, send: &Send) -> bool {
        let query: Vec<(String, String)> =
            url::form_urlencoded::parse(self.request.query.as_bytes()).into_owned().collect();
        let in_query =
            |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let headers =
            send.headers.iter().map(|(name, text)| (text, self.request.header(name).map(str::to_owned)));
        let parameters = send.query.iter().map(|(name, text)| (text, in_query(name)));
        let carried: Vec<(&Expression, Option<String>)> = headers.chain(parameters).collect();
        for (text, given) in &carried {
            if let Some(given) = given {
                self.learn(text, given);
            }
        }
        let all_fit = carried.iter().filter(|(text, _)| has_secret(text)).all(|(text, given)| match given {
            Some(given) => self.fits(text, given),
            None => self.patterns(text).is_empty(),
        });
        all_fit && self.has_members(&send.body)
    }

    /// Whether a text is what an expression comes to; what cannot be foretold may be anything.
    pub(super) fn fits(&self, text: &Expression, given: &str) -> bool {
        self.patterns(text).iter().any(|pattern| {
            Regex::new(&format!(r"(?s)\A{pattern}\z")).is_ok_and(|pattern| pattern.is_match(given))
        })
    }

    /// Whether a JSON value is what a document comes to.
    pub(super) fn is_document(&self, wanted: &Document, given: &Json) -> bool {
        match wanted {
            Document::Text(text) => match given {
                Json::String(given) => self.fits(text, given),
                _ => false,
            },
            Document::Plain(plain) => plain == given || given.as_str() == Some(plain.to_string().as_str()),
            Document::Object(members) => members.iter().all(|(name, wanted)| match given.get(name) {
                Some(given) => self.is_document(wanted, given),
                // A field of the configuration that is not filled in leaves its member out.
                None => wanted.values().into_iter().any(|value| match value {
                    ExpressionValue::Config(name) => !self.config.contains_key(name),
                    ExpressionValue::Secret(name) => !self.fields.contains_key(name),
                    _ => false,
                }),
            }),
            Document::List(items) => given.as_array().is_some_and(|given| {
                given.len() == items.len()
                    && items.iter().zip(given).all(|(item, given)| self.is_document(item, given))
            }),
        }
    }

    fn has_members(&self, body: &Document) -> bool {
        if body.members().is_empty() || self.request.method.as_str() == "GET" {
            return true;
        }
        serde_json::from_slice(&self.request.body).is_ok_and(|given| self.is_document(body, &given))
    }

    /// Takes what chance and the clock gave from where it stands in plain.
    pub(super) fn learn(&mut self, text: &Expression, given: &str) {
        for choice in text.choices() {
            let mut keys = Vec::new();
            let mut pattern = String::new();
            for part in choice {
                match part {
                    ExpressionPart::Literal(literal) => pattern += &regex::escape(literal),
                    ExpressionPart::Value(
                        value @ (ExpressionValue::Random | ExpressionValue::Now { .. }),
                    ) => {
                        keys.push(key_of(value));
                        pattern += "(.+?)";
                    }
                    ExpressionPart::Value(value) => match self.value(value) {
                        Some(known) => pattern += &regex::escape(&known),
                        None => pattern += ".+?",
                    },
                }
            }
            let Ok(pattern) = Regex::new(&format!(r"(?s)\A{pattern}\z")) else { continue };
            let Some(found) = pattern.captures(given) else { continue };
            let found: Vec<String> =
                found.iter().skip(1).flatten().map(|one| one.as_str().to_owned()).collect();
            self.moments.extend(keys.into_iter().zip(found));
        }
    }

    /// The patterns of the choices that the configuration is filled in for; the first one is what is sent.
    fn patterns(&self, text: &Expression) -> Vec<String> {
        let is_filled = |parts: &&Vec<ExpressionPart>| {
            parts.iter().all(|part| match part {
                ExpressionPart::Value(ExpressionValue::Config(name)) => self.config.contains_key(name),
                // A token that the account signs itself is not known beforehand.
                ExpressionPart::Value(ExpressionValue::Secret(name)) => {
                    self.fields.contains_key(name) || name == OAuth2::ACCESS_TOKEN
                }
                _ => true,
            })
        };
        let filled = text.choices().iter().filter(is_filled).take(1);
        filled.map(|parts| parts.iter().map(|part| self.pattern(part)).collect()).collect()
    }

    fn pattern(&self, part: &ExpressionPart) -> String {
        match part {
            ExpressionPart::Literal(literal) => regex::escape(literal),
            ExpressionPart::Value(value) => match self.value(value) {
                Some(known) => regex::escape(&known),
                None => ".+".to_owned(),
            },
        }
    }

    /// The text of an expression, if all of it is known.
    pub(super) fn text(&self, expression: &Expression) -> Option<String> {
        expression.choices().iter().find_map(|parts| {
            let known = parts.iter().map(|part| match part {
                ExpressionPart::Literal(literal) => Some(literal.clone()),
                ExpressionPart::Value(value) => self.value(value),
            });
            known.collect::<Option<String>>()
        })
    }

    fn value(&self, value: &ExpressionValue) -> Option<String> {
        match value {
            ExpressionValue::Config(name) => self.config.get(name).cloned(),
            ExpressionValue::Secret(name) => self.fields.get(name).cloned(),
            ExpressionValue::Random | ExpressionValue::Now { .. } => {
                self.moments.get(&key_of(value)).cloned()
            }
            ExpressionValue::Answer { .. } | ExpressionValue::Assertion => None,
            ExpressionValue::Request(part) => Some(self.part(*part)),
            ExpressionValue::Call(function, arguments) => self.call(*function, arguments),
        }
    }

    fn part(&self, part: RequestPart) -> String {
        let request = self.request;
        match part {
            RequestPart::Method => request.method.as_str().to_owned(),
            RequestPart::Host => request.host().unwrap_or_default(),
            RequestPart::Path => request.path.clone(),
            RequestPart::Endpoint if request.query.is_empty() => request.path.clone(),
            RequestPart::Endpoint => format!("{}?{}", request.path, request.query),
            RequestPart::Body => String::from_utf8_lossy(&request.body).into_owned(),
            RequestPart::Parameters => {
                let mut pairs: Vec<&str> = request.query.split('&').filter(|pair| !pair.is_empty()).collect();
                pairs.sort_unstable();
                pairs.join("&")
            }
        }
    }

    fn call(&self, function: Function, arguments: &[Expression]) -> Option<String> {
        let argument = |number: usize| arguments.get(number).and_then(|argument| self.text(argument));
        let first = argument(0)?;
        let mac = |algorithm, key: String| {
            hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), first.as_bytes()).as_ref().to_vec()
        };
        Some(match function {
            Function::Base64 => STANDARD.encode(first),
            Function::Sha1Hex => hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, first.as_bytes()).as_ref()),
            Function::Sha256Hex => hex(digest(&SHA256, first.as_bytes()).as_ref()),
            Function::Sha256Base64 => STANDARD.encode(digest(&SHA256, first.as_bytes())),
            Function::HmacSha1Hex => hex(&mac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, argument(1)?)),
            Function::HmacSha256Hex => hex(&mac(hmac::HMAC_SHA256, argument(1)?)),
            Function::HmacSha256Base64 => STANDARD.encode(mac(hmac::HMAC_SHA256, argument(1)?)),
            Function::Ed25519Sign => {
                let seed = STANDARD.decode(argument(1)?).ok()?;
                let pair = Ed25519KeyPair::from_seed_unchecked(&seed).ok()?;
                STANDARD.encode(pair.sign(first.as_bytes()))
            }
            // Worked out from a key that the simulator does not take apart.
            Function::Fingerprint => return None,
            Function::Before => first.split_once(argument(1)?.as_str())?.0.to_owned(),
            Function::After => first.split_once(argument(1)?.as_str())?.1.to_owned(),
        })
    }
}

/// Whether an expression carries a secret, so that a request without it is refused.
pub(super) fn has_secret(text: &Expression) -> bool {
    text.values().iter().any(|value| matches!(value, ExpressionValue::Secret(_)))
}

fn key_of(value: &ExpressionValue) -> String {
    format!("{value:?}")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from_digit(four.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
