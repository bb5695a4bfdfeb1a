use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A provider configured in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Integration {
    /// Names it in requests; unique in its environment.
    pub unique_key: String,
    /// The id of its provider.
    pub provider: String,
    /// What people see.
    pub display_name: String,
    /// The auth schemes that connections may use; all of the provider's when empty.
    pub auth_schemes: Vec<String>,
    /// Always `null`: providers have no picture yet.
    pub logo: Option<String>,
    /// Always `false`: webhooks of vendors are not forwarded.
    pub forward_webhooks: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The environment's integrations in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Integrations {
    /// All of them.
    pub data: Vec<Integration>,
}

/// One integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IntegrationAnswer {
    /// The integration.
    pub data: Integration,
}

/// What an integration is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateIntegration {
    /// The id of the provider.
    pub provider: String,
    /// Names it in requests; unique in its environment.
    pub unique_key: String,
    /// What people see; the provider's name unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The auth schemes that connections may use; all of the provider's unless given.
    #[serde(default)]
    pub auth_schemes: Vec<String>,
}

/// What changes about an integration; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateIntegration {
    /// Names it in requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_key: Option<String>,
    /// What people see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The auth schemes that connections may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_schemes: Option<Vec<String>>,
}
