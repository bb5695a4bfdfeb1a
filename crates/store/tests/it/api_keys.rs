use std::time::Duration;

use rstest::rstest;
use tombolo_store::{ApiKeyText, Change, NewApiKey, StoreError};
use tombolo_vault::SystemRandom;

use crate::harness::{Engine, NOW, TestStore, at};

fn new_key(store: &TestStore) -> (NewApiKey, ApiKeyText) {
    let scopes = vec!["connections:read".to_owned()];
    let expires_at = Some(NOW.plus(Duration::from_mins(1)));
    NewApiKey::generate(store.environment().clone(), "CI".to_owned(), scopes, expires_at, NOW, &SystemRandom)
        .unwrap()
}

#[rstest]
#[tokio::test]
async fn a_key_is_found_and_checked(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let (new, text) = new_key(&store);
    let (other, _) = new_key(&store);
    store.commit(&[Change::InsertApiKey(new), Change::InsertApiKey(other)], NOW).await.unwrap();

    let typed: ApiKeyText = text.expose().parse().unwrap();
    let key = store.api_key_by_lookup(typed.lookup()).await.unwrap().unwrap();
    assert!(key.matches(&typed));
    assert!(!key.matches(&new_key(&store).1));
    assert_eq!(
        (key.environment_id.clone(), key.scopes.clone()),
        (store.environment().clone(), vec!["connections:read".to_owned()])
    );
    assert!(key.is_usable(NOW));
    assert!(!key.is_usable(at(60_000)));
    assert_eq!(key.scram.iterations, 4096);
    assert_eq!(store.api_key_by_lookup(new_key(&store).1.lookup()).await.unwrap(), None);
    assert_eq!(store.api_keys(store.environment()).await.unwrap().len(), 2);
}

#[rstest]
#[tokio::test]
async fn a_revoked_key_stays_revoked_and_moves_the_generation(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let other = store.add_environment("prod").await;
    let (new, text) = new_key(&store);
    let id = new.id.clone();
    store.commit(&[Change::InsertApiKey(new)], NOW).await.unwrap();

    store.commit(&[Change::TouchApiKey(store.environment().clone(), id.clone())], NOW).await.unwrap();
    let committed =
        store.commit(&[Change::RevokeApiKey(store.environment().clone(), id.clone())], at(1)).await.unwrap();
    store.commit(&[Change::RevokeApiKey(store.environment().clone(), id.clone())], at(2)).await.unwrap();

    assert_eq!(committed.generations, [(store.environment().clone(), 3)]);
    let key = store.api_key_by_lookup(text.lookup()).await.unwrap().unwrap();
    assert_eq!((key.revoked_at, key.last_used_day), (Some(at(1)), Some(NOW.day())));
    assert!(!key.is_usable(NOW));
    let error = store.commit(&[Change::RevokeApiKey(other, id)], NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { object: "API key", .. }));
}
