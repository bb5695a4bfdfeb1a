//! The stages of a connection test that a provider file declares.
//!
//! The engine itself always runs the stages `name`, `connect` and `tls` first; these come after them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::template::Template;
use crate::text::Text;

/// One stage of the connection test: a request, and what its answer means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The stage's name in results and in `at` of explanations.
    pub id: String,
    /// The stage's name for people.
    pub name: Text,
    /// Only for these auth schemes; for all when absent.
    pub schemes: Option<Vec<String>>,
    /// Only when this configuration field is set.
    pub when: Option<String>,
    /// Runs once for each value of this list: a credential entry's own, or the configuration field's.
    pub for_each: Option<String>,
    /// What the request carries.
    #[serde(default)]
    pub credentials: CredentialUse,
    /// The request.
    pub request: StageRequest,
    /// What a good answer is.
    #[serde(default)]
    pub accept: Acceptance,
    /// The stage finds out whether something is permitted: a refusal is reported and does not fail the test.
    pub capability: Option<String>,
    /// What to remember from the answer.
    pub learn: Option<Learn>,
}

/// What a stage's request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialUse {
    /// Nothing, to see what is there. An answer from a gate is not a failure yet: the next stage goes through it.
    None,
    /// Only what the gates ask for.
    Gate,
    /// Everything; inside `for_each` only the entry at hand.
    #[default]
    All,
}

/// The request of a stage.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageRequest {
    /// `GET` unless said otherwise; a test never writes.
    #[serde(default = "get")]
    pub method: String,
    /// The path as callers write it: it goes through the same rewriting.
    pub path: Template,
    /// Query parameters.
    #[serde(default)]
    pub query: Vec<(String, Template)>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// A JSON body, for vendors who ask for reading that way.
    pub body: Option<serde_json::Value>,
}

fn get() -> String {
    "GET".to_owned()
}

/// What a good answer is: status 2xx unless `any_answer` is set, and what is said here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Acceptance {
    /// The body is a JSON object with this member.
    pub member: Option<String>,
    /// The body is JSON of any shape.
    pub json: bool,
    /// Any answer will do but one that refuses the credential (401), tells of a failure of the vendor, or asks to come
    /// back later. For providers of whom no call is known that proves more.
    pub any_answer: bool,
}

/// What to remember from an answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learn {
    /// Entries whose keys must go along when this entry is written to: paths into the JSON answer with `*` for any
    /// member, such as `properties.*.lookup.relatedApp.app`.
    pub companions: Vec<String>,
}

impl Stage {
    /// Whether the stage runs for a scheme.
    pub fn applies_to(&self, scheme: &str) -> bool {
        self.schemes.as_ref().is_none_or(|schemes| schemes.iter().any(|known| known == scheme))
    }
}
