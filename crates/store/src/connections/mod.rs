//! One account's authorised access: its settings in the clear, its credentials sealed.

mod health;
pub(crate) mod hosts;
mod list;
mod read;
mod renewals;
mod write;

use std::collections::BTreeMap;

use serde_json::Value as Json;
use tombolo_vault::{HostSet, Sealed};

pub(crate) use health::{record as record_health, warn_of_end};
pub use list::{ConnectionCursor, ConnectionFilter, ConnectionPage};
pub use renewals::{BegunRenewal, FailedRenewal, Interruption, Renewal, RenewalStart};
pub(crate) use renewals::{fail as fail_renewal, retry_of_client as retry_renewals};
pub(crate) use write::{delete, insert, replace_credentials, update};

use crate::end_user::EndUser;
use crate::id::{ConnectionId, EnvironmentId, IntegrationId, OAuthClientId};
use crate::text_enum::text_enum;
use crate::timestamp::Timestamp;

/// A live connection as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Names it for ever; part of what its credentials are bound to.
    pub id: ConnectionId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// The integration it was made through.
    pub integration_id: IntegrationId,
    /// What people call it, as typed; unique in its environment.
    pub name: String,
    /// Names it in the API, together with its integration: its id, unless the caller chose another text.
    pub connection_id: String,
    /// Where requests go and how they are authenticated.
    pub target: Target,
    /// The credentials, if there are any.
    pub sealed: Option<Sealed>,
    /// How long the credentials are good.
    pub life: TokenLife,
    /// The record version that `sealed` is bound to. Grows with every secret written, never shrinks.
    pub sealed_version: u64,
    /// Settings that do not decide where requests go: a JSON object.
    pub settings: Json,
    /// How it does.
    pub health: Health,
    /// Why: a JSON object, or null.
    pub health_detail: Json,
    /// Since when it does so.
    pub health_since: Timestamp,
    /// When it is tested again, if it fails.
    pub next_test_at: Option<Timestamp>,
    /// When its credentials were written.
    pub sealed_at: Timestamp,
    /// Set when the database was restored since, so that the vendor may have replaced the refresh token: it is used when
    /// somebody says so.
    pub restored_at: Option<Timestamp>,
    /// For finding it.
    pub tags: BTreeMap<String, String>,
    /// The embedder's own data: a JSON object.
    pub metadata: Json,
    /// The person whom it belongs to, if an embedder said so.
    pub end_user: Option<EndUser>,
    /// Where webhook events about it go instead of the environment's receivers.
    pub webhook_url: Option<String>,
    /// Grows with every change of anything but health.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was last tested.
    pub last_tested_at: Option<Timestamp>,
}

/// What decides where requests go and what is sent there. It changes only together with the credentials: a stored secret
/// is never carried over to another target.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The provider's auth scheme.
    pub auth_scheme: String,
    /// The fields of the provider that are not secret: a JSON object.
    pub config: Json,
    /// The layers in front of the API, without their secrets: JSON.
    pub gates: Json,
    /// The hosts that the credentials are bound to.
    pub hosts: HostSet,
    /// The OAuth client that the account was authorised through.
    pub oauth_client: Option<OAuthClientId>,
    /// When the client certificate among the credentials ends; `None` when there is none.
    pub certificate_expires_at: Option<Timestamp>,
}

/// How long credentials are good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TokenLife {
    /// When they end; `None` when they do not, or nobody knows.
    pub expires_at: Option<Timestamp>,
    /// When they are to be renewed; `None` when they cannot be.
    pub renew_at: Option<Timestamp>,
    /// When they, and whatever can be had for them, end unless a person does something; `None` when nobody knows.
    pub ends_at: Option<Timestamp>,
}

text_enum! {
    /// How a connection does.
    Health {
        /// Nobody knows: it was not tested since its credentials were typed, or may be out of date.
        Unverified = "unverified",
        /// It can be used.
        Active = "active",
        /// It can be used, and its credentials end soon unless a person does something.
        Expiring = "expiring",
        /// It cannot be used for a reason other than its credentials; it is tried again by itself.
        Failing = "failing",
        /// Its credentials are good for nothing: they are not sent again until a person has typed or tested them.
        NeedsReconnecting = "needs_reconnecting",
    }
}

/// A connection to be made.
#[derive(Debug, Clone)]
pub struct NewConnection {
    /// The id that the credentials were sealed for.
    pub id: ConnectionId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// The integration it is made through.
    pub integration_id: IntegrationId,
    /// What people call it.
    pub name: String,
    /// Names it in the API; `None` means its id.
    pub connection_id: Option<String>,
    /// Where requests go and how they are authenticated.
    pub target: Target,
    /// The credentials, sealed for [`NewConnection::SEALED_VERSION`].
    pub sealed: Option<Sealed>,
    /// How long the credentials are good.
    pub life: TokenLife,
    /// Settings that do not decide where requests go: a JSON object.
    pub settings: Json,
    /// The outcome of its first test.
    pub health: Health,
    /// Why: a JSON object, or null.
    pub health_detail: Json,
    /// When it was tested.
    pub last_tested_at: Option<Timestamp>,
    /// For finding it.
    pub tags: BTreeMap<String, String>,
    /// The embedder's own data: a JSON object.
    pub metadata: Json,
    /// The person whom it belongs to.
    pub end_user: Option<EndUser>,
    /// Where webhook events about it go instead of the environment's receivers.
    pub webhook_url: Option<String>,
}

impl NewConnection {
    /// The record version that the credentials of a new connection are bound to.
    pub const SEALED_VERSION: u64 = 1;
}

/// New values for a connection; `None` keeps what is there.
#[derive(Debug, Clone)]
pub struct ConnectionUpdate {
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Which one.
    pub id: ConnectionId,
    /// The version that was read; another one is a conflict.
    pub expected_version: u64,
    /// What people call it.
    pub name: Option<String>,
    /// Settings that do not decide where requests go.
    pub settings: Option<Json>,
    /// For finding it.
    pub tags: Option<BTreeMap<String, String>>,
    /// The embedder's own data.
    pub metadata: Option<Json>,
    /// The person whom it belongs to.
    pub end_user: Option<EndUser>,
    /// Where webhook events about it go; `Some(None)` for the environment's receivers.
    pub webhook_url: Option<Option<String>>,
    /// A new target with the credentials for it (sealed for the read `sealed_version` + 1) and their life, or with none.
    pub target: Option<(Target, Option<Sealed>, TokenLife)>,
}

impl ConnectionUpdate {
    /// An update that changes nothing yet.
    pub const fn new(environment_id: EnvironmentId, id: ConnectionId, expected_version: u64) -> Self {
        Self {
            environment_id,
            id,
            expected_version,
            name: None,
            settings: None,
            tags: None,
            metadata: None,
            end_user: None,
            webhook_url: None,
            target: None,
        }
    }
}

/// Fresh credentials for the same target, such as after a token refresh.
#[derive(Debug, Clone)]
pub struct CredentialsReplacement {
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Which connection.
    pub id: ConnectionId,
    /// The `sealed_version` that was read; another one is a conflict, so that of two refreshes one wins.
    pub expected_sealed_version: u64,
    /// The credentials, sealed for `expected_sealed_version` + 1.
    pub sealed: Sealed,
    /// The hosts that they are bound to.
    pub hosts: HostSet,
    /// How long they are good.
    pub life: TokenLife,
    /// Whether the vendor has given no new refresh token.
    pub keeps_refresh_token: bool,
}

/// How a connection did.
#[derive(Debug, Clone)]
pub struct ConnectionHealth {
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Which connection.
    pub id: ConnectionId,
    /// The `sealed_version` that this is about; news about credentials that were replaced meanwhile are a conflict.
    pub sealed_version: u64,
    /// How it did.
    pub health: Health,
    /// Why: a JSON object, or null.
    pub detail: Json,
    /// When it was tested; `None` when the news come from ordinary calls.
    pub tested_at: Option<Timestamp>,
    /// When it is to be tested again, sooner than all others; for one that fails.
    pub next_test_at: Option<Timestamp>,
    /// Whether calls through the connection go out differently from now on. If not, what nodes keep of the environment
    /// stays good, so that testing many connections does not slow the calls through all of them.
    pub outdates: bool,
}
