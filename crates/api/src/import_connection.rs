use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::connect_session::EndUserDraft;
use crate::field_value::FieldValue;

/// A connection that is taken over from another product, in the form of the compatible API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportConnection {
    /// The key of an integration, or the id of a provider.
    pub provider_config_key: String,
    /// Names it in the API; its id unless given. A connection that has it already gets the credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    /// What people are to call it; made up from what is known unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The credentials.
    pub credentials: ImportedCredentials,
    /// Fields and settings that are no credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_config: Option<Map<String, Value>>,
    /// The embedder's own data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Where webhook events about it go; empty for the environment's receivers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url_override: Option<String>,
    /// The person whom it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_user: Option<EndUserDraft>,
    /// For finding it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// Credentials of another product, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type")]
pub enum ImportedCredentials {
    /// A key, or several separated by commas where the provider takes several.
    #[serde(rename = "API_KEY")]
    ApiKey {
        /// The key.
        #[serde(rename = "apiKey", alias = "api_key")]
        #[schema(value_type = String)]
        api_key: FieldValue,
    },
    /// A user name and a password.
    #[serde(rename = "BASIC")]
    Basic {
        /// The user name.
        #[schema(value_type = String)]
        username: FieldValue,
        /// The password.
        #[schema(value_type = String)]
        password: FieldValue,
    },
    /// What a vendor gave for a person's account.
    #[serde(rename = "OAUTH2")]
    OAuth2 {
        /// The access token.
        #[schema(value_type = String)]
        access_token: FieldValue,
        /// What renews it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        refresh_token: Option<FieldValue>,
        /// When the access token ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// An OAuth client that is itself the credential.
    #[serde(rename = "OAUTH2_CC")]
    OAuth2ClientCredentials {
        /// Not taken: a new one is had from the vendor.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        token: Option<FieldValue>,
        /// The client's id.
        #[schema(value_type = String)]
        client_id: FieldValue,
        /// The client's secret.
        #[schema(value_type = String)]
        client_secret: FieldValue,
        /// Not looked at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
}
