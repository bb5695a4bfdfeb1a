//! A whole installation for one test: a server on a free port, SQLite in a directory of its own, and the emulator behind
//! it, reached over TLS under its real host names.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use regex::{Captures, Regex};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tempfile::TempDir;
use tombolo_api::client::{ApiClient, Transport, full};
use tombolo_kintone_emulator::model::{ApiToken, Permission};
use tombolo_kintone_emulator::{Control, Emulator, EmulatorOptions};
use tombolo_platform::start::{ConnectToOption, MasterKeySource, StartOptions, Started, start};
use tombolo_platform::store::{Change, EnvironmentId, NewEnvironment, Timestamp};
use tombolo_platform::{Access, Clock, Platform, SystemClock};
use tombolo_server::{Server, ServerOptions};
use tombolo_store::testing::new_postgres_database;
use tombolo_vault::testing::SeededRandom;
use tombolo_vault::{DataKey, KeyRing, MasterKey};

/// Markers: secrets that occur nowhere else.
pub const TOKEN: &str = "canaryTokenCustomers00000000000000000001";
pub const OTHER_TOKEN: &str = "canaryTokenOrders00000000000000000000002";
pub const PASSWORD: &str = "Canary-Pass+word/3 %&=";

/// The databases that a server runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

pub struct App {
    pub platform: Arc<Platform>,
    pub clock: Arc<TestClock>,
    server: Server,
    key: String,
    master_key: SecretString,
    random: Arc<SeededRandom>,
    emulator: Emulator,
    answers: Arc<Mutex<Vec<u8>>>,
    _started: Started,
    directory: TempDir,
}

impl App {
    pub async fn start() -> Self {
        Self::start_on(Engine::Sqlite).await
    }

    pub async fn start_on(engine: Engine) -> Self {
        Self::start_with(engine, None, |_, _| {}).await
    }

    /// Starts as a server that browsers reach under a URL, through something that adds TLS.
    pub async fn start_reached_as(public_url: Option<&str>) -> Self {
        Self::start_with(Engine::Sqlite, public_url, |_, _| {}).await
    }

    /// Starts with changed options; files of a test have their place in the directory.
    pub async fn start_with(
        engine: Engine,
        public_url: Option<&str>,
        change: impl FnOnce(&mut StartOptions, &Path),
    ) -> Self {
        let emulator = Emulator::start(EmulatorOptions::default()).await.expect("the emulator starts");
        Self::start_before(emulator, engine, public_url, change).await
    }

    /// Starts for real browsers: pages of the emulated tenants can be opened, and time passes by itself.
    pub async fn start_for_browsers(change: impl FnOnce(&mut StartOptions, &Path)) -> Self {
        let emulator = Emulator::start(EmulatorOptions::default()).await.expect("the emulator starts");
        let pages = format!("http://localhost:{}/t", emulator.http_address().port());
        Self::start_before(emulator, Engine::Sqlite, None, |options, directory| {
            let demo = options.egress.connect_to.remove(0);
            options.egress.connect_to.extend(["demo.kintone.com", "sample.cybozu.com"].map(|host| {
                let tenant = host.split('.').next().expect("a tenant");
                let browser_address = Some(format!("{pages}/{tenant}"));
                ConnectToOption { host: host.to_owned(), browser_address, ..demo.clone() }
            }));
            options.clock = Arc::new(SystemClock);
            change(options, directory);
        })
        .await
    }

    async fn start_before(
        emulator: Emulator,
        engine: Engine,
        public_url: Option<&str>,
        change: impl FnOnce(&mut StartOptions, &Path),
    ) -> Self {
        let permissions =
            vec![Permission::View, Permission::Add, Permission::Edit, Permission::Delete, Permission::Manage];
        for (app, token) in [(1, TOKEN), (2, OTHER_TOKEN)] {
            let token =
                ApiToken { token: token.to_owned(), permissions: permissions.clone(), deployed: true };
            emulator.control().add_token("demo", app, token).expect("the tenant has the app");
        }
        emulator.control().set_password("demo", "anna", PASSWORD).expect("the tenant has the user");

        let directory = tempfile::tempdir().expect("a directory");
        let random = Arc::new(SeededRandom::new(1));
        let master_key = MasterKey::generate(&*random).expect("randomness").to_key_file_text();
        let clock = Arc::new(TestClock::default());
        let mut options = StartOptions::in_directory(directory.path().join("data"));
        if engine == Engine::Postgres {
            let url = new_postgres_database().await;
            options.postgres = Some(url.into());
        }
        options.master_key = MasterKeySource::Text(master_key.clone());
        options.clock = Arc::clone(&clock) as Arc<dyn Clock>;
        options.random = Arc::clone(&random) as Arc<dyn tombolo_vault::Random>;
        options.egress.connect_to = vec![ConnectToOption {
            host: "demo.kintone.com".to_owned(),
            address: emulator.https_address().expect("TLS"),
            authority: emulator.certificate_authority_pem().map(str::to_owned),
            browser_address: None,
            without_tls: false,
        }];
        change(&mut options, directory.path());
        let started = start(options).await.expect("the installation starts");
        let platform = Arc::clone(&started.platform);
        let server = Server::start(
            Arc::clone(&platform),
            ServerOptions {
                listen: "127.0.0.1:0".parse().expect("an address"),
                proxy_threads: 1,
                connections_max: 100,
                requests_per_minute: 1000,
                drain: Duration::from_secs(1),
                process_id: 7,
                tls: None,
                public_url: public_url.map(str::to_owned),
                operator_socket: Some(directory.path().join("operator.sock")),
            },
        )
        .expect("the server starts");
        let operator = platform.operator_access(None).await.expect("the default environment");
        let key = make_key(&platform, &operator, &["environment:*"]).await;
        let answers = Arc::default();
        Self {
            platform,
            clock,
            server,
            key,
            master_key,
            random,
            emulator,
            answers,
            _started: started,
            directory,
        }
    }

    /// Where the server is reached; browsers and clients of vendors know it as `localhost`.
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.server.address().port())
    }

    /// A key of the default environment.
    pub async fn key_with_scopes(&self, scopes: &[&str]) -> String {
        let operator = self.platform.operator_access(None).await.expect("the default environment");
        make_key(&self.platform, &operator, scopes).await
    }

    /// A caller of the default environment that may do everything.
    pub fn caller(&self) -> Caller {
        self.caller_with_key(Some(&self.key))
    }

    /// A caller of the default environment with other scopes.
    pub async fn caller_with_scopes(&self, scopes: &[&str]) -> Caller {
        let operator = self.platform.operator_access(None).await.expect("the default environment");
        let key = make_key(&self.platform, &operator, scopes).await;
        self.caller_with_key(Some(&key))
    }

    /// A caller with any key, or with none.
    pub fn caller_with_key(&self, key: Option<&str>) -> Caller {
        let transport = Transport::url(&format!("http://{}", self.server.address())).expect("a URL");
        self.caller_over(transport, key)
    }

    /// The operator at the socket file.
    pub fn operator(&self) -> Caller {
        self.caller_over(Transport::socket(self.directory.path().join("operator.sock")), None)
    }

    fn caller_over(&self, transport: Transport, key: Option<&str>) -> Caller {
        let client = ApiClient::new(transport);
        let client = match key {
            Some(key) => client.with_key(key.into()),
            None => client,
        };
        Caller { client, key: key.map(str::to_owned), answers: Arc::clone(&self.answers) }
    }

    /// A second environment, and a caller of it that may do everything.
    pub async fn other_environment(&self) -> Caller {
        let now = self.clock.now();
        let id = EnvironmentId::generate(now, &*self.random).expect("randomness");
        let data_key = DataKey::generate(id.as_str(), 1, &*self.random).expect("randomness");
        let ring = KeyRing::new(MasterKey::parse(self.master_key.expose_secret()).expect("a key"));
        let data_key = data_key.wrap(ring.current(), &*self.random).expect("wraps");
        let new = NewEnvironment { id, name: "other".to_owned(), data_key };
        self.platform.store().commit(&[Change::InsertEnvironment(new)], now).await.expect("stored");
        let access = self.platform.operator_access(Some("other")).await.expect("it is there");
        let key = make_key(&self.platform, &access, &["environment:*"]).await;
        self.caller_with_key(Some(&key))
    }

    /// What the emulated vendor can be told and asked.
    pub fn vendor(&self) -> Control {
        self.emulator.control()
    }

    /// Where programs that are no part of the test tell and ask the emulated vendor.
    pub fn vendor_control_url(&self) -> String {
        format!("http://{}", self.emulator.control_address().expect("it listens"))
    }

    /// Somebody's browser at a page of the emulated vendor, whose paths begin with `/t/demo` there.
    pub fn at_the_vendor(&self) -> Caller {
        let transport = Transport::url(&format!("http://{}", self.emulator.http_address())).expect("a URL");
        self.caller_over(transport, None)
    }

    /// Every answer that was received so far, headers and bodies.
    pub fn answers(&self) -> Vec<u8> {
        self.answers.lock().expect("not poisoned").clone()
    }

    /// Every file of the data directory.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        read_files(&self.directory.path().join("data"), &mut files);
        files
    }

    /// A connection to the first app with a token of all permissions.
    pub async fn connect(&self, name: &str) -> Value {
        let answer = self.caller().post("/connections", &draft(name)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()
    }
}

/// What a connection to the first app is made from.
pub fn draft(name: &str) -> Value {
    json!({
        "provider_config_key": "kintone",
        "name": name,
        "auth_scheme": "api_token",
        "fields": { "subdomain": "demo", "domain": "kintone.com", "token": [TOKEN], "app": "1" },
    })
}

async fn make_key(platform: &Arc<Platform>, access: &Access, scopes: &[&str]) -> String {
    let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let (_, text) = platform.create_api_key(access, "test", &scopes, None).await.expect("a key");
    text.expose().to_owned()
}

fn read_files(directory: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            read_files(&path, files);
        } else {
            files.push((path.clone(), std::fs::read(&path).expect("readable")));
        }
    }
}

/// Somebody who calls the server.
pub struct Caller {
    pub client: ApiClient,
    /// The API key as text, for calls that carry it in a place of the vendor's.
    pub key: Option<String>,
    answers: Arc<Mutex<Vec<u8>>>,
}

impl Caller {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], Bytes::new()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send_json(Method::POST, path, body).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send_json(Method::PATCH, path, body).await
    }

    pub async fn send_json(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[("content-type", "application/json")], body.to_string().into()).await
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(full(body)).expect("a request");
        let response = self.client.send(request).await.expect("an answer");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("the whole body").to_bytes();
        let mut answers = self.answers.lock().expect("not poisoned");
        answers.extend_from_slice(format!("{:?}\n", head.headers).as_bytes());
        answers.extend_from_slice(&body);
        Answer { status: head.status, headers: head.headers, body }
    }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// Status and code of a problem, or status alone.
    pub fn verdict(&self) -> String {
        match serde_json::from_slice::<Value>(&self.body)
            .ok()
            .and_then(|body| body["code"].as_str().map(str::to_owned))
        {
            Some(code) => format!("{} {code}", self.status.as_u16()),
            None => self.status.as_u16().to_string(),
        }
    }

    /// Status and body for a snapshot: ids numbered in the order in which they come, durations left out.
    pub fn snapshot(&self) -> String {
        let body = serde_json::to_string_pretty(&self.json()).expect("JSON");
        format!("{}\n{}", self.status, settled(&body))
    }
}

/// A text without what differs from run to run.
pub fn settled(text: &str) -> String {
    let ids = Regex::new("(env|int|con|key|job|aud|evt|ins|req|oac|aut|whk|whd)_[0-9a-f]{24,32}")
        .expect("a pattern");
    let mut seen: Vec<String> = Vec::new();
    let numbered = ids.replace_all(text, |found: &Captures<'_>| {
        let position = seen.iter().position(|id| *id == found[0]).unwrap_or_else(|| {
            seen.push(found[0].to_owned());
            seen.len() - 1
        });
        format!("{}_{}", &found[1], position + 1)
    });
    let micros = Regex::new(r#""((?:\w+_)?micros)": ?\d+"#).expect("a pattern");
    let ports = Regex::new(r"127\.0\.0\.1:\d+").expect("a pattern");
    ports.replace_all(&micros.replace_all(&numbered, r#""$1": 0"#), "127.0.0.1:0").into_owned()
}

/// A clock that stands still until it is told otherwise.
pub struct TestClock(AtomicI64);

impl Default for TestClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_767_225_600_000)) // 2026-01-01T00:00:00Z
    }
}

impl TestClock {
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).expect("a short time"), Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.0.load(Ordering::Relaxed))
    }
}
