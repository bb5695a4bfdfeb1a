//! Integrations and connections that are brought along from the compatible product.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use http::Request;
use serde_json::{Value, json};
use tombolo_api::client::{ApiClient, Transport, full};
use tombolo_store::testing::new_postgres_database;

use crate::servers::{free_port, serve};
use crate::stand_in::{KEY, StandIn, State};
use crate::world::{CUSTOMERS, Ran, World, run};

const UNUSUAL: &str = "営業 50% a/b?c#d";

/// What a person's account was given at the emulated vendor.
struct Grant {
    client_id: String,
    client_secret: String,
    access_token: String,
    refresh_token: String,
}

/// Registers a client with the vendor and has anna agree, as the other product did once.
async fn grant(world: &World) -> Grant {
    let callback = "https://nango.example.com/oauth/callback";
    let client = world.kintone().add_oauth_client("demo", &[callback]).expect("the tenant is there");
    let vendor = ApiClient::new(Transport::url(&world.vendor_url()).expect("a URL"));
    let asked = json!({
        "client_id": client.id, "redirect_uri": callback, "response_type": "code", "state": "s",
        "scope": "k:app_record:read k:app_settings:read",
    });
    let page = tombolo_api::client::query("/t/demo/oauth2/authorization", &asked).expect("encodes");
    let form = |of: Value| tombolo_api::client::query("", &of).expect("encodes").replacen('?', "", 1);
    let post = |path: &str, body: String| {
        Request::post(path.to_owned())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(full(body))
            .expect("a request")
    };
    let decision =
        form(json!({ "login_name": "anna", "password": "demo-password-anna", "decision": "allow" }));
    let agreed = vendor.send(post(&page, decision)).await.expect("an answer");
    let back = agreed.headers()["location"].to_str().expect("text").to_owned();
    let code = back.split(['?', '&']).find_map(|part| part.strip_prefix("code=")).expect("a code").to_owned();
    let exchange =
        form(json!({ "grant_type": "authorization_code", "code": code, "redirect_uri": callback }));
    let mut request = post("/t/demo/oauth2/token", exchange);
    let pair = base64_of(&format!("{}:{}", client.id, client.secret));
    request.headers_mut().insert("authorization", format!("Basic {pair}").parse().expect("a header"));
    let answer = vendor.send(request).await.expect("an answer");
    let body = http_body_util::BodyExt::collect(answer.into_body()).await.expect("a body").to_bytes();
    let tokens: Value = serde_json::from_slice(&body).expect("JSON");
    let text = |name: &str| tokens[name].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned();
    Grant {
        access_token: text("access_token"),
        refresh_token: text("refresh_token"),
        client_id: client.id,
        client_secret: client.secret,
    }
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn connection(integration: &str, id: &str, credentials: &Value) -> Value {
    json!({
        "id": 7, "connection_id": id, "provider_config_key": integration, "provider": "kintone", "errors": [],
        "end_user": null, "tags": {}, "metadata": null, "webhook_url_override": null,
        "connection_config": { "subdomain": "demo", "domain": "kintone.com", "app": "1" },
        "credentials": credentials,
    })
}

/// What a customer of the other product may have.
fn estate(grant: &Grant) -> State {
    let integration = |key: &str, provider: &str, credentials: Value| {
        json!({
            "unique_key": key, "provider": provider, "display_name": "Kintone", "logo": "https://x.example/x.svg",
            "forward_webhooks": false, "created_at": "2026-01-05T08:30:00.000Z", "credentials": credentials,
        })
    };
    let client = json!({
        "type": "OAUTH2", "client_id": grant.client_id, "client_secret": grant.client_secret,
        "scopes": "k:app_record:read,k:app_settings:read", "webhook_secret": null,
    });
    let key = |key: &str| json!({ "type": "API_KEY", "apiKey": key });
    let mut known = connection("main", "u-1", &key(CUSTOMERS));
    known["end_user"] = json!({
        "id": "u-1", "display_name": "Anna", "email": "anna@example.com", "tags": null,
        "organization": { "id": "o-1", "display_name": "Acme" },
    });
    known["tags"] = json!({
        "end_user_id": "u-1", "end_user_email": "anna@example.com", "end_user_display_name": "Anna",
        "organization_id": "o-1", "organization_display_name": "Acme", "plan": "pro",
    });
    known["metadata"] = json!({ "a": { "b": [1] } });
    known["connection_config"]["region"] = "eu".into();
    let mut dead = connection("main", "dead", &json!({}));
    dead["exhausted"] = true.into();
    let mut connections = vec![
        known,
        connection("main", UNUSUAL, &key(CUSTOMERS)),
        connection("main", &"x".repeat(255), &key(CUSTOMERS)),
        connection("main", "wrong", &key("canaryTokenThatNobodyKnows00000000000000")),
        connection("main", "role", &json!({ "type": "AWS_SIGV4", "role_arn": "arn:aws:iam::1:role/x" })),
        dead,
        connection(
            "with client",
            "anna",
            &json!({
                "type": "OAUTH2", "access_token": grant.access_token, "refresh_token": grant.refresh_token,
                "expires_at": "2126-01-01T00:00:00.000Z", "raw": { "access_token": grant.access_token },
            }),
        ),
        connection(
            "with client",
            "ended",
            &json!({ "type": "OAUTH2", "access_token": "canaryEndedToken", "expires_at": "2026-01-01T00:00:00.000Z" }),
        ),
    ];
    // More than one page, of a provider that nobody knows.
    connections
        .extend((0..501).map(|number| connection("mystery", &format!("m-{number:03}"), &key("MARKER"))));
    State {
        integrations: vec![
            integration("main", "kintone", json!({})),
            integration("with client", "kintone", client),
            integration("mystery", "mystery-saas", json!({})),
        ],
        connections,
        busy: 3,
        ..State::default()
    }
}

async fn migrate(world: &World, stand_in: &StandIn, more: &[&str]) -> Ran {
    let from = stand_in.url();
    let all =
        ["migrate", "nango", "--from", &from, "--private-address", "--key-from", "env:NANGO_SECRET_KEY"];
    let mut command = world.command(&[&all[..], more].concat());
    command.env("NANGO_SECRET_KEY", KEY);
    run(command, "").await
}

/// What became of everything, a line each; the many of the unknown provider as one.
fn fates(ran: &Ran) -> String {
    let report: Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err));
    let mut told = format!("code {}, complete {}\n", ran.code, report["is_complete"]);
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    for row in report["integrations"].as_array().expect("rows") {
        writeln!(told, "{}: {} {}", text(&row["key"]), text(&row["outcome"]), text(&row["code"]))
            .expect("written");
    }
    let mut mysteries = 0;
    for row in report["connections"].as_array().expect("rows") {
        if row["integration"] == "mystery" {
            assert_eq!(row["code"], "integration_not_moved");
            mysteries += 1;
            continue;
        }
        let id = text(&row["connection_id"]).replace(&"x".repeat(255), "x * 255");
        let notes = row["notes"].to_string();
        writeln!(
            told,
            "{}/{id}: {} {} {notes}",
            text(&row["integration"]),
            text(&row["outcome"]),
            text(&row["code"])
        )
        .expect("written");
    }
    writeln!(told, "mystery: {mysteries} connections").expect("written");
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_can_move_moves_once() {
    let world = World::start().await;
    let grant = grant(&world).await;
    let stand_in = StandIn::start(estate(&grant)).await;

    let rehearsed = migrate(&world, &stand_in, &["--dry-run", "--json"]).await;
    insta::assert_snapshot!(fates(&rehearsed), @r#"
    code 1, complete true
    main: can_move -
    with client: can_move -
    mystery: cannot_move unknown_provider
    main/dead: cannot_move refresh_exhausted []
    main/role: cannot_move credential_type []
    main/u-1: can_move - ["members of its configuration that are no fields here: region"]
    main/wrong: can_move - []
    main/x * 255: can_move - []
    main/営業 50% a/b?c#d: can_move - []
    with client/anna: can_move - []
    with client/ended: cannot_move refresh_token_missing []
    mystery: 501 connections
    "#);
    assert!(!world.data().exists(), "a dry run leaves nothing behind");

    let moved = migrate(&world, &stand_in, &["--json"]).await;
    insta::assert_snapshot!(fates(&moved), @r#"
    code 1, complete true
    main: moved -
    with client: moved -
    mystery: cannot_move unknown_provider
    main/dead: cannot_move refresh_exhausted []
    main/role: cannot_move credential_type []
    main/u-1: moved - ["members of its configuration that are no fields here: region"]
    main/wrong: cannot_move connection_test_failed []
    main/x * 255: moved - []
    main/営業 50% a/b?c#d: moved - []
    with client/anna: moved - []
    with client/ended: cannot_move refresh_token_missing []
    mystery: 501 connections
    "#);
    assert!(moved.err.contains("OTHER server must not renew tokens"), "{}", moved.err);
    for secret in [CUSTOMERS, &grant.access_token, &grant.refresh_token, &grant.client_secret, KEY] {
        assert!(!moved.out.contains(secret) && !moved.err.contains(secret));
    }
    assert!(
        stand_in.change(|state| state.asked.iter().all(|target| !target.contains("force_refresh=true"))),
        "the other product is not asked for new tokens"
    );

    let again = migrate(&world, &stand_in, &["--json"]).await;
    insta::assert_snapshot!(fates(&again), @r"
    code 1, complete true
    main: already_there -
    with client: already_there -
    mystery: cannot_move unknown_provider
    main/dead: cannot_move refresh_exhausted []
    main/role: cannot_move credential_type []
    main/u-1: already_there - []
    main/wrong: cannot_move connection_test_failed []
    main/x * 255: already_there - []
    main/営業 50% a/b?c#d: already_there - []
    with client/anna: already_there - []
    with client/ended: cannot_move refresh_token_missing []
    mystery: 501 connections
    ");

    let shown = world.json(&["connection", "show", UNUSUAL]).await;
    assert_eq!((&shown["connection_id"], &shown["metadata"]), (&UNUSUAL.into(), &json!(null)));
    let shown = world.json(&["connection", "show", "u-1"]).await;
    assert_eq!(shown["name"], "Kintone – Anna");
    assert_eq!(shown["metadata"], json!({ "a": { "b": [1] } }));
    assert_eq!(shown["end_user"]["organization"]["id"], "o-1");
    assert_eq!((&shown["tags"]["plan"], &shown["tags"]["organization_id"]), (&"pro".into(), &"o-1".into()));
    for id in [UNUSUAL, "u-1", "anna"] {
        let called = world.run(&["request", "-c", id, "GET", "/k/v1/app.json?id=1"]).await;
        assert_eq!(called.code, 0, "{id}: {}", called.err);
    }
    let client = world.json(&["oauth-client", "show", "with client"]).await;
    assert_eq!(
        (&client["client_id"], &client["scopes"], &client["shared_callback"]),
        (
            &grant.client_id.clone().into(),
            &json!(["k:app_record:read", "k:app_settings:read"]),
            &false.into()
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_cut_off_is_gone_on_with() {
    let world = World::start().await;
    let grant = grant(&world).await;
    let stand_in = StandIn::start(State { busy: 0, ..estate(&grant) }).await;
    // Three integrations each ask once, two pages and the list of integrations before them; then two connections.
    stand_in.change(|state| state.breaks_at = Some(8));
    let cut = migrate(&world, &stand_in, &["--json", "--integration", "main", "--keep-callback"]).await;
    assert_eq!(cut.code, 7, "{}", cut.err);
    let report: Value = serde_json::from_str(&cut.out).expect("a report all the same");
    let done = report["connections"].as_array().expect("rows").len();
    assert!(report["is_complete"] == false && done > 0, "{}", cut.out);

    stand_in.change(|state| state.breaks_at = None);
    let resumed = migrate(&world, &stand_in, &["--json", "--keep-callback"]).await;
    let report: Value = serde_json::from_str(&resumed.out).expect("a report");
    let count = |outcome: &str| {
        report["connections"].as_array().expect("rows").iter().filter(|row| row["outcome"] == outcome).count()
    };
    assert_eq!((report["is_complete"].clone(), count("moved") + count("already_there")), (true.into(), 4));
    assert!(count("already_there") > 0, "{}", resumed.out);
    let shared = world.run(&["oauth-client", "show", "with client"]).await;
    assert!(shared.out.contains("weaker"), "{}", shared.out);

    // What the other server renewed meanwhile is brought once more on request.
    let replaced = migrate(&world, &stand_in, &["--json", "--replace", "--integration", "with client"]).await;
    let report: Value = serde_json::from_str(&replaced.out).expect("a report");
    assert_eq!(report["connections"][0]["outcome"], "moved", "{}", replaced.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_is_said_before_anything_is_written() {
    let world = World::start().await;
    let grant = grant(&world).await;
    let stand_in = StandIn::start(estate(&grant)).await;
    stand_in.change(|state| state.hides_credentials = true);
    let hidden = migrate(&world, &stand_in, &["--json", "--dry-run", "--integration", "with client"]).await;
    insta::assert_snapshot!(fates(&hidden), @r"
    code 1, complete true
    with client: cannot_move client_not_visible
    with client/anna: cannot_move integration_not_moved []
    with client/ended: cannot_move integration_not_moved []
    mystery: 0 connections
    ");

    let from = stand_in.url();
    let mut told = String::new();
    for (arguments, key) in [
        (vec!["--from", &from, "--private-address", "--key-from", "stdin"], "00000000-wrong"),
        (vec!["--from", &from, "--key-from", "stdin"], KEY),
        (vec!["--from", "https://127.0.0.1:1", "--key-from", "stdin"], KEY),
        (vec!["--from", "http://127.0.0.1:1", "--private-address", "--key-from", "stdin"], KEY),
        (vec!["--from", "https://nango.example.com/path", "--key-from", "stdin"], KEY),
        (vec!["--from", &from, "--private-address", "--key-from", "stdin", "--integration", "nothing"], KEY),
        (vec!["--from", &from, "--private-address"], KEY),
    ] {
        let ran = world.run_with(&[&["migrate", "nango", "--dry-run"], &arguments[..]].concat(), key).await;
        let err = ran.err.replace(&from, "FROM");
        writeln!(told, "{} {}", ran.code, err.trim_end()).expect("written");
    }
    insta::assert_snapshot!(told, @r"
    5 error: the other server does not accept the key (unknown_account: Authentication failed.)
      Give the key of the environment that is to be copied.
    2 error: the other server cannot be asked: credentials would cross the network in clear text
      Use https, or say with --private-address that the server is in a network of your own.
    7 error: the other server does not answer: 127.0.0.1 stands for 127.0.0.1 is a loopback address, which this server does not connect to
      Say with --private-address that the server is in a network of your own, or list the network in egress.allow_networks.
    7 error: the other server does not answer: 127.0.0.1:1 refused the connection
      Check the host and port, and that the service is running.
    2 error: the other server cannot be asked: only the scheme and the host are wanted here
      Remove everything after the host; write the address alone, such as https://nango.example.com.
    3 error: the other server has no integration `nothing`
      Check its key there.
    2 error: one more thing is needed: API key of the other server
      Say where it is: --key-from stdin, --key-from file:PATH or --key-from env:NAME.
    ");
}

/// `NPM_CLIENTS_DIR` names the folder whose `node_modules` holds the client; `cargo xtask test` sets it.
#[tokio::test(flavor = "multi_thread")]
async fn programs_go_on_with_another_host_and_the_same_key() {
    let Some(clients) = std::env::var_os("NPM_CLIENTS_DIR") else {
        eprintln!("NOT RUN: no program goes on after a switch, because NPM_CLIENTS_DIR is unset");
        return;
    };
    let world = World::start().await;
    let grant = grant(&world).await;
    let stand_in = StandIn::start(estate(&grant)).await;
    let port = free_port();
    let _served = serve(&world, port).await;
    let moved = migrate(&world, &stand_in, &["--integration", "main", "--integration", "with client"]).await;
    assert_eq!(moved.code, 1, "{}{}", moved.out, moved.err);
    let [everything, tokens] = ["environment:*", "environment:connections:read_credentials"];
    let import =
        ["api-key", "import", "backend", "--from", "stdin", "--scope", everything, "--scope", tokens];
    assert_eq!(world.run_with(&import, KEY).await.code, 0);

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/npm/after-switch.mjs");
    let node = std::env::var_os("NODE_BIN").unwrap_or_else(|| "node".into());
    let mut node = std::process::Command::new(node);
    node.arg(script)
        .env("NPM_CLIENTS_DIR", clients)
        .env("BASE_URL", format!("http://localhost:{port}"))
        .env("API_KEY", KEY)
        .env("UNUSUAL_ID", UNUSUAL)
        .env("REFRESH_TOKEN", &grant.refresh_token);
    let ran = run(node, "").await;
    assert!(ran.code == 0 && ran.out.ends_with("all passed\n"), "{}{}", ran.out, ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_postgresql_gets_the_same() {
    let world = World::start().await;
    let grant = grant(&world).await;
    let stand_in = StandIn::start(estate(&grant)).await;
    let key = world.path("master.key").display().to_string();
    assert_eq!(world.run(&["key", "generate", &key]).await.code, 0);
    let mut configuration = std::fs::read_to_string(world.path("tombolo.toml")).expect("readable");
    let database = new_postgres_database().await;
    write!(configuration, "[database]\nurl = \"{database}\"\n[master_key]\nfile = \"{key}\"\n")
        .expect("written");
    std::fs::write(world.path("tombolo.toml"), configuration).expect("written");

    for outcome in ["moved", "already_there"] {
        let ran = migrate(&world, &stand_in, &["--json", "--integration", "with client"]).await;
        let report: Value =
            serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err));
        assert_eq!(report["integrations"][0]["outcome"], outcome);
        assert_eq!(report["connections"][0]["outcome"], outcome, "{}", ran.out);
        assert_eq!(report["connections"][1]["code"], "refresh_token_missing");
    }
    let called = world.run(&["request", "-c", "anna", "GET", "/k/v1/app.json?id=1"]).await;
    assert_eq!(called.code, 0, "{}", called.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_stops_a_run_is_told_how_far_it_came() {
    let world = World::start().await;
    let grant = grant(&world).await;
    // It asks to wait for longer than anybody does.
    let stand_in = StandIn::start(State { busy: 0, pauses_at: Some(6), ..estate(&grant) }).await;
    let from = stand_in.url();
    let mut command = world.command(&[
        "migrate",
        "nango",
        "--from",
        &from,
        "--private-address",
        "--key-from",
        "env:NANGO_SECRET_KEY",
        "--integration",
        "main",
        "--json",
    ]);
    command.env("NANGO_SECRET_KEY", KEY).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the binary runs");
    let id = child.id().to_string();
    while stand_in.change(|state| state.asked.len()) < 7 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().expect("kill runs").success());
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output()).await.expect("not cancelled");
    let ended = ended.expect("it ends");
    let report: Value = serde_json::from_slice(&ended.stdout).expect("a report");
    assert_eq!((ended.status.code(), &report["is_complete"]), (Some(1), &false.into()));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("Run the command again to go on"));

    stand_in.change(|state| state.pauses_at = None);
    let resumed = migrate(&world, &stand_in, &["--json", "--integration", "main"]).await;
    assert!(
        fates(&resumed).contains("main/u-1: already_there") || fates(&resumed).contains("main/u-1: moved")
    );
}
