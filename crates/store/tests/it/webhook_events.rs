use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::json;
use tombolo_store::{Change, NewWebhookEvent};

use crate::harness::{Engine, NOW, TestStore, at, new_integration};

fn news(store: &TestStore) -> Change {
    Change::AddWebhookEvent(NewWebhookEvent {
        environment_id: store.environment().clone(),
        event_type: "connection.created".to_owned(),
        payload: json!({ "name": "案件" }),
        connection: None,
        only: None,
    })
}

#[rstest]
#[tokio::test]
async fn news_are_written_with_what_they_tell_about(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let other = store.add_environment("prod").await;
    let news = || news(&store);

    let committed = store.commit(&[news(), news()], NOW).await.unwrap();
    let twice = || Change::InsertIntegration(new_integration(store.environment(), "same"));
    store.commit(&[news(), twice(), twice()], NOW).await.unwrap_err();

    let written = store.webhook_events(store.environment(), None, 10).await.unwrap();
    assert_eq!(written.len(), 2);
    assert_eq!(written[0].payload, json!({ "name": "案件" }));
    assert_eq!(
        store.webhook_events(store.environment(), Some(&written[0].id), 10).await.unwrap(),
        written[1..]
    );
    assert_eq!(store.webhook_events(&other, None, 10).await.unwrap(), []);
    let id = &committed.webhook_events[0];
    assert!(store.webhook_event(store.environment(), id).await.unwrap().is_some());
    assert!(store.webhook_event(&other, id).await.unwrap().is_none());
}

#[rstest]
#[tokio::test]
async fn news_about_a_connection_tell_what_embedders_know_it_by(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let integration = store.add_integration("sales").await;
    let mut new = store.new_connection(&integration, "Acme");
    new.connection_id = Some("user-7".to_owned());
    new.tags = BTreeMap::from([("team".to_owned(), "east".to_owned())]);
    let connection = new.id.clone();
    let event = Change::AddWebhookEvent(NewWebhookEvent {
        environment_id: store.environment().clone(),
        event_type: "connection.created".to_owned(),
        payload: json!({}),
        connection: Some(connection.clone()),
        only: None,
    });
    // The connection is known although it is made in the same act, and after it is deleted.
    let delete = Change::DeleteConnection(store.environment().clone(), connection.clone());
    for act in [vec![Change::InsertConnection(new), event.clone()], vec![delete, event]] {
        store.commit(&act, NOW).await.unwrap();
    }
    for event in store.webhook_events(store.environment(), None, 10).await.unwrap() {
        let expected = json!({ "connection": {
            "id": connection.as_str(), "connection_id": "user-7", "name": "Acme", "integration": "sales",
            "provider": "kintone", "auth_scheme": "api_token", "environment": "dev", "tags": { "team": "east" },
            "end_user": null,
        } });
        assert_eq!(event.connection.as_ref(), Some(&connection));
        assert_eq!(event.payload["connection"]["connection_id"], expected["connection"]["connection_id"]);
        if event.payload["connection"]["tags"] != json!({}) {
            assert_eq!(event.payload, expected);
        }
    }
}

#[rstest]
#[tokio::test]
async fn old_news_are_forgotten(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let add = async |milliseconds| {
        store.commit(&[news(&store)], at(milliseconds)).await.unwrap().webhook_events.remove(0)
    };
    let (old, middle, young) = (add(0).await, add(1).await, add(2).await);
    assert_eq!(store.prune_webhook_events(at(0), 10).await.unwrap(), 0);
    assert_eq!(store.prune_webhook_events(at(2), 1).await.unwrap(), 1);
    assert_eq!(store.prune_webhook_events(at(2), 10).await.unwrap(), 1);
    for (id, kept) in [(old, false), (middle, false), (young, true)] {
        assert_eq!(store.webhook_event(store.environment(), &id).await.unwrap().is_some(), kept);
    }
}
