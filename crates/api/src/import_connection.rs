use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::connect_session::{EndUserDraft, OrganizationOfUser};
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
    /// The organization that the person acts for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationOfUser>,
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
        /// The OAuth client that the tokens were given to, where it is not that of the integration.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        config_override: Option<ClientOverride>,
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
        /// The client certificate that it shows, as PEM.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        client_certificate: Option<FieldValue>,
        /// The key of the certificate, as PEM without a password.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        client_private_key: Option<FieldValue>,
        /// Not looked at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// What a vendor gave for a person's account, for requests that are signed.
    #[serde(rename = "OAUTH1")]
    OAuth1 {
        /// The token.
        #[schema(value_type = String)]
        oauth_token: FieldValue,
        /// Its secret.
        #[schema(value_type = String)]
        oauth_token_secret: FieldValue,
    },
    /// A token that was made at the vendor, for requests that are signed.
    #[serde(rename = "TBA")]
    Tba {
        /// The token's id.
        #[schema(value_type = String)]
        token_id: FieldValue,
        /// Its secret.
        #[schema(value_type = String)]
        token_secret: FieldValue,
        /// The application that the token was made for; integrations hold none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        config_override: Option<ClientOverride>,
    },
    /// The installation of an app. A person's own token beside it (`CUSTOM`) is not taken.
    #[serde(rename = "APP", alias = "CUSTOM")]
    App {
        /// The app's id at the vendor.
        #[schema(value_type = String)]
        app_id: FieldValue,
        /// The installation's id.
        #[schema(value_type = String)]
        installation_id: FieldValue,
        /// The app's key, as PEM; integrations hold none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        private_key: Option<FieldValue>,
    },
    /// Nothing at all.
    #[serde(rename = "NONE")]
    None {},
    /// What signs a token: the fields of the provider. The compatible product does not import it.
    #[serde(rename = "JWT")]
    Jwt {
        /// The fields.
        #[serde(flatten)]
        #[schema(value_type = Object)]
        fields: BTreeMap<String, FieldValue>,
    },
    /// What logs in: the fields of the provider. The compatible product does not import it.
    #[serde(rename = "TWO_STEP")]
    TwoStep {
        /// The fields.
        #[serde(flatten)]
        #[schema(value_type = Object)]
        fields: BTreeMap<String, FieldValue>,
    },
    /// A user name and what makes a digest. The compatible product does not import it.
    #[serde(rename = "SIGNATURE")]
    Signature {
        /// The user name.
        #[schema(value_type = String)]
        username: FieldValue,
        /// The secret.
        #[schema(value_type = String)]
        password: FieldValue,
    },
    /// A login with a user's and a developer's secrets. The compatible product does not import it.
    #[serde(rename = "BILL")]
    Bill {
        /// The user name.
        #[schema(value_type = String)]
        username: FieldValue,
        /// The password.
        #[schema(value_type = String)]
        password: FieldValue,
        /// The organization's id.
        #[schema(value_type = String)]
        organization_id: FieldValue,
        /// The developer's key.
        #[schema(value_type = String)]
        dev_key: FieldValue,
    },
}

/// An OAuth client of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientOverride {
    /// Its public id at the vendor. A client that has it already is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub client_id: Option<FieldValue>,
    /// Its secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub client_secret: Option<FieldValue>,
}
