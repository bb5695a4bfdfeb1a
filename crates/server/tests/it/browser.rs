//! Pages in Chromium, as people use them. The programs, and the list of all pages, are in `tests/browser/`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use regex::Regex;
use serde_json::json;
use tokio::net::TcpListener;
use tombolo_kintone_emulator::{Simulator, SimulatorOptions};
use tombolo_platform::Housekeeping;
use tombolo_platform::catalog::Catalog;
use tombolo_platform::start::{ConnectToOption, StartOptions};
use tombolo_platform::store::{Change, NewJob};
use tombolo_platform::users::{OidcSettings, RoleRules};

use crate::app::App;
use crate::node::{SCOPES, run};

/// Texts that would do harm if a page took them for anything but text, and break a page that is made for short ones.
const HOSTILE: &str = "<script>window.owned=1</script><img src=x onerror=window.owned=1>\"'>&lt;b&gt; </textarea></select>{{7*7}} \u{5e9}\u{5dc}\u{5d5}\u{5dd}\u{202e} \u{1f600}\u{200b}";

/// A marker: a secret that occurs nowhere else.
const OIDC_CLIENT_SECRET: &str = "canary-secret-of-the-OIDC-client";

/// Runs a program of `tests/browser/` against a server of its own that does its background work. Beside it the emulated
/// vendor, a simulated one and a receiver of webhooks are reached, and there are jobs in every state.
async fn in_a_browser(program: &str) {
    let simulated = Catalog::built_in().expect("the files load");
    let simulated = Arc::clone(simulated.get("oomnitza").expect("it is built in"));
    let simulator = Simulator::start(SimulatorOptions::new(simulated)).await.expect("the simulator starts");
    let receiver = receiver().await;
    let identity_provider = free_address();
    let app = App::start_for_browsers(|options, directory| {
        put_hostile_provider(options, directory);
        name_identity_provider(options, identity_provider);
        let hosts = simulator.hosts().into_iter().map(|host| (host, simulator.http_address()));
        let hosts = hosts.chain([("hooks.example.com".to_owned(), receiver)]);
        options.egress.connect_to.extend(hosts.map(|(host, address)| ConnectToOption {
            host,
            address,
            authority: None,
            browser_address: None,
            without_tls: true,
        }));
    })
    .await;
    app.other_environment().await;
    let jobs = jobs(&app).await;
    app.platform.work(Housekeeping { activity: Duration::from_hours(24), verify_every: None });
    let scopes = [&SCOPES[..], &["installation:*"]].concat();
    let key = app.key_with_scopes(&scopes).await;
    let accepted = simulator.form(&simulator.credentials()[0]).expect("a form that can be filled in");
    let variables = [
        ("OOMNITZA", json!(accepted).to_string()),
        ("JOBS", json!(jobs).to_string()),
        ("IDENTITY_PROVIDER_PORT", identity_provider.port().to_string()),
        ("OIDC_CLIENT_SECRET", OIDC_CLIENT_SECRET.to_owned()),
        ("ROUTES", json!(routes_that_change()).to_string()),
        ("HOSTILE", HOSTILE.to_owned()),
    ];
    run(&app, &key, &format!("browser/{program}"), &variables).await;
}

fn put_hostile_provider(options: &mut StartOptions, directory: &Path) {
    let providers = directory.join("providers");
    std::fs::create_dir(&providers).expect("a directory");
    let file = include_str!("../browser/hostile.yaml");
    std::fs::write(providers.join("hostile.yaml"), file).expect("a file");
    options.provider_directory = Some(providers);
}

/// The paths to which forms of the dashboard can be posted, as the source of its pages has them, so that no test forgets a new
/// one.
fn routes_that_change() -> Vec<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let constant = Regex::new(r#"const ([A-Z_]+): &str = "(/[^"]*)""#).expect("a pattern");
    let route =
        Regex::new(r#"\.route\(\s*(?:"([^"]+)"|(?:\w+::)?([A-Z_]+)),\s*(?:get\([\w:]+\)\s*\.)?post\("#)
            .expect("a pattern");
    let text = text_of(&source);
    let constants: BTreeMap<&str, &str> =
        constant.captures_iter(&text).map(|found| found.extract::<2>().1.into()).collect();
    let pages = text_of(&source.join("pages/dashboard")) + &text_of(&source.join("pages/people"));
    let paths = route.captures_iter(&pages).map(|found| {
        let named = found.get(2).map(|name| constants[name.as_str()]);
        named.or(found.get(1).map(|path| path.as_str())).expect("a path or its name").to_owned()
    });
    paths.collect()
}

/// The source in a folder and those below it.
fn text_of(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path());
    let read = |path: PathBuf| {
        if path.is_dir() { text_of(&path) } else { std::fs::read_to_string(&path).expect("text") }
    };
    entries.map(read).collect()
}

/// A receiver of webhooks that takes what comes to `/in`, and answers everything else with an error.
async fn receiver() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let answer = service_fn(async |request: Request<Incoming>| {
        let (status, text) = match request.uri().path() {
            "/in" => (StatusCode::NO_CONTENT, ""),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, HOSTILE),
        };
        // A client sends its request to the end before it looks at the answer.
        request.into_body().collect().await?;
        Ok::<_, hyper::Error>(Response::builder().status(status).body(text.to_owned()).expect("an answer"))
    });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    address
}

/// Jobs of the default environment: two that wait, and one that has failed for good, with a hostile text in every place.
async fn jobs(app: &App) -> [String; 3] {
    let access = app.platform.operator_access(None).await.expect("the default environment");
    let store = app.platform.store();
    let now = app.platform.now();
    let later = now.plus(Duration::from_hours(5));
    let mut ids = Vec::new();
    for (kind, run_at) in [("retention", later), ("retention", later), (HOSTILE, now)] {
        let new = NewJob {
            environment_id: Some(access.environment.clone()),
            kind: kind.to_owned(),
            payload: json!({ "note": HOSTILE }),
            run_at,
            max_attempts: 3,
            idempotency_key: None,
        };
        let committed = store.commit(&[Change::EnqueueJob(new)], now).await.expect("stored");
        ids.push(committed.jobs[0].to_string());
    }
    let claimed =
        store.claim_jobs(&[HOSTILE], HOSTILE, 1, Duration::from_mins(1), now).await.expect("claimed");
    let failed = Change::FailJob { lease: claimed[0].lease.clone(), error: HOSTILE.to_owned(), retry: false };
    store.commit(&[failed], now).await.expect("stored");
    ids.try_into().expect("three")
}

/// Where nobody listens but the program that starts an identity provider.
fn free_address() -> SocketAddr {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    socket.expect("a free port")
}

/// People may sign in with it; the browser reaches it at localhost.
fn name_identity_provider(options: &mut StartOptions, address: SocketAddr) {
    options.oidc = Some(OidcSettings {
        issuer: "https://login.example.com".to_owned(),
        client_id: "tombolo".to_owned(),
        client_secret: Some(OIDC_CLIENT_SECRET.into()),
        name: "Example ID".to_owned(),
        scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
        roles: RoleRules::default(),
        allowed_domains: Vec::new(),
        trust_mail: false,
        password_sign_in: true,
    });
    options.egress.connect_to.push(ConnectToOption {
        host: "login.example.com".to_owned(),
        address,
        authority: None,
        browser_address: Some(format!("http://localhost:{}", address.port())),
        without_tls: true,
    });
}

/// In both languages, light and dark, wide and narrow: nothing keeps anybody out, and the browser complains about nothing.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_in_every_state() {
    in_a_browser("gallery.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_on_a_page_stays_there() {
    in_a_browser("steady.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_a_vendor_and_back() {
    in_a_browser("oauth.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_linked_in_the_connect_ui() {
    in_a_browser("connect.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_linked_at_the_vendor() {
    in_a_browser("window.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connect_ui_among_pages_of_others() {
    in_a_browser("strangers.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_are_texts() {
    in_a_browser("hostile.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard() {
    in_a_browser("dashboard.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_helps_on_pages_of_the_dashboard() {
    in_a_browser("dashboard-tools.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_element_in_a_page_of_an_embedder() {
    in_a_browser("element.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_choose_and_register_oauth_clients() {
    in_a_browser("oauth-clients.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_with_an_identity_provider() {
    in_a_browser("oidc.mjs").await;
}
