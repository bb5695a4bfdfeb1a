//! The vendor's published clients, unchanged, through the drop-in URL: one of our API keys stands where they put a token
//! or a password. `NPM_CLIENTS_DIR` names the folder whose `node_modules` holds them; `cargo xtask test` sets it.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tombolo_kintone_emulator::{Emulator, EmulatorOptions};
use tombolo_platform::start::{ConnectToOption, StartOptions, Started, start};
use tombolo_platform::{Belonging, ConnectionDraft, Platform};
use tombolo_server::{Server, ServerOptions};

/// An emulator with the built-in seed, a server, and one linked connection.
struct Linked {
    server: Server,
    key: String,
    _emulator: Emulator,
    _started: Started,
    _directory: TempDir,
}

impl Linked {
    async fn start(scheme: &str, fields: &[(&str, &str)]) -> Self {
        let emulator = Emulator::start(EmulatorOptions::default()).await.expect("the emulator starts");
        let directory = tempfile::tempdir().expect("a directory");
        let mut options = StartOptions::in_directory(directory.path().join("data"));
        options.egress.connect_to = ["demo.kintone.com", "sample.cybozu.com"]
            .map(|host| ConnectToOption {
                host: host.to_owned(),
                address: emulator.https_address().expect("TLS"),
                authority: emulator.certificate_authority_pem().map(str::to_owned),
                browser_address: None,
                without_tls: false,
            })
            .to_vec();
        let started = start(options).await.expect("the installation starts");
        let platform = Arc::clone(&started.platform);
        let key = link(&platform, scheme, fields).await;
        let server_options = ServerOptions {
            listen: "127.0.0.1:0".parse().expect("an address"),
            proxy_threads: 1,
            connections_max: 100,
            requests_per_minute: 1000,
            drain: Duration::from_secs(1),
            process_id: 9,
            tls: None,
            public_url: None,
            operator_socket: None,
        };
        let server = Server::start(platform, server_options).expect("the server starts");
        Self { server, key, _emulator: emulator, _started: started, _directory: directory }
    }

    /// Runs one of the emulator's own black-box suites against the drop-in URL.
    async fn run(&self, script: &'static str, credential: &[(&'static str, &str)]) {
        let Some(clients) = std::env::var_os("NPM_CLIENTS_DIR") else {
            eprintln!(
                "NOT RUN: {script} is not run through the drop-in URL, because NPM_CLIENTS_DIR is unset"
            );
            return;
        };
        // The clients take plain HTTP for the name `localhost` only.
        let base_url = format!("http://localhost:{}/c/kintone/linked", self.server.address().port());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kintone-emulator/tests/npm").join(script);
        let credential: Vec<(&str, String)> =
            credential.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let output = tokio::task::spawn_blocking(move || {
            let mut node = Command::new(std::env::var_os("NODE_BIN").unwrap_or_else(|| "node".into()));
            node.arg(script)
                .env("NPM_CLIENTS_DIR", clients)
                .env("BASE_URL", base_url)
                .env("THROUGH_PROXY", "1");
            node.envs(credential).output().expect("node runs")
        })
        .await
        .expect("node ends");
        let (printed, complained) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && printed.ends_with("all passed\n"), "{printed}{complained}");
    }
}

async fn link(platform: &Arc<Platform>, scheme: &str, fields: &[(&str, &str)]) -> String {
    let access = platform.operator_access(None).await.expect("the default environment");
    let draft = ConnectionDraft {
        integration: "kintone".to_owned(),
        name: "linked".to_owned(),
        connection_id: None,
        auth_scheme: Some(scheme.to_owned()),
        fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect(),
        settings: std::collections::BTreeMap::new(),
        tags: std::collections::BTreeMap::new(),
        metadata: serde_json::json!({}),
        belonging: Belonging::default(),
    };
    let created = platform.create_connection(&access, &draft, true, &mut |_| {}).await.expect("accepted");
    assert!(created.is_ok(), "the connection test passes");
    let scopes = ["environment:proxy".to_owned()];
    let (_, key) = platform.create_api_key(&access, "client", &scopes, None).await.expect("a key");
    key.expose().to_owned()
}

const TOKENS: [(&str, &str); 4] = [
    ("subdomain", "demo"),
    ("domain", "kintone.com"),
    ("app", "1,2,3"),
    (
        "token",
        "demoTokenCustomersAll0000000000000000000,demoTokenOrdersAll0000000000000000000000,demoTokenProductsView0000000000000000000",
    ),
];

const PASSWORD: [(&str, &str); 4] = [
    ("subdomain", "demo"),
    ("domain", "kintone.com"),
    ("login_name", "anna"),
    ("password", "demo-password-anna"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_client_over_tokens() {
    let linked = Linked::start("api_token", &TOKENS).await;
    linked.run("rest-api-client.mjs", &[("API_TOKENS", &linked.key)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_client_over_a_password() {
    let linked = Linked::start("password", &PASSWORD).await;
    linked.run("rest-api-client.mjs", &[("USERNAME_", "anybody"), ("PASSWORD", &linked.key)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_tool_over_tokens() {
    let linked = Linked::start("api_token", &TOKENS).await;
    linked.run("cli.mjs", &[("API_TOKENS", &linked.key)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_tool_over_a_password() {
    let linked = Linked::start("password", &PASSWORD).await;
    linked.run("cli.mjs", &[("USERNAME_", "anybody"), ("PASSWORD", &linked.key)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_client_in_a_guest_space_behind_basic() {
    let fields = [
        ("subdomain", "sample"),
        ("domain", "cybozu.com"),
        ("guest_space_id", "5"),
        ("app", "21"),
        ("token", "sampleTokenGuestKadai0000000000000000000"),
        ("basic_username", "gate"),
        ("basic_password", "sample-gate-password"),
    ];
    let linked = Linked::start("api_token", &fields).await;
    linked.run("guest-space.mjs", &[("API_TOKENS", &linked.key)]).await;
}
