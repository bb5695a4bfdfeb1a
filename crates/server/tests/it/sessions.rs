//! Connect sessions as a browser sees them, where the published clients do not show it.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tombolo_platform::SystemClock;
use tombolo_platform::start::ConnectToOption;

use crate::app::{Answer, App, Caller, Engine, TOKEN};
use crate::oauth::{Browser, registered};

const TENANT: &str = "params[subdomain]=demo&params[domain]=kintone.com&params[app]=1";

/// The token of a new session for a person.
async fn session(app: &App, more: Value) -> String {
    let mut wanted = json!({ "end_user": { "id": "u-1", "display_name": "Anna" } });
    wanted.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let made = app.caller().post("/connect/sessions", &wanted).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    made.json()["data"]["token"].as_str().expect("a token").to_owned()
}

/// Links the account of the test as a browser does that shows a token.
async fn link(browser: &Caller, token: &str, more: &str) -> Answer {
    let path = format!("/api-auth/api-key/main?connect_session_token={token}&{TENANT}{more}");
    browser.post(&path, &json!({ "apiKey": TOKEN })).await
}

async fn with_integration() -> App {
    let app = App::start().await;
    let made =
        app.caller().post("/integrations", &json!({ "provider": "kintone", "unique_key": "main" })).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_of_one_person_that_are_linked_at_once_both_get_a_name() {
    let app = with_integration().await;
    let browser = app.caller_with_key(None);
    let tokens = [session(&app, json!({})).await, session(&app, json!({})).await];
    let (first, second) = tokio::join!(link(&browser, &tokens[0], ""), link(&browser, &tokens[1], ""));
    assert_eq!(
        (first.status, second.status),
        (StatusCode::OK, StatusCode::OK),
        "{}{}",
        first.text(),
        second.text()
    );
    let listed = app.caller().get("/connections").await.json();
    let names: Vec<&str> = listed["connections"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(names.len(), 2);
    assert!(names.iter().all(|name| name.starts_with("Kintone – Anna")), "{names:?}");
    assert_ne!(names[0], names[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_another_integration_has_as_well_is_not_changed_through_one_of_them() {
    let app = App::start().await;
    let caller = app.caller();
    let credentials =
        |id: &str| json!({ "type": "OAUTH2", "client_id": id, "client_secret": "MARKER-secret" });
    let made = json!({ "provider": "kintone", "unique_key": "first", "credentials": credentials("one") });
    let first = caller.post("/integrations", &made).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text());
    let client = first.json()["data"]["oauth_client"].clone();
    let client_id = async || {
        let shown = caller.get("/integrations/first?include=credentials").await;
        shown.json()["data"]["credentials"]["client_id"].clone()
    };

    // Its own is changed, with everything else or not at all.
    let second = json!({ "provider": "kintone", "unique_key": "second", "oauth_client": client });
    let taken = json!({ "unique_key": "taken", "credentials": credentials("two") });
    let other = json!({ "provider": "kintone", "unique_key": "taken" });
    assert_eq!(caller.post("/integrations", &other).await.status, StatusCode::OK);
    let refused = caller.patch("/integrations/first", &taken).await;
    assert_eq!(
        (refused.status, client_id().await),
        (StatusCode::CONFLICT, json!("one")),
        "{}",
        refused.text()
    );
    let changed = caller.patch("/integrations/first", &json!({ "credentials": credentials("two") })).await;
    assert_eq!((changed.status, client_id().await), (StatusCode::OK, json!("two")));

    // It stays of its kind, and where it is registered.
    let (mut of_another_kind, registered) = (credentials("three"), credentials("three"));
    of_another_kind["type"] = json!("TBA");
    for (change, path) in [
        (json!({ "credentials": of_another_kind }), json!(["credentials", "type"])),
        (
            json!({ "credentials": registered, "integration_config": { "subdomain": "other" } }),
            json!(["integration_config", "subdomain"]),
        ),
    ] {
        let refused = caller.patch("/integrations/first", &change).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text());
        assert_eq!(refused.json()["error"]["errors"][0]["path"], path, "{}", refused.text());
        assert_eq!(client_id().await, json!("two"));
    }

    assert_eq!(caller.post("/integrations", &second).await.status, StatusCode::OK);
    let refused = caller.patch("/integrations/second", &json!({ "credentials": credentials("three") })).await;
    assert_eq!(refused.json()["error"]["code"], "oauth_client_shared", "{}", refused.text());
    assert!(refused.text().contains("first"), "{}", refused.text());
    assert_eq!(client_id().await, json!("two"));

    let wrong = json!({ "provider": "kintone", "unique_key": "third", "credentials": { "type": "TBA", "client_id": "x" } });
    let wrong = caller.post("/integrations", &wrong).await;
    assert_eq!(
        wrong.json()["error"]["errors"][0]["path"],
        json!(["credentials", "type"]),
        "{}",
        wrong.text()
    );
}

/// An installation whose vendor lets nobody in but with a certificate, at the other host.
async fn behind_a_certificate() -> (App, Value) {
    let app = App::start_with(Engine::Sqlite, None, |options, _| {
        let plain = options.egress.connect_to[0].clone();
        options.egress.connect_to.push(ConnectToOption { host: "demo.s.kintone.com".to_owned(), ..plain });
        // The vendor makes certificates that are good from today on.
        options.clock = std::sync::Arc::new(SystemClock);
    })
    .await;
    registered(&app, "Client").await;
    let made = json!({ "provider": "kintone", "unique_key": "main", "oauth_client": "Client" });
    assert_eq!(app.caller().post("/integrations", &made).await.status, StatusCode::OK);
    // How accounts are confirmed is shown elsewhere.
    let unconfirmed = json!({ "confirm_authorizations": false });
    assert_eq!(app.caller().patch("/environment", &unconfirmed).await.status, StatusCode::OK);
    app.vendor().set_allowed_networks("demo", vec!["203.0.113.0/24".to_owned()]).expect("changed");
    let made = app.vendor().issue_client_certificate("demo", "anna", None).expect("made");
    let pem = format!("{}{}", made.certificate_pem, made.private_key_pem);
    (app, json!({ "certificate_type": "pem", "certificate": pem }))
}

/// Hands secrets over as a page does that holds the token of a session.
async fn hand_over(app: &App, token: &str, fields: &Value) -> Answer {
    let browser = app.caller_with_key(Some(token));
    browser.send_json(Method::PUT, "/connect/session/fields/main", &json!({ "fields": fields })).await
}

/// Links an account in a window, and answers the id of its connection.
async fn link_in_window(app: &App, token: &str) -> String {
    let query = format!("connect_session_token={token}&params[app]=1");
    let begun = app.caller_with_key(None).get(&format!("/oauth/connect/main?{query}")).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text());
    let link = json!({ "url": begun.header("location") });
    let mut browser = Browser::of(app);
    let page = browser.begin(&link).await;
    // The person sits in the vendor's network, and we do not.
    app.vendor().set_allowed_networks("demo", Vec::new()).expect("changed");
    let back = browser.decide(&page, "allow").await;
    app.vendor().set_allowed_networks("demo", vec!["203.0.113.0/24".to_owned()]).expect("changed");
    let done = browser.open(&back).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    let listed = app.caller().get("/connections").await.json();
    listed["connections"][0]["connection_id"].as_str().expect("an id").to_owned()
}

async fn called_at(app: &App, id: &str) -> String {
    app.vendor().clear_requests();
    let call = [("connection-id", id), ("provider-config-key", "main")];
    let called = app.caller().send(Method::GET, "/proxy/k/v1/app.json?id=1", &call, "".into()).await;
    assert_eq!(called.status, StatusCode::OK, "{}", called.text());
    let seen = app.vendor().requests();
    seen.last().and_then(|request| request.header("host")).expect("a host").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_waits_sealed_for_the_account_that_a_window_links() {
    let (app, certificate) = behind_a_certificate().await;
    let pem = certificate["certificate"].as_str().expect("a text");
    let secret = pem.lines().rev().nth(2).expect("a line of the key").to_owned();

    // By the page, which cannot give it to the window.
    let token = session(&app, json!({ "allowed_integrations": ["main"] })).await;
    let handed = hand_over(&app, &token, &certificate).await;
    assert_eq!(handed.status, StatusCode::NO_CONTENT, "{}", handed.text());
    let linked = link_in_window(&app, &token).await;
    assert_eq!(called_at(&app, &linked).await, "demo.s.kintone.com");
    assert_eq!(hand_over(&app, &token, &certificate).await.status, StatusCode::UNAUTHORIZED, "it has ended");

    // By the embedder; a browser does not see it.
    let filled_in = json!({ "main": { "connection_config": certificate } });
    let token = session(&app, json!({ "integrations_config_defaults": filled_in })).await;
    let shown = app.caller_with_key(Some(&token)).get("/connect/session").await;
    assert!(!shown.text().contains("certificate"), "{}", shown.text());
    let linked = link_in_window(&app, &token).await;
    assert_eq!(called_at(&app, &linked).await, "demo.s.kintone.com");

    // Linked again it comes through the same gate, or the person is told beforehand.
    let again = json!({ "connection_id": linked, "integration_id": "main" });
    let again = app.caller().post("/connect/sessions/reconnect", &again).await.json();
    let token = again["data"]["token"].as_str().expect("a token").to_owned();
    let path = format!("/oauth/connect/main?connect_session_token={token}");
    let refused = app.caller_with_key(None).get(&path).await;
    assert!(
        refused.status == StatusCode::CONFLICT && refused.text().contains("client_certificate"),
        "{}",
        refused.text()
    );
    assert_eq!(hand_over(&app, &token, &certificate).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.caller_with_key(None).get(&path).await.status, StatusCode::SEE_OTHER);

    let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
    assert!(!holds(&app.answers()), "an answer holds the key");
    assert!(app.files().iter().all(|(_, bytes)| !holds(bytes)), "a file holds the key");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_over_opens_the_gate_of_a_form_as_well_and_what_is_wrong_is_told_at_once() {
    let (app, certificate) = behind_a_certificate().await;
    let token = session(&app, json!({})).await;
    for (fields, expected) in [
        (json!({ "certificate": "no certificate" }), "certificate"),
        (json!({ "certificate_type": "xml", "certificate": "x" }), "certificate_type"),
        (json!({ "subdomain": "demo" }), "subdomain"),
        (json!({ "proxy_server": "evil.example:3128" }), "proxy_server"),
    ] {
        let refused = hand_over(&app, &token, &fields).await;
        assert_eq!(refused.json()["error"]["errors"][0]["path"], json!([expected]), "{}", refused.text());
    }
    assert_eq!(hand_over(&app, &token, &certificate).await.status, StatusCode::NO_CONTENT);
    let linked = link(&app.caller_with_key(None), &token, "").await;
    assert_eq!(linked.status, StatusCode::OK, "{}", linked.text());
    let id = linked.json()["connectionId"].as_str().expect("an id").to_owned();
    assert_eq!(called_at(&app, &id).await, "demo.s.kintone.com");
}

/// A page that waits holds its place among all connections, and is told as waiting.
#[expect(clippy::disallowed_methods, reason = "a browser's socket, byte by byte")]
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_waits_counts_among_the_connections_until_it_goes() {
    let app = App::start().await;
    let figure = async |name: &str| -> u64 {
        let text = app.caller_with_key(None).get("/metrics").await.text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|number| number.parse().ok()).expect("a figure")
    };
    assert_eq!((figure("tombolo_waiting_pages").await, figure("tombolo_connections_limit").await), (0, 100));
    let before = figure("tombolo_connections").await;

    let address = app.url().replace("http://localhost", "127.0.0.1");
    let mut page = TcpStream::connect(address).await.expect("it listens");
    let upgrade = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    page.write_all(upgrade.as_bytes()).await.expect("written");
    let mut told = Vec::new();
    while !String::from_utf8_lossy(&told).contains("connection_ack") {
        assert_ne!(
            page.read_buf(&mut told).await.expect("an answer"),
            0,
            "{}",
            String::from_utf8_lossy(&told)
        );
    }
    assert_eq!(figure("tombolo_waiting_pages").await, 1);
    assert!(figure("tombolo_connections").await > before, "the page has its place");

    drop(page);
    let gone = async { while figure("tombolo_waiting_pages").await != 0 {} };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("it is forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_travels_in_a_url() {
    let app = with_integration().await;
    let browser = app.caller_with_key(None);
    let token = session(&app, json!({})).await;
    for secret in [
        "params[basic_password]=x",
        "params[certificate]=x",
        "params[certificate_password]=x",
        "params[token]=x",
    ] {
        let refused = link(&browser, &token, &format!("&{secret}")).await;
        assert_eq!(refused.verdict(), "400 invalid_query_params", "{secret}");
        let refused =
            browser.get(&format!("/oauth/connect/main?connect_session_token={token}&{secret}")).await;
        assert!(!refused.status.is_redirection(), "{secret}");
    }
}
