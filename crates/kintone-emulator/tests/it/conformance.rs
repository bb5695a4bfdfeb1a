//! A walk over the endpoints, whose answers are compared with the vendor's OpenAPI document.
//!
//! The document is not part of the project: its path comes from `KINTONE_OPENAPI`.

use std::path::PathBuf;

use http::Method;
use serde_json::{Value as Json, json};

use crate::client::{ORDERS, Service, get, request, send, service};
use crate::openapi::Document;

/// Reads that need no preparation: path and query.
const READS: [(&str, &str); 38] = [
    ("/k/v1/app.json", "id=1"),
    ("/k/v1/apps.json", "limit=2"),
    ("/k/v1/apps/statistics.json", ""),
    ("/k/v1/app/form/fields.json", "app=1"),
    ("/k/v1/app/form/fields.json", "app=2"),
    ("/k/v1/app/form/fields.json", "app=4"),
    ("/k/v1/app/form/layout.json", "app=2"),
    ("/k/v1/form.json", "app=1"),
    ("/k/v1/form.json", "app=2"),
    ("/k/v1/app/views.json", "app=1"),
    ("/k/v1/app/settings.json", "app=1"),
    ("/k/v1/app/status.json", "app=2"),
    ("/k/v1/app/status.json", "app=1"),
    ("/k/v1/app/customize.json", "app=1"),
    ("/k/v1/app/actions.json", "app=1"),
    ("/k/v1/app/reports.json", "app=1"),
    ("/k/v1/app/plugins.json", "app=1"),
    ("/k/v1/app/adminNotes.json", "app=1"),
    ("/k/v1/app/notifications/general.json", "app=1"),
    ("/k/v1/app/notifications/perRecord.json", "app=1"),
    ("/k/v1/app/notifications/reminder.json", "app=1"),
    ("/k/v1/app/acl.json", "app=1"),
    ("/k/v1/record/acl.json", "app=1"),
    ("/k/v1/field/acl.json", "app=1"),
    ("/k/v1/records/acl/evaluate.json", "app=1&ids[0]=1&ids[1]=2"),
    ("/k/v1/record.json", "app=1&id=1"),
    ("/k/v1/record.json", "app=2&id=1"),
    ("/k/v1/records.json", "app=1&totalCount=true"),
    ("/k/v1/records.json", "app=2"),
    ("/k/v1/records.json", "app=4&query=limit+5"),
    ("/k/v1/record/comments.json", "app=2&record=1"),
    ("/k/v1/space.json", "id=2"),
    ("/k/v1/space/members.json", "id=2"),
    ("/k/v1/spaces/statistics.json", ""),
    ("/k/v1/preview/app/form/fields.json", "app=1"),
    ("/k/v1/preview/app/form/layout.json", "app=2"),
    ("/k/v1/preview/app/views.json", "app=1"),
    ("/k/v1/preview/app/settings.json", "app=1"),
];

/// Writes, in an order in which each finds what it needs.
fn writes() -> Vec<(Method, &'static str, Json)> {
    let customer = |code: &str| json!({"customer_code": {"value": code}, "company": {"value": code}});
    vec![
        (Method::POST, "/k/v1/record.json", json!({"app": 1, "record": customer("T1")})),
        (Method::POST, "/k/v1/records.json", json!({"app": 1, "records": [customer("T2"), customer("T3")]})),
        (
            Method::PUT,
            "/k/v1/record.json",
            json!({"app": 1, "id": 25, "record": {"company": {"value": "x"}}}),
        ),
        (Method::PUT, "/k/v1/records.json", json!({"app": 1, "records": [{"id": 26, "record": {}}]})),
        (
            Method::PUT,
            "/k/v1/records.json",
            json!({"app": 1, "upsert": true, "records": [
                {"updateKey": {"field": "customer_code", "value": "T9"}, "record": {"company": {"value": "x"}}}]}),
        ),
        (
            Method::POST,
            "/k/v1/record/comment.json",
            json!({"app": 2, "record": 1, "comment": {"text": "hello", "mentions": [{"code": "ben", "type": "USER"}]}}),
        ),
        (
            Method::PUT,
            "/k/v1/record/status.json",
            json!({"app": 2, "id": 1, "action": "Start", "assignee": "anna"}),
        ),
        (Method::PUT, "/k/v1/record/assignees.json", json!({"app": 2, "id": 1, "assignees": ["anna"]})),
        (
            Method::PUT,
            "/k/v1/records/status.json",
            json!({"app": 2, "records": [{"id": 1, "action": "Complete"}]}),
        ),
        (
            Method::POST,
            "/k/v1/bulkRequest.json",
            json!({"requests": [
                {"method": "POST", "api": "/k/v1/record.json", "payload": {"app": 1, "record": customer("T4")}},
                {"method": "DELETE", "api": "/k/v1/records.json", "payload": {"app": 1, "ids": [25]}}]}),
        ),
        (
            Method::POST,
            "/k/v1/records/cursor.json",
            json!({"app": 2, "size": 5, "query": "order by order_date asc"}),
        ),
    ]
}

async fn problems(document: &Document, service: &Service) -> Vec<String> {
    let mut problems = Vec::new();
    let mut compare = |method: &Method, path: &str, answer: &Json| {
        let method = method.as_str().to_ascii_lowercase();
        let found = document.problems(&method, path, answer);
        problems.extend(found.into_iter().map(|problem| format!("{method} {path}: {problem}")));
    };
    for (method, path, body) in writes() {
        let reply = send(method.clone(), path, &body).anna().to(service).await;
        assert_eq!(reply.outcome(), "200", "{method} {path}: {}", reply.json());
        compare(&method, path, &reply.json());
        if path == "/k/v1/records/cursor.json" {
            let id = reply.json()["id"].as_str().unwrap().to_owned();
            let page = get(&format!("{path}?id={id}")).anna().to(service).await;
            compare(&Method::GET, path, &page.json());
            let closed = request(Method::DELETE, &format!("{path}?id={id}")).anna().to(service).await;
            assert_eq!(closed.json(), json!({}));
        }
    }
    for (path, query) in READS {
        let reply = get(&format!("{path}?{query}")).anna().to(service).await;
        assert_eq!(reply.outcome(), "200", "{path}?{query}");
        compare(&Method::GET, path, &reply.json());
    }
    let mut upload = request(Method::POST, "/k/v1/file.json").token(ORDERS);
    upload = upload.header("content-type", "multipart/form-data; boundary=x");
    upload.body =
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nb\r\n--x--\r\n".into();
    compare(&Method::POST, "/k/v1/file.json", &upload.to(service).await.json());
    problems
}

#[tokio::test]
async fn answers_fit_the_vendors_document() {
    let Some(path) = std::env::var_os("KINTONE_OPENAPI") else {
        eprintln!(
            "NOT RUN: answers are not compared with the vendor's document, because KINTONE_OPENAPI is unset"
        );
        return;
    };
    let document = Document::read(&PathBuf::from(path));
    let service = service().await;
    let problems = problems(&document, &service).await;
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
