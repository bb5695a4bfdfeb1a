//! The only place where secrets are sealed and opened.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tombolo_auth::Credentials;
use tombolo_store::{EnvironmentId, Store};
use tombolo_vault::{
    Binding, BoundHost, DataKey, HostRole, HostSet, KeyId, KeyRing, Random, Sealed, WrappedDataKey,
};

use crate::problem::{Problem, ProblemKind};

/// The column that holds the credentials of a connection; part of what they are bound to.
const COLUMN: &str = "credentials";

/// Seals and opens the credentials of connections.
pub(crate) struct Safe {
    ring: KeyRing,
    random: Arc<dyn Random>,
    /// Data keys by environment and version.
    data_keys: RwLock<HashMap<(EnvironmentId, u32), Arc<DataKey>>>,
}

/// Sealed credentials with everything that is needed to open them in one step.
#[derive(Clone)]
pub(crate) struct SealedCredentials {
    pub(crate) sealed: Sealed,
    pub(crate) data_key: Arc<DataKey>,
    pub(crate) environment: EnvironmentId,
    /// The connection that they belong to, or the id that a connection under test would have.
    pub(crate) object: String,
    pub(crate) version: u64,
    pub(crate) hosts: HostSet,
}

impl Safe {
    pub(crate) fn new(ring: KeyRing, random: Arc<dyn Random>) -> Self {
        Self { ring, random, data_keys: RwLock::default() }
    }

    /// Names the master key that wraps new data keys.
    pub(crate) fn master_key_id(&self) -> KeyId {
        self.ring.current().id()
    }

    /// The first data key of a new environment, wrapped.
    pub(crate) fn first_data_key(&self, environment: &EnvironmentId) -> Result<WrappedDataKey, Problem> {
        let key = DataKey::generate(environment.as_str(), 1, &*self.random)
            .map_err(|error| internal("no_randomness", &error))?;
        key.wrap(self.ring.current(), &*self.random).map_err(|error| internal("sealing_failed", &error))
    }

    /// Seals credentials for a connection and the hosts that it resolved to.
    pub(crate) async fn seal(
        &self,
        store: &Store,
        environment: &EnvironmentId,
        object: &str,
        version: u64,
        hosts: HostSet,
        credentials: &Credentials,
    ) -> Result<SealedCredentials, Problem> {
        let data_key = self.newest_data_key(store, environment).await?;
        let binding = binding(environment, object, version, &hosts);
        let sealed = data_key
            .seal(&binding, credentials.as_bytes(), &*self.random)
            .map_err(|error| internal("sealing_failed", &error))?;
        let object = object.to_owned();
        Ok(SealedCredentials { sealed, data_key, environment: environment.clone(), object, version, hosts })
    }

    /// The data key that sealed something.
    pub(crate) async fn data_key_of(
        &self,
        store: &Store,
        environment: &EnvironmentId,
        sealed: &Sealed,
    ) -> Result<Arc<DataKey>, Problem> {
        self.data_key(store, environment, Some(sealed.data_key_version())).await
    }

    async fn newest_data_key(
        &self,
        store: &Store,
        environment: &EnvironmentId,
    ) -> Result<Arc<DataKey>, Problem> {
        self.data_key(store, environment, None).await
    }

    async fn data_key(
        &self,
        store: &Store,
        environment: &EnvironmentId,
        version: Option<u32>,
    ) -> Result<Arc<DataKey>, Problem> {
        if let Some(version) = version {
            let known = self.data_keys.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(key) = known.get(&(environment.clone(), version)) {
                return Ok(Arc::clone(key));
            }
        }
        let stored = store.data_keys(environment).await?;
        let wanted = stored
            .into_iter()
            .find(|key| version.is_none_or(|version| key.wrapped.version() == version))
            .ok_or_else(|| internal("data_key_missing", &"the environment has no such data key"))?;
        let key = self
            .ring
            .unwrap_data_key(&wanted.wrapped, environment.as_str())
            .map_err(|error| internal("data_key_locked", &error))?;
        let key = Arc::new(key);
        let mut known = self.data_keys.write().unwrap_or_else(PoisonError::into_inner);
        known.insert((environment.clone(), wanted.wrapped.version()), Arc::clone(&key));
        Ok(key)
    }
}

impl SealedCredentials {
    /// Opens the credentials for one use. They go nowhere but into a request or a connection test.
    pub(crate) fn open(&self) -> Result<Credentials, Problem> {
        let binding = binding(&self.environment, &self.object, self.version, &self.hosts);
        let opened = self.data_key.open(&binding, &self.sealed).map_err(|error| {
            let fix = "Reconnect the connection. If many connections fail like this, the database was changed from outside.";
            tracing::error!(connection = %self.object, %error, "stored credentials do not open");
            Problem::new(ProblemKind::Unusable, "credentials_locked", format!("The stored credentials do not open: {error}"), fix)
        })?;
        Credentials::from_bytes(opened).map_err(|error| internal("credentials_malformed", &error))
    }

    /// Whether a request may carry the credentials to a host.
    pub(crate) fn allows(&self, host: &str, port: u16) -> bool {
        self.hosts.allows(HostRole::Api, host, port)
    }
}

/// The host set of a connection: the API host that it resolved to.
pub(crate) fn api_host(host: &str, port: u16) -> Result<HostSet, Problem> {
    let bound = BoundHost::new(HostRole::Api, host, port)
        .map_err(|error| Problem::invalid("invalid_host", error.to_string(), "Check the address."))?;
    Ok(HostSet::from_iter([bound]))
}

fn binding<'a>(
    environment: &'a EnvironmentId,
    object: &'a str,
    version: u64,
    hosts: &'a HostSet,
) -> Binding<'a> {
    Binding { environment: environment.as_str(), object, column: COLUMN, record_version: version, hosts }
}

fn internal(code: &'static str, error: &dyn std::fmt::Display) -> Problem {
    let fix = "This is a fault of the installation: run `tombolo doctor` and see the log of the server.";
    Problem::new(ProblemKind::Internal, code, format!("Secrets cannot be used: {error}"), fix)
}
