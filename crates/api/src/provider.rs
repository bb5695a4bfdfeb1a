use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::text::Wording;

/// A provider of the catalog: what somebody needs to know to link an account of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Provider {
    /// The provider's id: the name of the compatible API.
    pub name: String,
    /// The provider's name in the language that was asked for.
    pub display_name: String,
    /// The provider's name for people.
    pub title: Wording,
    /// What it is.
    pub description: Wording,
    /// The vendor's own documentation.
    pub docs: String,
    /// What it is filed under.
    pub categories: Vec<String>,
    /// How its first auth scheme is called in the compatible API.
    pub auth_mode: String,
    /// Always `null`: providers have no picture yet.
    pub logo_url: Option<String>,
    /// The fields that every connection has, in the form of the compatible API.
    pub connection_config: Map<String, Value>,
    /// The fields of its first auth scheme, in the form of the compatible API.
    pub credentials: Map<String, Value>,
    /// The fields that every connection has.
    pub fields: Vec<ProviderField>,
    /// The layers that may stand in front of the API.
    pub gates: Vec<ProviderGate>,
    /// The ways to authenticate; the first is the default.
    pub auth_schemes: Vec<ProviderScheme>,
    /// The extra settings.
    pub settings: Vec<ProviderSetting>,
    /// The stages of a connection test that are the provider's own.
    pub test: Vec<ProviderStage>,
    /// What the keys of a connection string mean, by key in lower case: a field, a setting, `auth_scheme`, or `paste`
    /// for an address that fills fields. Other keys are settings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connection_string: BTreeMap<String, String>,
    /// Which auth scheme a value of a connection string means, by value in lower case; empty for whichever fits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connection_string_schemes: BTreeMap<String, String>,
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderField {
    /// The field's name in `fields` of a connection.
    pub name: String,
    /// What stands above it.
    pub label: Wording,
    /// What stands below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<Wording>,
    /// Where a person finds the value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Wording>,
    /// What kind of value it is.
    #[serde(rename = "type")]
    pub kind: ProviderFieldKind,
    /// The values to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// A regular expression that the whole value, or each item of a list, fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// What a good value looks like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// The value when nothing is typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Whether it may stay empty.
    pub optional: bool,
    /// Whether it is a secret: write-only.
    pub secret: bool,
    /// What a form shows before the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// What a form shows after the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
    /// Longest value in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
}

/// What kind of value a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderFieldKind {
    /// One line.
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// One of `choices`.
    Choice,
    /// Several values.
    List,
    /// Several lines.
    Multiline,
    /// What a file holds: its text, or the base64 form of what is none.
    File,
}

/// A layer in front of an API that asks for something of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderGate {
    /// Which gate it is: `http_basic` or `client_certificate`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The gate's name for people.
    pub name: Wording,
    /// When somebody needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explain: Option<Wording>,
    /// The fields without which it does not open; none of its fields is filled in where there is no gate.
    #[serde(default)]
    pub needed: Vec<String>,
    /// The fields that it asks for.
    pub fields: Vec<ProviderField>,
}

/// One way to authenticate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderScheme {
    /// The scheme's id in `auth_scheme` of a connection.
    pub id: String,
    /// The scheme's name for people.
    pub name: Wording,
    /// What it reaches and who can revoke it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explain: Option<Wording>,
    /// How it is called in the compatible API.
    pub auth_mode: String,
    /// The fields that hold the secret and what belongs to it.
    pub fields: Vec<ProviderField>,
    /// How many secrets a connection may hold, when it may hold several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets_max: Option<usize>,
    /// The field that says what each secret is for, paired by position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets_by: Option<String>,
}

/// One extra setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderSetting {
    /// Other spellings that are accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Whether it decides where requests go: then it changes only together with the secrets.
    pub routes: bool,
    /// What the value is.
    #[serde(flatten)]
    pub field: ProviderField,
}

/// One stage of a connection test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderStage {
    /// The stage's stable name.
    pub id: String,
    /// The stage's name for people.
    pub name: Wording,
    /// The capability that it finds out about, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capability: Option<String>,
    /// The auth schemes for which it runs; `null` for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_schemes: Option<Vec<String>>,
}

/// The catalog in the order of the providers' ids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Providers {
    /// All that were asked for.
    pub data: Vec<Provider>,
}

/// One provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProviderAnswer {
    /// The provider.
    pub data: Provider,
}

/// Something that somebody pasted, such as the address of a page of the vendor's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Paste {
    /// The pasted text.
    pub text: String,
}

/// The fields that could be read from a pasted text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pasted {
    /// Values by field name; empty when the text is none of the vendor's.
    pub fields: BTreeMap<String, String>,
}

/// Which providers are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ProviderQuery {
    /// Whose id or name holds this text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
}
