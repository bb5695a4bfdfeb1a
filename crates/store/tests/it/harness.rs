//! A store on an empty database, and ready-made things to put into it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;
use tombolo_store::testing::new_postgres_database;
pub use tombolo_store::testing::tamper;
use tombolo_store::{
    Change, Connection, ConnectionId, Environment, EnvironmentId, Health, IntegrationId, Location,
    NewConnection, NewEnvironment, NewIntegration, PostgresLocation, SqliteLocation, Store, StoreError,
    Target, Timestamp, TokenLife,
};
use tombolo_vault::testing::SeededRandom;
use tombolo_vault::{
    Binding, BoundHost, DataKey, HostRole, HostSet, KeyRing, MasterKey, OpenError, Sealed, SystemRandom,
};

/// The databases that every test runs on.
#[derive(Debug, Clone, Copy)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A store with one environment, named `dev`.
pub struct TestStore {
    pub store: Store,
    pub location: Location,
    pub environment: Environment,
    pub data_key: DataKey,
    _directory: TempDir,
}

impl std::ops::Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

pub const NOW: Timestamp = Timestamp::from_milliseconds(1_764_000_000_000);

/// Milliseconds after [`NOW`].
pub fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_milliseconds(NOW.as_milliseconds() + milliseconds)
}

pub fn master_key(seed: u64) -> MasterKey {
    MasterKey::generate(&SeededRandom::new(seed)).expect("seeded bytes never fail")
}

pub fn key_ring() -> KeyRing {
    KeyRing::new(master_key(1))
}

/// Where an empty database is.
pub async fn empty_location(engine: Engine) -> (Location, TempDir) {
    let directory = TempDir::new().expect("a temporary directory");
    let location = match engine {
        Engine::Sqlite => sqlite_location(&directory).into(),
        Engine::Postgres => Location::Postgres(PostgresLocation {
            url: new_postgres_database().await.into(),
            max_connections: 5,
        }),
    };
    (location, directory)
}

pub fn sqlite_location(directory: &TempDir) -> SqliteLocation {
    SqliteLocation::new(directory.path().join("tombolo.db"), directory.path().join("activity.db"))
}

pub async fn open(location: &Location) -> Store {
    open_with(location, 1).await.expect("the store opens")
}

/// Opens a store with the master key of a seed.
pub async fn open_with(location: &Location, seed: u64) -> Result<Store, StoreError> {
    Store::open(location, &KeyRing::new(master_key(seed)), Arc::new(SystemRandom), NOW).await
}

impl TestStore {
    pub async fn new(engine: Engine) -> Self {
        let (location, directory) = empty_location(engine).await;
        let store = open(&location).await;
        store.initialise(&key_ring(), "dev", NOW).await.expect("the first start works");
        let environment = store.environment_named("dev").await.unwrap().expect("the first start made it");
        let data_key = load_data_key(&store, &environment.id).await;
        Self { store, location, environment, data_key, _directory: directory }
    }

    pub fn environment(&self) -> &EnvironmentId {
        &self.environment.id
    }

    pub async fn add_environment(&self, name: &str) -> EnvironmentId {
        let id = EnvironmentId::generate(NOW, &SystemRandom).unwrap();
        let data_key = DataKey::generate(id.as_str(), 1, &SystemRandom).unwrap();
        let data_key = data_key.wrap(&master_key(1), &SystemRandom).unwrap();
        let new = NewEnvironment { id: id.clone(), name: name.to_owned(), data_key };
        self.commit(&[Change::InsertEnvironment(new)], NOW).await.unwrap();
        id
    }

    pub async fn add_integration(&self, unique_key: &str) -> IntegrationId {
        let new = new_integration(self.environment(), unique_key);
        let id = new.id.clone();
        self.commit(&[Change::InsertIntegration(new)], NOW).await.unwrap();
        id
    }

    /// A connection without credentials.
    pub async fn add_connection(&self, integration: &IntegrationId, name: &str) -> Connection {
        self.add(self.new_connection(integration, name), NOW).await
    }

    pub async fn add(&self, new: NewConnection, at: Timestamp) -> Connection {
        let id = new.id.clone();
        self.commit(&[Change::InsertConnection(new)], at).await.unwrap();
        self.read(&id).await
    }

    pub async fn read(&self, id: &ConnectionId) -> Connection {
        self.connection(self.environment(), id).await.unwrap().expect("the connection is there")
    }

    /// Writes behind the store's back, as somebody with access to the database could.
    pub async fn tamper(&self, statement: &'static str) {
        tamper(&self.location, statement).await;
    }

    pub fn new_connection(&self, integration: &IntegrationId, name: &str) -> NewConnection {
        NewConnection {
            id: ConnectionId::generate(NOW, &SystemRandom).unwrap(),
            environment_id: self.environment().clone(),
            integration_id: integration.clone(),
            name: name.to_owned(),
            connection_id: None,
            target: target("acme.cybozu.com"),
            sealed: None,
            life: TokenLife::default(),
            settings: json!({ "timeout": 30 }),
            health: Health::Unverified,
            health_detail: json!(null),
            last_tested_at: None,
            tags: BTreeMap::new(),
            metadata: json!({}),
            end_user: None,
            webhook_url: None,
        }
    }

    pub fn seal(&self, connection: &ConnectionId, version: u64, hosts: &HostSet, secret: &str) -> Sealed {
        let binding = binding(self.environment(), connection, version, hosts);
        self.data_key.seal(&binding, secret.as_bytes(), &SystemRandom).unwrap()
    }

    pub fn opened(&self, connection: &Connection) -> String {
        self.try_open(connection).unwrap()
    }

    pub fn try_open(&self, connection: &Connection) -> Result<String, OpenError> {
        let (hosts, sealed) =
            (&connection.target.hosts, connection.sealed.as_ref().expect("it has credentials"));
        let binding = binding(self.environment(), &connection.id, connection.sealed_version, hosts);
        let opened = self.data_key.open(&binding, sealed)?;
        Ok(String::from_utf8(opened.to_vec()).unwrap())
    }
}

fn binding<'a>(
    environment: &'a EnvironmentId,
    connection: &'a ConnectionId,
    record_version: u64,
    hosts: &'a HostSet,
) -> Binding<'a> {
    let (environment, object) = (environment.as_str(), connection.as_str());
    Binding { environment, object, column: "credentials", record_version, hosts }
}

pub fn new_integration(environment: &EnvironmentId, unique_key: &str) -> NewIntegration {
    NewIntegration {
        id: IntegrationId::generate(NOW, &SystemRandom).unwrap(),
        environment_id: environment.clone(),
        unique_key: unique_key.to_owned(),
        provider: "kintone".to_owned(),
        display_name: "kintone".to_owned(),
        auth_schemes: vec!["api_token".to_owned()],
        defaults: json!({ "domain": "cybozu.com" }),
        oauth_client: None,
    }
}

pub fn target(host: &str) -> Target {
    Target {
        auth_scheme: "api_token".to_owned(),
        config: json!({ "subdomain": "acme" }),
        gates: json!([]),
        hosts: [BoundHost::new(HostRole::Api, host, 443).expect("a literal host")].into_iter().collect(),
        oauth_client: None,
        certificate_expires_at: None,
    }
}

pub async fn load_data_key(store: &Store, environment: &EnvironmentId) -> DataKey {
    let stored = store.data_keys(environment).await.unwrap();
    key_ring().unwrap_data_key(&stored[0].wrapped, environment.as_str()).unwrap()
}
