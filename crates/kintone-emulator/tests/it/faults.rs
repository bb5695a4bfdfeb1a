//! Injected faults, as a client meets them.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::json;
use tombolo_kintone_emulator::{Effect, Fault};

use crate::client::{CUSTOMERS, Request, get, send, service};

fn records() -> Request {
    get("/k/v1/records.json?app=1").token(CUSTOMERS)
}

#[tokio::test]
async fn a_status_as_often_as_asked() {
    let service = service().await;
    let busy = Effect::status(429);
    service.control.inject(Fault::new(busy).tenant("demo").on("GET", "/k/v1/records*").times(2));
    assert_eq!(get("/k/v1/apis.json").to(&service).await.outcome(), "200");
    assert_eq!(records().to(&service).await.outcome(), "429 GAIA_TO04");
    assert_eq!(records().to(&service).await.outcome(), "429 GAIA_TO04");
    assert_eq!(records().to(&service).await.outcome(), "200");
    assert!(service.control.faults().is_empty());
}

#[tokio::test]
async fn pages_instead_of_json() {
    let service = service().await;
    service.control.inject(Fault::new(Effect::page(502, "<h1>Bad gateway</h1>")).times(1));
    service.control.inject(Fault::new(Effect::Maintenance).times(1));
    let bad_gateway = records().to(&service).await;
    assert_eq!((bad_gateway.status.as_u16(), &bad_gateway.body[..]), (502, &b"<h1>Bad gateway</h1>"[..]));
    let maintenance = records().to(&service).await;
    assert_eq!(maintenance.outcome(), "503");
    assert_eq!(maintenance.header("x-concurrencylimit-limit"), None);
}

#[tokio::test]
async fn broken_connections() {
    let service = service().await;
    for effect in [Effect::DropConnection, Effect::DropAnswer, Effect::ResetMidBody] {
        service.control.inject(Fault::new(effect.clone()).times(1));
        assert!(records().try_to(&service).await.is_err(), "{effect:?}");
        assert_eq!(records().to(&service).await.outcome(), "200");
    }
}

/// Adds a customer.
fn add(code: &str) -> Request {
    let record = json!({"customer_code": {"value": code}, "company": {"value": code}});
    send(Method::POST, "/k/v1/record.json", &json!({"app": 1, "record": record})).token(CUSTOMERS)
}

#[tokio::test]
async fn only_the_answer_is_held_back() {
    let service = service().await;
    service.control.inject(Fault::new(Effect::Latency { milliseconds: 60_000 }).times(1));
    let gone = tokio::time::timeout(Duration::from_millis(500), add("T1").to(&service)).await;
    assert!(gone.is_err(), "the caller went away before the answer");
    let found = get("/k/v1/records.json?app=1&query=customer_code=%22T1%22").token(CUSTOMERS);
    let found = found.to(&service).await.json();
    assert_eq!(found["records"][0]["customer_code"]["value"], "T1");
    let statuses: Vec<_> = service.control.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(200), Some(200)]);
}

#[tokio::test]
async fn a_dropped_answer_leaves_its_work_done() {
    let service = service().await;
    service.control.inject(Fault::new(Effect::DropConnection).times(1));
    service.control.inject(Fault::new(Effect::DropAnswer).after(0).times(1));
    assert!(add("T1").try_to(&service).await.is_err());
    assert!(add("T2").try_to(&service).await.is_err());
    let reply = get("/k/v1/records.json?app=1&query=customer_code+in+(%22T1%22,%22T2%22)").token(CUSTOMERS);
    let found = reply.to(&service).await.json();
    assert_eq!(found["records"].as_array().unwrap().len(), 1);
    assert_eq!(found["records"][0]["customer_code"]["value"], "T2");
}

#[tokio::test]
async fn slowness() {
    let service = service().await;
    service.control.inject(Fault::new(Effect::Latency { milliseconds: 60 }).times(1));
    let begun = Instant::now();
    assert_eq!(records().to(&service).await.outcome(), "200");
    assert!(begun.elapsed() >= Duration::from_millis(60));
    let whole = get("/k/v1/apis.json").to(&service).await.body;
    service.control.inject(Fault::new(Effect::SlowBody { bytes: 1000, milliseconds: 10 }).times(1));
    let begun = Instant::now();
    let slow = get("/k/v1/apis.json").to(&service).await.body;
    assert_eq!(slow, whole);
    assert!(begun.elapsed() >= Duration::from_millis(10 * (whole.len() as u64).div_ceil(1000)));
}
