//! What stands in front answers pages.

use crate::client::{CUSTOMERS, get, service};

const APIS: &str = "/k/v1/apis.json";

#[tokio::test]
async fn basic() {
    let service = service().await;
    let closed = get("/t/sample/k/v1/apis.json").to(&service).await;
    assert_eq!(closed.outcome(), "401");
    assert!(closed.header("www-authenticate").unwrap().starts_with("Basic "));
    assert!(closed.header("content-type").unwrap().starts_with("text/html"));
    assert_eq!(closed.header("x-concurrencylimit-limit"), None);
    let wrong = get("/t/sample/k/v1/apis.json").basic("gate", "wrong").to(&service).await;
    assert_eq!(wrong.outcome(), "401");
    let open = get("/t/sample/k/v1/apis.json").gate().to(&service).await;
    assert_eq!(open.outcome(), "200");
    // The gate takes the header that a bearer token needs, so both together are not possible.
    let bearer = get("/t/sample/v1/users.json").bearer("cy.s.api1.a.b.c").to(&service).await;
    assert_eq!(bearer.outcome(), "401");
    service.control.set_basic_gate("sample", None).unwrap();
    assert_eq!(get("/t/sample/k/v1/apis.json").to(&service).await.outcome(), "200");
}

#[tokio::test]
async fn allowed_networks() {
    let service = service().await;
    service.control.set_allowed_networks("demo", vec!["203.0.113.0/24".to_owned()]).unwrap();
    let refused = get(APIS).header("x-forwarded-for", "203.0.113.7").to(&service).await;
    assert_eq!(refused.outcome(), "403", "the header of a client is not trusted");
    assert!(refused.header("content-type").unwrap().starts_with("text/html"));
    let with_token = get("/k/v1/app.json?id=1").token(CUSTOMERS).to(&service).await;
    assert_eq!(with_token.outcome(), "403");
    service.control.set_allowed_networks("demo", vec!["127.0.0.0/8".to_owned()]).unwrap();
    assert_eq!(get(APIS).to(&service).await.outcome(), "200");
    // From an allowed network the Basic gate does not ask; from elsewhere it is the way in.
    service.control.set_allowed_networks("sample", vec!["127.0.0.1".to_owned()]).unwrap();
    assert_eq!(get("/t/sample/k/v1/apis.json").to(&service).await.outcome(), "200");
    service.control.set_allowed_networks("sample", vec!["203.0.113.9".to_owned()]).unwrap();
    assert_eq!(get("/t/sample/k/v1/apis.json").to(&service).await.outcome(), "401");
    assert_eq!(get("/t/sample/k/v1/apis.json").gate().to(&service).await.outcome(), "200");
}
