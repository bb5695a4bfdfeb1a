use rstest::rstest;
use serde_json::json;
use tombolo_store::{Change, NewWebhookEvent, StoreError, WebhookState};

use crate::harness::{Engine, NOW, TestStore, at, new_integration};

fn news(store: &TestStore) -> Change {
    Change::AddWebhookEvent(NewWebhookEvent {
        environment_id: store.environment().clone(),
        event_type: "connection.created".to_owned(),
        payload: json!({ "name": "案件" }),
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

    let pending = store.pending_webhook_events(store.environment(), 10).await.unwrap();
    assert_eq!(pending.len(), 2);
    assert_eq!(pending[0].payload, json!({ "name": "案件" }));
    assert_eq!(store.pending_webhook_events(&other, 10).await.unwrap(), []);

    let id = committed.webhook_events[0].clone();
    let finish = |environment, state| [Change::FinishWebhookEvent(environment, id.clone(), state)];
    let foreign = store.commit(&finish(other, WebhookState::Delivered), at(1)).await;
    assert!(matches!(foreign, Err(StoreError::NotFound { .. })));
    store.commit(&finish(store.environment().clone(), WebhookState::Delivered), at(1)).await.unwrap();
    let again = store.commit(&finish(store.environment().clone(), WebhookState::Failed), at(2)).await;
    assert!(matches!(again, Err(StoreError::NotFound { .. })));
    let event = store.webhook_event(store.environment(), &id).await.unwrap().unwrap();
    assert_eq!(event.state, WebhookState::Delivered);
}

#[rstest]
#[tokio::test]
async fn old_news_are_forgotten_delivered_or_not(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let add = async |milliseconds| {
        store.commit(&[news(&store)], at(milliseconds)).await.unwrap().webhook_events.remove(0)
    };
    let (delivered, pending, young) = (add(0).await, add(1).await, add(2).await);
    let environment = store.environment();
    let finish = Change::FinishWebhookEvent(environment.clone(), delivered.clone(), WebhookState::Delivered);
    store.commit(&[finish], at(5)).await.unwrap();

    assert_eq!(store.prune_webhook_events(at(0), 10).await.unwrap(), 0);
    assert_eq!(store.prune_webhook_events(at(2), 1).await.unwrap(), 1);
    assert_eq!(store.prune_webhook_events(at(2), 10).await.unwrap(), 1);
    for (id, kept) in [(delivered, false), (pending, false), (young, true)] {
        assert_eq!(store.webhook_event(environment, &id).await.unwrap().is_some(), kept);
    }
}
