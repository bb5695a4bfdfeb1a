//! Two environments see nothing of each other, and a secret goes to the host that it was typed for, or nowhere.

use http::Method;
use rstest::rstest;
use tombolo_platform::{ConnectionChange, Problem};
use tombolo_store::testing::{dump, tamper};

use crate::faults::{password, tokens};
use crate::world::{Backend, World, call};

const CUSTOMERS: &str = "demoTokenCustomersAll0000000000000000000";
const ORDERS: &str = "demoTokenOrdersAll0000000000000000000000";
const RECORD: &str = "/k/v1/record.json?app=1&id=1";

fn kind<T>(outcome: Result<T, Problem>) -> &'static str {
    outcome.map_or_else(|problem| problem.code, |_| "found")
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_one_environment_is_found_from_another(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let world = World::start_on(backend).await;
    let platform = &world.platform;
    let made = platform.create_environment(&world.access, "other").await.expect("made");
    assert_eq!(kind(platform.create_environment(&world.access, "other").await), "unique_key_taken");
    let other = platform.operator_access(Some("other")).await.expect("the other environment");
    assert_eq!(other.environment, made.id);

    let created = world.create(&tokens("mine", CUSTOMERS, "1")).await.expect("accepted").expect("available");
    let id = created.connection.id.to_string();
    let scopes = ["environment:*".to_owned()];
    let (key, text) = platform.create_api_key(&world.access, "k", &scopes, None).await.expect("a key");
    assert_eq!(world.get("mine", RECORD).await.0, 200);
    world.platform.flush_activity().await;

    for reference in ["mine", &id, &created.connection.connection_id] {
        let unknown = "unknown_connection";
        assert_eq!(kind(platform.read_connection(&other, None, reference).await), unknown);
        assert_eq!(kind(platform.delete_connection(&other, None, reference).await), unknown);
        assert_eq!(kind(platform.test_connection(&other, None, reference, &mut |_| {}).await), unknown);
        let change = ConnectionChange { name: Some("taken over".to_owned()), ..ConnectionChange::default() };
        assert_eq!(kind(platform.update_connection(&other, None, reference, change).await), unknown);
        let line = (Method::GET, RECORD, "");
        assert_eq!(call(platform, &world.lane, &other, reference, line).await.0, 404);
    }
    for reference in ["k", key.id.as_str()] {
        assert_eq!(kind(platform.revoke_api_key(&other, reference).await), "unknown_api_key");
    }
    assert_eq!(kind(platform.read_integration(&other, "kintone").await), "unknown_provider_config");
    assert_eq!(kind(platform.delete_integration(&other, "kintone").await), "unknown_provider_config");
    let filter = tombolo_store::ConnectionFilter::default();
    let page = platform.list_connections(&other, &filter, None, 10).await.expect("a list");
    assert!(page.connections.is_empty());
    assert!(platform.list_api_keys(&other).await.expect("a list").is_empty());
    let events = platform.list_audit_events(&other, None, 10).await.expect("a list");
    assert!(events.iter().all(|event| event.environment_id.is_none()), "acts on the installation alone");
    let calls = platform.list_activity(&other, Some(&id), tombolo_store::ActivityFilter::default(), None, 10);
    assert!(calls.await.is_ok_and(|page| page.calls.is_empty()));

    // A key opens its own environment, and does not make others.
    let holder = platform.authenticate(text.expose()).await.expect("a valid key");
    assert_eq!(holder.environment, world.access.environment);
    assert_eq!(kind(platform.create_environment(&holder, "third").await), "forbidden");
    // The same name is free in the other environment.
    let twin = platform.create_connection(&other, &tokens("mine", CUSTOMERS, "1"), true, &mut |_| {}).await;
    assert!(twin.expect("accepted").is_ok());
    let stored = dump(&world.location()).await;
    let act = b"environment.created";
    assert!(stored.windows(act.len()).any(|bytes| bytes == act), "acts on the installation are in the trail");
}

/// Whoever can write to the database still cannot send a secret elsewhere, or use it for another connection.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_changed_by_hand_is_refused(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[values(
        (r#"UPDATE connections SET hosts = '[{"role":"api","host":"sample.cybozu.com","port":443}]'"#, "host_not_bound"),
        (r#"UPDATE connections SET config = REPLACE(config, '"demo"', '"sample"')"#, "host_not_bound"),
        (
            r#"UPDATE connections SET config = REPLACE(REPLACE(config, '"demo"', '"sample"'), 'kintone.com', 'cybozu.com'),
               hosts = '[{"role":"api","host":"sample.cybozu.com","port":443}]'"#,
            "credentials_locked"
        ),
        (
            "UPDATE connections SET sealed = (SELECT o.sealed FROM connections o WHERE o.id <> connections.id)",
            "credentials_locked"
        ),
        ("UPDATE connections SET sealed_version = sealed_version + 1", "credentials_locked")
    )]
    (statement, expected): (&str, &str),
) {
    let world = World::start_on(backend).await;
    for draft in [tokens("one", CUSTOMERS, "1"), tokens("two", ORDERS, "2")] {
        assert!(world.create(&draft).await.expect("accepted").is_ok());
    }
    world.kintone().clear_requests();
    tamper(&world.location(), statement).await;
    assert_eq!(world.get("one", RECORD).await, (424, expected.to_owned()));
    assert!(world.kintone().requests().is_empty(), "nothing went out");
    assert!(world.platform.test_connection(&world.access, None, "one", &mut |_| {}).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_one_connection_is_not_that_of_another() {
    let world = World::start().await;
    let (anna, ben) =
        (password("a", "anna", "demo-password-anna"), password("b", "ben", "demo-password-ben"));
    for draft in [anna, ben] {
        assert!(world.create(&draft).await.expect("accepted").is_ok());
    }
    world.kintone().clear_requests();
    for name in ["a", "b", "a"] {
        assert_eq!(world.get(name, RECORD).await.0, 200);
    }
    let seen: Vec<_> = world.kintone().requests();
    let sent: Vec<_> = seen.iter().map(|seen| seen.header("x-cybozu-authorization")).collect();
    assert!(sent[0].is_some() && sent[0] == sent[2] && sent[0] != sent[1], "each its own");
}
