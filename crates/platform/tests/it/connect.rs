use http::Method;
use rstest::rstest;

use crate::world::{Backend, World, draft};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_tested_stored_and_called_through(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let world = World::start_on(backend).await;
    let tokens = draft(
        "Customers and orders",
        "api_token",
        &[
            ("subdomain", "demo"),
            ("domain", "kintone.com"),
            ("token", "demoTokenCustomersAll0000000000000000000,demoTokenOrdersAll0000000000000000000000"),
            ("app", "1,2"),
        ],
    );
    let created =
        world.create(&tokens).await.expect("accepted").unwrap_or_else(|report| panic!("{report:#?}"));
    let report = created.report.expect("a report");
    let stages: Vec<String> = report
        .stages
        .iter()
        .map(|stage| {
            format!("{} {} {:?}", stage.stage, stage.subject.as_deref().unwrap_or("-"), stage.outcome)
        })
        .collect();
    insta::assert_snapshot!("a_connection_is_tested_stored_and_called_through", stages.join("\n"));
    world.kintone().clear_requests();
    let (status, headers, body) =
        world.call("Customers and orders", Method::GET, "/k/v1/record.json?app=1&id=1", "").await;
    assert_eq!(status, 200, "{body}");
    assert!(headers.contains_key("x-concurrencylimit-limit"));
    let seen = world.kintone().requests();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].header("x-cybozu-api-token"), Some("demoTokenCustomersAll0000000000000000000"));
}
