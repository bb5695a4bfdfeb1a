//! Connect sessions as a browser sees them, where the published clients do not show it.

use http::StatusCode;
use serde_json::{Value, json};

use crate::app::{Answer, App, Caller, TOKEN};

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
