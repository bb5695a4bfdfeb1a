use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::app::{App, OTHER_TOKEN, TOKEN};

/// What a vendor sees of a call, without what the vendor's own tests look at.
fn seen(app: &App) -> String {
    let requests = app.vendor().requests();
    let lines = requests.iter().flat_map(|request| {
        let mut headers = request.headers.clone();
        headers.sort();
        let head = format!("{} {}?{}", request.method, request.path, request.query);
        let headers = headers.into_iter().map(|(name, value)| format!("  {name}: {value}"));
        std::iter::once(head).chain(headers).collect::<Vec<_>>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxied_call_carries_the_credential_and_nothing_of_ours() {
    let app = App::start().await;
    app.connect("営業").await;
    app.vendor().clear_requests();
    let headers = [
        ("connection-id", "%E5%96%B6%E6%A5%AD"),
        ("provider-config-key", "kintone"),
        ("x-cybozu-api-token", "stolen"),
        ("x-cybozu-authorization", "stolen"),
        ("cookie", "stolen"),
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("x-own", "kept"),
    ];
    let answer =
        app.caller().send(Method::GET, "/proxy/k/v1/record.json?app=1&id=1", &headers, Bytes::new()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["record"]["$id"]["value"], "1");
    assert!(
        answer.headers.contains_key("x-concurrencylimit-limit")
            && answer.headers.contains_key("tombolo-request-id")
    );
    assert!(!answer.headers.contains_key("tombolo-error"));
    insta::assert_snapshot!("proxied", seen(&app));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_by_the_drop_in_url_takes_our_key_where_the_vendors_would_stand() {
    let app = App::start().await;
    let id = app.connect("Sales").await["id"].as_str().expect("an id").to_owned();
    let caller = app.caller_with_key(None);
    let key = app.caller().key.expect("a key");
    app.vendor().clear_requests();
    let path = format!("/c/kintone/{id}/k/v1/record.json");
    let record = json!({ "app": 1, "record": { "customer_code": { "value": "T900" }, "company": { "value": "Tombolo" } } }).to_string();
    let headers = [("x-cybozu-api-token", key.as_str()), ("content-type", "application/json")];
    let answer = caller.send(Method::POST, &path, &headers, record.into()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    insta::assert_snapshot!("dropped_in", seen(&app));

    // A problem of ours is told in the members that the vendor's client reads.
    let refused =
        caller.send(Method::GET, &path, &[("x-cybozu-api-token", "vendors-own-token")], "".into()).await;
    assert_eq!(refused.status, 401);
    let body = refused.json();
    for member in ["code", "id", "message"] {
        assert!(body[member].is_string(), "{member}: {body}");
    }
    assert_eq!(refused.header("tombolo-error"), body["code"].as_str().expect("a code"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_token_of_the_app_is_sent() {
    let app = App::start().await;
    let both = json!({
        "integration": "kintone", "name": "Both", "auth_scheme": "api_token",
        "fields": { "subdomain": "demo", "token": [TOKEN, OTHER_TOKEN], "app": ["1", "2"] },
    });
    let caller = app.caller();
    assert_eq!(caller.post("/connections", &both).await.status, 201);
    app.vendor().clear_requests();
    for number in ["1", "2"] {
        let path = format!("/proxy/k/v1/app.json?id={number}");
        let answer = caller.send(Method::GET, &path, &[("connection-id", "Both")], "".into()).await;
        assert_eq!(answer.status, 200);
    }
    let sent: Vec<String> = app
        .vendor()
        .requests()
        .iter()
        .map(|request| request.header("x-cybozu-api-token").unwrap_or_default().to_owned())
        .collect();
    assert_eq!(sent, [TOKEN, OTHER_TOKEN]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_upstream_comes_back_unchanged() {
    let app = App::start().await;
    app.connect("Sales").await;
    let caller = app.caller();
    let headers = [("connection-id", "Sales")];
    let answer =
        caller.send(Method::GET, "/proxy/k/v1/record.json?app=1&id=999999", &headers, "".into()).await;
    let body: Value = answer.json();
    assert_eq!((answer.status.as_u16(), &body["code"]), (404, &json!("GAIA_RE01")));
    assert!(!answer.headers.contains_key("tombolo-error"));
    let escaping = caller.send(Method::GET, "/proxy/k/%2e%2e/admin", &headers, "".into()).await;
    assert_eq!(escaping.header("tombolo-error"), "path_refused", "{}", escaping.text());
}
