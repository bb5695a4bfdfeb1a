use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::field_value::FieldValue;

/// The person whom a connection belongs to, as the embedder knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndUserDraft {
    /// The embedder's own id of the person.
    pub id: String,
    /// The person's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The person's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What else the embedder says about the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// The organization that a person acts for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationOfUser {
    /// The embedder's own id of the organization.
    pub id: String,
    /// The organization's name.
    #[serde(default)]
    pub display_name: Option<String>,
}

/// The person whom a connection belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndUser {
    /// The embedder's own id of the person.
    pub id: String,
    /// The person's name.
    pub display_name: Option<String>,
    /// The person's address.
    pub email: Option<String>,
    /// What else the embedder says about the person.
    pub tags: BTreeMap<String, String>,
    /// The organization that the person acts for.
    pub organization: Option<OrganizationOfUser>,
}

/// What a browser may link, and for whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateConnectSession {
    /// The person whom the account is linked for. Needed unless there are `tags`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_user: Option<EndUserDraft>,
    /// The organization that the person acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationOfUser>,
    /// The keys of the integrations to choose from; all when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_integrations: Option<Vec<String>>,
    /// What is filled in beforehand, by key of the integration. The browser cannot change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrations_config_defaults: Option<BTreeMap<String, SessionDefaults>>,
    /// What a page says differently, by key of the integration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overrides: Option<BTreeMap<String, SessionOverrides>>,
    /// Where webhook events about the connection go instead of the environment's receivers; empty for those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_url_override: Option<String>,
    /// Where a browser that has linked an account in a window is sent to, with the parameters `authorization` and `proof`, or
    /// `error`: letter for letter one of the environment's `return_urls`. Without it the page that opened the window is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// What the browser may do with OAuth clients; nothing unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth_clients: Option<SessionOAuthClients>,
    /// For finding the connection: at most ten, with keys of at most 64 characters that begin with a letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// What a connect session lets a browser do with OAuth clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionOAuthClients {
    /// Nothing: the integration's client is used, or the only one of your administrators that fits.
    #[default]
    None,
    /// Choose: the names and addresses of your administrators' clients of the provider, and of those that the end user's
    /// organization registered, stand in the form; those that do not agree with what you filled in are left out. Needs the
    /// scope `environment:integrations:list`.
    Choose,
    /// Besides, register new ones, and change those. They belong to the end user's organization, or to the end user when
    /// there is none, and to nobody else. Needs the scopes `environment:integrations:create` and `…:update`, and `end_user`.
    Manage,
}

/// Which connection's account is linked again, and for whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateReconnectSession {
    /// The connection: its id, connection id or name.
    pub connection_id: String,
    /// The key of its integration.
    pub integration_id: String,
    /// The person whom it belongs to from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_user: Option<EndUserDraft>,
    /// The organization that the person acts for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationOfUser>,
    /// What is filled in beforehand, by key of the integration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrations_config_defaults: Option<BTreeMap<String, SessionDefaults>>,
    /// What a page says differently, by key of the integration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides: Option<BTreeMap<String, SessionOverrides>>,
    /// Where webhook events about the connection go instead of the environment's receivers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url_override: Option<String>,
    /// Where a browser that has linked an account in a window is sent to, as for a new connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// What the browser may do with OAuth clients, as for a new connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_clients: Option<SessionOAuthClients>,
    /// Tags that are added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// What is filled in beforehand for an integration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionDefaults {
    /// The OAuth scopes to ask for, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_scopes: Option<String>,
    /// More parameters of the authorization request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_params: Option<BTreeMap<String, String>>,
    /// Fields that are no credential. `oauth_scopes_override` is another spelling of `user_scopes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_config: Option<Map<String, Value>>,
}

/// What a page says differently for an integration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionOverrides {
    /// The page that explains how to connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs_connect: Option<String>,
}

/// A connect session, with the token that is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedConnectSession {
    /// What the browser shows: good for linking one account.
    pub token: String,
    /// A page where the account can be linked.
    pub connect_link: String,
    /// When it is no longer good.
    pub expires_at: Timestamp,
}

impl fmt::Debug for CreatedConnectSession {
    /// Leaves token and link out: they are secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CreatedConnectSession")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A connect session that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedConnectSessionAnswer {
    /// The session.
    pub data: CreatedConnectSession,
}

/// What a browser may know of its session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConnectSession {
    /// The person whom the account is linked for.
    #[serde(rename = "endUser")]
    pub end_user: Option<EndUser>,
    /// How pages look.
    #[serde(rename = "connectUISettings")]
    pub connect_ui_settings: ConnectUiSettings,
    /// The keys of the integrations to choose from; absent when all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_integrations: Option<Vec<String>>,
    /// What is filled in beforehand, by key of the integration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrations_config_defaults: Option<BTreeMap<String, SessionDefaults>>,
    /// What a page says differently, by key of the integration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overrides: Option<BTreeMap<String, SessionOverrides>>,
    /// Whether the account of a connection is linked again.
    #[serde(rename = "isReconnecting", skip_serializing_if = "Option::is_none")]
    pub is_reconnecting: Option<bool>,
    /// Where the WebSocket is that tells the outcome of an authorization.
    #[serde(rename = "websocketsPath")]
    pub websockets_path: String,
}

/// How pages look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectUiSettings {
    /// The colours.
    pub theme: ConnectUiTheme,
    /// Which of them: `light`, `dark` or `system`.
    #[serde(rename = "defaultTheme")]
    pub default_theme: String,
    /// Whether pages say what they are made with.
    #[serde(rename = "showWatermark")]
    pub show_watermark: bool,
}

/// The colours of pages by theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectUiTheme {
    /// In daylight.
    pub light: ConnectUiColors,
    /// In the dark.
    pub dark: ConnectUiColors,
}

/// The colours of one theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectUiColors {
    /// The colour of what can be pressed.
    pub primary: String,
}

/// The session that a browser's token is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConnectSessionAnswer {
    /// The session.
    pub data: ConnectSession,
}

/// What a page of the compatible Connect UI tells about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectTelemetry {
    /// The token of the session.
    pub token: FieldValue,
    /// What happened.
    pub event: String,
    /// When.
    pub timestamp: Timestamp,
    /// More about it.
    #[serde(default)]
    pub dimensions: Option<Map<String, Value>>,
}

/// An account that was linked in a connect session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkedConnection {
    /// Names the connection together with its integration.
    #[serde(rename = "connectionId")]
    pub connection_id: String,
    /// The key of its integration.
    #[serde(rename = "providerConfigKey")]
    pub provider_config_key: String,
}

/// Who confirms an authorization, and for whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConfirmAuthorization {
    /// The embedder's own id of the person who is signed in there and has linked the account. Needed when the link was
    /// made for a person: the two must be the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_user_id: Option<String>,
    /// What the browser that finished was given: it comes to your page as a message or as a parameter of the return URL, or a
    /// person types the code of the last page. Always needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub proof: Option<FieldValue>,
}
