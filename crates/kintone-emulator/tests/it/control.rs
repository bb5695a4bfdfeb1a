//! The control API over its own port.

use http::Method;
use serde_json::{Value as Json, json};

use crate::client::{CUSTOMERS, Service, get, request, send, service};

/// A control call and its answer, which has to succeed.
async fn control(service: &Service, method: Method, path: &str, body: Json) -> Json {
    let (status, answer) = try_control(service, method, path, body).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

async fn try_control(service: &Service, method: Method, path: &str, body: Json) -> (u16, Json) {
    let mut request = send(method, "", &body);
    request.path = path.to_owned();
    let reply = request.try_at(service.emulator.control_address().unwrap()).await.unwrap();
    (reply.status.as_u16(), reply.json())
}

#[tokio::test]
async fn the_log_shows_what_arrived() {
    let service = service().await;
    let read = get("/k/v1/records.json?app=1").token(CUSTOMERS).header("X-Custom", "seen");
    read.to(&service).await;
    send(Method::POST, "/k/v1/record.json", &json!({"app": 1})).token("wrong").to(&service).await;
    let log = control(&service, Method::GET, "/requests", Json::Null).await;
    let [first, second] = log["requests"].as_array().unwrap().as_slice() else { panic!("{log}") };
    assert_eq!(first["path"], "/t/demo/k/v1/records.json");
    assert_eq!(
        (&first["query"], &first["status"], &first["tenant"]),
        (&json!("app=1"), &json!(200), &json!("demo"))
    );
    assert!(first["headers"].as_array().unwrap().contains(&json!(["x-custom", "seen"])));
    assert!(first["headers"].as_array().unwrap().contains(&json!(["x-cybozu-api-token", CUSTOMERS])));
    assert_eq!(
        (&second["body"], &second["body_size"], &second["status"]),
        (&json!("{\"app\":1}"), &json!(9), &json!(400))
    );
    control(&service, Method::DELETE, "/requests", Json::Null).await;
    assert!(service.control.requests().is_empty());
}

#[tokio::test]
async fn faults_and_states() {
    let service = service().await;
    let fault =
        json!({"tenant": "demo", "path": "*apis.json", "count": 1, "effect": {"status": {"status": 503}}});
    control(&service, Method::POST, "/faults", fault).await;
    assert_eq!(get("/k/v1/apis.json").to(&service).await.status, 503);
    control(&service, Method::PUT, "/tenants/demo/users/anna", json!({"condition": "locked"})).await;
    assert_eq!(get("/k/v1/apps.json").anna().to(&service).await.outcome(), "401 CB_US02");
    let view = json!({"permissions": ["view"]});
    control(&service, Method::PUT, &format!("/tenants/demo/tokens/{CUSTOMERS}"), view).await;
    let delete = request(Method::DELETE, "/k/v1/records.json?app=1&ids[0]=1").token(CUSTOMERS);
    assert_eq!(delete.to(&service).await.outcome(), "403 GAIA_NO01");
    control(&service, Method::DELETE, &format!("/tenants/demo/tokens/{CUSTOMERS}"), Json::Null).await;
    assert_eq!(delete.to(&service).await.outcome(), "400 GAIA_IA02");
    let gate = json!({"username": "a", "password": "b"});
    control(&service, Method::PUT, "/tenants/demo/basic-gate", gate).await;
    assert_eq!(get("/k/v1/apis.json").to(&service).await.outcome(), "401");
    control(&service, Method::POST, "/reset", Json::Null).await;
    assert_eq!(get("/k/v1/apps.json").anna().to(&service).await.outcome(), "200");
    assert_eq!(delete.to(&service).await.outcome(), "200");
}

#[tokio::test]
async fn apps_and_records_are_added() {
    let service = service().await;
    let app = json!({
        "id": 77,
        "name": "Added",
        "tokens": [{"token": "t77", "permissions": ["view"]}],
        "fields": {"title": {"type": "SINGLE_LINE_TEXT"}},
        "records": [{"title": "one"}],
    });
    control(&service, Method::POST, "/tenants/demo/apps", app).await;
    let ids =
        control(&service, Method::POST, "/tenants/demo/apps/77/records", json!([{"title": "two"}])).await;
    assert_eq!(ids, json!({"ids": [2]}));
    let read = get("/k/v1/records.json?app=77&fields[0]=title").token("t77").to(&service).await.json();
    let titles: Vec<&Json> =
        read["records"].as_array().unwrap().iter().map(|record| &record["title"]["value"]).collect();
    assert_eq!(titles, ["two", "one"]);
    let (status, answer) =
        try_control(&service, Method::POST, "/tenants/demo/apps/77/records", json!([{"titel": "x"}])).await;
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("there is no field `titel`"), "{answer}");
}

#[tokio::test]
async fn oauth_clients_tokens_and_sessions() {
    let service = service().await;
    let path = |rest: &str| format!("/tenants/demo/{rest}");
    let uris = json!({"redirect_uris": ["https://a.example/"]});
    let mut client = control(&service, Method::POST, &path("oauth-clients"), uris).await;
    assert!(client["id"].as_str().unwrap().starts_with("l.1."));
    client["rotates_refresh_tokens"] = json!(true);
    control(&service, Method::PUT, &path("oauth-clients"), client.clone()).await;
    let holder = json!({"client": client["id"], "user": "anna"});
    for kind in ["access-tokens", "refresh-tokens"] {
        let ended = control(&service, Method::DELETE, &path(kind), holder.clone()).await;
        assert_eq!(ended, json!({"ended": 0}));
    }
    let id = client["id"].as_str().unwrap();
    control(&service, Method::DELETE, &path(&format!("oauth-clients/{id}")), Json::Null).await;
    get("/oauth2/token").to(&service).await;
    let count = control(&service, Method::GET, &path("token-requests"), Json::Null).await;
    assert_eq!(count, json!({"count": 1}));
    let session = control(&service, Method::POST, &path("sessions"), json!({"user": "anna"})).await;
    let cookie = session["cookie"].as_str().unwrap();
    let apps = get("/k/v1/apps.json").header("cookie", cookie).header("x-requested-with", "x");
    assert_eq!(apps.to(&service).await.outcome(), "200");
    control(&service, Method::DELETE, &path("request-tokens"), json!({})).await;
    let ended = control(&service, Method::DELETE, &path("sessions"), json!({"user": "anna"})).await;
    assert_eq!(ended, json!({"ended": 1}));
    assert_eq!(apps.to(&service).await.outcome(), "401 CB_AU01");
}

#[tokio::test]
async fn the_clock_is_moved() {
    let service = service().await;
    let moved = control(&service, Method::PUT, "/clock", json!({"now": "2030-01-01T00:00:00Z"})).await;
    assert_eq!(moved["now"], "2030-01-01T00:00:00Z");
    let moved = control(&service, Method::PUT, "/clock", json!({"advance_seconds": 90})).await;
    assert_eq!(moved["now"], "2030-01-01T00:01:30Z");
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let service = service().await;
    for (method, path, body, expected) in [
        (Method::GET, "/nothing", Json::Null, 404),
        (Method::DELETE, "/tenants/nobody/tokens/x", Json::Null, 404),
        (Method::DELETE, "/tenants/demo/tokens/x", Json::Null, 404),
        (Method::PUT, "/tenants/demo/users/nobody", json!({"password": "x"}), 404),
        (Method::DELETE, "/tenants/demo/oauth-clients/nobody", Json::Null, 404),
        (Method::DELETE, "/tenants/demo/access-tokens", json!({"client": "nobody"}), 404),
        (Method::POST, "/tenants/demo/sessions", json!({"user": "nobody"}), 404),
        (Method::POST, "/faults", json!({"effect": "unknown"}), 400),
        (Method::PUT, "/clock", json!({"nwo": "x"}), 400),
    ] {
        let (status, answer) = try_control(&service, method, path, body).await;
        assert_eq!(status, expected, "{path}: {answer}");
        assert!(answer["error"].is_string());
    }
}
