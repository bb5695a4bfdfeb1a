//! The published clients of the compatible API, unchanged. `NPM_CLIENTS_DIR` names the folder whose `node_modules` holds
//! them; `cargo xtask test` sets it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};
use tombolo_kintone_emulator::{Simulator, SimulatorOptions};
use tombolo_platform::SystemClock;
use tombolo_platform::catalog::import;
use tombolo_platform::start::{ConnectToOption, StartOptions};

use crate::app::{App, Engine};
use crate::node::{SCOPES, run};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_back_end_client(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let app = App::start_on(engine).await;
    // With the key that its back end has had all along.
    let key = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
    let existing = json!({ "display_name": "backend", "key": key, "scopes": SCOPES });
    let imported = app.operator().post("/imported-api-keys", &existing).await;
    assert_eq!(imported.status, 201, "{}", imported.text());
    run(&app, key, "npm/nango-node.mjs", &[]).await;
}

/// In Chromium, against an identity provider that knows nothing of us.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_front_end_client(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let port = free_port();
    let app = App::start_with(engine, None, |options, directory| {
        let providers = directory.join("providers");
        std::fs::create_dir(&providers).expect("a directory");
        std::fs::write(providers.join("acme-id.yaml"), IDENTITY_PROVIDER).expect("a file");
        options.provider_directory = Some(providers);
        // Windows are told after a moment, so this time passes by itself.
        options.clock = StartOptions::in_directory(directory.to_owned()).clock;
        options.egress.connect_to.push(ConnectToOption {
            host: "id.acme.example".to_owned(),
            address: ([127, 0, 0, 1], port).into(),
            authority: None,
            browser_address: Some(format!("http://localhost:{port}")),
            without_tls: true,
        });
    })
    .await;
    let key = app.key_with_scopes(&SCOPES).await;
    run(&app, &key, "npm/nango-frontend.mjs", &[("IDENTITY_PROVIDER_PORT", port.to_string())]).await;
}

/// In Chromium, an account of every way to authenticate that the client knows.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_front_end_client_links_by_every_way(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let Some(clients) = std::env::var_os("NPM_CLIENTS_DIR") else {
        eprintln!("NOT RUN: the front-end client's ways are not run, because NPM_CLIENTS_DIR is unset");
        return;
    };
    let played = Played::start_all(Path::new(&clients)).await;
    let app = App::start_with(engine, None, |options, directory| {
        let providers = directory.join("providers");
        std::fs::create_dir(&providers).expect("a directory");
        // The vendors look at the time of what is signed.
        options.clock = Arc::new(SystemClock);
        for one in &played {
            std::fs::write(providers.join(format!("{}.yaml", one.id)), &one.file).expect("a file");
            options.egress.connect_to.extend(one.reached());
        }
        options.provider_directory = Some(providers);
    })
    .await;
    let accounts: Vec<Value> = played.iter().map(Played::account).collect();
    let key = app.key_with_scopes(&SCOPES).await;
    run(&app, &key, "npm/nango-frontend-modes.mjs", &[("ACCOUNTS", Value::from(accounts).to_string())]).await;
}

/// Published entries, one for each way to authenticate.
const ENTRIES: [&str; 14] = [
    "adp",
    "agencyzoom",
    "airtable-pat",
    "apple-business-manager",
    "auth0-cc",
    "aws-sigv4",
    "bill",
    "emarsys",
    "ghost-admin",
    "netsuite-tba",
    "okta-cc",
    "twilio",
    "twitter",
    "youcanbook-me-public",
];

/// A published entry that was taken over and is played.
struct Played {
    id: String,
    file: String,
    simulator: Simulator,
}

impl Played {
    async fn start_all(clients: &Path) -> Vec<Self> {
        let path = clients.join("node_modules/@nangohq/providers/providers.yaml");
        let text = std::fs::read_to_string(path).expect("the published file");
        let import = import::import("providers.yaml", &text).expect("a map of entries");
        let mut all = Vec::new();
        for id in ENTRIES {
            let entry = import.entries.iter().find(|entry| entry.id == id).expect("the entry");
            let converted = entry.outcome.as_ref().unwrap_or_else(|reason| panic!("{id}: {reason}"));
            let provider = Arc::new(converted.provider.clone());
            let simulator = Simulator::start(SimulatorOptions::new(provider)).await;
            let simulator = simulator.unwrap_or_else(|error| panic!("{id}: {error}"));
            all.push(Self { id: id.to_owned(), file: converted.text.clone(), simulator });
        }
        all
    }

    fn reached(&self) -> impl Iterator<Item = ConnectToOption> {
        let address = self.simulator.http_address();
        self.simulator.hosts().into_iter().map(move |host| ConnectToOption {
            host,
            address,
            authority: None,
            browser_address: Some(format!("http://localhost:{}", address.port())),
            without_tls: true,
        })
    }

    /// What a person types, apart from what is the embedder's own.
    fn account(&self) -> Value {
        let provider = self.simulator.provider();
        let scheme = &provider.auth[0];
        let accepted = &self.simulator.credentials()[0];
        let form = self.simulator.form(accepted).expect("a form that can be filled in");
        let (config, mut secrets): (BTreeMap<_, _>, BTreeMap<_, _>) =
            form.into_iter().partition(|(name, _)| provider.config.get(name).is_some());
        let client = match scheme.client_fields() {
            Some((id, secret)) => Some([secrets.remove(id), secrets.remove(secret)]),
            None if scheme.needs_browser() => {
                let of = |name: &str| accepted.fields.get(name).cloned();
                Some([of("consumer_key"), of("consumer_secret")])
            }
            None => None,
        };
        json!({
            "id": self.id,
            "mode": scheme.auth_mode().name(),
            "config": config,
            "secrets": secrets,
            "client": client,
            "certificate": certificate_and_key(),
        })
    }
}

/// A client certificate and its key, as two texts in PEM.
fn certificate_and_key() -> [String; 2] {
    let made = rcgen::generate_simple_self_signed(["client.example".to_owned()]).expect("a certificate");
    [made.cert.pem(), made.signing_key.serialize_pem()]
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

const IDENTITY_PROVIDER: &str = "id: acme-id
name: { en: Acme ID, ja: Acme ID }
description: { en: Who somebody is at Acme., ja: Acmeの本人確認です。 }
documentation: https://developers.acme.example/
hosts: ['id.acme.example']
base_url: https://id.acme.example
auth:
  - id: oauth2
    name: { en: OAuth, ja: OAuth }
    type: oauth2
    oauth2:
      flow: authorization_code
      authorization_url: https://id.acme.example/auth
      token_url: https://id.acme.example/token
      authorization_parameters: { prompt: consent }
      scopes:
        - { id: openid, says: { en: Who you are, ja: 本人確認 }, default: true }
        - { id: offline_access, says: { en: While you are away, ja: オフライン }, default: true }
strip_headers: [Authorization]
test:
  - id: credential
    name: { en: The token is accepted, ja: トークンが受け付けられる }
    request: { path: /me }
    accept: { member: sub }
errors:
  - is: token_refused
    side: input
    statuses: [401]
    says: { en: Acme refused the token., ja: トークンが受け付けられませんでした。 }
    fix: { en: Link the account again., ja: もう一度接続してください。 }
";
