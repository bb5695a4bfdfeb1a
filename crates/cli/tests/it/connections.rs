use crate::world::{CUSTOMERS, ORDERS, World, run, steady};

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_linked_by_flags_and_every_stage_is_told() {
    let world = World::start().await;
    let ran = world.link("営業 Sales").await;
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    insta::assert_snapshot!(steady(&ran.out), @r#"
    ✓ The name is known N ms
    ✓ The host can be reached N ms
    ✓ The connection is secure N ms
    ✓ It is Kintone N ms
    ✓ The app answers (1) N ms
    ✓ The app answers (2) N ms
    ✓ Records can be viewed (1) N ms
    ✓ Records can be viewed (2) N ms
    ✓ Fields can be read (1) N ms
    ✓ Fields can be read (2) N ms
    ✓ The app can be managed (1) N ms
    ✓ The app can be managed (2) N ms
    ✓ There is room for requests N ms
    connection available
    "#);
    assert!(ran.err.contains("linked `営業 Sales` (con_"), "{}", ran.err);
    assert!(ran.err.contains("call it: tombolo request -c '営業 Sales' GET"), "{}", ran.err);
    assert!(ran.err.contains("a new master key was made"), "{}", ran.err);

    let list = world.run(&["connection", "list", "営業"]).await;
    assert_eq!((list.code, list.out.lines().count()), (0, 2), "{}", list.out);
    assert!(list.out.contains("active") && list.out.contains("営業 Sales"), "{}", list.out);
    let page = world.json(&["connection", "list", "--tag", "team=east", "--health", "active"]).await;
    assert_eq!(page["connections"][0]["name"], "営業 Sales");
    let none = world.json(&["connection", "list", "--health", "needs_reconnecting"]).await;
    assert_eq!(none["connections"].as_array().map(Vec::len), Some(0));

    let shown = world.run(&["connection", "show", "営業 Sales"]).await;
    assert!(shown.out.contains("domain=kintone.com"), "{}", shown.out);
    assert!(shown.out.contains("demo.kintone.com:443"), "{}", shown.out);

    let tested = world.run(&["connection", "test", "営業 Sales"]).await;
    assert_eq!((tested.code, tested.out.lines().last()), (0, Some("connection available")));
    let mut japanese = world.command(&["connection", "test", "営業 Sales"]);
    japanese.env("LANG", "ja_JP.UTF-8");
    let japanese = run(japanese, "").await;
    assert_eq!(japanese.out.lines().last(), Some("接続できます"), "{}", japanese.out);
    let report = world.json(&["connection", "test", "営業 Sales"]).await;
    assert_eq!((&report["available"], &report["stages"][0]["stage"]), (&true.into(), &"name".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_changed_and_deleted() {
    let world = World::start().await;
    assert_eq!(world.link("Sales").await.code, 0);
    let update = ["connection", "update", "Sales", "--name", "Sales of Acme", "--tag", "team=west"];
    let update =
        world.json(&[&update[..], &["--setting", "Time-out=120", "--setting", "Pagesize=50"]].concat()).await;
    assert_eq!(update["name"], "Sales of Acme");
    assert_eq!(update["tags"]["team"], "west");
    assert_eq!(
        (&update["settings"]["timeout"], &update["settings"]["page_size"]),
        (&"120".into(), &"50".into())
    );
    let unset =
        world.json(&["connection", "update", "Sales of Acme", "--unset", "TIMEOUT", "--untag", "team"]).await;
    assert_eq!(
        unset["settings"].as_object().map(|all| all.keys().cloned().collect()),
        Some(vec!["page_size".to_owned()])
    );
    assert_eq!(unset["tags"], serde_json::json!({}));

    let unasked = world.run(&["connection", "delete", "Sales of Acme"]).await;
    assert_eq!(unasked.code, 2);
    assert!(unasked.err.contains("--yes"), "{}", unasked.err);
    assert_eq!(world.run(&["connection", "delete", "Sales of Acme", "--yes"]).await.code, 0);
    let gone = world.run(&["connection", "show", "Sales of Acme"]).await;
    assert_eq!(gone.code, 3);
    assert!(gone.err.contains("There is no connection `Sales of Acme`"), "{}", gone.err);
    assert!(gone.err.contains("request id: req"), "{}", gone.err);
}

/// Apps of the connection, and the token that a call to the first of them was made with.
async fn apps_and_token(world: &World, name: &str) -> (String, Option<String>) {
    let shown = world.json(&["connection", "show", name]).await;
    world.kintone().clear_requests();
    let app = shown["config"]["app"].as_str().expect("apps").to_owned();
    let path = format!("/k/v1/app.json?id={}", app.split(',').next().unwrap_or_default());
    assert_eq!(world.run(&["request", "-c", name, "GET", &path]).await.code, 0);
    let seen = world.kintone().requests();
    (app, seen.last().and_then(|request| request.header("x-cybozu-api-token").map(str::to_owned)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_secret_is_tested_first_and_the_rest_stays() {
    let world = World::start().await;
    assert_eq!(world.link("Sales").await.code, 0);
    let before = world.json(&["connection", "show", "Sales"]).await;

    // One token less, and its app; name and tags change in the same act.
    let update = ["connection", "update", "Sales", "--field", "app=2", "--secret-from", "token=stdin"];
    let update =
        [&update[..], &["--name", "Orders", "--tag", "team=west", "--setting", "Time-out=90"]].concat();
    let ran = world.run_with(&update, &format!("{ORDERS}\n")).await;
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    assert!(ran.out.contains("✓ The app answers (2)"), "{}", ran.out);
    assert_eq!(ran.out.lines().last(), Some("connection available"));
    assert!(ran.err.contains("changed `Orders` (con_"), "{}", ran.err);
    let after = world.json(&["connection", "show", "Orders"]).await;
    assert_eq!((&after["id"], &after["connection_id"]), (&before["id"], &before["connection_id"]));
    assert_eq!((&after["config"]["subdomain"], &after["config"]["app"]), (&"demo".into(), &"2".into()));
    assert_eq!((&after["tags"]["team"], &after["settings"]["timeout"]), (&"west".into(), &"90".into()));
    assert_eq!(apps_and_token(&world, "Orders").await, ("2".to_owned(), Some(ORDERS.to_owned())));

    // From the environment, from a connection string, and back to the default of a setting.
    let text = format!("AppId=1;APIToken={CUSTOMERS}");
    let mut command =
        world.command(&["connection", "update", "Orders", "--from", "env:STRING", "--unset", "TimeOut"]);
    command.env("STRING", text);
    let ran = run(command, "").await;
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    assert_eq!(apps_and_token(&world, "Orders").await, ("1".to_owned(), Some(CUSTOMERS.to_owned())));
    let after = world.json(&["connection", "show", "Orders"]).await;
    assert_eq!(after["settings"], serde_json::json!({}));

    let events = world.json(&["audit", "list"]).await;
    let actions = events.to_string().matches("connection.reconnected").count();
    assert_eq!(actions, 2, "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_fails_its_test_changes_nothing() {
    let world = World::start().await;
    assert_eq!(world.link("Sales").await.code, 0);
    let before = world.json(&["connection", "show", "Sales"]).await;
    let update = ["connection", "update", "Sales", "--name", "New", "--secret-from", "token=stdin"];
    let tokens = format!("MARKERunknownToken0000000000000000000000,{ORDERS}");
    let ran = world.run_with(&update, &tokens).await;
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.contains("Nothing was changed."), "{}", ran.err);
    assert_eq!(ran.out.lines().last(), Some("connection unavailable"));
    assert!(!ran.out.contains("MARKER") && !ran.err.contains("MARKER"));
    let json = world.run_with(&[&update[..], &["--json"]].concat(), &tokens).await;
    assert_eq!((json.code, json.out.as_str()), (4, ""));
    assert!(json.err.contains("connection_test_failed"), "{}", json.err);
    assert_eq!(world.json(&["connection", "show", "Sales"]).await, before);

    // Without a test it is stored as it is.
    let ran = world.run_with(&[&update[..], &["--no-test"]].concat(), &tokens).await;
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    assert!(ran.err.contains("it was not tested: tombolo connection test New"), "{}", ran.err);
    let shown = world.json(&["connection", "show", "New"]).await;
    assert_eq!(
        (&shown["health"]["status"], &shown["health"]["verdict"]),
        (&"unverified".into(), &serde_json::Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_decides_where_requests_go_needs_every_secret_again() {
    let world = World::start().await;
    let create = ["connection", "create", "--provider", "kintone", "--name", "Guest", "--from", "-"];
    let text = "AuthScheme=Password;Url=https://sample.cybozu.com/k/guest/5/21/;User=sato;\
                Password=sample-password-sato;BasicAuthUser=gate;BasicAuthPassword=sample-gate-password";
    assert_eq!(world.run_with(&create, text).await.code, 0);

    // The login name is sealed together with the password, and the gate has secrets of its own.
    for change in [
        &["--field", "app=22"][..],
        &["--setting", "Private CA=x"],
        &["--paste", "https://sample.cybozu.com/k/22/"],
    ] {
        let ran = world.run(&[&["connection", "update", "Guest"], change].concat()).await;
        assert_eq!(ran.code, 2, "{}", ran.err);
        for wanted in [
            "--field login_name=VALUE",
            "--secret-from password=SOURCE",
            "--field basic_username=VALUE",
            "--secret-from basic_password=SOURCE",
        ] {
            assert!(ran.err.contains(wanted), "{change:?}: {}", ran.err);
        }
        assert!(!ran.err.contains("subdomain"), "what is stored is not asked for: {}", ran.err);
    }

    // Another scheme and another host: an empty field leaves the gate and the guest space out.
    let mut command = world.command(&["connection", "update", "Guest", "--field", "basic_username="]);
    command.args(["--field", "guest_space_id=", "--paste", "https://demo.kintone.com/k/1/"]);
    command.args(["--secret-from", "token=env:TOKEN"]).env("TOKEN", CUSTOMERS);
    let ran = run(command, "").await;
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    let shown = world.json(&["connection", "show", "Guest"]).await;
    assert_eq!((&shown["auth_scheme"], &shown["gates"]), (&"api_token".into(), &serde_json::json!([])));
    assert_eq!(shown["hosts"], serde_json::json!(["demo.kintone.com:443"]));
    assert_eq!(apps_and_token(&world, "Guest").await, ("1".to_owned(), Some(CUSTOMERS.to_owned())));

    let nothing = world.run(&["connection", "update", "Guest"]).await;
    assert_eq!(nothing.code, 2);
    assert!(nothing.err.contains("nothing is to change"), "{}", nothing.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_may_be_named_as_a_command_or_a_route() {
    let world = World::start().await;
    for name in ["test", "reconnect"] {
        assert_eq!(world.link(name).await.code, 0);
        assert_eq!(world.json(&["connection", "show", name]).await["name"], name);
        assert_eq!(world.run(&["connection", "test", name]).await.code, 0);
        assert_eq!(world.json(&["connection", "update", name, "--tag", "a=b"]).await["tags"]["a"], "b");
        assert_eq!(world.run(&["request", "-c", name, "GET", "/k/v1/app.json?id=1"]).await.code, 0);
        assert_eq!(world.run(&["connection", "delete", name, "--yes"]).await.code, 0);
        assert_eq!(world.run(&["connection", "show", name]).await.code, 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_string_comes_from_stdin_a_file_or_the_environment() {
    let world = World::start().await;
    let text = format!(
        "AuthScheme=APIToken;Url=https://demo.kintone.com;APIToken={CUSTOMERS},{ORDERS};AppId=1,2;Page Size=100;"
    );
    let create = ["connection", "create", "--provider", "kintone", "--name"];
    let ran = world.run_with(&[&create[..], &["one", "--from", "-"]].concat(), &text).await;
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);

    std::fs::write(world.path("string.txt"), format!("{text}\n")).expect("written");
    let ran = world.run(&[&create[..], &["two", "--from", "string.txt"]].concat()).await;
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);

    // A guest space behind Basic, with an app that only the address names.
    let text = "AuthScheme=Password;Url=https://sample.cybozu.com/k/guest/5/21/;User=sato;\
                Password=sample-password-sato;BasicAuthUser=gate;BasicAuthPassword=sample-gate-password";
    let mut command = world.command(&[&create[..], &["three", "--from", "env:STRING"]].concat());
    command.env("STRING", text);
    let ran = run(command, "").await;
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);

    let one = world.json(&["connection", "show", "one"]).await;
    assert_eq!((&one["settings"]["page_size"], &one["config"]["app"]), (&"100".into(), &"1,2".into()));
    let three = world.json(&["connection", "show", "three"]).await;
    assert_eq!(
        (&three["auth_scheme"], &three["config"]["guest_space_id"]),
        (&"password".into(), &"5".into())
    );
    assert_eq!(three["config"]["app"], "21");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_address_fills_the_fields() {
    let world = World::start().await;
    let arguments = [
        "connection",
        "create",
        "--provider",
        "kintone",
        "--name",
        "pasted",
        "--paste",
        "https://demo.kintone.com/k/1/show#record=3",
        "--secret-from",
        "token=stdin",
    ];
    let ran = world.run_with(&arguments, &format!("{CUSTOMERS}\n")).await;
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    let shown = world.json(&["connection", "show", "pasted"]).await;
    assert_eq!(
        shown["config"],
        serde_json::json!({ "subdomain": "demo", "domain": "kintone.com", "app": "1" })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_test_the_health_is_unverified() {
    let world = World::start().await;
    let arguments = [
        "connection",
        "create",
        "--provider",
        "kintone",
        "--name",
        "later",
        "--field",
        "subdomain=demo",
        "--field",
        "login_name=anna",
        "--secret-from",
        "password=stdin",
        "--no-test",
    ];
    let ran = world.run_with(&arguments, "demo-password-anna").await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("it was not tested: tombolo connection test later"), "{}", ran.err);
    let shown = world.json(&["connection", "show", "later"]).await;
    assert_eq!(
        (&shown["health"]["status"], &shown["auth_scheme"]),
        (&"unverified".into(), &"password".into())
    );
    assert!(world.kintone().requests().is_empty(), "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_test_stores_nothing_and_says_why() {
    let world = World::start().await;
    let arguments = [
        "connection",
        "create",
        "--provider",
        "kintone",
        "--name",
        "wrong",
        "--field",
        "subdomain=demo",
        "--field",
        "app=1",
        "--secret-from",
        "token=stdin",
    ];
    let token = "MARKERunknownToken0000000000000000000000";
    let ran = world.run_with(&arguments, token).await;
    assert_eq!(ran.code, 4, "{}", ran.err);
    insta::assert_snapshot!(steady(&ran.out), @r#"
    ✓ The name is known N ms
    ✓ The host can be reached N ms
    ✓ The connection is secure N ms
    ✓ It is Kintone N ms
    ✗ The app answers (1) N ms

    Kintone does not know the API token of app 1.
    Most often the app was not updated after the token was made. Open app 1, App settings, API token, check the token, choose Save and then Update app.
    https://demo.kintone.com/k/admin/app/flow?app=1

    Technical details
      HTTP: 400
      code: GAIA_IA02
      request id: ID
      message: The specified API token does not match the API token generated via the app.

    connection unavailable
    "#);
    assert!(ran.err.contains("Nothing was stored."), "{}", ran.err);
    assert!(!ran.out.contains("MARKER") && !ran.err.contains("MARKER"));
    assert_eq!(world.run(&["connection", "show", "wrong"]).await.code, 3);

    let json = world.run_with(&[&arguments[..], &["--json"]].concat(), token).await;
    assert_eq!((json.code, json.out.as_str()), (4, ""));
    let error: serde_json::Value = serde_json::from_str(&json.err).expect("one document");
    assert_eq!(error["error"]["code"], "connection_test_failed");
    assert_eq!(
        (&error["error"]["exit_code"], &error["error"]["report"]["available"]),
        (&4.into(), &false.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_shows_anywhere() {
    let world = World::start().await;
    assert_eq!(world.link("Sales").await.code, 0);
    let mut seen = Vec::new();
    for arguments in [
        &["connection", "show", "Sales"][..],
        &["connection", "list"],
        &["connection", "test", "Sales"],
        &["audit", "list"],
        &["activity"],
        &["job", "list"],
        &["key", "status"],
    ] {
        for json in [&[][..], &["--json"]] {
            let ran = world.run(&[arguments, json].concat()).await;
            assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
            seen.extend(ran.out.into_bytes());
            seen.extend(ran.err.into_bytes());
        }
    }
    let key = std::fs::read_to_string(world.data().join("master.key")).expect("the key");
    seen.extend(World::bytes_below(&world.data()).into_iter());
    for secret in [CUSTOMERS, ORDERS] {
        assert!(!seen.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
    let count = seen.windows(key.trim().len()).filter(|window| *window == key.trim().as_bytes()).count();
    assert_eq!(count, 1, "the master key is in its file and nowhere else");
}
