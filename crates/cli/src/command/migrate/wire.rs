//! What the other product answers, as far as it is looked at.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};
use tombolo_api::{FieldValue, OrganizationOfUser};

#[derive(Debug, Deserialize)]
pub(super) struct Data<Of> {
    pub(super) data: Of,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Integration {
    pub(super) unique_key: String,
    pub(super) provider: String,
    pub(super) display_name: Option<String>,
    #[serde(default)]
    pub(super) forward_webhooks: Option<bool>,
    /// Present when it was asked for and the key may see it.
    #[serde(default)]
    pub(super) credentials: Option<Secrets>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Connections {
    pub(super) connections: Vec<Listed>,
}

/// A connection in a list: enough to ask for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) struct Listed {
    pub(super) provider_config_key: String,
    pub(super) connection_id: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Full {
    #[serde(default)]
    pub(super) end_user: Option<EndUser>,
    #[serde(default)]
    pub(super) tags: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) metadata: Option<Map<String, Value>>,
    #[serde(default)]
    pub(super) connection_config: Option<Map<String, Value>>,
    #[serde(default)]
    pub(super) webhook_url_override: Option<String>,
    #[serde(default)]
    pub(super) credentials: Secrets,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct EndUser {
    pub(super) id: String,
    #[serde(default)]
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) display_name: Option<String>,
    #[serde(default)]
    pub(super) tags: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) organization: Option<OrganizationOfUser>,
}

/// Members that are secrets, some of them.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Secrets(Map<String, Value>);

impl Secrets {
    /// The kind that they say to be of; none where there is nothing.
    pub(super) fn kind(&self) -> Option<&str> {
        self.0.get("type")?.as_str()
    }

    /// A member that is a text; an empty one counts as none.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A member that may be a secret: texts, numbers and truth values.
    pub(super) fn value(&self, name: &str) -> Option<FieldValue> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone().into()),
            Value::Number(number) => Some(number.to_string().into()),
            Value::Bool(truth) => Some(truth.to_string().into()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Members of a member.
    pub(super) fn below(&self, name: &str) -> Option<Self> {
        self.0.get(name)?.as_object().cloned().map(Self)
    }

    /// The names of all members.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Secrets").field("type", &self.kind()).finish_non_exhaustive()
    }
}

/// A refusal of the other product.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Refused {
    #[serde(default)]
    pub(super) error: RefusedBecause,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RefusedBecause {
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
}
