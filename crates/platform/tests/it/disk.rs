//! Disks that are full or cannot be written. Nothing is half stored, and a log that cannot be written stops no call.

use tombolo_store::testing::tamper;
use tombolo_store::{ActivityFilter, ConnectionFilter};

use crate::faults::{password, tokens};
use crate::world::{Backend, World};

const CUSTOMERS: &str = "demoTokenCustomersAll0000000000000000000";
const RECORD: &str = "/k/v1/record.json?app=1&id=1";

async fn names(world: &World) -> Vec<String> {
    let filter = ConnectionFilter::default();
    let page = world.platform.list_connections(&world.access, &filter, None, 100).await.expect("a list");
    page.connections.into_iter().map(|connection| connection.name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_nothing_is_half_stored() {
    let world = World::start_with(|options, _| options.sqlite_pages_max = Some(160)).await;
    let mut stored = Vec::new();
    let problem = loop {
        let mut draft = tokens(&format!("c{:03}", stored.len()), CUSTOMERS, "1");
        draft.metadata = serde_json::json!({ "filler": "x".repeat(9_000) });
        match world.platform.create_connection(&world.access, &draft, false, &mut |_| {}).await {
            Ok(made) => stored.push(made.expect("no test, no report").connection.name),
            Err(problem) => break problem,
        }
        assert!(stored.len() < 160, "160 pages cannot hold this");
    };
    assert_eq!((problem.code, problem.kind.status()), ("disk_full", 503), "{problem}");
    let mut found = names(&world).await;
    found.sort();
    assert_eq!(found, stored, "what was told to be stored is, and nothing else");
    let events = world.platform.list_audit_events(&world.access, None, 200).await.expect("the trail");
    let created = events.iter().filter(|event| event.action == "connection.created").count();
    assert_eq!(created, stored.len(), "as many acts as connections");

    // What is there can still be used, with a key whose use cannot be noted any more.
    assert_eq!(world.get("c000", RECORD).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_on_when_their_log_is_full_and_the_lost_ones_are_counted() {
    let world = World::start_with(|options, _| options.sqlite_pages_max = Some(160)).await;
    assert!(world.create(&tokens("c", CUSTOMERS, "1")).await.expect("accepted").is_ok());
    // Long paths that do not compress, until no block fits any more.
    let mut sent = 0_u64;
    while world.platform.activity_dropped() == 0 {
        for _ in 0..20 {
            sent += 1;
            let letter = |place: u64| char::from(b'a' + (place * place * sent % 9973 % 26) as u8);
            let path: String = (0..6_000).map(letter).collect();
            assert_ne!(world.get("c", &format!("/k/v1/{path}.json")).await.0, 503);
        }
        world.platform.flush_activity().await;
        assert!(sent < 2_000, "160 pages cannot hold this");
    }
    assert_eq!(world.get("c", RECORD).await.0, 200, "calls go on");
    assert!(world.platform.activity_dropped() >= 20);
    let page = world.platform.list_activity(&world.access, None, ActivityFilter::default(), None, 5);
    page.await.expect("what was written can be read");
}

/// A database that only reads: calls go on, every act is refused and says why.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_only_reads_serves_calls() {
    let world = World::start_on(Backend::Postgres).await;
    let scopes = ["environment:*".to_owned()];
    let (_, key) = world.platform.create_api_key(&world.access, "k", &scopes, None).await.expect("a key");
    assert!(world.create(&tokens("c", CUSTOMERS, "1")).await.expect("accepted").is_ok());
    let url = world.postgres.as_deref().expect("PostgreSQL");
    let name = url.split('?').next().and_then(|url| url.rsplit('/').next()).expect("the database's name");
    tamper(&world.location(), &format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    // The setting holds for connections that are made from now on.
    let told = tombolo_platform::start::start(world.options()).await.err().map(|error| error.to_string());
    assert!(told.as_deref().is_some_and(|told| told.contains("read-only")), "{told:?}");

    let kick = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    tamper(&world.location(), kick).await;
    world.kintone().clear_requests();
    assert_eq!(world.get("c", RECORD).await.0, 200);
    assert!(
        world.platform.authenticate(key.expose()).await.is_ok(),
        "its use cannot be noted, and it is usable"
    );
    let refused = world.create(&password("p", "anna", "demo-password-anna")).await.err().expect("refused");
    assert_eq!((refused.code, refused.kind.status()), ("database_read_only", 503), "{refused}");
    assert!(!world.kintone().requests().is_empty());
    assert_eq!(names(&world).await, ["c"]);
}
