//! The only place where secrets are sealed and opened.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tombolo_auth::{ClientCertificate, Credentials};
use tombolo_egress::ClientIdentity;
use tombolo_store::{EnvironmentId, Store};
use tombolo_vault::{
    Binding, BoundHost, DataKey, HostRole, HostSet, KeyId, KeyRing, Random, Sealed, WrappedDataKey,
};

use crate::problem::{Problem, ProblemKind};

/// What a secret is for: part of what it is bound to, so that one cannot stand in the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The credentials of a connection.
    Credentials,
    /// The secret of an OAuth client.
    OAuthClient,
    /// What an authorization has to remember until the vendor answers.
    Authorization,
    /// The value of a variable of an environment.
    Variable,
    /// The signing secrets of a webhook.
    Webhook,
    /// What waits in a connect session until its account is linked.
    ConnectSession,
    /// The address of a chat that is told about the health of connections.
    Recipient,
}

impl Purpose {
    const fn column(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::OAuthClient => "oauth_client",
            Self::Authorization => "authorization",
            Self::Variable => "variable",
            Self::Webhook => "webhook",
            Self::ConnectSession => "connect_session",
            Self::Recipient => "recipient",
        }
    }
}

/// Where a secret belongs.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) environment: EnvironmentId,
    pub(crate) purpose: Purpose,
    /// The connection, client, authorization or variable that it belongs to.
    pub(crate) object: String,
    pub(crate) version: u64,
    pub(crate) hosts: HostSet,
}

impl Place {
    fn binding(&self) -> Binding<'_> {
        Binding {
            environment: self.environment.as_str(),
            object: &self.object,
            column: self.purpose.column(),
            record_version: self.version,
            hosts: &self.hosts,
        }
    }
}

/// Seals and opens the credentials of connections.
pub(crate) struct Safe {
    ring: KeyRing,
    random: Arc<dyn Random>,
    /// Data keys by environment and version.
    data_keys: RwLock<HashMap<(EnvironmentId, u32), Arc<DataKey>>>,
}

/// The newest data key of an environment.
pub(crate) struct Sealer(Arc<DataKey>);

/// Sealed credentials with everything that is needed to open them in one step.
#[derive(Clone)]
pub(crate) struct SealedCredentials {
    pub(crate) sealed: Sealed,
    pub(crate) data_key: Arc<DataKey>,
    pub(crate) place: Place,
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

    /// Seals secrets for their place.
    pub(crate) async fn seal(
        &self,
        store: &Store,
        place: Place,
        credentials: &Credentials,
    ) -> Result<SealedCredentials, Problem> {
        let sealer = self.sealer(store, &place.environment).await?;
        self.seal_with(sealer, place, credentials)
    }

    /// What seals secrets of an environment from now on.
    pub(crate) async fn sealer(&self, store: &Store, environment: &EnvironmentId) -> Result<Sealer, Problem> {
        self.data_key(store, environment, None).await.map(Sealer)
    }

    /// Seals secrets for their place; needs nothing but memory.
    pub(crate) fn seal_with(
        &self,
        Sealer(data_key): Sealer,
        place: Place,
        credentials: &Credentials,
    ) -> Result<SealedCredentials, Problem> {
        let sealed = data_key
            .seal(&place.binding(), credentials.as_bytes(), &*self.random)
            .map_err(|error| internal("sealing_failed", &error))?;
        Ok(SealedCredentials { sealed, data_key, place })
    }

    /// Stored secrets with what opens them.
    pub(crate) async fn stored(
        &self,
        store: &Store,
        place: Place,
        sealed: Sealed,
    ) -> Result<SealedCredentials, Problem> {
        let data_key = self.data_key_of(store, &place.environment, &sealed).await?;
        Ok(SealedCredentials { sealed, data_key, place })
    }

    /// The data key that sealed something.
    async fn data_key_of(
        &self,
        store: &Store,
        environment: &EnvironmentId,
        sealed: &Sealed,
    ) -> Result<Arc<DataKey>, Problem> {
        self.data_key(store, environment, Some(sealed.data_key_version())).await
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
        let opened = self.data_key.open(&self.place.binding(), &self.sealed).map_err(|error| {
            let fix = "Reconnect the connection. If many connections fail like this, the database was changed from outside.";
            tracing::error!(object = %self.place.object, %error, "stored credentials do not open");
            Problem::new(ProblemKind::Unusable, "credentials_locked", format!("The stored credentials do not open: {error}"), fix)
        })?;
        Credentials::from_bytes(opened).map_err(|error| internal("credentials_malformed", &error))
    }

    /// The client certificate among the credentials, for the TLS handshakes of one plan.
    pub(crate) fn identity(&self) -> Result<Option<Arc<ClientIdentity>>, Problem> {
        identity_of(&self.open()?)
    }

    /// Whether a request may carry the credentials to a host.
    pub(crate) fn allows(&self, host: &str, port: u16) -> bool {
        self.place.hosts.allows(HostRole::Api, host, port)
    }
}

/// The client certificate among opened credentials, as TLS needs it.
pub(crate) fn identity_of(credentials: &Credentials) -> Result<Option<Arc<ClientIdentity>>, Problem> {
    let unusable = |error: &dyn std::fmt::Display| {
        let fix = "Reconnect the connection with the file of its client certificate.";
        Problem::new(ProblemKind::Unusable, "client_certificate_unusable", error.to_string(), fix)
    };
    let Some(certificate) = ClientCertificate::of(credentials).map_err(|error| unusable(&error))? else {
        return Ok(None);
    };
    let (chain, key) = certificate.into_tls();
    ClientIdentity::new(chain, key).map(|identity| Some(Arc::new(identity))).map_err(|error| unusable(&error))
}

/// The host set of a connection: the API host that it resolved to.
pub(crate) fn api_host(host: &str, port: u16) -> Result<HostSet, Problem> {
    let bound = BoundHost::new(HostRole::Api, host, port)
        .map_err(|error| Problem::invalid("invalid_host", error.to_string(), "Check the address."))?;
    Ok(HostSet::from_iter([bound]))
}

fn internal(code: &'static str, error: &dyn std::fmt::Display) -> Problem {
    let fix = "This is a fault of the installation: run `tombolo doctor` and see the log of the server.";
    Problem::new(ProblemKind::Internal, code, format!("Secrets cannot be used: {error}"), fix)
}
