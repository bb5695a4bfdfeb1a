use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tombolo_store::{
    Change, ClaimedJob, JobFilter, JobState, NewWebhook, NewWebhookAttempt, NewWebhookEvent,
    RedeliveredEvents, Redelivery, StoreError, Timestamp, WEBHOOK_DELIVERY_JOB, Webhook, WebhookAttempt,
    WebhookChange, WebhookDeliveryFilter, WebhookDeliveryState, WebhookEventId, WebhookFormat, WebhookId,
    WebhookUpdate,
};
use tombolo_vault::{Binding, HostSet, Sealed, SystemRandom};

use crate::harness::{Engine, NOW, TestStore, at};

const LEASE: Duration = Duration::from_secs(8);

fn sealed(store: &TestStore, id: &WebhookId, record_version: u64) -> Sealed {
    let (environment, hosts) = (store.environment().as_str(), HostSet::default());
    let binding =
        Binding { environment, object: id.as_str(), column: "webhook", record_version, hosts: &hosts };
    store.data_key.seal(&binding, b"whsec_MARKER", &SystemRandom).unwrap()
}

async fn add(store: &TestStore, name: &str, event_types: &[&str]) -> Webhook {
    let id = WebhookId::generate(NOW, &SystemRandom).unwrap();
    let new = NewWebhook {
        id: id.clone(),
        environment_id: store.environment().clone(),
        name: name.to_owned(),
        url: "https://hooks.example.com/in".to_owned(),
        format: WebhookFormat::Standard,
        event_types: event_types.iter().map(|text| (*text).to_owned()).collect(),
        sealed: sealed(store, &id, 1),
    };
    store.commit(&[Change::Webhook(WebhookChange::Insert(new))], NOW).await.unwrap();
    read(store, &id).await
}

async fn read(store: &TestStore, id: &WebhookId) -> Webhook {
    store.webhook(store.environment(), id.as_str()).await.unwrap().expect("it is there")
}

async fn tell(store: &TestStore, event_type: &str, moment: Timestamp) -> WebhookEventId {
    let event = NewWebhookEvent {
        environment_id: store.environment().clone(),
        event_type: event_type.to_owned(),
        payload: json!({}),
        connection: None,
        only: None,
    };
    store.commit(&[Change::AddWebhookEvent(event)], moment).await.unwrap().webhook_events.remove(0)
}

async fn claim(store: &TestStore, moment: Timestamp) -> Vec<ClaimedJob> {
    store.claim_jobs(&[WEBHOOK_DELIVERY_JOB], "w", 10, LEASE, moment).await.unwrap()
}

async fn states(store: &TestStore, webhook: &Webhook) -> Vec<WebhookDeliveryState> {
    let filter =
        WebhookDeliveryFilter { webhook: Some(webhook.id.clone()), ..WebhookDeliveryFilter::default() };
    let found = store.webhook_deliveries(store.environment(), &filter, None, 100).await.unwrap();
    found.into_iter().map(|delivery| delivery.state).collect()
}

#[rstest]
#[tokio::test]
async fn webhooks_are_made_changed_and_deleted(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let environment = store.environment().clone();
    let webhook = add(&store, "CRM", &["connection.*"]).await;
    assert!(webhook.wants("connection.created") && !webhook.wants("webhook.disabled"));
    let update = |version, name: Option<&str>| WebhookUpdate {
        environment_id: environment.clone(),
        id: webhook.id.clone(),
        expected_version: version,
        name: name.map(str::to_owned),
        url: None,
        event_types: Some(Vec::new()),
        secrets: Some((sealed(&store, &webhook.id, 2), at(1000))),
    };
    let change = |update| [Change::Webhook(WebhookChange::Update(update))];
    store.commit(&change(update(1, Some("crm 2"))), at(5)).await.unwrap();
    let again = store.commit(&change(update(1, None)), at(6)).await;
    assert!(matches!(again, Err(StoreError::VersionConflict { .. })));
    let changed = store.webhook(&environment, "CRM 2").await.unwrap();
    assert!(changed.is_none(), "a name is compared as it is written");
    let changed = store.webhook(&environment, "crm 2").await.unwrap().expect("found by name");
    assert_eq!((changed.sealed_version, changed.previous_until, changed.version), (2, Some(at(1000)), 2));
    assert_eq!((changed.event_types.len(), changed.updated_at), (0, at(5)));

    let other = store.add_environment("prod").await;
    assert!(store.webhook(&other, webhook.id.as_str()).await.unwrap().is_none());
    let foreign = Change::Webhook(WebhookChange::Delete(other, webhook.id.clone()));
    assert!(matches!(store.commit(&[foreign], at(7)).await, Err(StoreError::NotFound { .. })));
    tell(&store, "connection.created", at(8)).await;
    store
        .commit(&[Change::Webhook(WebhookChange::Delete(environment, webhook.id.clone()))], at(9))
        .await
        .unwrap();
    assert_eq!(states(&store, &webhook).await, [WebhookDeliveryState::Failed]);
    assert!(store.webhooks(store.environment()).await.unwrap().is_empty());
    add(&store, "crm 2", &[]).await;
}

#[rstest]
#[tokio::test]
async fn one_job_for_each_webhook_rests_between_events(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let webhook = add(&store, "CRM", &["connection.*"]).await;
    tell(&store, "webhook.disabled", NOW).await;
    assert!(claim(&store, at(1)).await.is_empty(), "nobody asked for this one");
    tell(&store, "connection.created", at(1)).await;
    tell(&store, "connection.deleted", at(2)).await;
    let job = claim(&store, at(3)).await.remove(0);
    assert_eq!(store.due_webhook_deliveries(&webhook.id, at(3), 10).await.unwrap().len(), 2);

    // It rests until the next attempt.
    store.commit(&[Change::RestJob(job.lease.clone(), Some(at(500)))], at(4)).await.unwrap();
    let late = store.commit(&[Change::RestJob(job.lease, None)], at(4)).await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })));
    assert!(claim(&store, at(499)).await.is_empty());
    let job = claim(&store, at(500)).await.remove(0);
    assert_eq!(job.job.attempts, 1, "resting is no failure");

    // An event that comes while it is worked on is not forgotten, and no second worker is let in.
    tell(&store, "connection.created", at(501)).await;
    assert!(claim(&store, at(502)).await.is_empty());
    store.commit(&[Change::RestJob(job.lease, None)], at(503)).await.unwrap();
    let mut job = claim(&store, at(503)).await.remove(0);

    // Nor is it when that attempt fails, the last one even; and whoever comes while it waits gives it all attempts back.
    for retry in [true, false] {
        tell(&store, "connection.created", at(503)).await;
        let failed = Change::FailJob { lease: job.lease.clone(), error: "503".to_owned(), retry };
        store.commit(&[failed], at(503)).await.unwrap();
        job = claim(&store, at(503)).await.remove(0);
        assert_eq!(job.job.attempts, 1);
    }
    let failed = Change::FailJob { lease: job.lease.clone(), error: "503".to_owned(), retry: true };
    store.commit(&[failed], at(503)).await.unwrap();
    assert!(claim(&store, at(503)).await.is_empty(), "it waits");
    tell(&store, "connection.created", at(503)).await;
    let job = claim(&store, at(503)).await.remove(0);
    assert_eq!(job.job.attempts, 1);

    // With nothing to come it is done, until something comes.
    store.commit(&[Change::RestJob(job.lease, None)], at(504)).await.unwrap();
    let stored = store.job(store.environment(), false, &job.job.id).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.worker.as_deref()), (JobState::Succeeded, Some("w")));
    tell(&store, "connection.created", at(600)).await;
    let again = claim(&store, at(600)).await.remove(0);
    assert_eq!(again.job.id, job.job.id);
    assert_eq!(store.jobs(store.environment(), &JobFilter::default(), None, 10).await.unwrap().len(), 1);
}

#[rstest]
#[tokio::test]
async fn an_attempt_is_noted_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let webhook = add(&store, "CRM", &[]).await;
    tell(&store, "connection.created", NOW).await;
    let due = store.due_webhook_deliveries(&webhook.id, NOW, 10).await.unwrap().remove(0);
    let note = |number, status, state| {
        let attempt = WebhookAttempt {
            number,
            at: NOW,
            took: Duration::from_millis(12),
            status: Some(status),
            outcome: "refused".to_owned(),
            what: "the receiver answered".to_owned(),
            answer: "…".to_owned(),
            worker: "w".to_owned(),
        };
        let (environment_id, delivery) = (store.environment().clone(), due.id.clone());
        let new = NewWebhookAttempt { environment_id, delivery, attempt, state, due_at: at(100) };
        [Change::Webhook(WebhookChange::RecordAttempt(new))]
    };
    store.commit(&note(1, 500, WebhookDeliveryState::Pending), at(1)).await.unwrap();
    // Somebody who held the job before comes late with another outcome of the same attempt.
    store.commit(&note(1, 200, WebhookDeliveryState::Delivered), at(2)).await.unwrap();
    assert!(store.due_webhook_deliveries(&webhook.id, at(99), 10).await.unwrap().is_empty());
    assert_eq!(store.next_webhook_delivery_at(&webhook.id).await.unwrap(), Some(at(100)));
    let again = store.due_webhook_deliveries(&webhook.id, at(100), 10).await.unwrap().remove(0);
    assert_eq!((again.attempts, again.tries), (1, 1));
    store.commit(&note(2, 200, WebhookDeliveryState::Delivered), at(101)).await.unwrap();
    let statuses: Vec<_> =
        store.webhook_attempts(&due.id).await.unwrap().into_iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(500), Some(200)]);
    let delivery = store.webhook_delivery(store.environment(), &due.id).await.unwrap().unwrap();
    assert_eq!((delivery.state, delivery.finished_at), (WebhookDeliveryState::Delivered, Some(at(101))));
    assert_eq!(store.next_webhook_delivery_at(&webhook.id).await.unwrap(), None);

    assert_eq!(store.prune_webhook_events(at(1), 10).await.unwrap(), 1);
    assert!(store.webhook_attempts(&due.id).await.unwrap().is_empty());
    assert!(states(&store, &webhook).await.is_empty());
}

#[rstest]
#[tokio::test]
async fn a_disabled_webhook_gets_nothing_until_it_is_enabled_and_asked_for(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let environment_id = store.environment().clone();
    let webhook = add(&store, "CRM", &["connection.*"]).await;
    let first = tell(&store, "connection.created", at(10)).await;
    let disable = || {
        let (environment_id, id) = (environment_id.clone(), webhook.id.clone());
        Change::Webhook(WebhookChange::Disable { environment_id, id, reason: "gone".to_owned() })
    };
    store.commit(&[disable()], at(11)).await.unwrap();
    let twice = store.commit(&[disable()], at(12)).await;
    assert!(matches!(twice, Err(StoreError::VersionConflict { .. })), "one of two tells about it");
    assert_eq!(states(&store, &webhook).await, [WebhookDeliveryState::Failed]);
    tell(&store, "connection.deleted", at(20)).await;
    tell(&store, "webhook.disabled", at(21)).await;
    assert_eq!(states(&store, &webhook).await.len(), 1);

    store
        .commit(&[Change::Webhook(WebhookChange::Enable(environment_id.clone(), webhook.id.clone()))], at(30))
        .await
        .unwrap();
    assert_eq!(read(&store, &webhook.id).await.disabled_reason, None);
    let redeliver = async |events, moment| {
        let (environment_id, webhook) = (environment_id.clone(), webhook.id.clone());
        let redelivery = Redelivery { environment_id, webhook, events };
        store.commit(&[Change::Webhook(WebhookChange::Redeliver(redelivery))], moment).await
    };
    let between = |delivered_too, limit| RedeliveredEvents::Between {
        since: NOW,
        until: at(30),
        delivered_too,
        event_types: vec!["connection.*".to_owned()],
        limit,
    };
    assert!(
        matches!(redeliver(between(false, 2), at(31)).await, Err(StoreError::Invalid(_))),
        "three events"
    );
    assert_eq!(redeliver(between(false, 3), at(31)).await.unwrap().redelivered, 2);
    assert_eq!(states(&store, &webhook).await, [WebhookDeliveryState::Pending; 2]);
    assert_eq!(claim(&store, at(31)).await.len(), 1);
    assert_eq!(redeliver(RedeliveredEvents::One(first), at(32)).await.unwrap().redelivered, 1);
    let unknown = WebhookEventId::generate(NOW, &SystemRandom).unwrap();
    let unknown = redeliver(RedeliveredEvents::One(unknown), at(32)).await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
}
