#![doc = include_str!("../README.md")]

mod activity;
mod api_key;
mod audit;
mod authorization;
#[cfg(feature = "client")]
pub mod client;
mod connect_session;
mod connection;
mod connection_test;
mod environment;
mod field_value;
mod import_connection;
mod integration;
mod job;
mod key;
mod notification;
mod oauth_client;
mod problem;
mod provider;
mod provider_request;
mod text;
mod user;
mod webhook;

pub use activity::{Activity, ActivityQuery, ProxiedCall, StatusClass};
pub use api_key::{
    ApiKey, ApiKeyAnswer, ApiKeys, CreateApiKey, CreatedApiKey, CreatedApiKeyAnswer, ImportApiKey,
};
pub use audit::{AuditActor, AuditBreak, AuditEvent, AuditEvents, AuditObject, AuditVerification};
pub use authorization::{
    AccountToConfirm, AccountsToConfirm, Authorization, AuthorizationProblem, AuthorizationStage,
    CreateAuthorization, CreatedAuthorization,
};
pub use connect_session::{
    ConfirmAuthorization, ConnectSession, ConnectSessionAnswer, ConnectTelemetry, ConnectUiColors,
    ConnectUiSettings, ConnectUiTheme, CreateConnectSession, CreateReconnectSession, CreatedConnectSession,
    CreatedConnectSessionAnswer, EndUser, EndUserDraft, LinkedConnection, OrganizationOfUser,
    SessionDefaults, SessionOAuthClients, SessionOverrides,
};
pub use connection::{
    Connection, ConnectionError, ConnectionHealth, ConnectionIds, ConnectionQuery, ConnectionSummary,
    Connections, CreateConnection, CreatedConnection, CredentialsRead, DeletedConnection, Health,
    HealthFailure, IntegrationOfConnection, PutMetadata, ReadConnectionQuery, ReconnectConnection,
    TestConnection, UpdateConnection, UpdatedConnection,
};
pub use connection_test::{
    CreateProgress, Details, Outcome, Side, StageReport, TestProgress, TestReport, Verdict,
};
pub use environment::{
    ConnectUi, Environment, EnvironmentVariable, PutEnvironmentVariable, UpdateConnectUi, UpdateEnvironment,
};
pub use field_value::FieldValue;
pub use import_connection::{ClientOverride, ImportConnection, ImportedCredentials};
pub use integration::{
    CreateIntegration, Integration, IntegrationAnswer, IntegrationCredentials, IntegrationQuery,
    Integrations, RegisteredClient, UpdateIntegration,
};
pub use job::{Job, JobState, Jobs, JobsQuery};
pub use key::{DataKey, EnvironmentKeys, Keys};
pub use notification::{
    CreateNotificationRecipient, NotificationChannel, NotificationKind, NotificationLanguage,
    NotificationRecipient, NotificationRecipients, UpdateNotificationRecipient,
};
pub use oauth_client::{CreateOAuthClient, OAuthClient, OAuthClientOwner, OAuthClients, UpdateOAuthClient};
pub use problem::{Problem, ProblemError, ProblemField};
pub use provider::{
    Paste, Pasted, Provider, ProviderAnswer, ProviderField, ProviderFieldKind, ProviderGate, ProviderQuery,
    ProviderScheme, ProviderSetting, ProviderStage, Providers,
};
pub use provider_request::{
    CreateProviderRequest, ProviderRequest, ProviderRequestState, ProviderRequests, SettleProviderRequest,
};
pub use text::{Text, Wording};
pub use user::{InviteUser, PasswordLink, UpdateUser, User, UserRole, UserState, Users};
pub use webhook::{
    CreateWebhook, ReplayWebhook, ReplayedWebhook, UpdateWebhook, Webhook, WebhookAttempt, WebhookDeliveries,
    WebhookDeliveriesQuery, WebhookDelivery, WebhookDeliveryDetails, WebhookDeliveryState, WebhookFormat,
    WebhookWithSecret, Webhooks,
};

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The answer to something that has nothing else to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Success {
    /// Always `true`: what fails is a problem instead.
    pub success: bool,
}

/// Which page of a list is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// At most this many items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
