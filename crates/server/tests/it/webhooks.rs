//! Webhooks and jobs by the API: what is made, shown, refused and written down.

use std::time::Duration;

use serde_json::{Value, json};
use tombolo_platform::store::{Change, JobState, NewJob};

use crate::app::App;

fn draft(name: &str) -> Value {
    json!({ "name": name, "url": "https://hooks.example.com/in", "event_types": ["connection.*"] })
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_made_changed_and_deleted_and_their_secret_is_shown_once() {
    let app = App::start().await;
    let caller = app.caller();
    let made = caller.post("/webhooks", &draft("CRM")).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"));
    let mut shown = made.json();
    let secret = shown["secret"].as_str().expect("a secret").to_owned();
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "32 bytes in base64");
    shown.as_object_mut().expect("an object").remove("secret");
    assert_eq!(caller.get("/webhooks/CRM").await.json(), shown);
    insta::assert_snapshot!("webhook", caller.get("/webhooks").await.snapshot());
    for (body, verdict) in [
        (draft("CRM"), "409 unique_key_taken"),
        (json!({ "name": "", "url": "https://hooks.example.com/" }), "400 invalid_body"),
        (json!({ "name": "x", "url": "http://hooks.example.com/" }), "400 invalid_body"),
        (json!({ "name": "x", "url": "https://169.254.169.254/" }), "400 invalid_body"),
        (
            json!({ "name": "x", "url": "https://hooks.example.com/", "event_types": ["order.*"] }),
            "400 invalid_body",
        ),
        (json!({ "name": "x", "url": "https://hooks.example.com/", "format": "xml" }), "400 invalid_body"),
        (json!({ "name": "x", "url": "https://hooks.example.com/", "secret": "mine" }), "400 invalid_body"),
    ] {
        assert_eq!(caller.post("/webhooks", &body).await.verdict(), verdict, "{body}");
    }

    app.clock.advance(Duration::from_secs(1));
    let rotated = caller.post("/webhooks/CRM/rotate-secret", &json!({})).await;
    assert_eq!((rotated.status.as_u16(), rotated.header("cache-control")), (200, "no-store"));
    assert_ne!(rotated.json()["secret"], secret.as_str());
    assert_eq!(rotated.json()["previous_secret_until"], "2026-01-02T00:00:01Z");
    app.clock.advance(Duration::from_secs(1));
    let change = json!({ "name": "crm", "enabled": false, "event_types": [] });
    let changed = caller.patch("/webhooks/CRM", &change).await.json();
    assert_eq!(
        (&changed["enabled"], &changed["disabled_reason"]),
        (&json!(false), &json!("test disabled it."))
    );
    for path in ["/webhooks/crm/test", "/webhooks/crm/replay"] {
        let body = json!({ "since": "2026-01-01T00:00:00Z" });
        assert_eq!(caller.post(path, &body).await.verdict(), "409 webhook_disabled", "{path}");
    }
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(caller.delete("/webhooks/crm").await.text(), r#"{"success":true}"#);
    assert_eq!(caller.get("/webhooks/crm").await.verdict(), "404 unknown_webhook");

    let trail = caller.get("/audit?limit=5").await.json();
    let actions: Vec<&str> = trail["events"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|event| event["action"].as_str().expect("a text"))
        .filter(|action| action.starts_with("webhook."))
        .collect();
    assert_eq!(actions, ["webhook.deleted", "webhook.updated", "webhook.secret_rotated", "webhook.created"]);
    // The two answers that show a secret are the only places where one is.
    for (path, bytes) in app.files() {
        assert!(!bytes.windows(20).any(|part| part == &secret.as_bytes()[..20]), "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_listed_shown_and_replayed() {
    let app = App::start().await;
    let caller = app.caller();
    caller.post("/webhooks", &draft("CRM")).await;
    app.clock.advance(Duration::from_secs(1));
    app.connect("Sales").await;
    app.clock.advance(Duration::from_secs(1));
    let test = caller.post("/webhooks/CRM/test", &json!({})).await;
    assert_eq!((test.status.as_u16(), &test.json()["state"]), (202, &json!("pending")));
    let page = caller.get("/webhook-deliveries?webhook=CRM&limit=1").await.json();
    assert_eq!(page["deliveries"], json!([test.json()]));
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let rest = caller.get(&format!("/webhook-deliveries?cursor={cursor}&state=pending")).await.json();
    let delivery = &rest["deliveries"][0];
    assert_eq!(delivery["event_type"], "connection.created");
    let id = delivery["id"].as_str().expect("an id");
    insta::assert_snapshot!("delivery", caller.get(&format!("/webhook-deliveries/{id}")).await.snapshot());

    let event = delivery["event"].as_str().expect("an id");
    for (body, expected) in [
        (json!({ "event": event }), "202"),
        (json!({ "since": "2026-01-01T00:00:00Z" }), "202"),
        (json!({}), "400 invalid_body"),
        (json!({ "event": event, "since": "2026-01-01T00:00:00Z" }), "400 invalid_body"),
        (json!({ "since": "2026-01-02T00:00:00Z" }), "400 invalid_body"),
        (json!({ "event": "evt_00000000000000000000000000000000" }), "404 unknown_webhook_event"),
        (json!({ "event": "x" }), "404 unknown_webhook_event"),
    ] {
        assert_eq!(caller.post("/webhooks/CRM/replay", &body).await.verdict(), expected, "{body}");
    }
    assert_eq!(caller.get("/webhook-deliveries/x").await.verdict(), "404 unknown_webhook_delivery");
    assert_eq!(caller.get("/webhook-deliveries?webhook=x").await.verdict(), "404 unknown_webhook");
    let reader = app.caller_with_scopes(&["environment:webhooks:read"]).await;
    assert_eq!(reader.get("/webhooks").await.status, 200);
    assert_eq!(reader.post("/webhooks/CRM/test", &json!({})).await.verdict(), "403 forbidden");

    let stranger = app.other_environment().await;
    for path in ["/webhooks/CRM".to_owned(), format!("/webhook-deliveries/{id}")] {
        assert!(stranger.get(&path).await.verdict().starts_with("404 "), "{path}");
    }
    assert_eq!(stranger.get("/webhook-deliveries").await.json()["deliveries"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_jobs_are_retried_and_waiting_ones_cancelled() {
    let app = App::start().await;
    let caller = app.caller();
    let access = app.platform.operator_access(None).await.expect("the default environment");
    let mut ids = Vec::new();
    for environment_id in [Some(access.environment.clone()), None] {
        let now = app.platform.now();
        let new = NewJob {
            environment_id,
            kind: "example".to_owned(),
            payload: json!({}),
            run_at: now,
            max_attempts: 1,
            idempotency_key: None,
        };
        let committed = app.platform.store().commit(&[Change::EnqueueJob(new)], now).await.expect("stored");
        ids.push(committed.jobs[0].to_string());
    }
    let (own, shared) = (&ids[0], &ids[1]);
    let post = async |path: String| caller.post(&path, &json!({})).await;
    assert_eq!(post(format!("/jobs/{own}/retry")).await.verdict(), "409 job_not_dead");
    assert_eq!(post(format!("/jobs/{shared}/cancel")).await.verdict(), "404 unknown_job");
    assert_eq!(post(format!("/jobs/{own}/cancel")).await.json()["state"], "cancelled");
    assert_eq!(post(format!("/jobs/{own}/cancel")).await.verdict(), "409 job_finished");
    assert_eq!(post(format!("/jobs/{own}/retry")).await.json()["state"], "queued");
    let seer = app.caller_with_scopes(&["environment:*", "installation:jobs:read"]).await;
    let cancel = format!("/jobs/{shared}/cancel");
    assert_eq!(seer.post(&cancel, &json!({})).await.verdict(), "403 forbidden");
    assert_eq!(app.operator().post(&cancel, &json!({})).await.json()["state"], "cancelled");

    let store = app.platform.store();
    let now = app.platform.now();
    let claimed =
        store.claim_jobs(&["example"], "worker-1", 1, Duration::from_mins(1), now).await.expect("claimed");
    let fail = Change::FailJob { lease: claimed[0].lease.clone(), error: "503".to_owned(), retry: true };
    store.commit(&[fail], now).await.expect("noted");
    let dead = caller.get("/jobs?state=dead&kind=example").await.json();
    assert_eq!(
        (&dead["jobs"][0]["worker"], &dead["jobs"][0]["last_error"]),
        (&json!("worker-1"), &json!("503"))
    );
    assert_eq!(post(format!("/jobs/{own}/retry")).await.json()["attempts"], 0);
    let counts = store.count_jobs().await.expect("counted");
    assert!(
        counts.contains(&(JobState::Queued, 1)) && counts.contains(&(JobState::Cancelled, 1)),
        "{counts:?}"
    );
}
