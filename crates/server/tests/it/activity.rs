use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::app::{App, TOKEN, draft, settled};

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_logged_without_what_they_carry() {
    let app = App::start().await;
    let caller = app.caller();
    let id = app.connect("Sales").await["id"].as_str().expect("an id").to_owned();
    let mut other = draft("Support");
    other["test"] = json!(false);
    assert_eq!(caller.post("/connections", &other).await.status, 201);
    for (connection, path) in [
        ("Sales", "/proxy/k/v1/records.json?app=1&query=company%20%3D%20%22MARKER%22"),
        ("Sales", "/proxy/k/v1/record.json?app=1&id=999999"),
        ("Support", "/proxy/k/v1/app.json?id=1"),
    ] {
        app.clock.advance(Duration::from_secs(1));
        caller.send(Method::GET, path, &[("connection-id", connection)], "".into()).await;
    }
    app.platform.flush_activity().await;

    let page = caller.get("/activity").await;
    let newest_first: Vec<Value> = page.json()["calls"].as_array().expect("a list").clone();
    let lines: Vec<String> = newest_first
        .iter()
        .map(|call| format!("{} {} {} {}", call["integration"], call["method"], call["path"], call["status"]))
        .collect();
    insta::assert_snapshot!(lines.join("\n").replace('"', ""), @r"
    kintone GET /k/v1/app.json?id 200
    kintone GET /k/v1/record.json?app&id 404
    kintone GET /k/v1/records.json?app&query 200
    ");
    assert!(!page.text().contains("MARKER") && !page.text().contains(TOKEN), "{}", settled(&page.text()));
    for (query, expected) in [
        ("connection=Sales", 2),
        (&format!("connection={id}"), 2),
        ("connection=Support&integration=kintone", 1),
        ("errors=true", 1),
        ("errors=false", 3),
        ("status=2xx", 2),
        ("status=4xx", 1),
        ("status=5xx", 0),
        ("integration=other", 0),
    ] {
        let found = caller.get(&format!("/activity?{query}")).await.json()["calls"].as_array().map(Vec::len);
        assert_eq!(found, Some(expected), "{query}");
    }
    // A page of a filter is full: what does not fit the filter takes no place in it.
    let oldest = caller.get("/activity?status=2xx&limit=2").await.json();
    assert_eq!((oldest["calls"].as_array().map(Vec::len), &oldest["next_cursor"]), (Some(2), &Value::Null));
    let (mut seen, mut cursor) = (0, String::new());
    loop {
        let page = caller.get(&format!("/activity?limit=1{cursor}")).await.json();
        seen += page["calls"].as_array().expect("a list").len();
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
        assert!(seen <= 3, "the list has no end");
    }
    assert_eq!(seen, 3);
}
