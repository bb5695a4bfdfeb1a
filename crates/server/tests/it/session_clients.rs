//! OAuth clients that people choose and register in a connect session, over HTTP. What a right lets somebody do is shown in the
//! tests of `platform`.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{Answer, App};
use crate::connect_ui::post;
use crate::oauth::{attribute, registered};

const SECRET: &str = "canarySecretOfAnOwnClient0000000000000001";
const HOSTILE: &str = "<script>alert(1)</script>\"'";

async fn session(app: &App, right: &str) -> String {
    let wanted = json!({
        "end_user": { "id": "anna" }, "organization": { "id": "acme" },
        "allowed_integrations": ["kintone"], "oauth_clients": right,
    });
    let made = app.caller().post("/connect/sessions", &wanted).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    made.json()["data"]["token"].as_str().expect("a token").to_owned()
}

/// A step of the Connect UI as a form sends it, with more inputs in their place.
async fn send(app: &App, step: &str, token: &str, more: &[(&str, &str)]) -> Answer {
    let known = [("session_token", token), ("integration", "kintone"), ("scheme", "oauth2")];
    post(app, step, "text/html", &[&known[..], more].concat()).await
}

/// The value of a hidden input of a page.
fn hidden(page: &Answer, name: &str) -> String {
    let text = page.text();
    let found =
        text.split_once(&format!("name=\"{name}\" value=\"")).and_then(|(_, rest)| rest.split_once('"'));
    found.map(|(value, _)| value.to_owned()).unwrap_or_default()
}

/// What is typed about a client on the page that was answered.
async fn register(app: &App, token: &str, name: &str) -> Answer {
    let page = send(app, "client", token, &[]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let callback = hidden(&page, "client.callback");
    assert!(page.text().contains(&format!("/oauth/callback/{callback}\"")), "the redirect URI is shown");
    let typed = [
        ("client", ""),
        ("client.callback", callback.as_str()),
        ("client.name", name),
        ("client.id", "l.1.own"),
        ("client.secret", SECRET),
        ("client.scopes_shown", "1"),
        ("client.scope", "k:app_record:read"),
        ("c.subdomain", "demo"),
        ("c.domain", "kintone.com"),
        ("name", "Anna's apps"),
    ];
    send(app, "client/save", token, &typed).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_registered_in_a_session_and_its_secret_comes_back_nowhere() {
    let app = App::start().await;
    let token = session(&app, "manage").await;
    let form = register(&app, &token, HOSTILE).await;
    assert_eq!(form.status, StatusCode::OK, "{}", form.text());
    let text = form.text();
    assert_eq!(attribute(&form, "data-step"), "form");
    assert!(
        text.contains("Anna&#39;s apps") && text.contains("value=\"demo\""),
        "what was typed stays: {text}"
    );

    let listed = app.caller().get("/oauth-clients").await.json();
    let made = &listed["oauth_clients"][0];
    assert_eq!(made["owner"], json!({ "kind": "organization", "id": "acme" }));
    assert_eq!((&made["has_secret"], &made["scopes"]), (&json!(true), &json!(["k:app_record:read"])));
    let id = made["id"].as_str().expect("an id");
    assert!(text.contains(&format!("<option value=\"{id}\"")) && text.contains(" selected>"), "{text}");

    let again = send(&app, "client", &token, &[("client", id)]).await;
    assert_eq!(attribute(&again, "data-step"), "client");
    let told = app.caller_with_key(Some(&token)).get("/connect/session").await;
    let audit = app.caller().get("/audit").await;
    assert!(audit.text().contains("oauth_client.created"), "{}", audit.text());
    let all = [form, again, told, audit, app.caller().get("/oauth-clients").await];
    for answer in &all {
        assert!(!answer.text().contains(SECRET), "{}", answer.text());
    }
    for page in &all[..2] {
        assert!(!page.text().contains("<script>alert"), "names are texts: {}", page.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_is_named_exactly_and_given_by_whoever_has_it() {
    let app = App::start().await;
    let ask = |change: Value| {
        let mut wanted = json!({ "end_user": { "id": "anna" }, "allowed_integrations": ["kintone"] });
        wanted.as_object_mut().expect("an object").extend(change.as_object().cloned().unwrap_or_default());
        wanted
    };
    let making = app.key_with_scopes(&["environment:connect_sessions:write"]).await;
    let (all, narrow) = (app.caller(), app.caller_with_key(Some(&making)));
    for (caller, change, verdict) in [
        (&all, json!({ "oauth_clients": "everything" }), "400 invalid_body"),
        (
            &all,
            json!({ "oauth_clients": "manage", "end_user": null, "tags": { "a": "b" } }),
            "400 invalid_body",
        ),
        (&narrow, json!({ "oauth_clients": "choose" }), "403 forbidden"),
        (&narrow, json!({ "oauth_clients": "manage" }), "403 forbidden"),
    ] {
        assert_eq!(
            caller.post("/connect/sessions", &ask(change.clone())).await.verdict(),
            verdict,
            "{change}"
        );
    }
    let plain = narrow.post("/connect/sessions", &ask(json!({ "oauth_clients": "none" }))).await;
    assert_eq!(plain.status, StatusCode::CREATED, "{}", plain.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_or_a_session_without_the_right_registers_nothing() {
    let app = App::start().await;
    let client = registered(&app, "Client").await;
    let token = session(&app, "choose").await;
    for (step, more) in [
        ("client", vec![]),
        ("client/save", vec![("client.name", "x")]),
        ("client", vec![("client", "Client")]),
    ] {
        let refused = send(&app, step, &token, &more).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{step} {more:?}: {}", refused.text());
    }
    let manage = session(&app, "manage").await;
    let id = client["id"].as_str().expect("an id");
    let change = [("client", id), ("client.id", "l.1.evil"), ("client.secret", SECRET)];
    let refused = send(&app, "client/save", &manage, &change).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.text());

    let headers = [("content-type", "multipart/form-data; boundary=b"), ("sec-fetch-site", "cross-site")];
    let body =
        format!("--b\r\ncontent-disposition: form-data; name=\"session_token\"\r\n\r\n{manage}\r\n--b--\r\n");
    for step in ["client", "client/save"] {
        let path = format!("/connect/default/{step}");
        let answer = app.caller_with_key(None).send(Method::POST, &path, &headers, body.clone().into()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{step}");
    }
    let unchanged = app.caller().get("/oauth-clients").await.json();
    assert_eq!(unchanged["oauth_clients"], json!([client]));
}
