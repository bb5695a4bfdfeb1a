use http::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::app::{App, Engine, OTHER_TOKEN, PASSWORD, TOKEN, draft, settled};

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_made_listed_read_tested_changed_and_deleted() {
    let app = App::start().await;
    let caller = app.caller();

    let mut wanted = draft("営業");
    wanted["tags"] = json!({ "team": "east" });
    wanted["metadata"] = json!({ "plan": "gold" });
    let created = caller.post("/connections", &wanted).await;
    insta::assert_snapshot!("created", created.snapshot());
    let id = created.json()["id"].as_str().expect("an id").to_owned();

    insta::assert_snapshot!(
        "listed",
        caller.get("/connections?tags[team]=east&health=active").await.snapshot()
    );
    for query in ["search=%E5%96%B6", "integrationId=kintone", &format!("connectionId={id}"), "endUserId=x"] {
        let found =
            caller.get(&format!("/connections?{query}")).await.json()["connections"].as_array().map(Vec::len);
        assert_eq!(found, Some(usize::from(!query.starts_with("endUserId"))), "{query}");
    }

    let read = caller.get("/connections/%E5%96%B6%E6%A5%AD").await;
    insta::assert_snapshot!("read", read.snapshot());
    assert_eq!(
        read.json(),
        caller.get(&format!("/connections/{id}/?provider_config_key=kintone")).await.json()
    );

    let tested = caller.post(&format!("/connections/{id}/test"), &json!({})).await;
    assert_eq!((tested.status, tested.json()["available"].clone()), (StatusCode::OK, json!(true)));

    let change = json!({ "name": "Sales", "settings": { "Page Size": "200" }, "tags": {}, "metadata": {} });
    let changed = caller.patch(&format!("/connections/{id}"), &change).await.json();
    assert_eq!(changed["success"], true);
    let connection = &changed["connection"];
    assert_eq!(
        (&connection["name"], &connection["settings"], &connection["tags"], &connection["metadata"]),
        (&json!("Sales"), &json!({ "page_size": "200" }), &json!({}), &Value::Null)
    );

    let deleted = caller.delete("/connections/Sales").await;
    assert_eq!(
        (deleted.status, deleted.text().as_str()),
        (StatusCode::OK, r#"{"success":true,"revokes_at_vendor":false}"#)
    );
    insta::assert_snapshot!("gone", caller.get(&format!("/connections/{id}")).await.snapshot());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_test_stores_nothing_and_says_why() {
    let app = App::start().await;
    let caller = app.caller();
    let mut wanted = draft("Sales");
    wanted["fields"]["token"] = json!(["canaryTokenUnknown0000000000000000000009"]);
    let refused = caller.post("/connections", &wanted).await;
    insta::assert_snapshot!("test_failed", refused.snapshot());
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(caller.get("/connections").await.json()["connections"], json!([]));

    wanted["test"] = json!(false);
    let created = caller.post("/connections", &wanted).await.json();
    assert_eq!((&created["health"]["status"], &created["report"]), (&json!("unverified"), &Value::Null));
    let taken = caller.post("/connections", &wanted).await;
    assert_eq!(taken.verdict(), "409 name_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn tests_tell_line_by_line_what_they_do() {
    let app = App::start().await;
    let caller = app.caller();
    app.connect("Sales").await;
    let lines = [("accept", "application/x-ndjson"), ("content-type", "application/json")];
    let mut unnamed = draft("");
    unnamed.as_object_mut().expect("an object").remove("name");

    let answer = caller.send(Method::POST, "/connections/test", &lines, unnamed.to_string().into()).await;
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let told: Vec<Value> =
        answer.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let short: Vec<String> = told
        .iter()
        .map(|line| format!("{} {} {}", line["type"], line["stage"], line["outcome"]).replace('"', ""))
        .collect();
    insta::assert_snapshot!("told", short.join("\n"));
    let last = told.last().expect("a line");
    assert_eq!(
        (&last["available"], &last["conclusion"]["en"]),
        (&json!(true), &json!("connection available"))
    );

    let stored = caller.send(Method::POST, "/connections/Sales/test", &lines[..1], "".into()).await;
    let last: Value = serde_json::from_str(stored.text().lines().last().expect("a line")).expect("JSON");
    assert_eq!((&last["type"], &last["available"]), (&json!("report"), &json!(true)));

    // What fails before anything is told has a status.
    let unknown = caller.send(Method::POST, "/connections/Unknown/test", &lines[..1], "".into()).await;
    assert_eq!(unknown.verdict(), "404 unknown_connection");

    let mut failing = draft("Orders");
    failing["fields"]["token"] = json!(["canaryTokenUnknown0000000000000000000009"]);
    let answer = caller.send(Method::POST, "/connections", &lines, failing.to_string().into()).await;
    let last: Value = serde_json::from_str(answer.text().lines().last().expect("a line")).expect("JSON");
    assert_eq!(
        (&last["type"], &last["problem"]["code"]),
        (&json!("problem"), &json!("connection_test_failed"))
    );
    assert_eq!(last["problem"]["report"]["available"], false, "{}", settled(&last.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_on_where_a_page_ended() {
    let app = App::start().await;
    let caller = app.caller();
    for name in ["営業 1", "営業 2", "営業 3", "Support"] {
        let mut wanted = draft(name);
        wanted["test"] = json!(false);
        assert_eq!(caller.post("/connections", &wanted).await.status, StatusCode::CREATED);
    }
    for (filter, expected) in [("", 4), ("search=%E5%96%B6%E6%A5%AD&", 3)] {
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = caller.get(&format!("/connections?{filter}limit=1{cursor}")).await.json();
            names.extend(
                page["connections"].as_array().expect("a list").iter().map(|one| one["name"].to_string()),
            );
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = tombolo_api::client::query("", &json!({ "cursor": next }))
                .expect("encodes")
                .replace('?', "&");
            assert!(names.len() <= expected, "the list has no end");
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), expected, "{filter} {names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconnection_changes_everything_that_is_given_or_nothing() {
    let app = App::start().await;
    let caller = app.caller();
    let id = app.connect("Sales").await["id"].as_str().expect("an id").to_owned();
    app.connect("Support").await;
    let path = format!("/connections/{id}/reconnect");
    let before = caller.get(&format!("/connections/{id}")).await.json();
    let limited = caller.patch("/integrations/kintone", &json!({ "auth_schemes": ["api_token"] })).await;
    assert_eq!(limited.status, StatusCode::OK, "{}", limited.text());

    app.vendor().clear_requests();
    let password = json!({ "login_name": "anna", "password": PASSWORD });
    for (typed, verdict) in [
        (json!({ "fields": { "token": TOKEN }, "name": "Support" }), "409 name_taken"),
        (json!({ "fields": { "token": TOKEN }, "name": " " }), "400 invalid_body"),
        (json!({ "fields": { "subdomain": "acme" } }), "400 invalid_body"),
        (json!({ "auth_scheme": "password", "fields": password }), "403 auth_scheme_not_allowed"),
    ] {
        assert_eq!(caller.post(&path, &typed).await.verdict(), verdict, "{typed}");
    }
    assert!(app.vendor().requests().is_empty(), "what cannot be stored is not tried at the vendor");
    assert_eq!(caller.get(&format!("/connections/{id}")).await.json(), before);

    let typed = json!({
        "fields": { "token": OTHER_TOKEN, "app": "2" }, "settings": { "Page Size": "50" }, "name": "Orders",
        "tags": { "team": "west" }, "metadata": { "plan": "gold" }, "test": false,
    });
    let after = caller.post(&path, &typed).await.json();
    assert_eq!((&after["name"], &after["config"]["app"]), (&json!("Orders"), &json!("2")));
    assert_eq!((&after["tags"]["team"], &after["metadata"]["plan"]), (&json!("west"), &json!("gold")));
    assert_eq!((&after["health"]["status"], &after["report"]), (&json!("unverified"), &Value::Null));
    assert!(app.vendor().requests().is_empty(), "without a test nothing is sent");
    let tested = caller.post("/connections/Orders/test", &json!({})).await;
    assert_eq!(tested.json()["available"], true, "{}", tested.text());
    let back = json!({ "fields": { "token": OTHER_TOKEN }, "settings": { "pagesize": "" } });
    assert_eq!(caller.post(&path, &back).await.json()["settings"], json!({}));
}

/// Names are free: those that are words of the API or of file systems mean their connection as any other does.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_may_be_a_word_of_the_api() {
    let app = App::start().await;
    let caller = app.caller();
    for name in ["test", "reconnect", "connections", "..", ".", "a/test", "100%"] {
        let mut wanted = draft(name);
        wanted["connection_id"] = json!(null);
        let id = caller.post("/connections", &wanted).await.json()["id"].clone();
        let path = tombolo_api::client::path(["connections", name]);
        assert_eq!(caller.get(&path).await.json()["id"], id, "{name}");
        assert_eq!(
            caller.get(&format!("{path}/?provider_config_key=kintone")).await.json()["id"],
            id,
            "{name}"
        );
        let tested = caller.post(&format!("{path}/test"), &json!({})).await;
        assert_eq!(tested.json()["available"], true, "{name}: {}", tested.text());
        let typed = json!({ "fields": { "token": TOKEN } });
        let reconnected = caller.post(&format!("{path}/reconnect"), &typed).await;
        assert_eq!(reconnected.json()["id"], id, "{name}: {}", reconnected.text());
        let changed = caller.patch(&path, &json!({ "tags": { "team": "east" } })).await;
        assert_eq!(changed.json()["connection"]["tags"]["team"], "east", "{name}: {}", changed.text());
        let header = tombolo_api::client::path([name]);
        let call = [("connection-id", &header[1..])];
        let called = caller.send(Method::GET, "/proxy/k/v1/app.json?id=1", &call, "".into()).await;
        assert_eq!(called.status, StatusCode::OK, "{name}: {}", called.text());
        assert_eq!(caller.delete(&path).await.status, StatusCode::OK, "{name}");
        assert_eq!(caller.get(&path).await.verdict(), "404 unknown_connection", "{name}");
    }

    // What tests a draft is still there, and refuses other methods by name.
    let tested = caller.post("/connections/test", &draft("x")).await;
    assert_eq!(tested.json()["available"], true, "{}", tested.text());
    let put = caller.send_json(Method::PUT, "/connections/test", &json!({})).await;
    assert_eq!(put.verdict(), "405 method_not_allowed");
    let mut methods: Vec<&str> = put.header("allow").split(',').collect();
    methods.sort_unstable();
    assert_eq!(methods, ["DELETE", "GET", "HEAD", "PATCH", "POST"]);
    let powerless = app.caller_with_scopes(&["environment:connections:create"]).await;
    assert_eq!(powerless.get("/connections/test").await.verdict(), "403 forbidden");
}

/// Whichever page is asked for, the pages together are the list, whether in the order of creation or as matches of a search.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn pages_by_number_are_the_list(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let app = App::start_on(engine).await;
    let caller = app.caller();
    for number in 0..7 {
        // The last three are found by their connection id alone.
        let name = if number < 4 { format!("Sales {number}") } else { format!("Other {number}") };
        let more =
            json!({ "connection_id": format!("sales-{number}"), "test": false, "tags": { "team": "sales" } });
        let mut wanted = draft(&name);
        wanted.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        assert_eq!(caller.post("/connections", &wanted).await.status, StatusCode::CREATED);
    }
    let ids = async |path: String| -> Vec<String> {
        let listed = caller.get(&path).await.json();
        let found = listed["connections"].as_array().expect("a list").iter();
        found.map(|one| one["connection_id"].as_str().expect("an id").to_owned()).collect()
    };
    for filter in ["", "&search=sales", "&tags[team]=sales", "&search=sales&tags[team]=sales"] {
        let whole = ids(format!("/connections?limit=10{filter}")).await;
        assert_eq!(whole.len(), 7, "{filter}");
        for limit in 1..=4 {
            let mut pages = Vec::new();
            for page in 0..=7 {
                pages.extend(ids(format!("/connections?limit={limit}&page={page}{filter}")).await);
            }
            assert_eq!(pages, whole, "{filter}, {limit} at a time");
        }
    }
    assert!(ids("/connections?limit=10000&page=10".to_owned()).await.is_empty());
}
