//! What a failure means: whose side it is on, what to do, and where to click.

use serde::{Deserialize, Serialize};

use crate::gate::GateKind;
use crate::template::Template;
use crate::text::TextTemplate;

/// Whose side a failure is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What the person typed.
    Input,
    /// The vendor refuses, or something in the vendor's settings has to change.
    Vendor,
    /// The way between us and the vendor.
    Network,
    /// This installation, its operator or its code.
    Tombolo,
}

/// One row of the table of failures. The first row that fits an observation explains it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// The verdict's stable name.
    pub is: String,
    /// Whose side it is on.
    pub side: Side,
    /// What happened.
    pub says: TextTemplate,
    /// What to do.
    pub fix: TextTemplate,
    /// The page of the person's own tenant where it is done.
    pub link: Option<Template>,
    /// The credential must not be tried again until somebody has tested it: trying on could lock the account.
    #[serde(default)]
    pub stops: bool,
    /// The answer comes from this gate: with the gate's fields filled in it is no failure yet.
    pub gate: Option<GateKind>,
    /// Only for connections that use this gate.
    pub through: Option<GateKind>,
    /// Only in these stages.
    #[serde(default)]
    pub at: Vec<String>,
    /// Only for these auth schemes.
    #[serde(default)]
    pub schemes: Vec<String>,
    /// The vendor's error code, or several.
    #[serde(default)]
    pub codes: Vec<String>,
    /// The HTTP status, or several.
    #[serde(default)]
    pub statuses: Vec<u16>,
    /// A failure of the way, as the engine names it: `name_not_found`, `certificate_expired` and so on.
    #[serde(default)]
    pub network: Vec<String>,
    /// Whether the answer was JSON; unset when it does not matter.
    pub json: Option<bool>,
    /// A response header that must be there, with the beginning of its value.
    pub header: Option<(String, String)>,
}

/// What was seen in a stage.
#[derive(Debug, Clone, Default)]
pub struct Observation<'a> {
    /// The stage.
    pub stage: &'a str,
    /// The auth scheme.
    pub scheme: &'a str,
    /// The gates that the connection uses.
    pub gates: &'a [GateKind],
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The vendor's error code.
    pub code: Option<&'a str>,
    /// Whether the answer was JSON.
    pub json: bool,
    /// The answer's headers, in lower case.
    pub headers: &'a [(String, String)],
    /// The engine's name for a failure of the way.
    pub network: Option<&'a str>,
}

impl Explanation {
    /// Whether the row explains an observation.
    pub fn fits(&self, seen: &Observation<'_>) -> bool {
        let free_or = |list: &[String], value: Option<&str>| {
            list.is_empty() || value.is_some_and(|value| list.iter().any(|known| known == value))
        };
        free_or(&self.at, Some(seen.stage))
            && free_or(&self.schemes, Some(seen.scheme))
            && self.through.is_none_or(|gate| seen.gates.contains(&gate))
            && free_or(&self.codes, seen.code)
            && free_or(&self.network, seen.network)
            && (self.network.is_empty() == seen.network.is_none())
            && (self.statuses.is_empty() || seen.status.is_some_and(|status| self.statuses.contains(&status)))
            && self.json.is_none_or(|json| json == seen.json)
            && self.header.as_ref().is_none_or(|(name, start)| {
                seen.headers.iter().any(|(known, value)| known == name && value.starts_with(start.as_str()))
            })
    }
}
