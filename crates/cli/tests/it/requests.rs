use serde_json::json;

use crate::world::{CUSTOMERS, World, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_through_and_shows_in_the_log() {
    let world = World::start().await;
    assert_eq!(world.link("営業").await.code, 0);
    world.kintone().clear_requests();
    let path = "/k/v1/records.json?app=1&query=limit 1&fields[0]=$id";
    let ran = world.run(&["request", "-c", "営業", "GET", path]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let body: serde_json::Value = serde_json::from_str(&ran.out).expect("the vendor's body as it is");
    assert_eq!(body["records"].as_array().map(Vec::len), Some(1));
    let seen = world.kintone().requests();
    assert_eq!(seen[0].header("x-cybozu-api-token"), Some(CUSTOMERS));

    let path = "/k/v1/records.json?app=1&query=company = \"No. #1\" limit 1";
    assert_eq!(world.json(&["request", "-c", "営業", "GET", path]).await["body"]["records"], json!([]));

    let answer = world.json(&["request", "-c", "営業", "GET", "/k/v1/app.json?id=1"]).await;
    assert_eq!((&answer["status"], &answer["body"]["appId"]), (&200.into(), &"1".into()));
    assert!(answer["headers"]["x-concurrencylimit-limit"].is_string());

    let activity = world.json(&["activity", "--connection", "営業"]).await;
    let paths: Vec<_> =
        activity["calls"].as_array().expect("calls").iter().map(|call| &call["path"]).collect();
    let records = ["/k/v1/records.json?app&query", "/k/v1/records.json?app&query&fields[0]"];
    assert_eq!(paths, ["/k/v1/app.json?id", records[0], records[1]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_come_from_an_argument_a_file_or_stdin() {
    let world = World::start().await;
    assert_eq!(world.link("sales").await.code, 0);
    for (number, way) in ["argument", "file", "stdin"].into_iter().enumerate() {
        let record = json!({
            "customer_code": { "value": format!("CLI-{number}") }, "company": { "value": "Made here" }
        });
        let body = json!({ "app": 1, "record": record }).to_string();
        std::fs::write(world.path("record.json"), &body).expect("written");
        let (data, input) = match way {
            "argument" => (body.as_str(), ""),
            "file" => ("@record.json", ""),
            _ => ("-", body.as_str()),
        };
        let arguments = ["request", "-c", "sales", "POST", "/k/v1/record.json", "-d", data];
        let ran = world.run_with(&arguments, input).await;
        assert_eq!(ran.code, 0, "{way}: {}\n{}", ran.out, ran.err);
        assert!(ran.out.contains("\"revision\""), "{}", ran.out);
    }
    let ran =
        world.run(&["request", "-c", "sales", "-i", "GET", "k/v1/app.json?id=1", "-o", "app.json"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("HTTP 200 OK\n") && !ran.out.contains("appId"), "{}", ran.out);
    assert!(std::fs::read_to_string(world.path("app.json")).expect("written").contains("appId"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_refused_shows_in_the_exit_code() {
    let world = World::start().await;
    assert_eq!(world.link("sales").await.code, 0);
    let vendor = world.run(&["request", "-c", "sales", "GET", "/k/v1/record.json?app=1&id=999999"]).await;
    assert_eq!(vendor.code, 4);
    assert!(vendor.out.contains("GAIA_RE01"), "{}", vendor.out);
    assert!(
        vendor.err.contains("the vendor answered 404") && vendor.err.contains("request id: req"),
        "{}",
        vendor.err
    );
    let ours = world.run(&["request", "-c", "nobody", "GET", "/k/v1/app.json?id=1"]).await;
    assert_eq!((ours.code, ours.out.as_str()), (3, ""));
    assert!(ours.err.contains("There is no connection `nobody`"), "{}", ours.err);
    let outside = world.run(&["request", "-c", "sales", "GET", "/k/v1/../../admin"]).await;
    assert_eq!(outside.code, 2, "{}", outside.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_integrations_audit_and_jobs_are_looked_after() {
    let world = World::start().await;
    assert_eq!(world.link("sales").await.code, 0);
    let integration = world
        .json(&[
            "integration",
            "create",
            "--provider",
            "kintone",
            "--key",
            "tokens",
            "--auth-scheme",
            "api_token",
        ])
        .await;
    assert_eq!(integration["unique_key"], "tokens");
    let again = world.run(&["integration", "create", "--provider", "kintone", "--key", "tokens"]).await;
    assert_eq!(again.code, 6, "{}", again.err);
    let changed = world.json(&["integration", "update", "tokens", "--display-name", "Tokens only"]).await;
    assert_eq!(
        (&changed["display_name"], &changed["auth_schemes"][0]),
        (&"Tokens only".into(), &"api_token".into())
    );
    let mut narrowed = world.command(&[
        "connection",
        "create",
        "--integration",
        "tokens",
        "--name",
        "x",
        "--auth-scheme",
        "password",
    ]);
    narrowed.env("P", "demo-password-anna");
    assert_eq!(run(narrowed, "").await.code, 2);
    assert_eq!(world.run(&["integration", "delete", "tokens", "--yes"]).await.code, 0);
    assert_eq!(
        world.run(&["integration", "delete", "kintone", "--yes"]).await.code,
        6,
        "it has a connection"
    );
    assert_eq!(world.run(&["integration", "show", "tokens"]).await.code, 3);
    assert!(world.run(&["integration", "list"]).await.out.contains("kintone"));

    let key = world.run(&["api-key", "create", "ci", "--scope", "environment:proxy"]).await;
    assert!(
        key.out.starts_with("tmb_") && key.out.lines().count() == 1,
        "only the key itself goes to stdout"
    );
    let listed = world.run(&["api-key", "list"]).await;
    assert!(listed.out.contains("ci") && !listed.out.contains(key.out.trim()), "{}", listed.out);
    assert_eq!(world.run(&["api-key", "revoke", "ci", "--yes"]).await.code, 0);
    assert!(world.run(&["api-key", "list"]).await.out.contains("revoked"));
    assert_eq!(world.run(&["api-key", "create", "x", "--scope", "everything"]).await.code, 2);

    let events = world.json(&["audit", "list"]).await;
    let actions: Vec<_> =
        events["events"].as_array().expect("events").iter().map(|event| &event["action"]).collect();
    assert!(
        actions.contains(&&"connection.created".into()) && actions.contains(&&"api_key.revoked".into()),
        "{actions:?}"
    );
    let verified = world.run(&["audit", "verify"]).await;
    assert!(verified.code == 0 && verified.out.starts_with("intact: "), "{}", verified.out);
    assert_eq!(world.run(&["job", "list"]).await.code, 0);
    assert_eq!(world.run(&["job", "show", "nothing"]).await.code, 3);
}
