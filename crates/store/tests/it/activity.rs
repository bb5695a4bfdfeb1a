use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tombolo_store::{
    ActivityCursor, ActivityFilter, BlockEncoder, Call, CallDetail, CallDetailFilter, EncodedBlock,
    EnvironmentId, Location, StoreError,
};

use crate::harness::{Engine, NOW, TestStore, at};

/// A block of calls at these milliseconds; the request id names thread and moment.
fn block(environment: &EnvironmentId, thread: &str, moments: impl IntoIterator<Item = i64>) -> EncodedBlock {
    let mut encoder = BlockEncoder::new();
    for moment in moments {
        let request_id = format!("{thread}{moment:05}");
        let call = Call {
            at: at(moment),
            environment: environment.as_str(),
            connection: if moment % 2 == 0 { "con_even" } else { "con_odd" },
            integration: "kintone",
            method: "GET",
            path: "/k/v1/app.json?id",
            status: if moment % 10 == 0 { 520 } else { 200 },
            attempts: 1,
            request_id: &request_id,
            ..Call::default()
        };
        encoder.push(&call);
    }
    encoder.take().expect("calls were pushed")
}

async fn all_pages(store: &TestStore, filter: &ActivityFilter, limit: usize) -> Vec<String> {
    let mut requests = Vec::new();
    let mut after: Option<ActivityCursor> = None;
    loop {
        let page = store.list_activity(store.environment(), filter, after.as_ref(), limit).await.unwrap();
        assert!(page.calls.len() <= limit);
        requests.extend(page.calls.into_iter().map(|call| call.request_id));
        let Some(next) = page.next else { return requests };
        assert!(after.as_ref().is_none_or(|after| next < *after), "every page gets on");
        after = Some(next.to_string().parse().unwrap());
    }
}

#[rstest]
#[tokio::test]
async fn a_call_is_found_again_by_its_reference(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let other = store.add_environment("prod").await;
    let mine = store.environment().clone();
    let blocks = [
        (Some(mine.clone()), block(&mine, "a", 0..50)),
        (None, block(&mine, "b", 0..50)),
        (None, block(&other, "x", 0..50)),
    ];
    store.append_activity(&blocks, &[], NOW).await.unwrap();
    let all = store.list_activity(&mine, &ActivityFilter::default(), None, 100).await.unwrap().calls;
    assert_eq!(all.len(), 100);
    for call in all {
        assert_eq!(store.call(&mine, &call.reference()).await.unwrap(), Some(call.clone()));
        assert_eq!(store.call(&other, &call.reference()).await.unwrap(), None);
    }
    for unknown in ["", "x", "1", ":a00001", "5:a0000", "5:a000055", "99999999999999999999:a"] {
        assert_eq!(store.call(&mine, unknown).await.unwrap(), None, "{unknown}");
    }
}

#[rstest]
#[tokio::test]
async fn calls_of_overlapping_blocks_come_newest_first(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let other = store.add_environment("prod").await;
    let mine = store.environment().clone();
    let mut blocks = vec![
        (None, block(&other, "x", 0..50)),
        (Some(mine.clone()), block(&mine, "a", (0..100).step_by(2))),
        (None, block(&mine, "b", (1..100).step_by(2))),
        (None, block(&mine, "c", [5, 95])),
    ];
    // Many blocks of one moment: a page may end between them.
    blocks.extend((0..100).map(|number| (None, block(&mine, &format!("s{number:02}-"), [40]))));
    store.append_activity(&blocks, &[], NOW).await.unwrap();

    let everything = ActivityFilter::default();
    let expected = all_pages(&store, &everything, 1000).await;
    assert_eq!(expected.len(), 202);
    assert_eq!(expected[..3], ["b00099", "a00098", "b00097"]);
    for limit in [1, 7, 60] {
        assert_eq!(all_pages(&store, &everything, limit).await, expected, "pages of {limit}");
    }

    let failed = ActivityFilter { failed: true, ..ActivityFilter::default() };
    assert_eq!(all_pages(&store, &failed, 3).await.len(), 110);
    let filter =
        ActivityFilter { connection: Some("con_odd".to_owned()), failed: true, ..ActivityFilter::default() };
    assert_eq!(all_pages(&store, &filter, 3).await, [""; 0]);
    let filter = ActivityFilter { path_prefix: Some("/k/v1/app".to_owned()), ..ActivityFilter::default() };
    assert_eq!(all_pages(&store, &filter, 100).await.len(), expected.len());
}

#[rstest]
#[tokio::test]
async fn a_page_is_full_even_when_each_call_has_a_block_of_its_own(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let mine = store.environment().clone();
    let blocks: Vec<_> = (0..400).map(|moment| (None, block(&mine, "a", [moment]))).collect();
    store.append_activity(&blocks, &[], NOW).await.unwrap();
    let page = async |status_class, limit| {
        let filter = ActivityFilter { status_class, ..ActivityFilter::default() };
        let page = store.list_activity(&mine, &filter, None, limit).await.unwrap();
        (page.calls.len(), page.calls.iter().all(|call| call.status == 520), page.next.is_some())
    };
    assert_eq!(page(None, 300).await, (300, false, true));
    assert_eq!(page(Some(5), 39).await, (39, true, true));
    assert_eq!(page(Some(5), 40).await, (40, true, false));
    assert_eq!(page(Some(2), 500).await, (360, false, false));
    assert_eq!(page(Some(4), 10).await.0, 0);
}

/// A block of a thousand calls, the first of them through the integration.
fn large_block(environment: &EnvironmentId, first: &str, moment: impl Fn(i64) -> i64) -> EncodedBlock {
    let mut encoder = BlockEncoder::new();
    for number in 0..1000 {
        let request_id = format!("r{:05}-{number:03}", moment(number));
        encoder.push(&Call {
            at: at(moment(number)),
            environment: environment.as_str(),
            integration: if number == 0 { first } else { "kintone" },
            request_id: &request_id,
            ..Call::default()
        });
    }
    encoder.take().expect("calls were pushed")
}

#[rstest]
#[tokio::test]
async fn a_filter_that_finds_little_looks_through_a_part_of_the_log_at_a_time(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let mine = store.environment().clone();
    let first = |number: i64| if number == 0 { "rare" } else { "kintone" };
    let rare = ActivityFilter { integration: Some("rare".to_owned()), ..ActivityFilter::default() };

    // The only call that is looked for is the oldest of 150,000.
    let blocks =
        (0..150).map(|block| (None, large_block(&mine, first(block), move |call| block * 1000 + call)));
    store.append_activity(&blocks.collect::<Vec<_>>(), &[], NOW).await.unwrap();
    let page = store.list_activity(&mine, &rare, None, 10).await.unwrap();
    assert!(page.calls.is_empty(), "{:?}", page.calls);
    let page = store.list_activity(&mine, &rare, page.next.as_ref(), 10).await.unwrap();
    assert_eq!((page.calls.len(), page.next), (1, None));

    // All calls of one moment are looked through by one page, however many there are.
    let blocks = (0..120).map(|block| (None, large_block(&mine, first(block), |_| 200_000)));
    store.append_activity(&blocks.collect::<Vec<_>>(), &[], NOW).await.unwrap();
    let found = all_pages(&store, &rare, 10).await;
    assert_eq!(found, ["r200000-000", "r00000-000"]);
}

#[rstest]
#[tokio::test]
async fn old_blocks_are_forgotten(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let environment = store.environment().clone();
    let blocks = [0, 1000, 2000].map(|start| (None, block(&environment, "a", start..start + 10)));
    let details = [0, 1500].map(|moment| detail(&environment, moment));
    store.append_activity(&blocks, &details, NOW).await.unwrap();

    assert_eq!(store.prune_activity(at(1009), 100).await.unwrap(), 2, "one block and one detail");
    assert_eq!(store.prune_activity(at(1010), 100).await.unwrap(), 1, "the block that ended at 1009");
    assert_eq!(store.prune_activity(at(1010), 100).await.unwrap(), 0);
    assert_eq!(all_pages(&store, &ActivityFilter::default(), 100).await.len(), 10);
    let left = store.call_details(&environment, &CallDetailFilter::default(), None, 10).await.unwrap();
    assert_eq!(left, details[1..]);
}

#[rstest]
#[tokio::test]
async fn pruning_ends_only_when_neither_an_old_block_nor_an_old_detail_is_left(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let environment = store.environment().clone();
    // All calls of one block failed: there are more details than one step removes.
    let details: Vec<_> = (0..25).map(|moment| detail(&environment, moment)).collect();
    store.append_activity(&[(None, block(&environment, "a", 0..25))], &details, NOW).await.unwrap();

    while store.prune_activity(at(20), 4).await.unwrap() > 0 {}
    let left = store.call_details(&environment, &CallDetailFilter::default(), None, 100).await.unwrap();
    assert_eq!(left.len(), 5, "the details of the last moments stay");
    assert_eq!(all_pages(&store, &ActivityFilter::default(), 100).await.len(), 25, "and so does their block");
    while store.prune_activity(at(25), 4).await.unwrap() > 0 {}
    let left = store.call_details(&environment, &CallDetailFilter::default(), None, 100).await.unwrap();
    assert_eq!(left, []);
    assert_eq!(all_pages(&store, &ActivityFilter::default(), 100).await, [""; 0]);
}

#[tokio::test]
async fn the_log_is_smaller_after_much_of_it_was_forgotten() {
    let store = TestStore::new(Engine::Sqlite).await;
    let Location::Sqlite(files) = &store.location else { panic!("this test is about a file") };
    let environment = store.environment().clone();
    let details: Vec<_> = (0..5_000).map(|moment| detail(&environment, moment)).collect();
    store.append_activity(&[], &details, NOW).await.unwrap();
    while store.prune_activity(at(5_000), 1_000).await.unwrap() > 0 {}
    store.shrink_activity().await.unwrap();
    // Closing empties the write-ahead log, which the size of the file does not show.
    store.close().await;
    let bytes = std::fs::metadata(&files.activity_file).unwrap().len();
    assert!(bytes < 100_000, "{bytes} bytes");
}

fn detail(environment: &EnvironmentId, moment: i64) -> CallDetail {
    CallDetail {
        environment_id: environment.clone(),
        request_id: format!("r{moment}"),
        at: at(moment),
        connection: "con_1".to_owned(),
        integration: "kintone".to_owned(),
        method: "POST".to_owned(),
        path: "/k/v1/record.json".to_owned(),
        status: 429,
        error_kind: Some("limited".to_owned()),
        total_us: 1234,
        detail: json!({ "code": "GAIA_TM12" }),
    }
}

#[rstest]
#[tokio::test]
async fn details_are_found(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let other = store.add_environment("prod").await;
    let environment = store.environment().clone();
    let details = [3, 2, 1].map(|moment| detail(&environment, moment));
    store.append_activity(&[], &details, NOW).await.unwrap();
    store.append_activity(&[], &details, NOW).await.unwrap();

    let list = |filter: CallDetailFilter, after: Option<ActivityCursor>| {
        let (store, environment) = (&store, &environment);
        async move { store.call_details(environment, &filter, after.as_ref(), 2).await.unwrap() }
    };
    assert_eq!(list(CallDetailFilter::default(), None).await, details[..2]);
    assert_eq!(list(CallDetailFilter::default(), Some(details[1].cursor())).await, details[2..]);
    assert_eq!(list(CallDetailFilter { connection: Some("con_2".to_owned()), from: None }, None).await, []);
    assert_eq!(
        list(CallDetailFilter { connection: Some("con_1".to_owned()), from: Some(at(3)) }, None).await,
        details[..1]
    );
    assert_eq!(store.call_detail(&environment, "r2").await.unwrap().as_ref(), Some(&details[1]));
    assert_eq!(store.call_detail(&other, "r2").await.unwrap(), None);
}

#[tokio::test]
async fn a_block_of_too_long_a_span_is_refused() {
    let store = TestStore::new(Engine::Sqlite).await;
    let span = Duration::from_mins(10).as_millis() as i64;
    let environment = store.environment().clone();

    store.append_activity(&[(None, block(&environment, "a", [0, span]))], &[], NOW).await.unwrap();
    let error = store
        .append_activity(&[(None, block(&environment, "a", [0, span + 1]))], &[], NOW)
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Invalid(_)), "{error}");
}
