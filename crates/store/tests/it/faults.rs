//! Disks, files and databases that are not as they should be. Each ends in an error that says what to do.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;
use tombolo_store::{Change, Location, PostgresLocation, SqliteLocation, StoreError};

use crate::harness::{
    Engine, NOW, TestStore, key_ring, new_integration, open, open_with, sqlite_location, tamper,
};

async fn open_fails(location: impl Into<Location>) -> StoreError {
    match open_with(&location.into(), 1).await {
        Ok(_) => panic!("the store must not open"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let directory = TempDir::new().unwrap();
    let files = SqliteLocation { max_pages: Some(150), ..sqlite_location(&directory) };
    let store = open(&files.into()).await;
    store.initialise(&key_ring(), "dev", NOW).await.unwrap();
    let environment = store.environments().await.unwrap().remove(0);
    let insert = |number: i64| {
        let mut new = new_integration(&environment.id, &format!("key-{number}"));
        new.defaults = json!({ "filler": "x".repeat(10_000) });
        [Change::InsertIntegration(new)]
    };
    let mut stored = 0;
    let error = loop {
        match store.commit(&insert(stored), NOW).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 200, "150 pages cannot hold this");
    };

    assert!(matches!(error, StoreError::DiskFull), "{error}");
    assert!(stored > 0);
    assert_eq!(store.integrations(&environment.id).await.unwrap().len() as i64, stored);
    // What fits into the pages that are there still works.
    assert!(store.take_lease("small", "test", Duration::from_mins(1), NOW).await.unwrap().is_some());
}

#[tokio::test]
async fn a_read_only_database_is_read_and_not_written() {
    let writable = TestStore::new(Engine::Sqlite).await;
    let integration = writable.add_integration("kintone").await;
    let Location::Sqlite(files) = &writable.location else { panic!("this is SQLite") };
    let store = open(&SqliteLocation { read_only: true, ..files.clone() }.into()).await;

    let found = store.integration(writable.environment(), "kintone").await.unwrap();
    assert_eq!(found.map(|found| found.id), Some(integration));
    let change = Change::InsertIntegration(new_integration(writable.environment(), "other"));
    let error = store.commit(&[change], NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly), "{error}");
}

#[rstest]
#[tokio::test]
async fn a_newer_database_is_refused_and_left_alone(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    store.tamper("INSERT INTO schema_migrations VALUES (1000, 'future', '', 0)").await;

    let error = open_fails(store.location.clone()).await;

    let text = error.to_string();
    assert!(
        text.starts_with("the database has schema version 1000, this program knows versions up to ")
            && text.ends_with("; use the newer program again, nothing was changed"),
        "{text}"
    );
    store.tamper("DELETE FROM schema_migrations WHERE version = 1000").await;
    assert_eq!(open(&store.location).await.environments().await.unwrap().len(), 1);
}

#[rstest]
#[tokio::test]
async fn a_database_of_another_build_is_refused(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    store.tamper("UPDATE schema_migrations SET checksum = '' WHERE version = 1").await;

    assert!(matches!(open_fails(store.location.clone()).await, StoreError::ForeignMigration { version: 1 }));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let directory = TempDir::new().unwrap();
    let files = sqlite_location(&directory);
    std::fs::write(&files.file, "not a database, but long enough to have a header of its own".repeat(100))
        .unwrap();

    assert!(matches!(open_fails(files.clone()).await, StoreError::Corrupt { .. }));
    let text = std::fs::read_to_string(&files.file).unwrap();
    assert!(text.starts_with("not a database"), "the file is left alone");
}

#[tokio::test]
async fn a_missing_directory_is_named_as_unavailable() {
    let directory = TempDir::new().unwrap();
    let missing = directory.path().join("missing");
    let files = SqliteLocation::new(missing.join("tombolo.db"), missing.join("activity.db"));

    assert!(matches!(open_fails(files).await, StoreError::Unavailable { .. }));
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_unavailable_and_no_password_shows() {
    for (url, malformed) in [
        ("postgres://me:marker-password@localhost/db?host=/nonexistent", false),
        ("postgres://me:marker-password@[::bad", true),
    ] {
        let error =
            open_fails(Location::Postgres(PostgresLocation { url: url.into(), max_connections: 1 })).await;
        assert_eq!(matches!(error, StoreError::Invalid(_)), malformed, "{error}");
        assert_eq!(matches!(error, StoreError::Unavailable { .. }), !malformed, "{error}");
        assert!(!format!("{error} {error:?}").contains("marker-password"));
    }
}

#[rstest]
#[tokio::test]
async fn a_row_that_was_tampered_with_is_an_error_not_a_panic(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(
        "UPDATE connections SET health = 'splendid'",
        "UPDATE connections SET tags = '['",
        "UPDATE connections SET hosts = '[{\"role\":\"api\",\"host\":\"https://evil\",\"port\":1}]'",
        "UPDATE connections SET version = -1"
    )]
    statement: &'static str,
) {
    let store = TestStore::new(engine).await;
    let integration = store.add_integration("kintone").await;
    let connection = store.add_connection(&integration, "Acme").await;

    tamper(&store.location, statement).await;

    let error = store.connection(store.environment(), &connection.id).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[rstest]
#[tokio::test]
async fn a_moved_or_edited_row_does_not_open(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(
        "UPDATE connections SET hosts = '[{\"role\":\"api\",\"host\":\"evil.example\",\"port\":443}]'",
        "UPDATE connections SET sealed_version = 7",
        "UPDATE connections SET sealed = (SELECT o.sealed FROM connections o WHERE o.id <> connections.id)"
    )]
    statement: &'static str,
) {
    let store = TestStore::new(engine).await;
    let integration = store.add_integration("kintone").await;
    let mut connections = Vec::new();
    for name in ["one", "two"] {
        let mut new = store.new_connection(&integration, name);
        new.sealed = Some(store.seal(&new.id, 1, &new.target.hosts, "marker-1"));
        connections.push(store.add(new, NOW).await);
    }
    assert_eq!(store.opened(&connections[0]), "marker-1");

    store.tamper(statement).await;

    let tampered = store.read(&connections[0].id).await;
    assert_eq!(store.try_open(&tampered), Err(tombolo_vault::OpenError::NotAuthentic));
}
