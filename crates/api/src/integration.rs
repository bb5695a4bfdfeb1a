use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::field_value::FieldValue;

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
    /// The OAuth client through which its connections are authorised unless another one is named: its id.
    pub oauth_client: Option<String>,
    /// What is known of that client, if it was asked for with `include=credentials`; never its secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<IntegrationCredentials>,
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
    /// Only `false`: webhooks of vendors are not forwarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_webhooks: Option<bool>,
    /// An OAuth client that is made for it, or the one that there is by id or name in `oauth_client`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<IntegrationCredentials>,
    /// The OAuth client through which its connections are authorised unless another one is named: its id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_client: Option<String>,
    /// The fields that say where the OAuth client is registered, such as a tenant's subdomain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration_config: Option<BTreeMap<String, String>>,
}

/// An OAuth client in the form of the compatible API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type")]
pub enum IntegrationCredentials {
    /// A client for accounts that people link.
    #[serde(rename = "OAUTH2")]
    OAuth2(RegisteredClient),
    /// A client of the older version, for accounts that people link.
    #[serde(rename = "OAUTH1")]
    OAuth1(RegisteredClient),
    /// A client that signs beside the token of each account.
    #[serde(rename = "TBA")]
    Tba(RegisteredClient),
    /// The keys that assume the role of each account.
    #[serde(rename = "AWS_SIGV4")]
    AwsSigV4(RegisteredClient),
}

/// What a vendor gave to whoever registered a client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegisteredClient {
    /// Its public id at the vendor.
    pub client_id: String,
    /// Its secret; never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub client_secret: Option<FieldValue>,
    /// The scopes to ask for, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<String>,
    /// Not taken: webhooks of vendors are not forwarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub webhook_secret: Option<FieldValue>,
    /// Where the vendor sends browsers back to; shown only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
}

/// What is shown with an integration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct IntegrationQuery {
    /// `credentials` for its OAuth client, `webhook` (which there is none of); may stand several times.
    pub include: Vec<String>,
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
    /// Only `false`: webhooks of vendors are not forwarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_webhooks: Option<bool>,
    /// What changes about its OAuth client, or one that is made for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<IntegrationCredentials>,
    /// The OAuth client through which its connections are authorised unless another one is named: its id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth_client: Option<String>,
    /// The fields that say where an OAuth client that is made for it is registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration_config: Option<BTreeMap<String, String>>,
}
