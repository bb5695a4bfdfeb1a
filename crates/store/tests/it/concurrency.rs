//! Many writers at once, and writers that vanish in the middle.

use std::time::Duration;

use rstest::rstest;
use tombolo_store::Change;

use crate::harness::{Engine, NOW, TestStore, new_integration, open};

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_wait_for_each_other(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    // A second pool stands for a second process.
    let other = open(&store.location).await;
    let environment = store.environment().clone();
    let writers = (0..40).map(|number| {
        let store = if number % 2 == 0 { store.store.clone() } else { other.clone() };
        let change = Change::InsertIntegration(new_integration(&environment, &number.to_string()));
        tokio::spawn(async move { store.commit(&[change], NOW).await })
    });
    let mut generations = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        generations.push(writer.await.unwrap().unwrap().generations[0].1);
    }

    generations.sort_unstable();
    assert_eq!(generations, (2..42).collect::<Vec<_>>());
    assert_eq!(store.integrations(store.environment()).await.unwrap().len(), 40);
}

#[rstest]
#[tokio::test]
async fn a_commit_that_is_dropped_is_stored_whole_or_not_at_all(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let pair = |number: u64| {
        ["a", "b"].map(|half| {
            Change::InsertIntegration(new_integration(store.environment(), &format!("{half}{number}")))
        })
    };
    let mut dropped = 0;
    for number in 0..60 {
        let patience = Duration::from_micros(number * 40);
        dropped +=
            usize::from(tokio::time::timeout(patience, store.commit(&pair(number), NOW)).await.is_err());
    }
    store.commit(&pair(1000), NOW).await.unwrap();

    assert!(dropped > 0, "some commits must be dropped in the middle");
    let keys: Vec<_> = store
        .integrations(store.environment())
        .await
        .unwrap()
        .into_iter()
        .map(|found| found.unique_key)
        .collect();
    let (a, b): (Vec<_>, Vec<_>) = keys.iter().partition(|key| key.starts_with('a'));
    assert!(a.iter().map(|key| &key[1..]).eq(b.iter().map(|key| &key[1..])), "{keys:?}");
}
