use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::app::App;

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_public_but_hosts_are_for_the_operator() {
    let app = App::start().await;
    app.connect("Sales").await;
    let caller = app.caller();
    let call =
        caller.send(Method::GET, "/proxy/k/v1/app.json?id=1", &[("connection-id", "Sales")], "".into()).await;
    assert_eq!(call.status, 200);
    caller.get("/nothing").await;

    let anybody = app.caller_with_key(None).get("/metrics").await;
    assert!(anybody.header("content-type").starts_with("text/plain; version=0.0.4"));
    for line in [
        r#"tombolo_requests_total{front="proxy",class="2xx"} 1"#,
        r#"tombolo_requests_total{front="api",class="2xx"} 1"#,
        r#"tombolo_requests_total{front="api",class="4xx"} 1"#,
        "tombolo_upstream_calls_in_flight 0",
        "tombolo_activity_dropped_total 0",
    ] {
        assert!(anybody.text().contains(&format!("{line}\n")), "{line}: {}", anybody.text());
    }
    assert!(!anybody.text().contains("kintone"));
    let operator = app.operator().get("/metrics").await.text();
    assert!(operator.contains(r#"tombolo_upstream_calls_limit{host="demo.kintone.com"}"#), "{operator}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_whether_the_database_answers() {
    let app = App::start().await;
    let anybody = app.caller_with_key(None);
    assert_eq!(anybody.get("/ready").await.json(), json!({ "result": "ok" }));
    app.platform.store().close().await;
    assert_eq!(anybody.get("/health").await.json(), json!({ "result": "ok" }));
    assert_eq!(anybody.get("/ready/").await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_told_by_id_to_whoever_may_see_all_environments() {
    let app = App::start().await;
    app.connect("Sales").await;
    app.clock.advance(Duration::from_secs(1));
    app.other_environment().await;
    assert_eq!(app.caller().get("/keys").await.verdict(), "403 forbidden");

    let operator = app.operator().get("/keys").await;
    insta::assert_snapshot!(settled_keys(&operator.json()), @r#"
    {
      "master_key_id": "MASTER",
      "environments": [
        {
          "environment": "default",
          "data_keys": [
            {
              "version": 1,
              "master_key_id": "MASTER",
              "sealed": 1,
              "created_at": "2026-01-01T00:00:00Z"
            }
          ]
        },
        {
          "environment": "other",
          "data_keys": [
            {
              "version": 1,
              "master_key_id": "MASTER",
              "sealed": 0,
              "created_at": "2026-01-01T00:00:01Z"
            }
          ]
        }
      ]
    }
    "#);
    let allowed = app.caller_with_scopes(&["installation:keys:read"]).await;
    assert_eq!(allowed.get("/keys").await.json(), operator.json());
    assert_eq!(allowed.get("/connections").await.verdict(), "403 forbidden");

    // Nobody gives more than they have.
    let more = json!({ "display_name": "more", "scopes": ["installation:*"] });
    assert_eq!(app.caller().post("/api-keys", &more).await.verdict(), "403 forbidden");
}

/// The answer with the id of the master key made the same in every run.
fn settled_keys(keys: &Value) -> String {
    let master = keys["master_key_id"].as_str().expect("an id");
    assert!(master.len() == 16 && master.bytes().all(|byte| byte.is_ascii_hexdigit()), "{master}");
    serde_json::to_string_pretty(keys).expect("JSON").replace(master, "MASTER")
}
