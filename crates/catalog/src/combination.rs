//! Combinations that a vendor does not offer, each with the reason, so that nobody has to find out by trying.

use serde::Deserialize;

use crate::gate::GateKind;
use crate::text::Text;

/// A combination that cannot exist. It is met when everything that it names is there together.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impossible {
    /// An auth scheme; also one that the provider does not have, but that people look for.
    pub scheme: Option<String>,
    /// Gates that are used.
    #[serde(default)]
    pub gates: Vec<GateKind>,
    /// A field that is filled in; also one that the provider does not have, but that people look for.
    pub field: Option<String>,
    /// Why, in a sentence.
    pub says: Text,
    /// What to do instead, in a sentence.
    pub fix: Text,
}

impl Impossible {
    /// Whether the combination is met by an auth scheme, the gates that are used, and the fields that are filled in.
    pub fn is_met(&self, scheme: &str, gates: &[GateKind], is_filled: impl Fn(&str) -> bool) -> bool {
        self.scheme.as_deref().is_none_or(|known| known == scheme)
            && self.gates.iter().all(|gate| gates.contains(gate))
            && self.field.as_deref().is_none_or(is_filled)
    }

    /// Reason and remedy in one text.
    pub fn message(&self) -> Text {
        Text {
            en: format!("{} {}", self.says.en, self.fix.en),
            ja: format!("{}{}", self.says.ja, self.fix.ja),
        }
    }
}
