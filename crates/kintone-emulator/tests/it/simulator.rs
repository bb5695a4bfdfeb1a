//! The simulator, asked over plain HTTP.

use std::sync::Arc;

use http::Method;
use tombolo_catalog::{Catalog, Common, Provider};
use tombolo_kintone_emulator::model::BasicGate;
use tombolo_kintone_emulator::{
    AcceptedCredential, Effect, Fault, Simulator, SimulatorError, SimulatorOptions,
};

use crate::client::{Reply, Request};

/// A provider with a key in the query, a path in its base URL and two holes in its hosts.
const ACME: &str = r#"
id: acme
name: { en: Acme, ja: Acme }
description: { en: A test., ja: テスト }
documentation: https://example.com/
hosts: ["{account}.{region}.example.com"]
base_url: https://${config.account}.${config.region}.example.com/v2
config:
  account: { label: { en: Account, ja: アカウント }, pattern: '[a-z]{3,9}' }
  region: { label: { en: Region, ja: 地域 }, type: choice, choices: [eu, us] }
auth:
  - id: key
    name: { en: Key, ja: キー }
    type: api_key
    query: api_key
    fields:
      key: { label: { en: Key, ja: キー }, secret: true, pattern: 'ak_(?:live|test)_[0-9a-f]{16}' }
  - id: bearer
    name: { en: Token, ja: トークン }
    type: api_key
    header: Authorization
    prefix: "Bearer "
    fields:
      token: { label: { en: Token, ja: トークン }, secret: true }
test:
  - id: me
    name: { en: Me, ja: 自分 }
    request: { path: "/accounts/${config.account}/me", query: [[limit, "1"]] }
    accept: { member: data }
error_body: { code: reason, code_header: x-reason }
errors:
  - is: key_unknown
    side: input
    schemes: [key]
    codes: [KEY_UNKNOWN]
    statuses: [403]
    says: { en: No., ja: いいえ }
    fix: { en: Mend it., ja: 直す }
"#;

fn acme() -> Arc<Provider> {
    let common = Common::built_in().unwrap();
    Arc::new(Provider::parse("acme.yaml", ACME, &common).unwrap_or_else(|faults| panic!("{faults:?}")))
}

async fn start(provider: Arc<Provider>) -> Simulator {
    Simulator::start(SimulatorOptions::new(provider)).await.unwrap()
}

fn get(path: &str) -> Request {
    Request { method: Method::GET, path: path.to_owned(), headers: Vec::new(), body: bytes::Bytes::new() }
}

async fn ask(simulator: &Simulator, request: Request) -> Reply {
    request.try_at(simulator.http_address()).await.unwrap()
}

#[tokio::test]
async fn a_provider_file_is_played() {
    let simulator = start(acme()).await;
    assert_eq!(simulator.base_url(), "https://sample.eu.example.com/v2");
    assert_eq!(simulator.host(), "sample.eu.example.com");
    let port = simulator.http_address().port();
    assert_eq!(simulator.local_base_url(), format!("http://localhost:{port}/v2"));
    let [key, bearer] = simulator.credentials() else { panic!("one credential for each scheme") };
    let key = &key.fields["key"];
    let token = format!("Bearer {}", bearer.fields["token"]);
    assert!(key.starts_with("ak_live_"), "{key}");

    let stage = "/v2/accounts/sample/me?limit=1";
    let passed = ask(&simulator, get(&format!("{stage}&api_key={key}"))).await;
    assert_eq!((passed.status.as_u16(), passed.json()["data"].is_array()), (200, true));
    assert_eq!(ask(&simulator, get(stage).header("authorization", &token)).await.status, 200);

    let refused = ask(&simulator, get(&format!("{stage}&api_key=ak_live_0"))).await;
    assert_eq!((refused.status.as_u16(), refused.header("x-reason")), (403, Some("KEY_UNKNOWN")));
    assert_eq!(refused.json()["reason"], "KEY_UNKNOWN");
    // The common table explains what the file says nothing about.
    let refused = ask(&simulator, get(stage).header("authorization", "Bearer wrong")).await;
    assert_eq!((refused.status.as_u16(), refused.header("x-reason")), (401, None));

    let mut other = get(&format!("/v2/orders/7?api_key={key}&page=2"));
    other.method = Method::PUT;
    other.body = "hello".into();
    let echo = ask(&simulator, other).await.json();
    let expected = serde_json::json!({"method": "PUT", "path": "/v2/orders/7", "query": [["page", "2"]], "body_size": 5});
    assert_eq!(echo, expected);
    let elsewhere = get(stage).header("authorization", &token).header("host", "evil.example.org");
    assert_eq!(ask(&simulator, elsewhere).await.status, 404);
    simulator.shutdown().await;
}

#[tokio::test]
async fn faults_and_the_log_are_those_of_the_emulator() {
    let simulator = start(acme()).await;
    let control = simulator.control();
    let busy = Effect::refusal(429, "SLOW_DOWN");
    control.inject(Fault::new(busy).tenant("acme").on("GET", "/v2/*").times(1));
    let reply = ask(&simulator, get("/v2/orders")).await;
    assert_eq!((reply.status.as_u16(), reply.header("x-reason")), (429, Some("SLOW_DOWN")));
    assert_eq!(ask(&simulator, get("/v2/orders")).await.status, 403);
    control.inject(Fault::new(Effect::DropConnection).times(1));
    assert!(get("/v2/orders").try_at(simulator.http_address()).await.is_err());
    let statuses: Vec<Option<u16>> = control.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(429), Some(403), None]);
}

#[tokio::test]
async fn a_gate_stands_in_front_when_it_is_asked_for() {
    let gate = BasicGate { username: "gate".to_owned(), password: "keeper".to_owned() };
    let catalog = Catalog::built_in().unwrap();
    let options =
        |provider| SimulatorOptions { basic_gate: Some(gate.clone()), ..SimulatorOptions::new(provider) };
    let simulator = Simulator::start(options(Arc::clone(catalog.get("kintone").unwrap()))).await.unwrap();
    let closed = ask(&simulator, get("/k/v1/apis.json")).await;
    assert_eq!(closed.status, 401);
    assert!(closed.header("www-authenticate").unwrap().starts_with("Basic"));
    let open = ask(&simulator, get("/k/v1/apis.json").basic("gate", "keeper")).await;
    assert_eq!((open.status.as_u16(), open.json()["apis"].is_array()), (200, true));
    // The path that a guest space moves to is the same stage.
    let key = simulator.credentials()[0].fields["token"].split(',').next().unwrap().to_owned();
    let app = get("/k/guest/5/v1/app.json?id=3").basic("gate", "keeper").header("x-cybozu-api-token", &key);
    assert!(ask(&simulator, app).await.json()["appId"].is_array());

    assert!(matches!(Simulator::start(options(acme())).await, Err(SimulatorError::NoGate)));
}

#[tokio::test]
async fn credentials_may_be_given_and_have_to_fit_the_form() {
    let given = |scheme: &str, name: &str, value: &str| {
        let fields = [(name.to_owned(), value.to_owned())].into();
        let credential = AcceptedCredential { scheme: scheme.to_owned(), fields };
        Simulator::start(SimulatorOptions { credentials: vec![credential], ..SimulatorOptions::new(acme()) })
    };
    let simulator = given("key", "key", "ak_test_00112233445566ff").await.unwrap();
    assert_eq!(ask(&simulator, get("/v2/x?api_key=ak_test_00112233445566ff")).await.status, 200);
    for (scheme, name, value) in [("key", "key", "short"), ("key", "other", "x"), ("none", "key", "x")] {
        let refused = given(scheme, name, value).await;
        assert!(matches!(refused, Err(SimulatorError::Credential { .. })), "{scheme} {name} {value}");
    }
}

#[tokio::test]
async fn the_account_may_be_given_and_has_to_fit_the_form() {
    let given = |name: &str, value: &str| {
        let config = [(name.to_owned(), value.to_owned())].into();
        Simulator::start(SimulatorOptions { config, ..SimulatorOptions::new(acme()) })
    };
    assert_eq!(given("region", "us").await.unwrap().host(), "sample.us.example.com");
    for (name, value) in [("region", "asia"), ("account", "A_B"), ("acount", "north")] {
        let refused = given(name, value).await;
        assert!(matches!(refused, Err(SimulatorError::Config { .. })), "{name}={value}");
    }
}
