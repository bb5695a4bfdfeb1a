use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tombolo_store::{Actor, ActorKind, AuditBreak, Change, NewAuditEvent, Object, StoreError};

use crate::harness::{Engine, NOW, TestStore, at};

fn event(store: &TestStore, action: &str) -> Change {
    Change::Audit(NewAuditEvent {
        environment_id: Some(store.environment().clone()),
        actor: Actor { kind: ActorKind::ApiKey, id: "key_1".to_owned(), label: "CI".to_owned() },
        action: action.to_owned(),
        object: Object {
            kind: "connection".to_owned(),
            id: "con_1".to_owned(),
            label: "案件管理".to_owned(),
        },
        detail: json!({ "changed": ["name"] }),
    })
}

async fn with_chained_events(engine: Engine, count: i64) -> TestStore {
    let store = TestStore::new(engine).await;
    for number in 0..count / 2 {
        let changes = [
            event(&store, &format!("act.{}", 2 * number)),
            event(&store, &format!("act.{}", 2 * number + 1)),
        ];
        store.commit(&changes, at(number)).await.unwrap();
    }
    let lease = store.take_lease("audit", "test", Duration::from_mins(1), NOW).await.unwrap().unwrap();
    while store.chain_audit_events(&lease, 3, at(1)).await.unwrap() > 0 {}
    store
}

#[rstest]
#[tokio::test]
async fn events_are_chained_in_the_order_of_their_acts(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = with_chained_events(engine, 10).await;
    assert!(!store.has_unchained_audit_events().await.unwrap());
    store.commit(&[event(&store, "act.last")], at(100)).await.unwrap();
    assert!(store.has_unchained_audit_events().await.unwrap());

    let events = store.audit_events(store.environment(), None, 100).await.unwrap();
    let order: Vec<_> = events.iter().map(|event| (event.action.as_str(), event.sequence)).collect();
    assert_eq!(order[..3], [("act.last", None), ("act.9", Some(10)), ("act.8", Some(9))]);
    assert_eq!(
        (events[0].object.label.as_str(), &events[0].detail),
        ("案件管理", &json!({ "changed": ["name"] }))
    );
    let rest = store.audit_events(store.environment(), Some(&events[8].id), 100).await.unwrap();
    assert_eq!(rest, events[9..]);

    let verification = store.verify_audit_events().await.unwrap();
    assert_eq!((verification.intact, verification.unchained, verification.broken), (10, 1, None));
}

#[rstest]
#[tokio::test]
async fn the_first_bad_event_is_named(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(
        ("UPDATE audit_events SET actor_label = 'Mallory' WHERE sequence = 4", 4, "the event was changed"),
        ("UPDATE audit_events SET detail = '{}' WHERE sequence = 7", 7, "the event was changed"),
        ("UPDATE audit_events SET at = at + 1 WHERE sequence = 1", 1, "the event was changed"),
        ("UPDATE audit_events SET environment_id = NULL WHERE sequence = 2", 2, "the event was changed"),
        ("DELETE FROM audit_events WHERE sequence = 5", 5, "the event is missing"),
        ("DELETE FROM audit_events WHERE sequence < 3", 1, "the event is missing"),
        ("UPDATE audit_events SET sequence = sequence + 100 WHERE sequence IN (6, 7)", 6, "the event is missing"),
        ("UPDATE audit_events SET previous_hash = hash WHERE sequence = 8", 8, "the event does not continue the one before it")
    )]
    (statement, sequence, reason): (&'static str, u64, &'static str),
) {
    let store = with_chained_events(engine, 10).await;

    store.tamper(statement).await;

    let verification = store.verify_audit_events().await.unwrap();
    assert_eq!(verification.broken, Some(AuditBreak { sequence, reason }));
    assert_eq!(verification.intact, sequence - 1);
}

#[rstest]
#[tokio::test]
async fn chaining_needs_the_lease(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    store.commit(&[event(&store, "act")], NOW).await.unwrap();
    let lease = store.take_lease("audit", "test", Duration::from_mins(1), NOW).await.unwrap().unwrap();

    store.tamper("UPDATE leases SET held_until = 1").await;
    store.take_lease("audit", "another", Duration::from_mins(1), NOW).await.unwrap().unwrap();

    let replaced = store.chain_audit_events(&lease, 10, NOW).await;

    assert!(matches!(replaced, Err(StoreError::LeaseLost { .. })));
    assert_eq!(store.verify_audit_events().await.unwrap().unchained, 1);
}
