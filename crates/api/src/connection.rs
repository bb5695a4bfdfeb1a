use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::connect_session::{EndUser, EndUserDraft};
use crate::connection_test::{TestReport, Verdict};
use crate::field_value::FieldValue;

/// A connection with everything about it that is no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Connection {
    /// Names it for ever.
    pub id: String,
    /// Names it together with its integration: its `id` unless the caller chose another text.
    pub connection_id: String,
    /// The key of its integration.
    pub provider_config_key: String,
    /// The id of its provider.
    pub provider: String,
    /// What people call it; unique in its environment.
    pub name: String,
    /// How it authenticates.
    pub auth_scheme: String,
    /// The layers in front of the API that it passes, `http_basic` or `client_certificate`.
    pub gates: Vec<String>,
    /// When its client certificate ends; `null` when it has none.
    pub certificate_expires_at: Option<Timestamp>,
    /// How it does.
    pub health: ConnectionHealth,
    /// What stands in the way of using it, in the form of the compatible API.
    pub errors: Vec<ConnectionError>,
    /// The end user whom it belongs to, if an embedder said so.
    pub end_user: Option<EndUser>,
    /// For finding it.
    pub tags: BTreeMap<String, String>,
    /// The embedder's own data.
    pub metadata: Option<Map<String, Value>>,
    /// The fields that are no secret.
    pub config: Map<String, Value>,
    /// The same as `config`, under the name of the compatible API.
    pub connection_config: Map<String, Value>,
    /// Extra settings that differ from their defaults.
    pub settings: Map<String, Value>,
    /// The hosts that its secrets are bound to, as `host:port`.
    pub hosts: Vec<String>,
    /// Where webhook events about it go instead of the environment's receivers.
    pub webhook_url_override: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Always `null`: its credentials cannot be fetched.
    pub last_fetched_at: Option<Timestamp>,
    /// Empty, unless the key may read them back: then the access token of a person's account, which ends by itself. Keys,
    /// passwords and refresh tokens are write-only.
    pub credentials: CredentialsRead,
}

/// A connection in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionSummary {
    /// Names it for ever.
    pub id: String,
    /// Names it together with its integration.
    pub connection_id: String,
    /// The key of its integration.
    pub provider_config_key: String,
    /// The id of its provider.
    pub provider: String,
    /// What people call it.
    pub name: String,
    /// How it authenticates.
    pub auth_scheme: String,
    /// How it did last time.
    pub health: ConnectionHealth,
    /// What stands in the way of using it, in the form of the compatible API.
    pub errors: Vec<ConnectionError>,
    /// The end user whom it belongs to, if an embedder said so.
    pub end_user: Option<EndUser>,
    /// For finding it.
    pub tags: BTreeMap<String, String>,
    /// The embedder's own data.
    pub metadata: Option<Map<String, Value>>,
    /// When it was made.
    pub created: Timestamp,
}

/// How a connection does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionHealth {
    /// How it does.
    pub status: Health,
    /// Since when it does so.
    pub since: Timestamp,
    /// When it was tested; `null` when it never was.
    pub tested_at: Option<Timestamp>,
    /// When the server tries it again by itself, if it fails.
    pub next_try_at: Option<Timestamp>,
    /// When its credential ends unless a person does something, as far as anybody says so.
    pub ends_at: Option<Timestamp>,
    /// What its test found to be wrong.
    pub verdict: Option<Verdict>,
    /// Why its tokens could not be renewed, or why it could not be tested.
    pub failure: Option<HealthFailure>,
    /// What its credential may do, by subject (an app, or empty) and capability.
    pub capabilities: BTreeMap<String, BTreeMap<String, bool>>,
}

/// What keeps a connection from being tested or its tokens from being renewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HealthFailure {
    /// A stable name for programs.
    pub code: String,
    /// What happened.
    pub what: String,
    /// What to do.
    pub fix: String,
}

/// How a connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Nobody knows: it was not tested since its credential was typed, or may be out of date.
    Unverified,
    /// It can be used.
    Active,
    /// It can be used, and its credential ends soon unless a person does something.
    Expiring,
    /// It cannot be used for a reason other than its credential; the server tries it again by itself.
    Failing,
    /// Its credential is good for nothing: it is not sent again before it passes a test.
    NeedsReconnecting,
}

/// What stands in the way of using a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionError {
    /// What kind it is: `auth`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where the log says more.
    pub log_id: String,
}

/// One page of connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Connections {
    /// Newest first; a search gives matches by name first.
    pub connections: Vec<ConnectionSummary>,
    /// Where the next page begins; `null` on the last one.
    pub next_cursor: Option<String>,
}

/// Which connections a list shows; everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ConnectionQuery {
    /// Whose name or connection id begins with this text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// With exactly this connection id.
    #[serde(rename = "connectionId", skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    /// Of the integration with this key, or of several, separated by commas.
    #[serde(rename = "integrationId", skip_serializing_if = "Option::is_none")]
    pub integration_id: Option<String>,
    /// With this health.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// With these tags: written as `tags[key]=value`, all of which must hold.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[param(style = DeepObject, explode)]
    pub tags: BTreeMap<String, String>,
    /// The same as `tags[end_user_id]`.
    #[serde(rename = "endUserId", skip_serializing_if = "Option::is_none")]
    pub end_user_id: Option<String>,
    /// The same as `tags[organization_id]`.
    #[serde(rename = "endUserOrganizationId", skip_serializing_if = "Option::is_none")]
    pub end_user_organization_id: Option<String>,
    /// At most this many, 10000 unless given, which is also the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Which page of `limit` connections, counted from 0. The cost grows with its number: `cursor` goes on without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What a connection is made from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateConnection {
    /// The key of an integration, or the id of a provider: then the integration of that name is used or made.
    #[serde(alias = "integration")]
    pub provider_config_key: String,
    /// What people are to call it; unique in the environment.
    pub name: String,
    /// Names it in the API; its id unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    /// How it authenticates; the provider's first way unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_scheme: Option<String>,
    /// The provider's fields, secrets among them.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldValue>,
    /// Extra settings, in any spelling that the provider knows.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// For finding it.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The embedder's own data.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// Whether it is tested first, and stored only when it can be used.
    #[serde(default = "yes")]
    pub test: bool,
}

/// What a connection would be made from, for a test that stores nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestConnection {
    /// The key of an integration, or the id of a provider.
    #[serde(alias = "integration")]
    pub provider_config_key: String,
    /// What people are to call it; not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    /// How it authenticates; the provider's first way unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_scheme: Option<String>,
    /// The provider's fields, secrets among them.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldValue>,
    /// Extra settings, in any spelling that the provider knows.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Not looked at.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Not looked at.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

fn yes() -> bool {
    true
}

/// A connection that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreatedConnection {
    /// The connection.
    #[serde(flatten)]
    pub connection: Connection,
    /// What its test found; `null` when it was left out on request.
    pub report: Option<TestReport>,
}

/// What changes about a connection; what is left out stays. Secrets are not needed, so nothing that decides where
/// requests go can change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateConnection {
    /// What people are to call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Extra settings: all of them, not only those that change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<BTreeMap<String, String>>,
    /// For finding it: all tags, not only those that change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// The embedder's own data, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// The person whom it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_user: Option<EndUserDraft>,
    /// Where webhook events about it go; an empty text for the environment's receivers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_url_override: Option<String>,
}

/// What is typed to give a connection another credential or another address. Fields that are no secret keep what they
/// were unless they are given; secrets are never kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReconnectConnection {
    /// How it is to authenticate; as before unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_scheme: Option<String>,
    /// The provider's fields, every secret among them.
    pub fields: BTreeMap<String, FieldValue>,
    /// Extra settings that change; an empty value puts one back to its default.
    pub settings: BTreeMap<String, String>,
    /// What people are to call it; as before unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For finding it: all tags, not only those that change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// The embedder's own data, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Whether it is tested first, and changed only when it can be used.
    pub test: bool,
}

impl Default for ReconnectConnection {
    fn default() -> Self {
        Self {
            auth_scheme: None,
            fields: BTreeMap::new(),
            settings: BTreeMap::new(),
            name: None,
            tags: None,
            metadata: None,
            test: true,
        }
    }
}

/// A connection that was changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpdatedConnection {
    /// Always `true`: what fails is a problem instead.
    pub success: bool,
    /// The connection as it is now.
    pub connection: Connection,
}

/// A connection that was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeletedConnection {
    /// Always `true`: what fails is a problem instead.
    pub success: bool,
    /// Whether its tokens are given back to the vendor now. If not, the vendor honours them until they end, or until somebody
    /// ends the authorisation in the vendor's own settings.
    pub revokes_at_vendor: bool,
}

/// Which integration a connection is looked for in, when its name or connection id alone says too little.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct IntegrationOfConnection {
    /// The key of the integration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_config_key: Option<String>,
}

/// What of a connection's credentials was read back.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CredentialsRead {
    /// The kind of credential, in the words of the compatible API.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// The same for an account that is an OAuth client itself, under the name of the compatible API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// When the access token ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What the vendor said of the token, as far as it is no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<Map<String, Value>>,
}

impl fmt::Debug for CredentialsRead {
    /// Leaves the tokens out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, expires_at, .. } = self;
        formatter
            .debug_struct("CredentialsRead")
            .field("kind", kind)
            .field("expires_at", expires_at)
            .finish_non_exhaustive()
    }
}

/// The connections that data of the embedder's own are for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "a text or an array of texts")]
pub enum ConnectionIds {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

/// Data of the embedder's own for connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutMetadata {
    /// The connections.
    pub connection_id: ConnectionIds,
    /// The key of their integration.
    pub provider_config_key: String,
    /// The data.
    pub metadata: Map<String, Value>,
}

/// How one connection is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ReadConnectionQuery {
    /// The key of the integration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_config_key: Option<String>,
    /// Whether the access token is renewed first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_refresh: Option<String>,
    /// Asks for the refresh token in the compatible API; it is never given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The same as `force_refresh`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_github_app_jwt_token: Option<String>,
}
