//! The health of a connection: what changes it, who is told, and how it mends.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rstest::rstest;
use serde_json::json;
use tombolo_kintone_emulator::{Effect, Fault};
use tombolo_platform::{Clock as _, Housekeeping};
use tombolo_store::{Change, Connection, Health, NewJob, WebhookEventId};

use crate::faults::tokens;
use crate::oauth::{OAuthWorld, RECORD};
use crate::world::{Backend, SetForward, World, draft};

const CUSTOMERS: &str = "demoTokenCustomersAll0000000000000000000";
const DAY: Duration = Duration::from_hours(24);
const DAILY: Housekeeping = Housekeeping { activity: Duration::from_hours(1), verify_every: Some(DAY) };

async fn world(backend: Backend) -> (World, Arc<SetForward>) {
    let clock = Arc::new(SetForward::default());
    let its_clock = Arc::clone(&clock);
    (World::start_changed(backend, move |options, _| options.clock = its_clock).await, clock)
}

/// What the server does by itself about every minute.
async fn verify(world: &World) {
    let job = NewJob {
        environment_id: None,
        kind: "verification".to_owned(),
        payload: json!({}),
        run_at: world.platform.now(),
        max_attempts: 1,
        idempotency_key: None,
    };
    world.platform.store().commit(&[Change::EnqueueJob(job)], world.platform.now()).await.expect("enqueued");
    assert_eq!(world.platform.work_once("worker", DAILY).await.expect("worked"), 1);
}

async fn connection(world: &World, name: &str) -> Connection {
    world.platform.find_connection(&world.access.environment, None, name).await.expect("there").0
}

/// The events for embedders since the last look, as their type and what of the detail matters.
async fn told(world: &World, seen: &mut Option<WebhookEventId>) -> Vec<String> {
    let (store, environment) = (world.platform.store(), &world.access.environment);
    let mut told = Vec::new();
    let before = seen.take();
    for event in store.webhook_events(environment, None, 100).await.expect("read") {
        if before.as_ref() == Some(&event.id) {
            break;
        }
        let detail = &event.payload["detail"];
        let member = |name: &str| detail[name].as_str().unwrap_or("-").to_owned();
        told.push(match event.event_type.as_str() {
            "connection.health_changed" => {
                format!("{} -> {} ({})", member("from"), member("to"), detail["why"]["code"])
            }
            "connection.expiring" => format!("ends in {} days", detail["days_left"]),
            other => other.to_owned(),
        });
        seen.get_or_insert(event.id);
    }
    *seen = seen.take().or(before);
    // Of one act, so in no order.
    told.sort();
    told
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_fails_for_a_while_is_tested_less_and_less_often_and_mends_itself(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let ((world, clock), mut seen) = (world(backend).await, None);
    assert!(world.create(&tokens("c", CUSTOMERS, "1")).await.expect("accepted").is_ok());
    assert_eq!(told(&world, &mut seen).await, ["connection.created"]);
    clock.by(DAY + Duration::from_secs(1));
    world.kintone().inject(Fault::new(Effect::Maintenance));
    verify(&world).await;
    assert_eq!(told(&world, &mut seen).await, [r#"active -> failing ("maintenance")"#]);
    let first = connection(&world, "c").await;
    let since = first.health_since;
    let mut due = first.next_test_at.expect("it is tried again");
    let mut pauses = vec![due.since(clock.now())];
    for _ in 0..3 {
        clock.by(due.since(clock.now()) + Duration::from_secs(1));
        verify(&world).await;
        let found = connection(&world, "c").await;
        assert_eq!((found.health, found.health_since), (Health::Failing, since));
        due = found.next_test_at.expect("it is tried again");
        pauses.push(due.since(clock.now()));
    }
    assert!(pauses.is_sorted() && pauses[3] > pauses[0], "{pauses:?}");
    world.kintone().clear_requests();
    verify(&world).await;
    assert!(world.kintone().requests().is_empty(), "not before its time");

    world.kintone().clear_faults();
    clock.by(Duration::from_hours(1));
    verify(&world).await;
    let found = connection(&world, "c").await;
    assert_eq!((found.health, found.next_test_at), (Health::Active, None));
    assert_eq!(told(&world, &mut seen).await, ["failing -> active (null)"]);
}

/// A token that says when it ends is watched; nobody has to ask the vendor for that.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn people_are_warned_thirty_seven_and_one_day_ahead(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let ((world, clock), mut seen) = (world(backend).await, None);
    let end = clock.now().plus(DAY * 100).as_milliseconds() / 1000;
    let token =
        format!("cy.s.api1.marker.{}.signature", URL_SAFE_NO_PAD.encode(json!({ "exp": end }).to_string()));
    let mut linked =
        draft("Directory", "token", &[("subdomain", "demo"), ("domain", "kintone.com"), ("token", &token)]);
    linked.integration = "kintone-user-api".to_owned();
    let made = world.platform.create_connection(&world.access, &linked, false, &mut |_| {}).await;
    let made = made.expect("accepted").unwrap_or_else(|_| panic!("stored without a test")).connection;
    assert_eq!(made.life.ends_at.map(|end| end.as_milliseconds() / 1000), Some(end));
    let active = |found: &Connection| tombolo_store::ConnectionHealth {
        environment_id: found.environment_id.clone(),
        id: found.id.clone(),
        sealed_version: found.sealed_version,
        health: Health::Active,
        detail: json!({}),
        tested_at: Some(clock.now()),
        next_test_at: None,
        outdates: true,
    };
    let mut all = Vec::new();
    for days in [69, 71, 72, 92, 94, 98, 99] {
        let passed = clock.now().since(made.created_at);
        clock.by((DAY * days).saturating_sub(passed) + Duration::from_mins(1));
        if days == 69 {
            told(&world, &mut seen).await;
        }
        // As if it had been tested just now.
        let found = connection(&world, "Directory").await;
        let mut as_tested = active(&found);
        if found.health == Health::Expiring {
            as_tested.health = Health::Expiring;
        }
        world.platform.store().commit(&[Change::RecordHealth(as_tested)], clock.now()).await.expect("noted");
        verify(&world).await;
        all.push(format!("day {days}: {}", told(&world, &mut seen).await.join(", ")).trim_end().to_owned());
    }
    insta::allow_duplicates!(insta::assert_snapshot!(all.join("\n"), @r"
    day 69:
    day 71: active -> expiring (null), ends in 29 days
    day 72:
    day 92:
    day 94: ends in 6 days
    day 98:
    day 99: ends in 1 days
    "));
}

/// The renewal fails while the token is good: nothing happens. Then it ends, the connection fails, and mends itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_whose_tokens_cannot_be_renewed_fails_until_they_can() {
    let (oauth, mut seen) = (OAuthWorld::start(Backend::Sqlite).await, None);
    oauth.linked("Later").await;
    told(&oauth.world, &mut seen).await;
    oauth.world.kintone().inject(Fault::new(Effect::Maintenance).on("POST", "/oauth2/token"));
    oauth.clock.by(Duration::from_mins(61));
    oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
    assert_eq!(oauth.world.get("Later", RECORD).await.1, "token_unavailable");
    assert_eq!(connection(&oauth.world, "Later").await.health, Health::Failing);
    oauth.world.kintone().clear_faults();
    oauth.clock.by(Duration::from_mins(1));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(oauth.world.get("Later", RECORD).await.0, 200);
    assert_eq!(connection(&oauth.world, "Later").await.health, Health::Active);
    let expected = [r#"active -> failing ("token_unavailable")"#, "failing -> active (null)"];
    assert_eq!(told(&oauth.world, &mut seen).await, expected);
}
