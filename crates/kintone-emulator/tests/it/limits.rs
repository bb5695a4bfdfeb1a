//! What a tenant allows at the same time.

use http::Method;
use jiff::SignedDuration;
use serde_json::json;
use tombolo_kintone_emulator::{Effect, Fault};

use crate::client::{CUSTOMERS, encoded, get, request, send, service};

#[tokio::test]
async fn a_hundred_requests_run_at_the_same_time() {
    let service = service().await;
    service.control.inject(Fault::new(Effect::Latency { milliseconds: 400 }).times(100));
    let address = service.emulator.http_address();
    let slow: Vec<_> = (0..100)
        .map(|_| tokio::spawn(async move { get("/k/v1/apis.json").try_at(address).await.unwrap().status }))
        .collect();
    while service.control.faults().iter().any(|fault| fault.count.is_some()) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let refused = get("/k/v1/apis.json").to(&service).await;
    assert_eq!(refused.outcome(), "429 GAIA_TO04");
    assert_eq!(refused.header("x-concurrencylimit-limit"), Some("100"));
    assert_eq!(refused.header("x-concurrencylimit-running"), Some("101"));
    assert_eq!(refused.header("retry-after"), None);
    let other_tenant = get("/t/sample/k/v1/apis.json").gate().to(&service).await;
    assert_eq!(other_tenant.header("x-concurrencylimit-running"), Some("1"));
    for task in slow {
        assert_eq!(task.await.unwrap(), 200);
    }
    let afterwards = get("/k/v1/apis.json").to(&service).await;
    assert_eq!(afterwards.header("x-concurrencylimit-running"), Some("1"));
}

#[tokio::test]
async fn ten_cursors_are_open_at_the_same_time() {
    let service = service().await;
    let open =
        send(Method::POST, "/k/v1/records/cursor.json", &json!({"app": 1, "size": 20})).token(CUSTOMERS);
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(open.to(&service).await.json()["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(open.to(&service).await.outcome(), "429 GAIA_TM12");
    let page = |id: &str| get(&format!("/k/v1/records/cursor.json?id={id}")).token(CUSTOMERS);
    // The last page frees the cursor.
    assert_eq!(page(&ids[0]).to(&service).await.json()["next"], true);
    assert_eq!(page(&ids[0]).to(&service).await.json()["next"], false);
    assert_eq!(page(&ids[0]).to(&service).await.outcome(), "404 GAIA_CN01");
    assert_eq!(open.to(&service).await.outcome(), "200");
    // Ten minutes without use free the others, unless they are used in between.
    service.clock.advance(SignedDuration::from_mins(9));
    assert_eq!(page(&ids[1]).to(&service).await.outcome(), "200");
    service.clock.advance(SignedDuration::from_mins(9));
    assert_eq!(page(&ids[1]).to(&service).await.outcome(), "200");
    assert_eq!(page(&ids[2]).to(&service).await.outcome(), "404 GAIA_CN01");
    let close = request(Method::DELETE, &format!("/k/v1/records/cursor.json?id={}", ids[3]));
    assert_eq!(close.token(CUSTOMERS).to(&service).await.outcome(), "404 GAIA_CN01");
}

#[tokio::test]
async fn a_search_with_too_many_hits_is_given_up() {
    let service = service().await;
    let app = json!({
        "id": 90,
        "name": "Searched",
        "fields": {"words": {"type": "MULTI_LINE_TEXT"}},
        "generated": {"records": 600_000},
    });
    service.control.add_app("demo", &serde_json::from_value(app).unwrap()).unwrap();
    let search = async |condition: &str| {
        let query = encoded(&format!("{condition} limit 1"));
        let path = format!("/k/v1/records.json?app=90&fields[0]=$id&query={query}");
        let reply = get(&path).anna().to(&service).await;
        assert_eq!(reply.outcome(), "200");
        reply.header("x-cybozu-warning").map(str::to_owned)
    };
    let warning = search("words like \"amber\"").await;
    assert_eq!(warning.as_deref(), Some("Filter aborted because of too many search results"));
    assert_eq!(search("words like \"amber\" and $id < 1000").await, None);
}

#[tokio::test]
async fn requests_of_a_day_are_counted_for_each_app() {
    let service = service().await;
    for _ in 0..3 {
        get("/k/v1/records.json?app=1").token(CUSTOMERS).to(&service).await;
    }
    let statistics = get("/k/v1/apps/statistics.json").anna();
    assert_eq!(statistics.to(&service).await.json()["apps"][0]["dailyRequestCount"], "3");
    service.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(statistics.to(&service).await.json()["apps"][0]["dailyRequestCount"], "0");
}

#[tokio::test]
async fn an_address_has_an_end() {
    let service = service().await;
    let long = format!("/k/v1/records.json?app=1&query={}", "a".repeat(9_000));
    let refused = get(&long).token(CUSTOMERS).to(&service).await;
    assert_eq!(refused.outcome(), "414");
}
