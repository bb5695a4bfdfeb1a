use serde_json::{Value, json};

use super::registered;
use crate::app::App;

const SECRET: &str = "canaryClientSecret000000000000000000005";

#[tokio::test(flavor = "multi_thread")]
async fn an_oauth_client_has_a_redirect_uri_before_it_has_an_id() {
    let app = App::start().await;
    let caller = app.caller();
    let wanted = json!({ "name": "営業部", "provider": "kintone", "config": { "subdomain": "demo" } });
    let made = caller.post("/oauth-clients", &wanted).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let redirect_uri = made["redirect_uri"].as_str().expect("a redirect URI").to_owned();
    assert!(redirect_uri.starts_with("http://localhost:"), "{redirect_uri}");
    let (_, callback) = redirect_uri.split_once("/oauth/callback/").expect("its own address");
    assert!(callback.len() >= 22, "unguessable: {callback}");
    assert_eq!((&made["client_id"], &made["has_secret"]), (&json!(""), &json!(false)));
    assert_eq!((&made["auth_scheme"], &made["config"]["subdomain"]), (&json!("oauth2"), &json!("demo")));

    // Without an id nobody can be sent to the vendor.
    let link = json!({ "integration": "kintone", "name": "Sales" });
    assert_eq!(caller.post("/authorizations", &link).await.verdict(), "409 oauth_client_unfinished");

    let change = json!({ "client_id": "l.1.abc", "client_secret": SECRET, "name": "Sales" });
    let changed = caller.patch("/oauth-clients/営業部", &change).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let changed = changed.json();
    assert_eq!((&changed["client_id"], &changed["has_secret"]), (&json!("l.1.abc"), &json!(true)));
    assert_eq!((&changed["version"], &changed["redirect_uri"]), (&json!(2), &json!(redirect_uri)));
    for path in ["/oauth-clients", "/oauth-clients/Sales", "/audit"] {
        assert!(!caller.get(path).await.text().contains(SECRET), "{path}");
    }
    let listed = caller.get("/oauth-clients").await.json();
    assert_eq!(listed["oauth_clients"].as_array().map(Vec::len), Some(1));
    assert_eq!(caller.delete("/oauth-clients/Sales").await.json(), json!({ "success": true }));
    assert_eq!(caller.get("/oauth-clients/Sales").await.verdict(), "404 unknown_oauth_client");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_by_name() {
    let app = App::start().await;
    let caller = app.caller();
    registered(&app, "Taken").await;
    for (body, verdict) in [
        (json!({ "name": "x" }), "400 invalid_body"),
        (json!({ "name": "x", "provider": "kintone", "colour": "red" }), "400 invalid_body"),
        (json!({ "name": "x", "provider": "nobody" }), "404 unknown_provider_config"),
        (json!({ "name": "x", "provider": "kintone", "auth_scheme": "password" }), "400 no_oauth"),
        (json!({ "name": "x", "provider": "oomnitza" }), "400 no_oauth"),
        (json!({ "name": "x", "provider": "kintone", "config": { "app": "1" } }), "400 invalid_body"),
        (json!({ "name": " ", "provider": "kintone" }), "400 invalid_body"),
        (json!({ "name": " Taken", "provider": "kintone" }), "409 unique_key_taken"),
    ] {
        assert_eq!(caller.post("/oauth-clients", &body).await.verdict(), verdict, "{body}");
    }
    for (path, body) in [
        ("/oauth-clients/Taken", json!({ "redirect_uri": "https://elsewhere.example" })),
        ("/oauth-clients/Taken", json!({ "config": { "subdomain": "acme" } })),
    ] {
        assert_eq!(caller.patch(path, &body).await.verdict(), "400 invalid_body", "{body}");
    }
    assert_eq!(caller.get("/oauth-clients?colour=red").await.verdict(), "400 invalid_query_params");
}

#[tokio::test(flavor = "multi_thread")]
async fn oauth_clients_and_links_of_another_environment_are_unknown() {
    let app = App::start().await;
    let client = registered(&app, "Sales").await;
    let link = super::link(&app, "Account", "Sales").await;
    let stranger = app.other_environment().await;
    let id = client["id"].as_str().expect("an id");
    for reference in [id, "Sales"] {
        let path = format!("/oauth-clients/{reference}");
        assert_eq!(stranger.get(&path).await.verdict(), "404 unknown_oauth_client");
        let change = json!({ "client_secret": SECRET });
        assert_eq!(stranger.patch(&path, &change).await.verdict(), "404 unknown_oauth_client");
        assert_eq!(stranger.delete(&path).await.verdict(), "404 unknown_oauth_client");
        let theirs = json!({ "integration": "kintone", "name": "x", "oauth_client": reference });
        assert_eq!(stranger.post("/authorizations", &theirs).await.verdict(), "404 unknown_oauth_client");
    }
    assert_eq!(stranger.get("/oauth-clients").await.json()["oauth_clients"], json!([]));
    let path = format!("/authorizations/{}", link["id"].as_str().expect("an id"));
    assert_eq!(stranger.get(&path).await.verdict(), "404 unknown_authorization");
    let unchanged: Value = app.caller().get(&format!("/oauth-clients/{id}")).await.json();
    assert_eq!(unchanged, client);
}
