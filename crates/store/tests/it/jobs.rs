use std::collections::BTreeSet;
use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tombolo_store::{Change, JobFilter, JobId, JobState, NewJob, StoreError, Timestamp};

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
    let job = store.job(store.environment(), false, &id).await.unwrap().unwrap();
    assert_eq!((job.state, job.finished_at), (JobState::Succeeded, Some(at(20))));
    let succeeded = JobFilter { state: Some(JobState::Succeeded), ..JobFilter::default() };
    assert_eq!(store.jobs(store.environment(), &succeeded, None, 10).await.unwrap(), [job]);
    assert_eq!(store.prune_jobs(at(20), at(20), 10).await.unwrap(), 0);
    assert_eq!(store.prune_jobs(at(21), at(0), 10).await.unwrap(), 1);
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
    let job = store.job(store.environment(), false, &id).await.unwrap().unwrap();
    assert_eq!((job.state, job.last_error.as_deref()), (JobState::Queued, Some("503")));
    assert!(job.due_at >= at(7_501) && job.due_at <= at(10_001), "{:?}", job.due_at);

    let second = store.claim_jobs(&["verify"], "w", 1, LEASE, job.due_at).await.unwrap().remove(0);
    store.commit(&fail(&second.lease), at(20_000)).await.unwrap();
    let job = store.job(store.environment(), false, &id).await.unwrap().unwrap();
    assert_eq!((job.state, job.attempts, job.finished_at), (JobState::Dead, 2, Some(at(20_000))));
}

#[rstest]
#[tokio::test]
async fn a_vanished_worker_loses_its_job(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let id = enqueue(&store, new_job(&store, NOW)).await;

    let lost = store.claim_jobs(&["verify"], "one", 1, LEASE, NOW).await.unwrap().remove(0);
    let renewed = store.renew_jobs(std::slice::from_ref(&lost.lease), LEASE, at(30_000)).await.unwrap();
    assert_eq!(renewed, std::slice::from_ref(&lost.lease));
    assert_eq!(store.claim_jobs(&["verify"], "two", 1, LEASE, at(60_000)).await.unwrap(), []);
    let taken = store.claim_jobs(&["verify"], "two", 1, LEASE, at(90_000)).await.unwrap().remove(0);
    assert_eq!(taken.job.id, id);

    let both = [lost.lease.clone(), taken.lease.clone()];
    assert_eq!(store.renew_jobs(&both, LEASE, at(90_001)).await.unwrap(), both[1..]);
    let late = store.commit(&[Change::CompleteJob(lost.lease)], at(90_001)).await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })));

    // The second worker vanishes too, on the last attempt.
    assert_eq!(store.claim_jobs(&["verify"], "three", 1, LEASE, at(200_000)).await.unwrap(), []);
    let job = store.job(store.environment(), false, &id).await.unwrap().unwrap();
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

#[rstest]
#[tokio::test]
async fn the_jobs_of_the_installation_are_listed_on_request(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let other = store.add_environment("prod").await;
    let mut mine = Vec::new();
    let mut with_shared = Vec::new();
    for moment in 0..6 {
        let owner = [Some(store.environment().clone()), None, Some(other.clone())][moment % 3].clone();
        let kind = if moment < 3 { "retention" } else { "verification" };
        let job = NewJob { environment_id: owner.clone(), kind: kind.to_owned(), ..new_job(&store, NOW) };
        let enqueued = store.commit(&[Change::EnqueueJob(job)], at(moment as i64)).await.unwrap();
        match &owner {
            Some(owner) if *owner == other => {}
            Some(_) => {
                mine.insert(0, enqueued.jobs[0].clone());
                with_shared.insert(0, enqueued.jobs[0].clone());
            }
            None => with_shared.insert(0, enqueued.jobs[0].clone()),
        }
    }
    let list = async |filter: &JobFilter, after: Option<&JobId>, limit| -> Vec<JobId> {
        let jobs = store.jobs(store.environment(), filter, after, limit).await.unwrap();
        jobs.into_iter().map(|job| job.id).collect()
    };
    let all = JobFilter { installation: true, ..JobFilter::default() };
    assert_eq!(list(&JobFilter::default(), None, 10).await, mine);
    assert_eq!(list(&all, None, 10).await, with_shared);
    assert_eq!(list(&all, None, 1).await, with_shared[..1]);
    assert_eq!(list(&all, Some(&with_shared[0]), 2).await, with_shared[1..3]);
    let retention = JobFilter { kind: Some("retention".to_owned()), state: Some(JobState::Queued), ..all };
    assert_eq!(list(&retention, None, 10).await, with_shared[2..]);

    let shared = with_shared.iter().find(|id| !mine.contains(id)).expect("one of the installation");
    assert!(store.job(store.environment(), false, shared).await.unwrap().is_none());
    assert!(store.job(store.environment(), true, shared).await.unwrap().is_some());
    assert!(store.job(&other, true, &mine[0]).await.unwrap().is_none());
    let counts = store.count_jobs().await.unwrap();
    assert_eq!(counts.len(), 5);
    assert_eq!(counts[0], (JobState::Queued, 6));
}

#[rstest]
#[tokio::test]
async fn a_dead_job_waits_for_somebody_and_a_cancelled_one_stops(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let id = enqueue(&store, NewJob { max_attempts: 1, ..new_job(&store, NOW) }).await;
    let shown = async || store.job(store.environment(), false, &id).await.unwrap().unwrap();
    let claim = async |milliseconds| {
        store.claim_jobs(&["verify"], "w", 1, LEASE, at(milliseconds)).await.unwrap().pop()
    };
    let first = claim(0).await.expect("due").lease;
    let fail = Change::FailJob { lease: first, error: "503".to_owned(), retry: true };
    store.commit(&[fail], at(1)).await.unwrap();
    assert_eq!(shown().await.state, JobState::Dead);
    assert_eq!(store.prune_jobs(at(10), at(1), 10).await.unwrap(), 0, "a dead one is kept for longer");

    store.commit(&[Change::RetryJob(id.clone())], at(2)).await.unwrap();
    let again = store.commit(&[Change::RetryJob(id.clone())], at(2)).await;
    assert!(matches!(again, Err(StoreError::VersionConflict { .. })));
    let job = shown().await;
    assert_eq!((job.state, job.attempts, job.last_error.as_deref()), (JobState::Queued, 0, Some("503")));

    let second = claim(2).await.expect("due").lease;
    store.commit(&[Change::CancelJob(id.clone())], at(3)).await.unwrap();
    assert_eq!(store.renew_jobs(std::slice::from_ref(&second), LEASE, at(4)).await.unwrap(), []);
    let late = store.commit(&[Change::CompleteJob(second)], at(5)).await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })));
    assert_eq!((shown().await.state, shown().await.finished_at), (JobState::Cancelled, Some(at(3))));
}

#[rstest]
#[tokio::test]
async fn a_worker_that_stops_gives_its_jobs_back(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    for _ in 0..3 {
        enqueue(&store, new_job(&store, NOW)).await;
    }
    let leases: Vec<_> = store.claim_jobs(&["verify"], "one", 3, LEASE, NOW).await.unwrap();
    let leases: Vec<_> = leases.into_iter().map(|claimed| claimed.lease).collect();
    store.commit(&[Change::CompleteJob(leases[0].clone())], at(1)).await.unwrap();
    store.release_jobs(&leases, at(2)).await.unwrap();
    let taken = store.claim_jobs(&["verify"], "two", 3, LEASE, at(2)).await.unwrap();
    assert_eq!(taken.iter().map(|claimed| claimed.job.attempts).collect::<Vec<_>>(), [1, 1]);
}
