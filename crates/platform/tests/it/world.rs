//! An emulator, and a platform that reaches it over TLS under its real host names.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method};
use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;
use tombolo_egress::FixedResolver;
use tombolo_kintone_emulator::{Control, Emulator, EmulatorOptions};
use tombolo_platform::proxy::{Call, CallBody, Lane, send};
use tombolo_platform::start::{ConnectToOption, MasterKeySource, StartOptions, Started, start};
use tombolo_platform::{
    Access, Belonging, Clock, ConnectionDraft, CreatedConnection, Platform, Problem, SystemClock, TestEvent,
    TestReport,
};
use tombolo_store::testing::new_postgres_database;
use tombolo_store::{Location, PostgresLocation, SqliteLocation, Timestamp};
use tombolo_vault::MasterKey;
use tombolo_vault::testing::SeededRandom;

/// The databases that the suite runs on.
#[derive(Debug, Clone, Copy)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// The system's clock, set forward.
#[derive(Default)]
pub struct SetForward(AtomicI64);

impl SetForward {
    pub fn by(&self, duration: Duration) {
        self.0.fetch_add(duration.as_millis() as i64, Ordering::Relaxed);
    }
}

impl Clock for SetForward {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus(Duration::from_millis(self.0.load(Ordering::Relaxed) as u64))
    }
}

pub struct World {
    pub platform: Arc<Platform>,
    pub access: Access,
    pub lane: Lane,
    pub directory: TempDir,
    /// What it runs on; `None` for SQLite in `directory`.
    pub postgres: Option<String>,
    emulator: Emulator,
    started: Started,
}

/// A further platform on the database of a world.
pub struct Node {
    pub platform: Arc<Platform>,
    pub access: Access,
    pub lane: Lane,
    _started: Started,
}

impl World {
    pub async fn start() -> Self {
        Self::start_on(Backend::Sqlite).await
    }

    pub async fn start_on(backend: Backend) -> Self {
        Self::start_changed(backend, |_, _| {}).await
    }

    /// Starts on SQLite with changed options.
    pub async fn start_with(change: impl FnOnce(&mut StartOptions, &Emulator)) -> Self {
        Self::start_changed(Backend::Sqlite, change).await
    }

    pub async fn start_changed(backend: Backend, change: impl FnOnce(&mut StartOptions, &Emulator)) -> Self {
        let emulator = Emulator::start(EmulatorOptions::default()).await.expect("the emulator starts");
        let directory = tempfile::tempdir().expect("a directory");
        let postgres = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(new_postgres_database().await),
        };
        let mut options = options(&emulator, &directory, postgres.as_deref());
        change(&mut options, &emulator);
        let started = start(options).await.expect("the platform starts");
        let platform = Arc::clone(&started.platform);
        let access = platform.operator_access(None).await.expect("the default environment");
        Self { lane: platform.lane(), platform, access, directory, postgres, emulator, started }
    }

    /// The options that the world was started with, before any change.
    pub fn options(&self) -> StartOptions {
        options(&self.emulator, &self.directory, self.postgres.as_deref())
    }

    /// Starts a further platform on the same PostgreSQL.
    pub async fn another_node(&self) -> Node {
        Node::start(self.options()).await
    }

    /// Stops the platform and starts another one on the same database.
    pub async fn restarted(self) -> (Node, Emulator, TempDir) {
        let options = self.options();
        self.platform.store().close().await;
        let Self { emulator, directory, started, .. } = self;
        drop(started);
        (Node::start(options).await, emulator, directory)
    }

    /// Stops the platform; the emulator goes on.
    pub async fn stopped(self) -> (Emulator, TempDir) {
        self.platform.store().close().await;
        let Self { emulator, directory, .. } = self;
        (emulator, directory)
    }

    /// Lets go of everything but the files.
    pub fn into_directory(self) -> TempDir {
        self.directory
    }

    /// Where the database is, for those who write behind the platform's back.
    pub fn location(&self) -> Location {
        if let Some(url) = &self.postgres {
            return Location::Postgres(PostgresLocation::new(url.clone().into()));
        }
        let data = self.directory.path().join("data");
        SqliteLocation::new(data.join("tombolo.db"), data.join("activity.db")).into()
    }

    /// Where the emulator listens without TLS, for browsers.
    pub fn kintone_port(&self) -> u16 {
        self.emulator.http_address().port()
    }

    /// Where the emulator listens with TLS, and the authority of its certificate.
    pub fn kintone_address(&self) -> (String, String) {
        let address = self.emulator.https_address().expect("TLS").to_string();
        (address, self.emulator.certificate_authority_pem().expect("TLS").to_owned())
    }

    /// What the emulator can be told and asked.
    pub fn kintone(&self) -> Control {
        self.emulator.control()
    }

    pub async fn create(
        &self,
        draft: &ConnectionDraft,
    ) -> Result<Result<CreatedConnection, TestReport>, Problem> {
        self.platform.create_connection(&self.access, draft, true, &mut |_| {}).await
    }

    pub async fn test(&self, draft: &ConnectionDraft) -> Result<(TestReport, Vec<TestEvent>), Problem> {
        let mut events = Vec::new();
        let report = self.platform.test_draft(&self.access, draft, &mut |event| events.push(event)).await?;
        Ok((report, events))
    }

    /// A call through a connection: status, headers and JSON.
    pub async fn call(
        &self,
        connection: &str,
        method: Method,
        target: &str,
        body: &str,
    ) -> (u16, HeaderMap, Value) {
        call(&self.platform, &self.lane, &self.access, connection, (method, target, body)).await
    }

    /// A GET through a connection: status, and the code of a problem of our own.
    pub async fn get(&self, connection: &str, target: &str) -> (u16, String) {
        short(self.call(connection, Method::GET, target, "").await)
    }
}

impl Node {
    pub async fn start(options: StartOptions) -> Self {
        let started = start(options).await.expect("the platform starts");
        let platform = Arc::clone(&started.platform);
        let access = platform.operator_access(None).await.expect("the default environment");
        Self { lane: platform.lane(), platform, access, _started: started }
    }

    pub async fn get(&self, connection: &str, target: &str) -> (u16, String) {
        let line = (Method::GET, target, "");
        short(call(&self.platform, &self.lane, &self.access, connection, line).await)
    }
}

fn short((status, _, body): (u16, HeaderMap, Value)) -> (u16, String) {
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

/// A call through a connection, with a JSON body unless it is empty.
pub async fn call(
    platform: &Arc<Platform>,
    lane: &Lane,
    access: &Access,
    connection: &str,
    (method, target, body): (Method, &str, &str),
) -> (u16, HeaderMap, Value) {
    let mut headers = HeaderMap::new();
    if !body.is_empty() {
        headers.insert("content-type", "application/json".parse().expect("a value"));
    }
    call_with(platform, lane, access, connection, (method, target, headers, body)).await
}

pub async fn call_with(
    platform: &Arc<Platform>,
    lane: &Lane,
    access: &Access,
    connection: &str,
    (method, target, headers, body): (Method, &str, HeaderMap, &str),
) -> (u16, HeaderMap, Value) {
    let outcome = async {
        let plan = platform.plan(&access.environment, None, connection).await?;
        let call = Call {
            method,
            target,
            headers,
            body: CallBody::Full(Bytes::from(body.to_owned())),
            caller: None,
            request_id: "req_test",
            started: Instant::now(),
        };
        send(lane, &plan, call).await
    };
    match outcome.await {
        Ok(answer) => {
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let body = answer.into_body().collect(1 << 24, Duration::from_secs(10)).await;
            let body = body.map_or(Value::from("broken off"), |body| {
                serde_json::from_slice(&body).unwrap_or(Value::Null)
            });
            (status, headers, body)
        }
        Err(problem) => (
            problem.kind.status(),
            HeaderMap::new(),
            serde_json::json!({ "code": problem.code, "what": problem.what, "fix": problem.fix }),
        ),
    }
}

/// The hosts that the emulator stands for, those for client certificates among them.
const HOSTS: [&str; 5] = [
    "demo.kintone.com",
    "demo.s.kintone.com",
    "sample.cybozu.com",
    "sample.s.cybozu.com",
    "stranger.kintone.com",
];

/// Options for the emulator: its tenants under their names, over TLS, and one name that is private.
fn options(emulator: &Emulator, directory: &TempDir, postgres: Option<&str>) -> StartOptions {
    let address = emulator.https_address().expect("TLS").to_string();
    let authority = emulator.certificate_authority_pem();
    options_towards(&address, authority, directory.path().join("data"), postgres)
}

/// The same for an emulator that another process runs.
pub fn options_towards(
    address: &str,
    authority: Option<&str>,
    data: PathBuf,
    postgres: Option<&str>,
) -> StartOptions {
    let mut options = StartOptions::in_directory(data);
    options.resolver = Arc::new(
        FixedResolver::default().with("private.kintone.com", &["10.0.0.5".parse().expect("an address")]),
    );
    options.egress.connect_to = HOSTS
        .map(|host| ConnectToOption { authority: authority.map(str::to_owned), ..connect_to(host, address) })
        .to_vec();
    if let Some(url) = postgres {
        options.postgres = Some(url.into());
        options.master_key = MasterKeySource::Text(master_key_text(1));
    }
    options
}

/// The text of a key file; each seed is another key.
pub fn master_key_text(seed: u64) -> SecretString {
    MasterKey::generate(&SeededRandom::new(seed)).expect("seeded bytes never fail").to_key_file_text()
}

/// A host that is reached elsewhere, without a trusted authority.
pub fn connect_to(host: &str, address: &str) -> ConnectToOption {
    ConnectToOption {
        host: host.to_owned(),
        address: address.parse().expect("an address"),
        authority: None,
        browser_address: None,
        without_tls: false,
    }
}

/// A draft of a Kintone connection.
pub fn draft(name: &str, scheme: &str, fields: &[(&str, &str)]) -> ConnectionDraft {
    ConnectionDraft {
        integration: "kintone".to_owned(),
        name: name.to_owned(),
        connection_id: None,
        auth_scheme: Some(scheme.to_owned()),
        fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect(),
        settings: BTreeMap::new(),
        tags: BTreeMap::new(),
        metadata: serde_json::json!({}),
        belonging: Belonging::default(),
    }
}
