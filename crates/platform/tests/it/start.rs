//! Starts that must be refused, and starts that share something. Nothing is ever made anew beside what is there.

use std::collections::BTreeMap;
use std::path::Path;

use rstest::rstest;
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tombolo_platform::start::{MasterKeySource, StartError, StartOptions, Started, start};
use tombolo_store::testing::{new_postgres_database, tamper};

use crate::world::{Backend, Node, World, master_key_text};

async fn refusal(options: StartOptions) -> String {
    match start(options).await {
        Ok(_) => panic!("the start must be refused"),
        Err(error) => error.to_string(),
    }
}

/// Every file below a directory with its bytes.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(directory).expect("the directory is there");
    let read = |path: &Path| std::fs::read(path).expect("the file can be read");
    entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file())
        .map(|path| (path.display().to_string(), read(&path)))
        .collect()
}

/// Starts in a directory and stops again, so that there is an installation.
async fn installed() -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let started = start(in_directory(&directory)).await.expect("the first start works");
    stop(started).await;
    directory
}

async fn stop(started: Started) {
    started.platform.store().close().await;
}

fn in_directory(directory: &TempDir) -> StartOptions {
    StartOptions::in_directory(directory.path().to_owned())
}

fn in_postgres(url: &str) -> StartOptions {
    let mut options = StartOptions::in_directory("unused".into());
    options.postgres = Some(url.into());
    options.master_key = MasterKeySource::Text(master_key_text(1));
    options
}

#[tokio::test]
async fn without_its_key_an_installation_never_starts_and_never_changes() {
    let good = master_key_text(7).expose_secret().to_owned();
    let mut mistyped = good.clone();
    let last = if mistyped.pop() == Some('A') { 'B' } else { 'A' };
    mistyped.push(last);
    let cases: [(&str, Option<String>, &str); 7] = [
        ("missing", None, "is missing, and the database needs it"),
        ("empty", Some(String::new()), "empty"),
        ("blank", Some(" \n".to_owned()), "empty"),
        ("truncated", Some(good[..good.len() - 9].to_owned()), "characters"),
        ("mistyped", Some(mistyped), "mistyped"),
        ("something else", Some("-----BEGIN PRIVATE KEY-----".to_owned()), "master key"),
        ("of another installation", Some(good), "master key"),
    ];
    let directory = installed().await;
    let key = directory.path().join("master.key");
    let right = std::fs::read_to_string(&key).expect("the first start made it");
    for (name, content, expected) in cases {
        match &content {
            Some(content) => std::fs::write(&key, content).expect("written"),
            None => std::fs::remove_file(&key).expect("removed"),
        }
        let before = files(directory.path());
        let told = refusal(in_directory(&directory)).await;
        assert!(told.contains(expected), "{name}: {told}");
        assert!(
            content.is_none_or(|content| content.len() < 20 || !told.contains(&content)),
            "{name}: {told}"
        );
        let after = files(directory.path());
        let changed: Vec<_> =
            before.keys().chain(after.keys()).filter(|file| before.get(*file) != after.get(*file)).collect();
        assert!(changed.is_empty(), "{name}: {changed:?}");
    }
    std::fs::write(&key, right).expect("written");
    stop(start(in_directory(&directory)).await.expect("with its key it starts as ever")).await;
}

#[tokio::test]
async fn a_key_file_that_was_named_is_never_made() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut options = in_directory(&directory);
    options.master_key = MasterKeySource::File(directory.path().join("elsewhere.key"));
    let told = refusal(options).await;
    assert!(told.contains("elsewhere.key is missing"), "{told}");
    assert!(
        !directory.path().join("elsewhere.key").exists() && !directory.path().join("tombolo.db").exists()
    );
}

#[cfg(unix)]
#[tokio::test]
async fn the_key_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = installed().await;
    let key = std::fs::metadata(directory.path().join("master.key")).expect("it was made");
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_data_directory_serves_one_process() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = start(in_directory(&directory)).await.expect("the first start works");
    assert!(matches!(start(in_directory(&directory)).await, Err(StartError::Directory(_))));
    stop(first).await;
    stop(start(in_directory(&directory)).await.expect("it is free again")).await;
}

#[tokio::test]
async fn postgres_wants_its_key_from_the_operator_and_always_the_same_one() {
    let url = new_postgres_database().await;
    let mut without_key = in_postgres(&url);
    without_key.master_key = MasterKeySource::DataDirectory;
    let told = refusal(without_key).await;
    assert!(told.contains("needs a master key that you supply"), "{told}");
    stop(start(in_postgres(&url)).await.expect("with a key it starts")).await;
    let mut other_key = in_postgres(&url);
    other_key.master_key = MasterKeySource::Text(master_key_text(2));
    let told = refusal(other_key).await;
    assert!(told.contains("master key") && !told.contains("v1:"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_platforms_on_one_postgres_are_one_installation() {
    let url = new_postgres_database().await;
    let (one, two) = tokio::join!(Node::start(in_postgres(&url)), Node::start(in_postgres(&url)));
    assert_eq!(one.access.environment, two.access.environment);
    let instance = one.platform.store().instance().await.expect("it answers");
    assert_eq!(instance, two.platform.store().instance().await.expect("it answers"));
    assert_eq!(one.platform.store().environments().await.expect("it answers").len(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_program_is_left_alone(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let world = World::start_on(backend).await;
    let newer = "INSERT INTO schema_migrations VALUES (1000, 'future', '', 0)";
    tamper(&world.location(), newer).await;
    let (location, options) = (world.location(), world.options());
    world.platform.store().close().await;
    // The directory stays; its lock goes with the world.
    let kept = world.into_directory();
    let told = refusal(options).await;
    assert!(told.contains("schema version 1000") && told.contains("newer program"), "{told}");
    tamper(&location, "DELETE FROM schema_migrations WHERE version = 1000").await;
    drop(kept);
}
