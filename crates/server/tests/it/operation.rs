use http::Method;
use serde_json::json;

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
