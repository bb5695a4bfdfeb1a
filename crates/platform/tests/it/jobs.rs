//! Background work: what falls due is done once, by whoever is alive, and leaves alone what only a person may try.

use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use tombolo_platform::Housekeeping;
use tombolo_store::testing::tamper;
use tombolo_store::{ActivityFilter, CallDetail, CallDetailFilter, Change, Health, NewJob};

use crate::faults::{password, tokens};
use crate::world::{Backend, SetForward, World};

const CUSTOMERS: &str = "demoTokenCustomersAll0000000000000000000";
const RECORD: &str = "/k/v1/record.json?app=1&id=1";
const DAY: Duration = Duration::from_hours(24);
const DAILY: Housekeeping = Housekeeping { activity: Duration::from_hours(72), verify_every: Some(DAY) };

async fn world(backend: Backend) -> (World, Arc<SetForward>) {
    let clock = Arc::new(SetForward::default());
    let its_clock = Arc::clone(&clock);
    let world = World::start_changed(backend, move |options, _| options.clock = its_clock).await;
    (world, clock)
}

async fn enqueue(world: &World, kind: &str) {
    let new = NewJob {
        environment_id: Some(world.access.environment.clone()),
        kind: kind.to_owned(),
        payload: serde_json::json!({}),
        run_at: world.platform.now(),
        max_attempts: 3,
        idempotency_key: None,
    };
    world.platform.store().commit(&[Change::EnqueueJob(new)], world.platform.now()).await.expect("enqueued");
}

async fn logged(world: &World) -> usize {
    world.platform.flush_activity().await;
    let page = world.platform.list_activity(&world.access, None, ActivityFilter::default(), None, 100);
    page.await.expect("the log").calls.len()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn calls_are_forgotten_when_they_are_too_old(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (world, clock) = world(backend).await;
    assert!(world.create(&tokens("c", CUSTOMERS, "1")).await.expect("accepted").is_ok());
    assert_eq!(world.get("c", RECORD).await.0, 200);
    assert_eq!(logged(&world).await, 1);
    clock.by(2 * DAY);
    assert_eq!(world.get("c", RECORD).await.0, 200);
    assert_eq!(logged(&world).await, 2);
    clock.by(2 * DAY);
    enqueue(&world, "retention").await;
    assert_eq!(world.platform.work_once("worker", DAILY).await.expect("worked"), 1);
    assert_eq!(logged(&world).await, 1, "the one that is two days old stays, the one of four days is gone");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn no_detail_of_a_failed_call_outlives_its_retention(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (world, clock) = world(backend).await;
    let (store, environment) = (world.platform.store(), &world.access.environment);
    // Far more failures than one step of retention removes, all in the few blocks that they share.
    let failures: Vec<CallDetail> = (0..2_500)
        .map(|number| CallDetail {
            environment_id: environment.clone(),
            request_id: format!("r{number}"),
            at: world.platform.now(),
            connection: "con_1".to_owned(),
            integration: "kintone".to_owned(),
            method: "GET".to_owned(),
            path: "/k/v1/record.json".to_owned(),
            status: 520,
            error_kind: Some("upstream".to_owned()),
            total_us: 1,
            detail: serde_json::json!({}),
        })
        .collect();
    store.append_activity(&[], &failures, world.platform.now()).await.expect("written");
    clock.by(4 * DAY);
    enqueue(&world, "retention").await;
    assert_eq!(world.platform.work_once("worker", DAILY).await.expect("worked"), 1);
    let left = store.call_details(environment, &CallDetailFilter::default(), None, 10).await.expect("read");
    assert_eq!(left, []);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn connections_are_tested_when_they_are_due_but_never_a_refused_one(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (world, clock) = world(backend).await;
    for draft in [tokens("c", CUSTOMERS, "1"), password("p", "anna", "demo-password-anna")] {
        assert!(world.create(&draft).await.expect("accepted").is_ok());
    }
    world.kintone().set_password("demo", "anna", "changed").expect("a user");
    let tries = || {
        let seen = world.kintone().requests();
        seen.iter().filter(|seen| seen.header("x-cybozu-authorization").is_some()).count()
    };
    let verify = async || {
        world.kintone().clear_requests();
        enqueue(&world, "verification").await;
        assert_eq!(world.platform.work_once("worker", DAILY).await.expect("worked"), 1);
    };
    verify().await;
    assert!(world.kintone().requests().is_empty(), "they were tested just now");
    clock.by(DAY + Duration::from_secs(1));
    verify().await;
    assert_eq!(tries(), 1, "a wrong password is tried once");
    let health = async |name: &str| {
        world.platform.read_connection(&world.access, None, name).await.expect("it is there").0.health
    };
    assert_eq!((health("c").await, health("p").await), (Health::Active, Health::NeedsReconnecting));
    clock.by(DAY + Duration::from_secs(1));
    verify().await;
    assert_eq!(tries(), 0, "and then left alone");
    assert!(!world.kintone().requests().is_empty(), "the other one is tested");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_audit_chain_names_a_row_that_was_changed(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (world, _) = world(backend).await;
    for name in ["a", "b", "c"] {
        assert!(world.create(&tokens(name, CUSTOMERS, "1")).await.expect("accepted").is_ok());
    }
    let verified = async || world.platform.verify_audit_events(&world.access).await.expect("verified");
    let waiting = world.platform.store().verify_audit_events().await.expect("verified");
    assert!(waiting.unchained > 0, "nobody has chained them yet");
    world.platform.chain_audit("worker").await.expect("chained");
    let intact = verified().await;
    assert!(intact.broken.is_none() && intact.unchained == 0 && intact.intact >= 3, "{intact:?}");
    assert!(world.create(&tokens("d", CUSTOMERS, "1")).await.expect("accepted").is_ok());
    assert_eq!(verified().await.unchained, 0, "whoever verifies chains what was written since");
    tamper(&world.location(), "UPDATE audit_events SET object_label = 'z' WHERE sequence = 2").await;
    assert_eq!(verified().await.broken.map(|broken| broken.sequence), Some(2));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_worker_chains_what_happened_and_writes_nothing_while_nothing_happens(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (world, _) = world(backend).await;
    let store = world.platform.store();
    assert!(world.create(&tokens("c", CUSTOMERS, "1")).await.expect("accepted").is_ok());
    assert!(store.has_unchained_audit_events().await.expect("read"));
    world.platform.work(DAILY);
    while store.has_unchained_audit_events().await.expect("read") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    // The lease's number grows with every holder: nobody holds it between these two.
    let holders = async || loop {
        let lease = store.take_lease("audit_chain", "test", Duration::from_mins(1), world.platform.now());
        if let Some(lease) = lease.await.expect("asked") {
            store.release_lease(&lease).await.expect("released");
            return lease.token;
        }
        // The worker gives it back a moment after what happened is chained.
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let before = holders().await;
    for _ in 0..10 {
        world.platform.chain_audit("worker").await.expect("nothing to do");
    }
    assert_eq!(holders().await, before + 1);
    let schedules = store.schedules().await.expect("read");
    let names: Vec<_> = schedules.iter().map(|schedule| schedule.name.as_str()).collect();
    assert_eq!(names, ["retention", "verification"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn news_that_nobody_fetched_are_forgotten_after_a_week(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (world, clock) = world(backend).await;
    let pending = async || {
        let store = world.platform.store();
        store.webhook_events(&world.access.environment, None, 100).await.expect("read").len()
    };
    assert!(world.create(&tokens("old", CUSTOMERS, "1")).await.expect("accepted").is_ok());
    clock.by(6 * DAY);
    assert!(world.create(&tokens("young", CUSTOMERS, "1")).await.expect("accepted").is_ok());
    assert_eq!(pending().await, 2);
    clock.by(2 * DAY);
    enqueue(&world, "retention").await;
    assert_eq!(world.platform.work_once("worker", DAILY).await.expect("worked"), 1);
    assert_eq!(pending().await, 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_workers_job_is_taken_up_and_a_live_ones_is_not(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (world, clock) = world(backend).await;
    for _ in 0..6 {
        enqueue(&world, "retention").await;
    }
    // Two workers share what there is.
    let (one, two) =
        tokio::join!(world.platform.work_once("one", DAILY), world.platform.work_once("two", DAILY));
    assert_eq!(one.expect("worked") + two.expect("worked"), 6);

    enqueue(&world, "retention").await;
    let (store, lease) = (world.platform.store(), Duration::from_mins(1));
    let claimed = store.claim_jobs(&["retention"], "dead", 4, lease, world.platform.now()).await;
    let claimed = claimed.expect("claimed").remove(0);
    assert_eq!(world.platform.work_once("alive", DAILY).await.expect("worked"), 0);
    clock.by(Duration::from_secs(61));
    assert_eq!(world.platform.work_once("alive", DAILY).await.expect("worked"), 1);
    // The dead one comes back: its word no longer counts.
    let late = store.commit(&[Change::CompleteJob(claimed.lease)], world.platform.now()).await;
    assert!(late.is_err());
}
