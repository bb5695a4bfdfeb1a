//! Accounts that are OAuth clients themselves: id and secret are typed, and tokens are had for them.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tombolo_catalog::Catalog;
use tombolo_kintone_emulator::{AcceptedCredential, Effect, Fault, Simulator, SimulatorOptions};
use tombolo_platform::start::ConnectToOption;
use tombolo_platform::{ConnectionDraft, Housekeeping, Revoked};

use crate::world::{SetForward, World, connect_to, draft};

const ID: &str = "robot";
const SECRET: &str = "canary/client:secret+1";
const TOKEN: &str = "canary-access-token-1";

/// The provider file with one deviation in how tokens are asked for or answered.
fn file(deviation: &str) -> String {
    format!(
        "id: acme-client
name: {{ en: Acme, ja: Acme }}
description: {{ en: Orders of Acme., ja: Acmeの注文を扱います。 }}
documentation: https://developers.acme.example/
hosts: ['{{subdomain}}.acme.example']
base_url: https://${{config.subdomain}}.acme.example
config:
  subdomain:
    label: {{ en: Subdomain, ja: サブドメイン }}
    pattern: '[a-z0-9-]+'
    example: north
auth:
  - id: client
    name: {{ en: Client, ja: クライアント }}
    type: oauth2
    oauth2:
      flow: client_credentials
      token_url: https://${{config.subdomain}}.acme.example/oauth/token
      {deviation}
    fields:
      client_id:
        label: {{ en: Client ID, ja: クライアントID }}
      client_secret:
        label: {{ en: Client secret, ja: クライアントシークレット }}
        secret: true
        fold: false
strip_headers: [Authorization]
test:
  - id: credential
    name: {{ en: The token is accepted, ja: トークンが受け付けられる }}
    request: {{ path: /v2/me }}
    accept: {{ member: id }}
errors:
  - is: token_refused
    side: input
    statuses: [401]
    says: {{ en: Acme refused the token., ja: トークンが受け付けられませんでした。 }}
    fix: {{ en: Check the client., ja: クライアントを確認してください。 }}
"
    )
}

fn typed(secret: &str) -> ConnectionDraft {
    let fields = [("subdomain", "north"), ("client_id", ID), ("client_secret", secret)];
    ConnectionDraft { integration: "acme-client".to_owned(), ..draft("c", "client", &fields) }
}

async fn start(deviation: &str) -> (World, Simulator, Arc<SetForward>) {
    let text = file(deviation);
    let catalog = Catalog::with_files([("acme-client.yaml", text.as_str())]);
    let catalog = catalog.unwrap_or_else(|faults| panic!("{faults:#?}"));
    let provider = Arc::clone(catalog.get("acme-client").expect("it was read"));
    let fields = [("client_id", ID), ("client_secret", SECRET), ("access_token", TOKEN)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let accepted = AcceptedCredential { scheme: "client".to_owned(), fields: fields.into() };
    let options = SimulatorOptions { credentials: vec![accepted], ..SimulatorOptions::new(provider) };
    let simulator = Simulator::start(options).await.expect("the simulator starts");
    let clock = Arc::new(SetForward::default());
    let (its_clock, address) = (Arc::clone(&clock), simulator.http_address().to_string());
    let host = simulator.host().to_owned();
    let world = World::start_with(move |options, _| {
        let directory = options.data_directory.with_file_name("providers");
        fs::create_dir_all(&directory).expect("a directory");
        fs::write(directory.join("acme-client.yaml"), text).expect("a file");
        options.provider_directory = Some(directory);
        let plain = ConnectToOption { without_tls: true, ..connect_to(&host, &address) };
        options.egress.connect_to.push(plain);
        options.clock = its_clock;
    })
    .await;
    (world, simulator, clock)
}

fn token_requests(simulator: &Simulator) -> usize {
    simulator.control().requests().iter().filter(|seen| seen.path == "/oauth/token").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_links_itself_however_its_vendor_wants_to_be_asked() {
    for deviation in [
        "client_authentication: basic",
        "client_authentication: body",
        "token_request: json",
        "token_request: query",
        "token_answer: { access_token: data.token, expires_in: data.life }",
    ] {
        let (world, simulator, clock) = start(deviation).await;
        let wrong = world.create(&typed("canary/client:secret+2")).await.err();
        assert_eq!(wrong.map(|problem| problem.code), Some("token_refused"), "{deviation}");
        let made = world.create(&typed(SECRET)).await.expect("accepted").expect("available").connection;
        assert!(made.life.renew_at < made.life.expires_at, "{deviation}");
        simulator.control().clear_requests();
        assert_eq!(world.get("c", "/v2/orders").await.0, 200, "{deviation}");
        let seen = simulator.control().requests();
        assert_eq!(seen[0].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()), "{deviation}");

        clock.by(Duration::from_mins(62));
        assert_eq!(world.get("c", "/v2/orders").await.0, 200, "{deviation}");
        assert_eq!(token_requests(&simulator), 1, "{deviation}");
        simulator.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_answer_stores_nothing() {
    let (world, simulator, _) = start("client_authentication: basic").await;
    for (effect, code) in [
        (Effect::page(200, "<h1>Welcome</h1>"), "token_malformed"),
        (Effect::page(503, "<h1>Later</h1>"), "token_unavailable"),
        (Effect::json(200, serde_json::json!({ "error": "invalid_client" })), "token_refused"),
        (Effect::DropConnection, "token_unavailable"),
    ] {
        simulator.control().inject(Fault::new(effect).on("POST", "/oauth/token").times(1));
        let refused = world.create(&typed(SECRET)).await.err().map(|problem| problem.code);
        assert_eq!(refused, Some(code));
        assert_eq!(world.get("c", "/v2/orders").await.1, "unknown_connection");
    }
    simulator.shutdown().await;
}

/// The audit trail's words about revocations.
async fn told(world: &World) -> Vec<String> {
    let events = world.platform.list_audit_events(&world.access, None, 100).await.expect("read");
    let actions = events.into_iter().map(|event| event.action);
    actions.filter(|action| action.starts_with("connection.revo")).collect()
}

/// A vendor that does not answer keeps nobody from deleting, and gets the token back later.
#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_deleted_connection_is_given_back() {
    let url = "revocation_url: https://${config.subdomain}.acme.example/oauth/revoke";
    let housekeeping = Housekeeping { activity: Duration::from_hours(1), verify_every: None };
    for (more, is_authenticated, body) in [
        ("", true, "token=canary-access-token-1&token_type_hint=access_token"),
        (
            "revocation: { parameter: access_token, request: json, authenticated: false }",
            false,
            r#"{"access_token":"canary-access-token-1","token_type_hint":"access_token"}"#,
        ),
    ] {
        let (world, simulator, clock) = start(&format!("{url}\n      {more}")).await;
        world.create(&typed(SECRET)).await.expect("accepted").expect("available");
        simulator
            .control()
            .inject(Fault::new(Effect::page(503, "Later")).on("POST", "/oauth/revoke").times(1));
        simulator.control().clear_requests();
        let revoked = world.platform.delete_connection(&world.access, None, "c").await.expect("deleted");
        assert_eq!(revoked, Revoked::Soon);
        assert_eq!(world.get("c", "/v2/orders").await.1, "unknown_connection", "it is gone at once");

        world.platform.work_once("worker", housekeeping).await.expect("worked");
        assert_eq!(told(&world).await, Vec::<String>::new(), "the vendor did not answer");
        clock.by(Duration::from_mins(10));
        world.platform.work_once("worker", housekeeping).await.expect("worked");
        assert_eq!(told(&world).await, ["connection.revoked"], "{more}");
        let seen = simulator.control().requests();
        let seen: Vec<_> = seen.iter().filter(|seen| seen.path == "/oauth/revoke").collect();
        assert_eq!(seen.len(), 2, "{more}");
        assert_eq!(seen[1].body.as_deref(), Some(body));
        assert_eq!(seen[1].header("authorization").is_some(), is_authenticated, "{more}");
        clock.by(Duration::from_hours(1));
        world.platform.work_once("worker", housekeeping).await.expect("worked");
        assert_eq!(told(&world).await.len(), 1, "once is enough");
        simulator.shutdown().await;
    }
}

/// After the last attempt the token is forgotten here, and the audit trail says that the vendor still has it.
#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_never_takes_a_token_back_is_told_of() {
    let url = "revocation_url: https://${config.subdomain}.acme.example/oauth/revoke";
    let housekeeping = Housekeeping { activity: Duration::from_hours(1), verify_every: None };
    let (world, simulator, clock) = start(url).await;
    let made = world.create(&typed(SECRET)).await.expect("accepted").expect("available").connection;
    simulator.control().inject(Fault::new(Effect::page(503, "Never")).on("POST", "/oauth/revoke"));
    world.platform.delete_connection(&world.access, None, "c").await.expect("deleted");
    let kept = || world.platform.store().revocation(&made.environment_id, &made.id);
    assert!(kept().await.expect("read").is_some());
    for _ in 0..8 {
        world.platform.work_once("worker", housekeeping).await.expect("worked");
        clock.by(Duration::from_hours(2));
    }
    assert_eq!(told(&world).await, ["connection.revocation_failed"]);
    assert_eq!(kept().await.expect("read"), None);

    // Of a copy nothing is given back: that would end the tokens of the original.
    let (world, _simulator, _) = start(url).await;
    world.create(&typed(SECRET)).await.expect("accepted").expect("available");
    tombolo_store::testing::tamper(&world.location(), "UPDATE connections SET restored_at = 1").await;
    let revoked = world.platform.delete_connection(&world.access, None, "c").await.expect("deleted");
    assert_eq!(revoked, Revoked::Nothing);

    // Where the provider file names no such address, nothing is kept.
    let (world, _simulator, _) = start("client_authentication: basic").await;
    world.create(&typed(SECRET)).await.expect("accepted").expect("available");
    let revoked = world.platform.delete_connection(&world.access, None, "c").await.expect("deleted");
    assert_eq!(revoked, Revoked::Nothing);
}
