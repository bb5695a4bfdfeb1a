#![doc = include_str!("../README.md")]

mod activity;
mod api_keys;
mod audit;
mod authorizations;
mod commit;
mod connect_sessions;
mod connections;
mod database;
mod directory;
mod end_user;
mod environment_variables;
mod environments;
mod error;
mod id;
mod instance;
mod integrations;
mod jobs;
mod leases;
mod name;
mod notifications;
mod oauth_clients;
mod provider_requests;
mod restorations;
mod revocations;
mod schedules;
mod socket_messages;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod text_enum;
mod timestamp;
mod users;
mod webhook_events;
mod webhooks;

pub use activity::{
    ActivityCursor, ActivityFilter, ActivityPage, BlockEncoder, Call, CallDetail, CallDetailFilter,
    CallRecord, CorruptBlock, EncodedBlock, Phases, calls_in,
};
pub use api_keys::{ApiKey, ApiKeyHash, ApiKeyText, KeyFormatError, KeyLookup, NewApiKey, ScramVerifier};
pub use audit::{Actor, ActorKind, AuditBreak, AuditEvent, AuditVerification, NewAuditEvent, Object};
pub use authorizations::{Authorization, AuthorizationStage, AuthorizationStep, NewAuthorization};
pub use commit::{Change, Committed};
pub use connect_sessions::{ConnectSession, ConnectSessionSecrets, NewConnectSession};
pub use connections::{
    BegunRenewal, Connection, ConnectionCursor, ConnectionFilter, ConnectionHealth, ConnectionPage,
    ConnectionUpdate, CredentialsReplacement, FailedRenewal, Health, Interruption, NewConnection, Renewal,
    RenewalStart, Target, TokenLife,
};
pub use database::{Location, PostgresLocation, SqliteLocation};
pub use directory::{DataDirectory, DirectoryError};
pub use end_user::{EndUser, Organization};
pub use environment_variables::{EnvironmentVariable, PutEnvironmentVariable};
pub use environments::{
    Environment, NewEnvironment, PutEnvironmentSettings, StoredDataKey, is_environment_name,
};
pub use error::StoreError;
pub use id::{
    ApiKeyId, AuditEventId, AuthorizationId, ConnectSessionId, ConnectionId, EnvironmentId, InstanceId,
    IntegrationId, InvalidId, JobId, OAuthClientId, ProviderRequestId, RecipientId, SignInId, UserId,
    WebhookDeliveryId, WebhookEventId, WebhookId,
};
pub use instance::Instance;
pub use integrations::{Integration, IntegrationUpdate, NewIntegration};
pub use jobs::{ClaimedJob, Job, JobFilter, JobLease, JobState, NewJob};
pub use leases::Lease;
pub use name::check_connection_id;
pub use notifications::{
    Channel, DueNotice, NOTIFICATION_JOB, NewNotice, NewRecipient, NewReconnectLink, NoticeKind,
    NotificationChange, Recipient, RecipientUpdate, ReconnectLink, Told,
};
pub use oauth_clients::{ClientOwner, NewOAuthClient, OAuthClient, OAuthClientUpdate};
pub use provider_requests::{
    NewProviderRequest, ProviderRequest, ProviderRequestState, SettledProviderRequest,
};
pub use restorations::{Held, HeldConnection, Progress};
pub use revocations::{REVOCATION_JOB, Revocation};
pub use schedules::Schedule;
pub use socket_messages::SocketMessage;
pub use store::Store;
pub use timestamp::Timestamp;
pub use users::{
    AttemptBound, Identification, Identity, NewPasswordLink, NewSetUpToken, NewSignIn, NewUser, Role, SignIn,
    User, UserChange, UserUpdate,
};
pub use webhook_events::{NewWebhookEvent, WebhookEvent};
pub use webhooks::{
    DueDelivery, NewWebhook, NewWebhookAttempt, RedeliveredEvents, Redelivery, WEBHOOK_DELIVERY_JOB, Webhook,
    WebhookAttempt, WebhookChange, WebhookDelivery, WebhookDeliveryFilter, WebhookDeliveryState,
    WebhookFormat, WebhookHealth, WebhookUpdate,
};
