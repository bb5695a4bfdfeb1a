use std::time::Duration;

use rstest::rstest;
use tombolo_store::{Change, StoreError};

use crate::harness::{Engine, NOW, TestStore, at, new_integration, open};

const MINUTE: Duration = Duration::from_mins(1);

#[rstest]
#[tokio::test]
async fn a_lease_has_one_holder_until_it_runs_out(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;

    let first = store.take_lease("refresh", "one", MINUTE, NOW).await.unwrap().unwrap();
    assert_eq!(store.take_lease("refresh", "two", MINUTE, at(59_999)).await.unwrap(), None);
    store.renew_lease(&first, MINUTE, at(59_999)).await.unwrap();
    assert_eq!(store.take_lease("refresh", "two", MINUTE, at(60_000)).await.unwrap(), None);

    let second = store.take_lease("refresh", "two", MINUTE, at(119_999)).await.unwrap().unwrap();
    assert!(second.token > first.token);
    assert!(matches!(
        store.renew_lease(&first, MINUTE, at(120_000)).await,
        Err(StoreError::LeaseLost { .. })
    ));
    store.release_lease(&first).await.unwrap();
    assert_eq!(store.take_lease("refresh", "three", MINUTE, at(120_000)).await.unwrap(), None);
    store.release_lease(&second).await.unwrap();
    let third = store.take_lease("refresh", "three", MINUTE, at(120_000)).await.unwrap().unwrap();
    assert!(third.token > second.token);
}

#[rstest]
#[tokio::test]
async fn a_late_holder_commits_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let lease = store.take_lease("sync", "one", MINUTE, NOW).await.unwrap().unwrap();
    let changes = |key: &str| {
        [
            Change::InsertIntegration(new_integration(store.environment(), key)),
            Change::RequireLease(lease.clone()),
        ]
    };

    store.commit(&changes("in-time"), at(59_999)).await.unwrap();
    let late = store.commit(&changes("late"), at(60_000)).await;

    assert!(matches!(late, Err(StoreError::LeaseLost { .. })));
    assert_eq!(store.integrations(store.environment()).await.unwrap().len(), 1);
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
