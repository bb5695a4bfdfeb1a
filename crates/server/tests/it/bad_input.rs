//! What callers get wrong: each ends in a clear refusal, with nothing stored and the connection still in use.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::app::{App, TOKEN, draft};

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_do_not_fit_are_refused() {
    let app = App::start().await;
    let caller = app.caller();
    let json_type = [("content-type", "application/json")];
    let mut lines = Vec::new();
    for (name, headers, body) in [
        ("no JSON", &json_type[..], "{".to_owned()),
        ("nothing", &json_type[..], String::new()),
        ("not UTF-8", &json_type[..], "{\"name\": \"\u{0}".to_owned()),
        ("more after the end", &json_type[..], "{} {}".to_owned()),
        ("a form", &[("content-type", "application/x-www-form-urlencoded")][..], "name=a".to_owned()),
        ("no content type", &[][..], draft("A").to_string().replace("\"kintone\"", "\"unknown\"")),
        ("a list", &json_type[..], "[]".to_owned()),
        (
            "unknown member",
            &json_type[..],
            r#"{"provider_config_key":"kintone","name":"a","colour":1}"#.to_owned(),
        ),
        ("missing member", &json_type[..], r#"{"name":"a"}"#.to_owned()),
        (
            "secret of a wrong type",
            &json_type[..],
            format!(
                r#"{{"provider_config_key":"kintone","name":"a","fields":{{"token":{{"x":"{TOKEN}"}}}}}}"#
            ),
        ),
    ] {
        let answer = caller.send(Method::POST, "/connections", headers, body.into()).await;
        let body = answer.json();
        lines.push(format!("{name}: {} | {} | {}", answer.verdict(), body["title"], body["detail"]));
        assert_eq!(answer.header("tombolo-error"), body["code"].as_str().expect("a code"));
        assert_eq!(answer.header("tombolo-request-id"), body["request_id"].as_str().expect("an id"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    insta::assert_snapshot!("bodies", lines.join("\n"));
    assert_eq!(caller.get("/connections").await.json()["connections"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_cannot_be_right_are_refused_before_anything_is_sent() {
    let app = App::start().await;
    let caller = app.caller();
    app.vendor().clear_requests();
    let mut lines = Vec::new();
    for (name, field, value) in [
        ("a URL", "subdomain", json!("http://demo")),
        ("user info", "subdomain", json!("user:pass@demo")),
        ("a loopback address", "subdomain", json!("127.0.0.1")),
        ("another host", "subdomain", json!("demo.evil.example/")),
        ("another region", "domain", json!("kintone.example")),
        ("a line break", "token", json!("canaryTokenA\r\nX-Evil: 1")),
        ("NUL", "token", json!("canaryTokenA\u{0}")),
        ("a long field", "token", json!("a".repeat(900_000))),
        ("ten tokens", "token", json!(vec![TOKEN; 10])),
        ("an unknown field", "tokne", json!("x")),
        ("a field of another scheme", "password", json!("canaryPassword")),
    ] {
        let mut wanted = draft("Sales");
        wanted["fields"][field] = value;
        let answer = caller.post("/connections", &wanted).await;
        let errors = answer.json()["error"]["errors"].clone();
        lines.push(format!("{name}: {} | {} | {}", answer.verdict(), errors[0]["path"], errors[0]["code"]));
    }
    for (name, member, value) in [
        ("an unknown setting", "settings", json!({ "timout": "5" })),
        ("a bad setting", "settings", json!({ "timeout": "soon" })),
        ("an unknown scheme", "auth_scheme", json!("magic")),
        ("an unknown provider", "provider_config_key", json!("nothing")),
        ("no name", "name", json!(" ")),
        ("a name with a line break", "name", json!("a\nb")),
        ("a long name", "name", json!("a".repeat(256))),
    ] {
        let mut wanted = draft("Sales");
        wanted[member] = value;
        let answer = caller.post("/connections", &wanted).await;
        lines.push(format!("{name}: {} | {}", answer.verdict(), answer.json()["title"]));
    }
    insta::assert_snapshot!("fields", lines.join("\n"));
    assert_eq!(app.vendor().requests().len(), 0);
    assert_eq!(caller.get("/connections").await.json()["connections"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_paths_and_methods_that_do_not_fit_are_refused() {
    let app = App::start().await;
    let caller = app.caller();
    let mut lines = Vec::new();
    for (method, path) in [
        (Method::GET, "/nothing"),
        (Method::GET, "/"),
        (Method::PUT, "/connections"),
        (Method::DELETE, "/openapi.json"),
        (Method::GET, "/connections?colour=red"),
        (Method::GET, "/connections?limit=0"),
        (Method::GET, "/connections?limit=10001"),
        (Method::GET, "/connections?limit=x"),
        (Method::GET, "/connections?page=20"),
        (Method::GET, "/connections?cursor=x"),
        (Method::GET, "/connections?tags[a]=%FF"),
        (Method::GET, "/connections?integrationId=nothing"),
        (Method::GET, "/connections/%FF"),
        (Method::GET, "/connections/x?force_refresh=true"),
        (Method::GET, "/integrations?x=1"),
        (Method::GET, "/providers/nothing"),
        (Method::GET, "/activity?status=6xx"),
        (Method::GET, "/activity?cursor=x"),
        (Method::GET, "/audit?cursor=x"),
        (Method::GET, "/jobs?state=lost"),
        (Method::GET, "/jobs/x"),
        (Method::GET, "/c/kintone"),
        (Method::GET, "/proxy/k/v1/app.json"),
    ] {
        let answer = caller.send(method.clone(), path, &[], Bytes::new()).await;
        let title = answer.json()["title"].as_str().expect("a title").to_owned();
        let allow = answer.header("allow");
        lines.push(format!("{method} {path}: {} | {title} {allow}", answer.verdict()).trim_end().to_owned());
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
    insta::assert_snapshot!("queries", lines.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_refused_and_the_answer_arrives() {
    let app = App::start().await;
    let caller = app.caller();
    for length in [1_048_577, 8 * 1024 * 1024] {
        let answer = caller
            .send(
                Method::POST,
                "/connections",
                &[("content-type", "application/json")],
                vec![b' '; length].into(),
            )
            .await;
        assert_eq!(answer.verdict(), "413 body_too_large");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_connection_is_gone_at_once() {
    let app = App::start().await;
    let caller = app.caller();
    let id = app.connect("Sales").await["id"].as_str().expect("an id").to_owned();
    let call = async || {
        caller
            .send(Method::GET, "/proxy/k/v1/app.json?id=1", &[("connection-id", id.as_str())], "".into())
            .await
    };
    assert_eq!(call().await.status, 200);
    assert_eq!(caller.delete(&format!("/connections/{id}")).await.status, 200);
    assert_eq!(call().await.verdict(), "404 unknown_connection");
    let again: Value = app.connect("Sales").await;
    assert_ne!(again["id"], json!(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_tags_that_no_database_holds_are_refused() {
    let app = App::start().await;
    let caller = app.caller();
    let mut lines = Vec::new();
    for (name, text) in [("NUL", "a\u{0}".to_owned()), ("too long", "a".repeat(5_000))] {
        let mut tagged = draft("Sales");
        tagged["tags"] = json!({ "team": text });
        for (path, body) in [
            ("/connections", tagged),
            ("/integrations", json!({ "provider": "kintone", "unique_key": "k", "display_name": text })),
            ("/api-keys", json!({ "display_name": text, "scopes": [] })),
        ] {
            let answer = caller.post(path, &body).await;
            let body = answer.json();
            lines.push(format!("{name} {path}: {} | {} {}", answer.verdict(), body["title"], body["detail"]));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    NUL /connections: 400 invalid_body | "The value of a tag must not hold control characters such as line breaks" "Take them out."
    NUL /integrations: 400 invalid_body | "The name of an integration must not hold control characters such as line breaks" "Take them out."
    NUL /api-keys: 400 invalid_body | "The name of an API key must not hold control characters such as line breaks" "Take them out."
    too long /connections: 400 invalid_body | "The value of a tag has at most 255 characters" "Shorten it."
    too long /integrations: 400 invalid_body | "The name of an integration has at most 255 characters" "Shorten it."
    too long /api-keys: 400 invalid_body | "1 field of the form needs attention: display_name" "See `errors` for each field."
    "#);
    assert_eq!(caller.get("/connections").await.json()["connections"], json!([]));
}
