#![doc = include_str!("../README.md")]

mod api_keys;
mod commit;
mod connections;
mod database;
mod environments;
mod error;
mod id;
mod instance;
mod integrations;
mod name;
mod store;
mod text_enum;
mod timestamp;

pub use api_keys::{ApiKey, ApiKeyHash, ApiKeyText, KeyFormatError, NewApiKey, ScramVerifier};
pub use commit::{Change, Committed};
pub use connections::{
    Connection, ConnectionCursor, ConnectionFilter, ConnectionHealth, ConnectionPage, ConnectionUpdate,
    CredentialsReplacement, Health, NewConnection, Target,
};
pub use database::{Location, PostgresLocation, SqliteLocation};
pub use environments::{Environment, NewEnvironment, StoredDataKey};
pub use error::StoreError;
pub use id::{
    ApiKeyId, AuditEventId, ConnectionId, EnvironmentId, InstanceId, IntegrationId, InvalidId, JobId,
    WebhookEventId,
};
pub use instance::Instance;
pub use integrations::{Integration, IntegrationUpdate, NewIntegration};
pub use store::Store;
pub use timestamp::Timestamp;
