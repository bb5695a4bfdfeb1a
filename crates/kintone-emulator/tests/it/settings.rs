//! Apps, forms, process management and permissions.

use http::Method;
use serde_json::{Value as Json, json};

use crate::client::{CUSTOMERS, ORDERS, Request, get, send, service};

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
async fn record_permissions_hold_for_every_way_to_a_record() {
    let service = service().await;
    let app = serde_json::from_value(json!({
        "id": 80,
        "name": "Narrowed",
        "fields": {"level": {"type": "NUMBER"}},
        "process": {"enable": true, "states": {"Open": {"name": "Open", "index": "0"}, "Done": {"name": "Done", "index": "1"}},
                    "actions": [{"name": "Finish", "from": "Open", "to": "Done"}]},
        "record_rights": [{"filterCond": "level > 1", "entities": [
            {"entity": {"type": "USER", "code": "anna"}, "viewable": true, "editable": true, "deletable": true}]}],
        "records": [{"level": 1}, {"level": 2}, {"level": 3}],
    }));
    service.control.add_app("demo", &app.unwrap()).unwrap();
    let of_ben = |request: Request| request.user("ben", "demo-password-ben");
    let opened =
        send(Method::POST, "/k/v1/records/cursor.json", &json!({"app": 80, "query": "order by $id asc"}));
    let cursor = of_ben(opened).to(&service).await.json()["id"].as_str().unwrap().to_owned();
    let page = of_ben(get(&format!("/k/v1/records/cursor.json?id={cursor}"))).to(&service).await.json();
    assert_eq!(page["records"].as_array().unwrap().len(), 1);
    assert_eq!(page["records"][0]["level"]["value"], "1");

    let put = |path: &str, body: Json| send(Method::PUT, &format!("/k/v1/{path}"), &body);
    for (what, request) in [
        ("comments", get("/k/v1/record/comments.json?app=80&record=2")),
        (
            "a comment",
            send(
                Method::POST,
                "/k/v1/record/comment.json",
                &json!({"app": 80, "record": 2, "comment": {"text": "x"}}),
            ),
        ),
        ("an action", put("record/status.json", json!({"app": 80, "id": 2, "action": "Finish"}))),
        (
            "actions",
            put(
                "records/status.json",
                json!({"app": 80, "records": [{"id": 1, "action": "Finish"}, {"id": 2, "action": "Finish"}]}),
            ),
        ),
        ("assignees", put("record/assignees.json", json!({"app": 80, "id": 2, "assignees": ["ben"]}))),
        ("an update", put("record.json", json!({"app": 80, "id": 2, "record": {"level": {"value": "0"}}}))),
    ] {
        assert_eq!(of_ben(request).to(&service).await.outcome(), "403 CB_NO02", "{what}");
    }
    let finish = put("record/status.json", json!({"app": 80, "id": 1, "action": "Finish"}));
    assert_eq!(of_ben(finish).to(&service).await.outcome(), "200", "nothing was done by what was refused");
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

#[tokio::test]
async fn settings_are_in_force_after_deploy() {
    let service = service().await;
    let post = |path: &str, body: serde_json::Value| send(Method::POST, path, &body).anna();
    let created = post("/k/v1/preview/app.json", json!({"name": "New"})).to(&service).await.json();
    assert_eq!(created, json!({"app": "6", "revision": "2"}));
    let add = json!({"app": 6, "revision": 2, "properties": {
        "title": {"type": "SINGLE_LINE_TEXT", "label": "Title", "unique": true},
        "product": {"type": "SINGLE_LINE_TEXT", "label": "Product", "lookup": {
            "relatedApp": {"app": "3"}, "relatedKeyField": "product_name", "fieldMappings": []}}}});
    let fields = "/k/v1/preview/app/form/fields.json";
    assert_eq!(post(fields, add.clone()).to(&service).await.json(), json!({"revision": "3"}));
    assert_eq!(post(fields, add).to(&service).await.outcome(), "409 GAIA_CO03");
    assert_eq!(get("/k/v1/app.json?id=6").anna().to(&service).await.outcome(), "404 GAIA_AP01");
    let deploy = || post("/k/v1/preview/app/deploy.json", json!({"apps": [{"app": 6}]}));
    assert_eq!(deploy().to(&service).await.outcome(), "400 GAIA_LO03", "the key of the lookup is not unique");
    let delete = crate::client::request(Method::DELETE, &format!("{fields}?app=6&fields[0]=product"));
    assert_eq!(delete.anna().to(&service).await.outcome(), "200");
    assert_eq!(deploy().to(&service).await.json(), json!({}));
    let state = get("/k/v1/preview/app/deploy.json?apps[0]=6").anna().to(&service).await.json();
    assert_eq!(state, json!({"apps": [{"app": "6", "status": "SUCCESS"}]}));
    let form = get("/k/v1/app/form/fields.json?app=6").anna().to(&service).await.json();
    assert_eq!(form["properties"]["title"]["unique"], true);
    assert_eq!(form["properties"]["product"], json!(null));
    // A change shows in the preview alone until it is deployed or given up.
    let update = json!({"app": 6, "properties": {"title": {"label": "Heading"}}});
    assert_eq!(send(Method::PUT, fields, &update).anna().to(&service).await.outcome(), "200");
    let label =
        async |path: &str| get(path).anna().to(&service).await.json()["properties"]["title"]["label"].clone();
    assert_eq!(label("/k/v1/preview/app/form/fields.json?app=6").await, "Heading");
    assert_eq!(label("/k/v1/app/form/fields.json?app=6").await, "Title");
    let revert = post("/k/v1/preview/app/deploy.json", json!({"apps": [{"app": 6}], "revert": true}));
    assert_eq!(revert.to(&service).await.outcome(), "200");
    assert_eq!(label("/k/v1/preview/app/form/fields.json?app=6").await, "Title");
}

#[tokio::test]
async fn a_draft_token_is_known_after_deploy() {
    let service = service().await;
    let read = get("/k/v1/app.json?id=1").token(crate::client::CUSTOMERS_DRAFT);
    assert_eq!(read.to(&service).await.outcome(), "400 GAIA_IA02");
    let deploy = send(Method::POST, "/k/v1/preview/app/deploy.json", &json!({"apps": [{"app": 1}]})).anna();
    assert_eq!(deploy.to(&service).await.outcome(), "200");
    assert_eq!(read.to(&service).await.outcome(), "200");
}
