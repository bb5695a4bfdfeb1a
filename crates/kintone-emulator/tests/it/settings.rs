//! Apps, forms, process management and permissions.

use http::Method;
use serde_json::json;

use crate::client::{CUSTOMERS, ORDERS, get, send, service};

#[tokio::test]
async fn apps_are_found_by_ids_codes_names_and_spaces() {
    let service = service().await;
    for (query, expected) in [
        ("", vec!["Customers", "Orders", "Products", "Measurements", "Staff notes"]),
        ("codes[0]=ORD", vec!["Orders"]),
        ("name=o", vec!["Customers", "Orders", "Products", "Staff notes"]),
        ("ids[0]=1&ids[1]=4", vec!["Customers", "Measurements"]),
        ("spaceIds[0]=2", vec!["Staff notes"]),
        ("offset=1&limit=2", vec!["Orders", "Products"]),
    ] {
        let answer = get(&format!("/k/v1/apps.json?{query}")).anna().to(&service).await.json();
        let names: Vec<&str> =
            answer["apps"].as_array().unwrap().iter().map(|app| app["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{query}");
    }
    assert_eq!(get("/k/v1/apps.json?limit=101").anna().to(&service).await.outcome(), "400 CB_VA01");
    // The private space is for its members.
    let ben = get("/k/v1/apps.json?spaceIds[0]=2").user("ben", "demo-password-ben").to(&service).await;
    assert_eq!(ben.json(), json!({"apps": []}));
}

#[tokio::test]
async fn only_the_assignee_moves_a_record_on() {
    let service = service().await;
    let act = |id: u64, action: &str, assignee: Option<&str>| {
        let body = json!({"app": 2, "id": id, "action": action, "assignee": assignee});
        send(Method::PUT, "/k/v1/record/status.json", &body)
    };
    // Several people may act in the next status, so one of them has to be chosen.
    let start = act(1, "Start", None).anna().to(&service).await;
    assert_eq!(start.outcome(), "400 CB_VA01");
    assert_eq!(act(1, "Start", Some("nobody")).anna().to(&service).await.outcome(), "400 GAIA_IL26");
    assert_eq!(act(1, "Start", Some("ben")).anna().to(&service).await.json(), json!({"revision": "3"}));
    assert_eq!(act(1, "Complete", None).anna().to(&service).await.outcome(), "403 GAIA_NT01");
    let ben = act(1, "Complete", None).user("ben", "demo-password-ben").to(&service).await;
    assert_eq!(ben.json(), json!({"revision": "5"}));
    assert_eq!(act(5, "Complete", None).token(ORDERS).to(&service).await.outcome(), "400 GAIA_IL03");
    let off = send(Method::PUT, "/k/v1/record/status.json", &json!({"app": 1, "id": 1, "action": "Start"}));
    assert_eq!(off.token(CUSTOMERS).to(&service).await.outcome(), "400 GAIA_ST02");
}

#[tokio::test]
async fn record_permissions_narrow_those_of_the_app() {
    let service = service().await;
    let app = serde_json::from_value(json!({
        "id": 80,
        "name": "Narrowed",
        "fields": {"level": {"type": "NUMBER"}},
        "record_rights": [{"filterCond": "level > 1", "entities": [
            {"entity": {"type": "USER", "code": "anna"}, "viewable": true, "editable": true, "deletable": false}]}],
        "records": [{"level": 1}, {"level": 2}],
    }));
    service.control.add_app("demo", &app.unwrap()).unwrap();
    let evaluate = |path: &str| get(&format!("/k/v1/{path}"));
    let path = "records/acl/evaluate.json?app=80&ids[0]=1&ids[1]=2";
    let anna = evaluate(path).anna().to(&service).await.json();
    assert_eq!(anna["rights"][1]["record"], json!({"viewable": true, "editable": true, "deletable": false}));
    let ben = |path: &str| evaluate(path).user("ben", "demo-password-ben");
    let rights = ben(path).to(&service).await.json();
    assert_eq!(rights["rights"][0]["record"]["viewable"], true);
    assert_eq!(rights["rights"][1]["record"]["viewable"], false);
    assert_eq!(ben("record.json?app=80&id=2").to(&service).await.outcome(), "403 CB_NO02");
    assert_eq!(ben("records.json?app=80").to(&service).await.json()["records"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_directory_of_endpoints_asks_for_no_credential() {
    let service = service().await;
    let apis = get("/k/v1/apis.json").to(&service).await.json();
    let link = apis["apis"]["records/get"]["link"].as_str().unwrap();
    let detail = get(&format!("/k/v1/{link}")).to(&service).await.json();
    assert_eq!((&detail["id"], &detail["httpMethod"]), (&json!("records/get"), &json!("GET")));
    assert_eq!(get("/k/v1/apis/nothing/get.json").to(&service).await.outcome(), "404 CB_IL02");
}
