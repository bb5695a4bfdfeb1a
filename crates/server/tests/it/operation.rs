use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tombolo_platform::Clock as _;
use tombolo_platform::store::{Change, NewJob};

use crate::app::{App, Caller};

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

/// One job of the environment, and one of the installation.
async fn enqueue(app: &App) {
    let environment = app.platform.operator_access(None).await.expect("the environment").environment.clone();
    let job = |environment_id, kind: &str| {
        Change::EnqueueJob(NewJob {
            environment_id,
            kind: kind.to_owned(),
            payload: json!({}),
            run_at: app.clock.now(),
            max_attempts: 3,
            idempotency_key: None,
        })
    };
    let jobs = [job(Some(environment), "sync"), job(None, "retention")];
    app.platform.store().commit(&jobs, app.clock.now()).await.expect("enqueued");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_counted_by_state_every_ten_seconds() {
    let app = App::start().await;
    enqueue(&app).await;
    let anybody = app.caller_with_key(None);
    let counted = anybody.get("/metrics").await.text();
    for line in [
        "# TYPE tombolo_jobs gauge",
        r#"tombolo_jobs{state="queued"} 2"#,
        r#"tombolo_jobs{state="running"} 0"#,
        r#"tombolo_jobs{state="succeeded"} 0"#,
        r#"tombolo_jobs{state="dead"} 0"#,
    ] {
        assert!(counted.contains(&format!("{line}\n")), "{line}: {counted}");
    }
    let queued = async || anybody.get("/metrics").await.text().contains(r#"{state="queued"} 4"#);
    enqueue(&app).await;
    assert!(!queued().await, "whoever asks often does not make the database count often");
    app.clock.advance(Duration::from_secs(10));
    assert!(queued().await);

    // Without the database the other figures are still told.
    app.clock.advance(Duration::from_secs(10));
    app.platform.store().close().await;
    let without = anybody.get("/metrics").await.text();
    assert!(without.contains("tombolo_requests_total") && !without.contains("tombolo_jobs"), "{without}");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_the_installation_are_for_those_who_may_see_it() {
    let app = App::start().await;
    enqueue(&app).await;
    let kinds = async |caller: &Caller, query: &str| -> Vec<String> {
        let jobs = caller.get(&format!("/jobs{query}")).await.json();
        let jobs = jobs["jobs"].as_array().expect("a list").clone();
        jobs.iter().map(|job| format!("{} {}", job["kind"], job["installation"]).replace('"', "")).collect()
    };
    assert_eq!(kinds(&app.caller(), "").await, ["sync false"]);
    assert_eq!(kinds(&app.other_environment().await, "").await, [""; 0]);
    let sees_both = app.caller_with_scopes(&["environment:jobs:read", "installation:jobs:read"]).await;
    for caller in [&sees_both, &app.operator()] {
        let mut both = kinds(caller, "").await;
        both.sort();
        assert_eq!(both, ["retention true", "sync false"]);
        assert_eq!(kinds(caller, "?kind=retention&state=queued").await, ["retention true"]);
        assert_eq!(kinds(caller, "?kind=sync").await, ["sync false"]);
    }
    let retention = app.operator().get("/jobs?kind=retention").await.json();
    let path = format!("/jobs/{}", retention["jobs"][0]["id"].as_str().expect("an id"));
    assert_eq!(sees_both.get(&path).await.json()["kind"], "retention");
    assert_eq!(app.caller().get(&path).await.verdict(), "404 unknown_job");
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
