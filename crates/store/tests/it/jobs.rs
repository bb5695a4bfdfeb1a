use std::collections::BTreeSet;
use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tombolo_store::{Change, JobId, JobState, NewJob, StoreError, Timestamp};

use crate::harness::{Engine, NOW, TestStore, at, open};

const LEASE: Duration = Duration::from_mins(1);

fn new_job(store: &TestStore, run_at: Timestamp) -> NewJob {
    NewJob {
        environment_id: Some(store.environment().clone()),
        kind: "verify".to_owned(),
        payload: json!({ "connection": "con_1" }),
        run_at,
        max_attempts: 2,
        idempotency_key: None,
    }
}

async fn enqueue(store: &TestStore, job: NewJob) -> JobId {
    store.commit(&[Change::EnqueueJob(job)], NOW).await.unwrap().jobs.remove(0)
}

#[rstest]
#[tokio::test]
async fn a_job_is_claimed_when_due_and_finished_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let id = enqueue(&store, new_job(&store, at(10))).await;

    assert_eq!(store.claim_jobs(&["verify"], "w", 10, LEASE, at(9)).await.unwrap(), []);
    assert_eq!(store.claim_jobs(&["other"], "w", 10, LEASE, at(10)).await.unwrap(), []);
    let claimed = store.claim_jobs(&["other", "verify"], "w", 10, LEASE, at(10)).await.unwrap();
    assert_eq!((claimed.len(), &claimed[0].job.id, claimed[0].job.attempts), (1, &id, 1));
    assert_eq!(claimed[0].job.payload, json!({ "connection": "con_1" }));
    assert_eq!(store.claim_jobs(&["verify"], "w", 10, LEASE, at(11)).await.unwrap(), []);

    let complete = Change::CompleteJob(claimed[0].lease.clone());
    store.commit(std::slice::from_ref(&complete), at(20)).await.unwrap();
    assert!(matches!(store.commit(&[complete], at(21)).await, Err(StoreError::LeaseLost { .. })));
    let job = store.job(store.environment(), &id).await.unwrap().unwrap();
    assert_eq!((job.state, job.finished_at), (JobState::Succeeded, Some(at(20))));
    assert_eq!(store.jobs(store.environment(), Some(JobState::Succeeded), None, 10).await.unwrap(), [job]);
    assert_eq!(store.prune_jobs(at(20), 10).await.unwrap(), 0);
    assert_eq!(store.prune_jobs(at(21), 10).await.unwrap(), 1);
}

#[rstest]
#[tokio::test]
async fn failures_are_retried_later_and_die_in_the_end(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let id = enqueue(&store, new_job(&store, NOW)).await;
    let fail = |lease: &tombolo_store::JobLease| {
        [Change::FailJob { lease: lease.clone(), error: "503".to_owned(), retry: true }]
    };

    let first = store.claim_jobs(&["verify"], "w", 1, LEASE, NOW).await.unwrap().remove(0);
    store.commit(&fail(&first.lease), at(1)).await.unwrap();
    let job = store.job(store.environment(), &id).await.unwrap().unwrap();
    assert_eq!((job.state, job.last_error.as_deref()), (JobState::Queued, Some("503")));
    assert!(job.due_at >= at(7_501) && job.due_at <= at(10_001), "{:?}", job.due_at);

    let second = store.claim_jobs(&["verify"], "w", 1, LEASE, job.due_at).await.unwrap().remove(0);
    store.commit(&fail(&second.lease), at(20_000)).await.unwrap();
    let job = store.job(store.environment(), &id).await.unwrap().unwrap();
    assert_eq!((job.state, job.attempts, job.finished_at), (JobState::Dead, 2, Some(at(20_000))));
}

#[rstest]
#[tokio::test]
async fn a_vanished_worker_loses_its_job(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let id = enqueue(&store, new_job(&store, NOW)).await;

    let lost = store.claim_jobs(&["verify"], "one", 1, LEASE, NOW).await.unwrap().remove(0);
    store.renew_job(&lost.lease, LEASE, at(30_000)).await.unwrap();
    assert_eq!(store.claim_jobs(&["verify"], "two", 1, LEASE, at(60_000)).await.unwrap(), []);
    let taken = store.claim_jobs(&["verify"], "two", 1, LEASE, at(90_000)).await.unwrap().remove(0);
    assert_eq!(taken.job.id, id);

    assert!(matches!(
        store.renew_job(&lost.lease, LEASE, at(90_001)).await,
        Err(StoreError::LeaseLost { .. })
    ));
    let late = store.commit(&[Change::CompleteJob(lost.lease)], at(90_001)).await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })));

    // The second worker vanishes too, on the last attempt.
    assert_eq!(store.claim_jobs(&["verify"], "three", 1, LEASE, at(200_000)).await.unwrap(), []);
    let job = store.job(store.environment(), &id).await.unwrap().unwrap();
    let reason = "the worker stopped during the last attempt without saying why";
    assert_eq!((job.state, job.last_error.as_deref()), (JobState::Dead, Some(reason)));
}

#[rstest]
#[tokio::test]
async fn a_repeated_request_enqueues_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let job = NewJob { idempotency_key: Some("request-1".to_owned()), ..new_job(&store, NOW) };

    let first = enqueue(&store, job.clone()).await;
    assert_eq!(enqueue(&store, job.clone()).await, first);
    let claimed = store.claim_jobs(&["verify"], "w", 10, LEASE, NOW).await.unwrap();
    store.commit(&[Change::CompleteJob(claimed[0].lease.clone())], NOW).await.unwrap();
    assert_eq!(enqueue(&store, job.clone()).await, first);
    assert_ne!(enqueue(&store, NewJob { kind: "other".to_owned(), ..job }).await, first);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_job_goes_to_two_workers(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let other = open(&store.location).await;
    let changes: Vec<_> = (0..200).map(|_| Change::EnqueueJob(new_job(&store, NOW))).collect();
    let enqueued: BTreeSet<_> = store.commit(&changes, NOW).await.unwrap().jobs.into_iter().collect();

    let workers = (0..6).map(|number| {
        let store = if number % 2 == 0 { store.store.clone() } else { other.clone() };
        tokio::spawn(async move {
            let mut claimed = Vec::new();
            // With others skipping locked rows, one empty answer does not mean that nothing is left.
            for _ in 0..30 {
                claimed.extend(store.claim_jobs(&["verify"], "w", 7, LEASE, NOW).await.unwrap());
            }
            claimed
        })
    });
    let mut claimed = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        claimed.extend(worker.await.unwrap().into_iter().map(|claimed| claimed.job.id));
    }

    assert_eq!(claimed.len(), 200);
    assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>(), enqueued);
}
