use rstest::rstest;
use tombolo_store::{Change, StoreError};

use crate::harness::{Engine, NOW, TestStore, new_integration};

#[rstest]
#[tokio::test]
async fn the_first_start_makes_one_environment(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;

    let environments = store.environments().await.unwrap();
    assert_eq!(environments, std::slice::from_ref(&store.environment));
    assert_eq!((environments[0].name.as_str(), environments[0].generation), ("dev", 1));
    assert_eq!(store.data_keys(store.environment()).await.unwrap()[0].wrapped.version(), 1);
}

#[rstest]
#[tokio::test]
async fn a_commit_moves_only_the_generation_of_its_own_environment(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let other = store.add_environment("prod").await;

    let changes = [new_integration(store.environment(), "one"), new_integration(store.environment(), "two")];
    let committed = store.commit(&changes.map(Change::InsertIntegration), NOW).await.unwrap();

    assert_eq!(committed.generations, [(store.environment().clone(), 2)]);
    let mut generations = store.generations().await.unwrap();
    generations.sort();
    let mut expected = [(store.environment().clone(), 2), (other, 1)];
    expected.sort();
    assert_eq!(generations, expected);
}

#[rstest]
#[tokio::test]
async fn a_failed_commit_leaves_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;

    let changes =
        [new_integration(store.environment(), "same"), new_integration(store.environment(), "same")];
    let error = store.commit(&changes.map(Change::InsertIntegration), NOW).await.unwrap_err();

    assert!(matches!(error, StoreError::UniqueKeyTaken { object: "integration", .. }), "{error}");
    assert_eq!(store.integrations(store.environment()).await.unwrap(), []);
    assert_eq!(store.generations().await.unwrap(), [(store.environment().clone(), 1)]);
}

#[rstest]
#[tokio::test]
async fn environments_do_not_see_each_other(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let other = store.add_environment("prod").await;
    let integration = store.add_integration("kintone").await;
    let connection = store.add_connection(&integration, "Acme").await;

    assert_eq!(store.integration(&other, "kintone").await.unwrap(), None);
    assert_eq!(store.integration_by_id(&other, &integration).await.unwrap(), None);
    assert_eq!(store.connection(&other, &connection.id).await.unwrap(), None);
    assert_eq!(store.connections_called(&other, "Acme").await.unwrap(), []);
    for change in [
        Change::DeleteIntegration(other.clone(), integration.clone()),
        Change::DeleteConnection(other.clone(), connection.id.clone()),
    ] {
        let error = store.commit(&[change], NOW).await.unwrap_err();
        assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    }
    assert_eq!(store.read(&connection.id).await, connection);
}
