use http::Method;
use rstest::rstest;
use tombolo_platform::{IntegrationChange, Reconnection};

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
        name: None,
        tags: None,
        metadata: None,
        test: true,
        session: None,
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

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_refused_leaves_nothing_behind(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let world = World::start_on(backend).await;
    let fields = |token: &str| {
        draft(
            "c",
            "api_token",
            &[("subdomain", "demo"), ("domain", "kintone.com"), ("token", token), ("app", "1")],
        )
    };
    let integrations =
        async || world.platform.store().integrations(&world.access.environment).await.expect("read").len();

    let refused = world.create(&fields("demoTokenNobodyKnows00000000000000000000")).await;
    assert!(refused.expect("accepted").is_err());
    assert_eq!(integrations().await, 0, "the integration comes with its first connection");
    world
        .create(&fields("demoTokenCustomersAll0000000000000000000"))
        .await
        .expect("accepted")
        .expect("available");
    assert_eq!(integrations().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_decides_which_schemes_its_connections_use() {
    let world = World::start().await;
    let fields = [
        ("subdomain", "demo"),
        ("domain", "kintone.com"),
        ("token", "demoTokenCustomersAll0000000000000000000"),
        ("app", "1"),
    ];
    world.create(&draft("c", "api_token", &fields)).await.expect("accepted").expect("available");
    let only_passwords =
        IntegrationChange { auth_schemes: Some(vec!["password".to_owned()]), ..IntegrationChange::default() };
    world.platform.update_integration(&world.access, "kintone", only_passwords).await.expect("changed");
    world.kintone().clear_requests();

    let created = world.create(&draft("d", "api_token", &fields)).await.err().map(|problem| problem.code);
    let tested = world.test(&draft("d", "api_token", &fields)).await.err().map(|problem| problem.code);
    let typed = Reconnection {
        auth_scheme: None,
        fields: [("token".to_owned(), "demoTokenCustomersAll0000000000000000000".into())].into(),
        settings: std::collections::BTreeMap::new(),
        name: None,
        tags: None,
        metadata: None,
        test: true,
        session: None,
    };
    let reconnected = world.platform.reconnect(&world.access, None, "c", typed, &mut |_| {}).await;
    let reconnected = reconnected.err().map(|problem| problem.code);

    assert_eq!([created, tested, reconnected], [Some("auth_scheme_not_allowed"); 3]);
    assert!(world.kintone().requests().is_empty(), "no secret goes out for a scheme that is not allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_keeps_only_so_many_pages_waiting() {
    let world = World::start().await;
    let open = |address: &str| world.platform.open_socket(Some(address.parse().expect("an address")));
    let mut sockets: Vec<_> = (0..1_000).map(|_| open("2001:db8::1").expect("a socket")).collect();
    // Whoever has an address of IPv6 has all of its network.
    let refused = open("2001:db8::2").err().expect("one too many");
    assert_eq!((refused.code, refused.retry_after), ("too_many_sockets", Some(30)));
    assert!(open("2001:db8:0:1::1").is_ok() && open("192.0.2.1").is_ok(), "others have their own");
    sockets.truncate(999);
    sockets.push(open("2001:db8::2").expect("one has gone"));
    assert!(open("2001:db8::1").is_err());
    let here: Vec<_> = (0..1_001).map(|_| open("127.0.0.1").expect("this machine is not bounded")).collect();
    assert!(!here[0].is_named().await, "no window has named it");
}
