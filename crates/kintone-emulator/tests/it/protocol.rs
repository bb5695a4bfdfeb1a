//! How requests may be put: parameters, methods, content types, hosts.

use http::Method;
use serde_json::json;

use crate::client::{CUSTOMERS, get, request, send, service};

#[tokio::test]
async fn parameters_come_by_any_way() {
    let service = service().await;
    let body = json!({"app": 1, "fields": ["$id"], "query": "order by $id asc limit 1"});
    let in_body = send(Method::GET, "/k/v1/records.json", &body);
    let overridden = send(Method::POST, "/k/v1/records.json", &body).header("x-http-method-override", "GET");
    let in_query = get("/k/v1/records.json?app=1&fields[0]=$id&query=order+by+$id+asc+limit+1");
    for request in [in_body, overridden, in_query] {
        let reply = request.token(CUSTOMERS).to(&service).await.json();
        assert_eq!(
            reply,
            json!({"records": [{"$id": {"type": "__ID__", "value": "1"}}], "totalCount": null})
        );
    }
}

#[tokio::test]
async fn what_is_not_formed_as_demanded_is_refused() {
    let service = service().await;
    let raw = |method: Method, content_type: &str, body: &'static str| {
        let mut request = request(method, "/k/v1/records.json").header("content-type", content_type);
        request.body = body.into();
        request.token(CUSTOMERS)
    };
    for (request, expected) in [
        (
            get("/k/v1/records.json?app=1").header("content-type", "application/json").token(CUSTOMERS),
            "400 CB_IL02",
        ),
        (raw(Method::POST, "application/json", "{\"app\":"), "400 CB_IJ01"),
        (raw(Method::POST, "text/plain", "{\"app\": 1}"), "400 CB_IL02"),
        (raw(Method::PATCH, "application/json", "{}"), "400 CB_IL02"),
        (get("/k/v1/nothing.json").token(CUSTOMERS), "404 CB_IL02"),
        (get("/k/v1/records.json").token(CUSTOMERS), "400 CB_VA01"),
        (get("/k/v1/records.json?app=x").token(CUSTOMERS), "400 CB_VA01"),
        (get("/k/v1/records.json?app=1&query=limit+-1").token(CUSTOMERS), "400 CB_VA01"),
    ] {
        let path = format!("{} {}", request.method, request.path);
        assert_eq!(request.to(&service).await.outcome(), expected, "{path}");
    }
}

#[tokio::test]
async fn a_refusal_names_the_input() {
    let service = service().await;
    let refused = get("/k/v1/record.json?app=1").token(CUSTOMERS).to(&service).await.json();
    assert_eq!(refused["errors"], json!({"id": {"messages": ["Required field."]}}));
    assert_eq!(refused["id"].as_str().unwrap().len(), 20);
}

#[tokio::test]
async fn the_host_decides_the_tenant() {
    let service = service().await;
    let mut by_host = get("/").header("host", "demo.kintone.com:8443");
    by_host.path = "/k/v1/apis.json".to_owned();
    assert_eq!(by_host.to(&service).await.outcome(), "200");
    let mut unknown = get("/").header("host", "nobody.kintone.com");
    unknown.path = "/k/v1/apis.json".to_owned();
    let refused = unknown.to(&service).await;
    assert_eq!(refused.outcome(), "404");
    assert!(refused.header("content-type").unwrap().starts_with("text/plain"));
    assert_eq!(get("/t/nobody/k/v1/apis.json").to(&service).await.outcome(), "404");
}
