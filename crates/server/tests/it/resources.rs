//! Integrations, providers, API keys, the audit trail and jobs.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use tombolo_platform::store::{Change, NewJob};

use crate::app::App;

#[tokio::test(flavor = "multi_thread")]
async fn integrations_are_made_changed_and_deleted() {
    let app = App::start().await;
    let caller = app.caller();
    let draft = json!({ "provider": "kintone", "unique_key": "sales", "auth_schemes": ["api_token"] });
    let made = caller.post("/integrations", &draft).await;
    insta::assert_snapshot!("integration", made.snapshot());
    assert_eq!(caller.get("/integrations").await.json()["data"], json!([made.json()["data"]]));
    for (body, verdict) in [
        (draft.clone(), "409 unique_key_taken"),
        (json!({ "provider": "nothing", "unique_key": "x" }), "400 invalid_body"),
        (json!({ "provider": "kintone", "unique_key": "a/b" }), "400 invalid_body"),
        (
            json!({ "provider": "kintone", "unique_key": "x", "auth_schemes": ["magic"] }),
            "400 unknown_auth_scheme",
        ),
        (json!({ "provider": "kintone", "unique_key": "x", "credentials": {} }), "400 invalid_body"),
    ] {
        assert_eq!(caller.post("/integrations", &body).await.verdict(), verdict, "{body}");
    }
    let changed =
        caller.patch("/integrations/sales", &json!({ "unique_key": "east", "display_name": "東" })).await;
    assert_eq!(changed.json()["data"]["display_name"], "東");
    assert_eq!(caller.get("/integrations/sales").await.verdict(), "404 unknown_provider_config");

    app.connect("In use").await;
    assert_eq!(caller.delete("/integrations/kintone").await.verdict(), "409 integration_in_use");
    assert_eq!(caller.delete("/integrations/east").await.text(), r#"{"success":true}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_come_in_both_languages_with_one_picked() {
    let app = App::start().await;
    let caller = app.caller();
    let names = |list: &Value| {
        list["data"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["name"].as_str().expect("a name").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&caller.get("/providers").await.json()), ["kintone", "kintone-user-api", "oomnitza"]);
    assert_eq!(names(&caller.get("/providers?search=OOM").await.json()), ["oomnitza"]);

    for (language, picked) in [("ja,en;q=0.5", "サブドメイン"), ("en", "Subdomain"), ("fr", "Subdomain")]
    {
        let answer =
            caller.send(Method::GET, "/providers/kintone", &[("accept-language", language)], "".into()).await;
        let field = &answer.json()["data"]["fields"][0];
        assert_eq!(field["label"], json!({ "text": picked, "en": "Subdomain", "ja": "サブドメイン" }));
    }
    let kintone = caller.get("/providers/kintone").await.json()["data"].clone();
    let of = |member: &str, name: &str| {
        kintone[member]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one[name].as_str().expect("a text").to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    insta::assert_snapshot!(
        "kintone",
        format!(
            "{}\nfields {}\ngates {}\nschemes {}\nsettings {}\ntest {}",
            kintone["auth_mode"],
            of("fields", "name"),
            of("gates", "type"),
            of("auth_schemes", "id"),
            of("settings", "name"),
            of("test", "id"),
        )
    );

    let pasted = json!({ "text": "https://acme.cybozu.com/k/guest/5/12/" });
    assert_eq!(
        caller.post("/providers/kintone/paste", &pasted).await.json()["fields"],
        json!({ "app": "12", "domain": "cybozu.com", "guest_space_id": "5", "subdomain": "acme" })
    );
    let foreign = json!({ "text": "https://evil.example/" });
    assert_eq!(caller.post("/providers/kintone/paste", &foreign).await.json()["fields"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn api_keys_are_shown_once() {
    let app = App::start().await;
    let caller = app.caller();
    app.clock.advance(Duration::from_secs(1));
    let draft = json!({ "display_name": "reader", "scopes": ["environment:connections:read"], "expires_at": "2026-06-01T00:00:00Z" });
    let made = caller.post("/api-keys", &draft).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"));
    let secret = made.json()["data"]["secret"].as_str().expect("a secret").to_owned();
    // The first use of a key is noted behind the request that makes it.
    let is_noted = |listed: &Value| {
        let keys = listed["data"].as_array().expect("a list");
        keys.iter().any(|key| !key["last_used_on"].is_null())
    };
    let mut listed = caller.get("/api-keys").await;
    while !is_noted(&listed.json()) {
        tokio::task::yield_now().await;
        listed = caller.get("/api-keys").await;
    }
    assert!(!listed.text().contains(&secret[8..]), "{}", listed.text());
    insta::assert_snapshot!("api_keys", listed.snapshot());

    let reader = app.caller_with_key(Some(&secret));
    assert_eq!(reader.get("/connections/x").await.verdict(), "404 unknown_connection");
    assert_eq!(reader.get("/connections").await.verdict(), "403 forbidden");
    for (body, verdict) in [
        (json!({ "display_name": "" }), "400 invalid_body"),
        (json!({ "display_name": "x", "scopes": ["everything"] }), "400 unknown_scope"),
        (json!({ "display_name": "x", "expires_at": "tomorrow" }), "400 invalid_body"),
    ] {
        assert_eq!(caller.post("/api-keys", &body).await.verdict(), verdict, "{body}");
    }
    assert_eq!(caller.delete("/api-keys/reader").await.status, 200);
    assert_eq!(reader.get("/connections/x").await.verdict(), "401 unknown_account");
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_are_in_the_audit_trail_newest_first() {
    let app = App::start().await;
    let caller = app.caller();
    let second = Duration::from_secs(1);
    app.clock.advance(second);
    app.connect("Sales").await;
    app.clock.advance(second);
    caller.patch("/connections/Sales", &json!({ "tags": { "team": "east" } })).await;
    app.clock.advance(second);
    caller.delete("/connections/Sales").await;
    let (mut actions, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = caller.get(&format!("/audit?limit=2{cursor}")).await.json();
        for event in page["events"].as_array().expect("a list") {
            actions.push(format!(
                "{} {} by {}",
                event["action"], event["object"]["label"], event["actor"]["kind"]
            ));
        }
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    insta::assert_snapshot!("audit", actions.join("\n").replace('"', ""));
    let verified = caller.post("/audit/verify", &json!({})).await.json();
    assert_eq!(verified, json!({ "intact": true, "verified": 5, "waiting": 0, "broken": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_and_shown() {
    let app = App::start().await;
    let caller = app.caller();
    let access = app.platform.operator_access(None).await.expect("the default environment");
    for number in 1..=3 {
        app.clock.advance(Duration::from_secs(1));
        let now = app.platform.now();
        let new = NewJob {
            environment_id: Some(access.environment.clone()),
            kind: "example".to_owned(),
            payload: json!({ "number": number }),
            run_at: now,
            max_attempts: 2,
            idempotency_key: None,
        };
        app.platform.store().commit(&[Change::EnqueueJob(new)], now).await.expect("stored");
    }
    let page = caller.get("/jobs?state=queued&limit=2").await.json();
    let numbers: Vec<&Value> =
        page["jobs"].as_array().expect("a list").iter().map(|job| &job["payload"]["number"]).collect();
    assert_eq!(numbers, [&json!(3), &json!(2)]);
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let rest = caller.get(&format!("/jobs?cursor={cursor}")).await.json();
    assert_eq!((&rest["jobs"][0]["payload"]["number"], &rest["next_cursor"]), (&json!(1), &Value::Null));
    let id = rest["jobs"][0]["id"].as_str().expect("an id");
    let shown = caller.get(&format!("/jobs/{id}")).await;
    assert_eq!((shown.status.as_u16(), &shown.json()), (200, &rest["jobs"][0]));
    assert_eq!(app.other_environment().await.get(&format!("/jobs/{id}")).await.verdict(), "404 unknown_job");
    assert_eq!(caller.get("/jobs?state=dead").await.json(), json!({ "jobs": [], "next_cursor": null }));
}
