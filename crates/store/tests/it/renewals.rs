//! What is due to be renewed, and what is known of renewals that have not succeeded.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tombolo_store::{
    BegunRenewal, Change, Connection, CredentialsReplacement, FailedRenewal, Interruption, RenewalStart,
    Timestamp, TokenLife,
};

use crate::harness::{Engine, NOW, TestStore, at};

const LEASE: Duration = Duration::from_secs(4);

async fn renewable(store: &TestStore, name: &str, renew_at: Option<Timestamp>) -> Connection {
    let integration = store.integrations(store.environment()).await.unwrap().pop();
    let integration = match integration {
        Some(integration) => integration.id,
        None => store.add_integration("kintone").await,
    };
    let mut new = store.new_connection(&integration, name);
    new.life = TokenLife { expires_at: Some(at(100)), renew_at, ends_at: None };
    store.add(new, NOW).await
}

async fn begin(store: &TestStore, connection: &Connection, node: &str, at: Timestamp) -> RenewalStart {
    let (environment, id, version) = (store.environment(), &connection.id, connection.sealed_version);
    store.begin_renewal(environment, id, version, node, LEASE, at).await.unwrap()
}

fn begun(start: RenewalStart) -> BegunRenewal {
    match start {
        RenewalStart::Begun(begun) => *begun,
        other => panic!("{other:?}"),
    }
}

fn replacement(store: &TestStore, connection: &Connection) -> Change {
    Change::ReplaceCredentials(CredentialsReplacement {
        environment_id: connection.environment_id.clone(),
        id: connection.id.clone(),
        expected_sealed_version: connection.sealed_version,
        sealed: store.seal(&connection.id, 2, &connection.target.hosts, "marker-renewed"),
        hosts: connection.target.hosts.clone(),
        life: TokenLife::default(),
        keeps_refresh_token: false,
    })
}

fn failure(begun: &BegunRenewal, retry_at: Option<Timestamp>, unanswered: bool) -> Vec<Change> {
    let failed = FailedRenewal {
        environment_id: begun.connection.environment_id.clone(),
        id: begun.connection.id.clone(),
        sealed_version: begun.connection.sealed_version,
        failure: json!({ "code": "token_unavailable" }),
        retry_at,
        unanswered: unanswered
            .then(|| Interruption { at: begun.renewal.began_at, node: begun.renewal.node.clone() }),
    };
    vec![Change::FailRenewal(failed), Change::ReleaseLease(begun.lease.clone())]
}

#[rstest]
#[tokio::test]
async fn connections_are_renewed_when_they_are_due_and_nobody_is_at_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let late = renewable(&store, "late", Some(at(20))).await;
    let early = renewable(&store, "early", Some(at(10))).await;
    renewable(&store, "never", None).await;
    let due = async |milliseconds: i64| {
        let found = store.connections_to_renew(at(milliseconds), 10).await.unwrap();
        found.into_iter().map(|(_, id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(due(9).await, []);
    assert_eq!(due(30).await, [early.id.clone(), late.id.clone()], "the most urgent first");
    let one = begun(begin(&store, &early, "one", at(30)).await);
    assert_eq!(due(30).await, std::slice::from_ref(&late.id));
    store.commit(&failure(&one, Some(at(60)), false), at(30)).await.unwrap();
    assert_eq!(due(59).await, std::slice::from_ref(&late.id));
    assert_eq!(due(60).await.len(), 2);
}

#[rstest]
#[tokio::test]
async fn one_process_renews_and_what_a_dead_one_began_is_known(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let connection = renewable(&store, "c", Some(at(10))).await;
    let one = begun(begin(&store, &connection, "one", at(10)).await);
    assert_eq!((one.renewal.attempts, &one.renewal.interrupted), (1, &None));
    assert_eq!(begin(&store, &connection, "two", at(11)).await, RenewalStart::Held);

    store.tamper("UPDATE leases SET held_until = 1").await;
    let two = begun(begin(&store, &connection, "two", at(12)).await);
    let interruption = Interruption { at: at(10), node: "one".to_owned() };
    assert_eq!((two.renewal.attempts, &two.renewal.interrupted), (2, &Some(interruption.clone())));

    // The trace stays until a renewal succeeds, however often it fails in between.
    store.commit(&failure(&two, Some(at(20)), false), at(13)).await.unwrap();
    match begin(&store, &connection, "three", at(19)).await {
        RenewalStart::Postponed(known) => {
            assert_eq!((known.failing_since, known.retry_at), (Some(at(13)), Some(at(20))));
            assert_eq!(known.failure["code"], "token_unavailable");
        }
        other => panic!("{other:?}"),
    }
    let three = begun(begin(&store, &connection, "three", at(20)).await);
    assert_eq!(three.renewal.interrupted, Some(interruption));
    let changes = [
        Change::RequireLease(three.lease.clone()),
        replacement(&store, &connection),
        Change::ReleaseLease(three.lease),
    ];
    store.commit(&changes, at(21)).await.unwrap();
    assert_eq!(store.renewal(&connection.id).await.unwrap(), None);
    assert_eq!(begin(&store, &connection, "four", at(22)).await, RenewalStart::Renewed);
}

#[rstest]
#[tokio::test]
async fn an_answer_that_never_came_is_remembered(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let connection = renewable(&store, "c", Some(at(10))).await;
    let one = begun(begin(&store, &connection, "one", at(10)).await);
    store.commit(&failure(&one, Some(at(20)), true), at(15)).await.unwrap();
    let two = begun(begin(&store, &connection, "two", at(20)).await);
    assert_eq!(two.renewal.interrupted, Some(Interruption { at: at(10), node: "one".to_owned() }));

    // Given up: nothing is left, and nothing is due.
    store.commit(&failure(&two, None, false), at(21)).await.unwrap();
    assert_eq!(store.renewal(&connection.id).await.unwrap(), None);
    assert_eq!(store.connections_to_renew(at(1_000), 10).await.unwrap(), []);
    let deleted = Change::DeleteConnection(store.environment().clone(), connection.id.clone());
    store.commit(&[deleted], at(22)).await.unwrap();
    assert_eq!(begin(&store, &connection, "three", at(23)).await, RenewalStart::Gone);
}
