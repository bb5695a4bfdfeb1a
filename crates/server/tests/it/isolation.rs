//! Nothing of one environment is seen or touched from another, and nothing at all without the right key.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::app::{App, draft};

/// Every route that names an object, with the object of the other environment in its place.
#[tokio::test(flavor = "multi_thread")]
async fn ids_of_another_environment_are_unknown() {
    let app = App::start().await;
    let (owner, stranger) = (app.caller(), app.other_environment().await);
    let connection = app.connect("Sales").await;
    let id = connection["id"].as_str().expect("an id");
    let integration = json!({ "provider": "kintone", "unique_key": "theirs" });
    assert_eq!(owner.post("/integrations", &integration).await.status, 200);
    let keys = owner.get("/api-keys").await.json();
    let key = keys["data"][0]["id"].as_str().expect("a key").to_owned();
    let before = owner.get(&format!("/connections/{id}")).await.json();

    let mut found = Vec::new();
    for reference in [id, "Sales"] {
        for (method, path, body) in [
            (Method::GET, format!("/connections/{reference}"), json!(null)),
            (Method::PATCH, format!("/connections/{reference}"), json!({ "name": "Mine" })),
            (Method::DELETE, format!("/connections/{reference}"), json!(null)),
            (Method::POST, format!("/connections/{reference}/test"), json!({})),
            (Method::GET, format!("/connections/{reference}?provider_config_key=kintone"), json!(null)),
        ] {
            found.push((
                method.clone(),
                path.clone(),
                stranger.send_json(method, &path, &body).await.verdict(),
            ));
        }
        for (path, headers) in [
            ("/proxy/k/v1/app.json?id=1".to_owned(), vec![("connection-id", reference)]),
            (
                "/proxy/k/v1/app.json?id=1".to_owned(),
                vec![("connection-id", reference), ("provider-config-key", "kintone")],
            ),
            (format!("/c/kintone/{reference}/k/v1/app.json?id=1"), vec![]),
        ] {
            let answer = stranger.send(Method::GET, &path, &headers, "".into()).await;
            found.push((Method::GET, path, answer.verdict()));
        }
    }
    for (method, path, body) in [
        (Method::GET, "/integrations/theirs".to_owned(), json!(null)),
        (Method::PATCH, "/integrations/theirs".to_owned(), json!({ "display_name": "Mine" })),
        (Method::DELETE, "/integrations/theirs".to_owned(), json!(null)),
        (Method::GET, "/connections?integrationId=theirs".to_owned(), json!(null)),
        (Method::DELETE, format!("/api-keys/{key}"), json!(null)),
        (Method::GET, "/jobs/job_00000000000000000000000000000000".to_owned(), json!(null)),
        (Method::GET, "/activity?connection=Sales".to_owned(), json!(null)),
    ] {
        found.push((method.clone(), path.clone(), stranger.send_json(method, &path, &body).await.verdict()));
    }
    let told: Vec<&(Method, String, String)> =
        found.iter().filter(|(_, _, verdict)| !verdict.starts_with("404 ")).collect();
    assert!(told.is_empty(), "{told:#?}");
    assert_eq!(found.len(), 23);

    // Lists show nothing of it, and the owner's things are as they were.
    for (path, member) in [
        ("/connections", "connections"),
        ("/connections?search=Sales", "connections"),
        ("/integrations", "data"),
        ("/jobs", "jobs"),
        ("/activity", "calls"),
    ] {
        assert_eq!(stranger.get(path).await.json()[member], json!([]), "{path}");
    }
    let trail = stranger.get("/audit").await.text();
    assert!(!trail.contains("Sales") && !trail.contains(id), "{trail}");
    assert_eq!(owner.get(&format!("/connections/{id}")).await.json(), before);
    // A name is free in each environment.
    let mut same = draft("Sales");
    same["test"] = json!(false);
    assert_eq!(stranger.post("/connections", &same).await.status, 201);
}

/// Every documented route that is not public asks for a key, and for the scope that its description names.
#[tokio::test(flavor = "multi_thread")]
async fn every_route_asks_for_a_key_and_its_scope() {
    let app = App::start().await;
    let (nobody, powerless) = (app.caller_with_key(None), app.caller_with_scopes(&[]).await);
    let document: Value = serde_json::from_str(&tombolo_server::openapi()).expect("JSON");
    let all_powerful = app.caller();
    let (mut asked, mut in_sessions, mut public) = (0, 0, Vec::new());
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let example = path.replace("{path}", "k/v1/app.json").replace(['{', '}'], "");
            let headers = [("connection-id", "x"), ("content-type", "application/json")];
            let without_key = nobody.send(method.clone(), &example, &headers, "".into()).await;
            if operation["security"] == json!([{ "connectSession": [] }]) {
                // A browser in a session; an API key does not stand for its token.
                let body = if path == "/connect/telemetry" {
                    json!({ "token": "x", "event": "open", "timestamp": "2026-01-01T00:00:00Z" })
                } else {
                    json!({})
                };
                for caller in [&nobody, &all_powerful] {
                    let refused = caller.send_json(method.clone(), &example, &body).await;
                    assert_eq!(refused.status, 401, "{method} {path}: {}", refused.text());
                }
                in_sessions += 1;
                continue;
            }
            if operation["security"] == json!([{}]) {
                // A made-up link of a person's way to the vendor leads nowhere, which needs no key to be told.
                let is_link = path.starts_with("/oauth/") || path.starts_with("/reconnect/");
                let leads_nowhere = (is_link || path == "/") && without_key.status == 404
                    || path == "/oauth/callback" && without_key.status == 403
                    || path == "/app-auth/connect" && without_key.status == 501;
                let is_open = without_key.status.is_success() || leads_nowhere;
                assert!(is_open, "{method} {example}: {}", without_key.status);
                public.push(path.clone());
                continue;
            }
            assert_eq!(operation["security"], json!([{ "apiKey": [] }]), "{method} {path}");
            assert_eq!(without_key.status, 401, "{method} {example}");
            let without_scope = powerless.send(method.clone(), &example, &headers, "".into()).await;
            assert_eq!(without_scope.status, 403, "{method} {example}: {}", without_scope.text());
            if method != Method::HEAD {
                let title = without_scope.json()["title"].as_str().expect("a title").to_owned();
                let scope = title.split('`').nth(1).expect("the scope");
                let description = operation["description"].as_str().expect("a description");
                let description = description.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(description.contains(&format!("Scope: `{scope}`")), "{method} {path}: {scope}");
            }
            asked += 1;
        }
    }
    public.sort();
    assert_eq!(
        public,
        [
            "/",
            "/app-auth/connect",
            "/health",
            "/metrics",
            "/oauth/callback",
            "/oauth/callback.js",
            "/oauth/callback/{callback}",
            "/oauth/start/{secret}",
            "/oauth/start/{secret}",
            "/openapi.json",
            "/ready",
            "/reconnect/{secret}",
            "/reconnect/{secret}"
        ]
    );
    assert!(asked >= 43 && in_sessions >= 15, "{asked} and {in_sessions} operations");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_not_valid_are_one_and_the_same_refusal() {
    let app = App::start().await;
    let owner = app.caller();
    let soon = json!({ "display_name": "soon", "expires_at": "2026-01-01T01:00:00Z" });
    let expiring =
        owner.post("/api-keys", &soon).await.json()["data"]["secret"].as_str().expect("a key").to_owned();
    let revoked = owner.post("/api-keys", &json!({ "display_name": "gone" })).await.json();
    let revoked = revoked["data"]["secret"].as_str().expect("a key").to_owned();
    for key in [&expiring, &revoked] {
        assert_eq!(app.caller_with_key(Some(key)).get("/connections").await.status, 200);
    }
    app.clock.advance(Duration::from_hours(2));
    assert_eq!(owner.delete("/api-keys/gone").await.status, 200);
    let mistyped = format!("{}x", &revoked[..revoked.len() - 1]);
    for key in [expiring.as_str(), &revoked, &mistyped, "tmb_", "x", "Bearer"] {
        let answer = app.caller_with_key(Some(key)).get("/connections").await;
        assert_eq!(answer.verdict(), "401 unknown_account", "{key}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        let proxied = app.caller_with_key(Some(key));
        let proxied = proxied.send(Method::GET, "/proxy/x", &[("connection-id", "x")], "".into()).await;
        assert_eq!(proxied.verdict(), "401 unknown_account", "{key}");
    }
}
