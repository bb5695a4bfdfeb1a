//! Faults that are injected on request: slowness, refusals, broken connections.

use std::collections::BTreeMap;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderName, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::http::{Answer, BodyFault};

/// A disturbance of matching requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Name of the tenant; every tenant when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Method as sent; every method when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path without `/t/{tenant}`; `*` stands for any run of characters. Every path when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How many matching requests pass undisturbed first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip: u64,
    /// How many requests are disturbed then; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// What happens to them.
    pub effect: Effect,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Effect {
    /// The answer is held back; everything else goes its way. Adds up with other faults.
    Latency {
        /// How long.
        milliseconds: u64,
    },
    /// An answer of this status instead of the real one.
    Status {
        /// HTTP status.
        status: u16,
        /// Code of the JSON body, for example `GAIA_TO04`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// A body of its own instead of JSON, answered as HTML.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        html: Option<String>,
        /// A body of its own in JSON, for example `{"error": "invalid_grant"}` with status 200.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        json: Option<Json>,
        /// Seconds in the header `Retry-After`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
        /// Further headers, for example `x-ratelimit-remaining`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
    },
    /// The page that is shown during maintenance, with status 503.
    Maintenance,
    /// The connection is closed when the request has arrived, without any answer; nothing was done.
    DropConnection,
    /// The request is carried out, but the connection is closed without an answer.
    DropAnswer,
    /// The connection breaks after half of the answer's body.
    ResetMidBody,
    /// The body comes in pieces.
    SlowBody {
        /// Bytes per piece.
        bytes: usize,
        /// Pause before each piece.
        milliseconds: u64,
    },
}

impl Effect {
    /// An answer of this status, with a body in the form of the service.
    pub fn status(status: u16) -> Self {
        Self::Status {
            status,
            code: None,
            html: None,
            json: None,
            retry_after: None,
            headers: BTreeMap::new(),
        }
    }

    /// A refusal of this status and code, with a body in the form of the service.
    pub fn refusal(status: u16, code: &str) -> Self {
        Self::Status {
            status,
            code: Some(code.to_owned()),
            html: None,
            json: None,
            retry_after: None,
            headers: BTreeMap::new(),
        }
    }

    /// A page of this status.
    pub fn page(status: u16, html: &str) -> Self {
        Self::Status {
            status,
            code: None,
            html: Some(html.to_owned()),
            json: None,
            retry_after: None,
            headers: BTreeMap::new(),
        }
    }

    /// An answer of this status with this JSON body, whatever the service would have said.
    pub fn json(status: u16, body: Json) -> Self {
        Self::Status {
            status,
            code: None,
            html: None,
            json: Some(body),
            retry_after: None,
            headers: BTreeMap::new(),
        }
    }

    /// The same answer with a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Self::Status { headers, .. } = &mut self {
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        self
    }

    /// The answer of [`Effect::Status`]: the body that it spells out, otherwise what the service says.
    pub(crate) fn completed(&self, status: StatusCode, said: impl FnOnce() -> Answer) -> Answer {
        let Self::Status { html, json, retry_after, headers, .. } = self else { return said() };
        let answer = match (html, json) {
            (Some(html), _) => Answer::new(status, "text/html;charset=utf-8", html.clone()),
            (None, Some(body)) => Answer::json(body).with_status(status),
            (None, None) => said(),
        };
        let answer = match retry_after {
            Some(seconds) => answer.with_header(RETRY_AFTER, &seconds.to_string()),
            None => answer,
        };
        headers.iter().fold(answer, |answer, (name, value)| match HeaderName::try_from(name.as_str()) {
            Ok(name) => answer.with_header(name, value),
            Err(_) => answer,
        })
    }
}

/// The faults that are waiting for requests.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    waiting: Vec<Fault>,
}

/// What happens to one request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Disturbance {
    pub(crate) latency: Duration,
    pub(crate) effect: Option<Effect>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(crate) fn list(&self) -> &[Fault] {
        &self.waiting
    }

    /// What happens to this request; faults that have done their number are removed. Of several that would
    /// replace the answer the oldest wins.
    pub(crate) fn next(&mut self, tenant: &str, method: &str, path: &str) -> Disturbance {
        let mut disturbance = Disturbance::default();
        self.waiting.retain_mut(|fault| {
            if !fault.matches(tenant, method, path) {
                return true;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                return true;
            }
            match &fault.effect {
                Effect::Latency { milliseconds } => {
                    disturbance.latency += Duration::from_millis(*milliseconds);
                }
                _ if disturbance.effect.is_some() => return true,
                effect => disturbance.effect = Some(effect.clone()),
            }
            match &mut fault.count {
                None => true,
                Some(count) => {
                    *count = count.saturating_sub(1);
                    *count > 0
                }
            }
        });
        disturbance
    }
}

impl Disturbance {
    /// How the bytes of the answer are disturbed, if they are.
    pub(crate) fn body_fault(&self) -> Option<BodyFault> {
        match self.effect {
            Some(Effect::ResetMidBody) => Some(BodyFault::Reset),
            Some(Effect::SlowBody { bytes, milliseconds }) => {
                Some(BodyFault::Slow { piece: bytes.max(1), pause: Duration::from_millis(milliseconds) })
            }
            _ => None,
        }
    }
}

impl Fault {
    /// A fault of every request of a tenant, as often as it comes.
    pub fn new(effect: Effect) -> Self {
        Self { tenant: None, method: None, path: None, skip: 0, count: None, effect }
    }

    /// Only for this tenant.
    #[must_use]
    pub fn tenant(mut self, tenant: &str) -> Self {
        self.tenant = Some(tenant.to_owned());
        self
    }

    /// Only for this method and path pattern.
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        self.path = Some(path.to_owned());
        self
    }

    /// Only this many times.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Only after this many matching requests went through.
    #[must_use]
    pub fn after(mut self, requests: u64) -> Self {
        self.skip = requests;
        self
    }

    fn matches(&self, tenant: &str, method: &str, path: &str) -> bool {
        self.tenant.as_deref().is_none_or(|wanted| wanted == tenant)
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_deref().is_none_or(|pattern| fits(pattern, path))
            && self.count != Some(0)
    }
}

/// Whether a text fits a pattern in which `*` stands for any run of characters.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, others)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = others.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(position) = rest.find(part) else { return false };
        rest = &rest[position + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit() {
        for (pattern, text, expected) in [
            ("/k/v1/records.json", "/k/v1/records.json", true),
            ("/k/v1/record.json", "/k/v1/records.json", false),
            ("*records*", "/k/v1/records/cursor.json", true),
            ("/k/*.json", "/k/v1/app.json", true),
            ("/k/*/x*.json", "/k/v1/app.json", false),
            ("*a*a", "a", false),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_fault_ends_after_its_count_and_begins_after_its_skip() {
        let mut faults = Faults::default();
        faults.add(Fault::new(Effect::Maintenance).after(1).times(1));
        faults.add(Fault::new(Effect::Latency { milliseconds: 5 }));
        assert_eq!(faults.next("demo", "GET", "/").effect, None);
        let second = faults.next("demo", "GET", "/");
        assert_eq!((second.effect, second.latency), (Some(Effect::Maintenance), Duration::from_millis(5)));
        assert_eq!(faults.next("demo", "GET", "/").effect, None);
        assert_eq!(faults.list().len(), 1);
    }

    #[test]
    fn faults_are_strict_json() {
        let text =
            r#"{"tenant": "demo", "count": 2, "effect": {"status": {"status": 429, "code": "GAIA_TO04"}}}"#;
        let fault: Fault = serde_json::from_str(text).unwrap();
        assert_eq!(fault, Fault::new(Effect::refusal(429, "GAIA_TO04")).tenant("demo").times(2));
        assert_eq!(serde_json::from_str::<Fault>(r#"{"effect": "maintenance"}"#).unwrap().count, None);
        assert!(serde_json::from_str::<Fault>(r#"{"cuont": 1, "effect": "maintenance"}"#).is_err());
    }
}
