//! First starts, later starts, and starts that must be refused.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use rstest::rstest;
use secrecy::ExposeSecret;
use tombolo_store::testing::{make_older, tamper};
use tombolo_store::{Location, PostgresLocation, SqliteLocation, StoreError};
use tombolo_vault::{KeyCheckError, KeyRing};

use crate::harness::{Engine, NOW, TestStore, at, empty_location, key_ring, master_key, open, open_with};

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
    assert_eq!(again.environments().await.unwrap(), std::slice::from_ref(&store.environment));
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
#[tokio::test]
async fn the_wrong_master_key_changes_no_schema(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    // As an older program left it: with a step of the schema still to do.
    store.tamper("DELETE FROM schema_migrations").await;
    store.close().await;
    let files = || match &store.location {
        Location::Sqlite(files) => {
            Some((fs::read(&files.file).unwrap(), fs::read(&files.activity_file).unwrap()))
        }
        Location::Postgres(_) => None,
    };
    let before = files();

    let error = open_with(&store.location, 2).await.map(drop).unwrap_err();

    assert!(matches!(error, StoreError::KeyCheck(KeyCheckError::WrongMasterKey { .. })), "{error}");
    assert!(files() == before, "the refused start changed a file");
}

#[rstest]
#[tokio::test]
async fn the_schedule_of_an_older_program_is_forgotten(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (location, _directory) = empty_location(engine).await;
    make_older(&location, 1).await;
    tamper(
        &location,
        "INSERT INTO schedules (name, kind, payload, every_ms, next_fire_at) VALUES ('audit_chain', 'audit_chain', '{}', \
         10000, 1), ('retention', 'retention', '{}', 3600000, 1); \
         INSERT INTO jobs (id, kind, payload, state, due_at, attempts, max_attempts, lease_token, created_at) VALUES \
         ('job_01900000000070008000000000000001', 'audit_chain', '{}', 'queued', 1, 0, 5, 0, 1), \
         ('job_01900000000070008000000000000002', 'retention', '{}', 'queued', 1, 0, 5, 0, 1)",
    )
    .await;

    let again = open(&location).await;
    let names: Vec<_> = again.schedules().await.unwrap().into_iter().map(|schedule| schedule.name).collect();
    assert_eq!(names, ["retention"]);
    let claimed = again.claim_jobs(&["audit_chain", "retention"], "w", 10, Duration::from_mins(1), NOW).await;
    let kinds: Vec<_> = claimed.unwrap().into_iter().map(|claimed| claimed.job.kind).collect();
    assert_eq!(kinds, ["retention"], "a job that no worker knows would be due for ever");
}

/// What a process of its own does in the next test.
#[tokio::test]
#[ignore = "is started by processes_that_start_at_once_end_with_one_installation"]
async fn start_as_a_process() {
    let database = std::env::var(CHILD_DATABASE).expect("the parent says which database");
    let store = open(&location_of(&database)).await;
    println!("instance {}", store.initialise(&key_ring(), "dev", NOW).await.unwrap().id);
}

const CHILD_DATABASE: &str = "STORE_TEST_CHILD_DATABASE";

#[rstest]
#[tokio::test]
async fn processes_that_start_at_once_end_with_one_installation(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (location, _directory) = empty_location(engine).await;
    let database = match &location {
        Location::Sqlite(files) => files.file.to_str().unwrap().to_owned(),
        Location::Postgres(server) => server.url.expose_secret().to_owned(),
    };
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "start::start_as_a_process", "--ignored", "--nocapture"])
            .env(CHILD_DATABASE, &database)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let processes: Vec<_> = (0..4).map(|_| start()).collect();
    let mut instances = Vec::new();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let instance =
            text.lines().find_map(|line| line.split_once("instance ")).map(|(_, id)| id.to_owned());
        instances
            .push(instance.unwrap_or_else(|| panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr))));
    }

    instances.dedup();
    assert_eq!(instances.len(), 1, "{instances:?}");
    assert_eq!(open(&location_of(&database)).await.environments().await.unwrap().len(), 1);
}

fn location_of(database: &str) -> Location {
    if database.starts_with("postgres:") {
        return Location::Postgres(PostgresLocation { url: database.into(), max_connections: 2 });
    }
    SqliteLocation::new(database.into(), format!("{database}.activity").into()).into()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_start_at_once_in_one_process_end_with_one_installation(
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
