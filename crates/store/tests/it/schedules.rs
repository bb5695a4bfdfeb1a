use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tombolo_store::{Change, Schedule};

use crate::harness::{Engine, NOW, TestStore, at, open};

fn hourly() -> Schedule {
    Schedule {
        name: "retention".to_owned(),
        environment_id: None,
        kind: "prune".to_owned(),
        payload: json!({}),
        every: Duration::from_hours(1),
        next_fire_at: at(1000),
    }
}

#[rstest]
#[tokio::test]
async fn a_schedule_fires_once_per_time_and_makes_up_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    const HOUR: i64 = 3_600_000;
    let store = TestStore::new(engine).await;
    store.commit(&[Change::PutSchedule(hourly())], NOW).await.unwrap();

    assert_eq!(store.fire_due_schedules(at(999)).await.unwrap(), []);
    assert_eq!(store.fire_due_schedules(at(1000)).await.unwrap().len(), 1);
    assert_eq!(store.fire_due_schedules(at(1000)).await.unwrap(), []);
    // Nobody was there for three and a half hours.
    assert_eq!(store.fire_due_schedules(at(1000 + 7 * HOUR / 2)).await.unwrap().len(), 1);
    assert_eq!(store.schedules().await.unwrap()[0].next_fire_at, at(1000 + 4 * HOUR));

    // Putting it again at every start keeps its time; another rhythm begins anew.
    store.commit(&[Change::PutSchedule(hourly())], NOW).await.unwrap();
    assert_eq!(store.schedules().await.unwrap()[0].next_fire_at, at(1000 + 4 * HOUR));
    let daily = Schedule { every: Duration::from_hours(24), ..hourly() };
    store.commit(&[Change::PutSchedule(daily.clone())], NOW).await.unwrap();
    assert_eq!(store.schedules().await.unwrap(), [daily]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_fire_one_job(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let other = open(&store.location).await;
    store.commit(&[Change::PutSchedule(hourly())], NOW).await.unwrap();
    let firing = (0..8).map(|number| {
        let store = if number % 2 == 0 { store.store.clone() } else { other.clone() };
        tokio::spawn(async move { store.fire_due_schedules(at(1000)).await.unwrap().len() })
    });
    let mut fired = 0;
    for one in firing.collect::<Vec<_>>() {
        fired += one.await.unwrap();
    }

    assert_eq!(fired, 1);
    let jobs = store.claim_jobs(&["prune"], "w", 10, Duration::from_mins(1), at(1000)).await.unwrap();
    assert_eq!((jobs.len(), jobs[0].job.due_at), (1, at(61_000)));
}
