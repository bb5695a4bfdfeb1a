use http::Method;
use rstest::rstest;
use tombolo_platform::Reconnection;

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

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_goes_elsewhere_only_with_its_secret_typed_again() {
    let world = World::start().await;
    let tokens = draft(
        "Moves",
        "api_token",
        &[
            ("subdomain", "demo"),
            ("domain", "kintone.com"),
            ("token", "demoTokenCustomersAll0000000000000000000"),
            ("app", "1"),
        ],
    );
    let before = world.create(&tokens).await.expect("accepted").expect("available").connection;
    let retyped = |fields: &[(&str, &str)], scheme: Option<&str>| Reconnection {
        auth_scheme: scheme.map(str::to_owned),
        fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect(),
        settings: std::collections::BTreeMap::new(),
    };
    let reconnect =
        async |typed| world.platform.reconnect(&world.access, None, "Moves", typed, &mut |_| {}).await;

    let without_secret = reconnect(retyped(&[("subdomain", "sample"), ("domain", "cybozu.com")], None)).await;
    assert_eq!(without_secret.err().expect("the secret is asked for").code, "invalid_body");
    let wrong = reconnect(retyped(&[("token", "demoTokenNobodyKnows00000000000000000000")], None)).await;
    assert!(wrong.expect("accepted").is_err(), "a credential that fails its test changes nothing");
    let (status, _, _) = world.call("Moves", Method::GET, "/k/v1/app.json?id=1", "").await;
    assert_eq!(status, 200, "the old credential is still there");

    let elsewhere = [
        ("subdomain", "sample"),
        ("domain", "cybozu.com"),
        ("app", "11"),
        ("login_name", "sato"),
        ("password", "sample-password-sato"),
        ("basic_username", "gate"),
        ("basic_password", "sample-gate-password"),
    ];
    let after = reconnect(retyped(&elsewhere, Some("password"))).await.expect("accepted").expect("available");
    assert_eq!((after.connection.id, after.connection.name), (before.id, before.name));
    world.kintone().clear_requests();
    let (status, _, body) = world.call("Moves", Method::GET, "/k/v1/app.json?id=11", "").await;
    assert_eq!((status, body["name"].as_str()), (200, Some("顧客")));
    let seen = world.kintone().requests();
    assert_eq!(
        seen[0].header("x-cybozu-api-token"),
        None,
        "nothing of the old credential goes to the new host"
    );
}
