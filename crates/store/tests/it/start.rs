//! First starts, later starts, and starts that must be refused.

use rstest::rstest;
use tombolo_store::StoreError;
use tombolo_vault::{KeyCheckError, KeyRing};

use crate::harness::{Engine, NOW, TestStore, at, empty_location, key_ring, master_key, open};

#[rstest]
#[tokio::test]
async fn a_later_start_finds_what_the_first_wrote(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let instance = store.instance().await.unwrap().unwrap();
    store.close().await;

    let again = open(&store.location).await;
    assert_eq!(again.initialise(&key_ring(), "ignored", at(1)).await.unwrap(), instance);
    assert_eq!(again.environments().await.unwrap(), [store.environment.clone()]);
}

#[rstest]
#[tokio::test]
async fn the_wrong_master_key_is_refused(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;

    let error = store.initialise(&KeyRing::new(master_key(2)), "dev", NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::KeyCheck(KeyCheckError::WrongMasterKey { .. })), "{error}");
    store.initialise(&KeyRing::new(master_key(2)).with_older(master_key(1)), "dev", NOW).await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_at_once_end_with_one_installation(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (location, _directory) = empty_location(engine).await;
    let starts = (0..4).map(|_| {
        let location = location.clone();
        tokio::spawn(async move {
            let store = open(&location).await;
            store.initialise(&key_ring(), "dev", NOW).await.unwrap().id
        })
    });
    let mut instances = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        instances.push(start.await.unwrap());
    }

    instances.dedup();
    assert_eq!(instances.len(), 1);
    assert_eq!(open(&location).await.environments().await.unwrap().len(), 1);
}
