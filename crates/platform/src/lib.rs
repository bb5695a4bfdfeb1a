#![doc = include_str!("../README.md")]

mod access;
mod activity;
mod api_keys;
mod caller_key;
mod clock;
pub mod connect;
mod connection_test;
mod connections;
mod credential_reading;
mod credentials;
mod directory;
mod environments;
mod health;
mod import;
mod integrations;
mod jobs;
mod keys;
mod lists;
mod metrics;
mod moments;
pub mod notifications;
pub mod oauth;
mod platform;
mod preparation;
mod problem;
mod provider_requests;
pub mod proxy;
mod reconnect;
mod refusals;
mod restoration;
pub mod start;
pub mod users;
mod variables;
mod verification;
pub mod webhooks;

pub use access::{Access, Granted, Scope};
pub use clock::{Clock, SystemClock, random_number};
pub use connection_test::{Details, Outcome, StageReport, TestEvent, TestReport, Verdict};
pub use connections::{Belonging, ConnectionChange, ConnectionDraft, CreatedConnection, Revoked, Watch};
pub use credential_reading::ReadCredentials;
pub use environments::{EnvironmentChange, EnvironmentSettings};
pub use import::{ConnectionImport, ImportedCredentials};
pub use integrations::{ChosenClient, IntegrationChange, IntegrationDraft, OwnClient};
pub use jobs::{Housekeeping, job_kinds};
pub use keys::{DataKeyFacts, EnvironmentKeys, InstallationKeys};
pub use metrics::PlatformFigures;
pub use platform::{DEFAULT_ENVIRONMENT, Platform, PlatformParts};
pub use problem::{Problem, ProblemKind};
pub use reconnect::Reconnection;
pub use restoration::restored_problem;

/// The definitions of providers, for those who show them.
pub use tombolo_catalog as catalog;
/// The rows of the database, for those who show them.
pub use tombolo_store as store;
