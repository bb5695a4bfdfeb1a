use std::time::Duration;

use rstest::rstest;
use tombolo_store::{Change, StoreError};

use crate::harness::{Engine, NOW, TestStore, at, new_integration, open};

const MINUTE: Duration = Duration::from_mins(1);

/// As if its time had passed: PostgreSQL measures it by its own clock.
async fn run_out(store: &TestStore) {
    store.tamper("UPDATE leases SET held_until = 1").await;
}

#[rstest]
#[tokio::test]
async fn a_lease_has_one_holder_until_it_runs_out(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let take = async |owner: &str| store.take_lease("refresh", owner, MINUTE, NOW).await.unwrap();

    let first = take("one").await.unwrap();
    assert_eq!(take("two").await, None);
    run_out(&store).await;
    store.renew_lease(&first, MINUTE, NOW).await.unwrap();
    assert_eq!(take("two").await, None, "a late sign of life is better than none");

    run_out(&store).await;
    let second = take("two").await.unwrap();
    assert!(second.token > first.token);
    assert!(matches!(store.renew_lease(&first, MINUTE, NOW).await, Err(StoreError::LeaseLost { .. })));
    store.release_lease(&first).await.unwrap();
    assert_eq!(take("three").await, None);
    store.release_lease(&second).await.unwrap();
    let third = take("three").await.unwrap();
    assert!(third.token > second.token);
}

#[tokio::test]
async fn on_sqlite_the_callers_clock_decides() {
    let store = TestStore::new(Engine::Sqlite).await;
    store.take_lease("refresh", "one", MINUTE, NOW).await.unwrap().unwrap();
    assert_eq!(store.take_lease("refresh", "two", MINUTE, at(59_999)).await.unwrap(), None);
    assert!(store.take_lease("refresh", "two", MINUTE, at(60_000)).await.unwrap().is_some());
}

/// A clock that is wrong by hours takes no lease away.
#[tokio::test]
async fn on_postgresql_its_own_clock_decides() {
    let store = TestStore::new(Engine::Postgres).await;
    store.take_lease("refresh", "one", MINUTE, NOW).await.unwrap().unwrap();
    assert_eq!(store.take_lease("refresh", "two", MINUTE, at(36_000_000)).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn whoever_was_replaced_commits_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let lease = store.take_lease("sync", "one", MINUTE, NOW).await.unwrap().unwrap();
    let changes = |key: &str| {
        [
            Change::InsertIntegration(new_integration(store.environment(), key)),
            Change::RequireLease(lease.clone()),
        ]
    };

    store.commit(&changes("in-time"), NOW).await.unwrap();
    run_out(&store).await;
    store.commit(&changes("late-but-alone"), NOW).await.unwrap();
    store.take_lease("sync", "two", MINUTE, NOW).await.unwrap().unwrap();
    let replaced = store.commit(&changes("replaced"), NOW).await;

    assert!(matches!(replaced, Err(StoreError::LeaseLost { .. })));
    assert_eq!(store.integrations(store.environment()).await.unwrap().len(), 2);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_takers_one_wins(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    // A second pool stands for a second process.
    let other = open(&store.location).await;
    let takers = (0..20).map(|number| {
        let store = if number % 2 == 0 { store.store.clone() } else { other.clone() };
        tokio::spawn(async move { store.take_lease("once", &number.to_string(), MINUTE, NOW).await.unwrap() })
    });
    let mut winners = 0;
    for taker in takers.collect::<Vec<_>>() {
        winners += usize::from(taker.await.unwrap().is_some());
    }

    assert_eq!(winners, 1);
}
