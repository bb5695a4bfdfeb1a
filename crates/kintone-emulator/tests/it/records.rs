//! Reading and writing records over HTTP, where the vendor's clients do not reach.

use http::Method;
use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use crate::client::{
    CUSTOMERS, MEASUREMENTS, ORDERS, PRODUCTS_VIEW, Service, encoded, get, request, send, service,
};

async fn upload(service: &Service, content: &str) -> String {
    let mut upload = request(Method::POST, "/k/v1/file.json").token(ORDERS);
    upload = upload.header("content-type", "multipart/form-data; boundary=x");
    upload.body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"n.txt\"\r\nContent-Type: text/plain\r\n\r\n{content}\r\n--x--\r\n"
    )
    .into();
    upload.to(service).await.json()["fileKey"].as_str().unwrap().to_owned()
}

fn order(number: &str, more: &Json) -> Json {
    let mut record = json!({"order_number": {"value": number}});
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"app": 2, "record": record})
}

#[tokio::test]
async fn an_upload_has_three_days_to_be_attached() {
    let service = service().await;
    let (first, second) = (upload(&service, "one").await, upload(&service, "two").await);
    let attach = |number: &str, key: &str| {
        let body = order(number, &json!({"documents": {"value": [{"fileKey": key}]}}));
        send(Method::POST, "/k/v1/record.json", &body).token(ORDERS)
    };
    assert_eq!(attach("T1", &first).to(&service).await.outcome(), "200");
    assert_eq!(
        attach("T2", &first).to(&service).await.outcome(),
        "404 GAIA_BL01",
        "an upload is attached once"
    );
    service.clock.advance(SignedDuration::from_hours(73));
    assert_eq!(attach("T3", &second).to(&service).await.outcome(), "404 GAIA_BL01");
    let record = get("/k/v1/record.json?app=2&id=41").token(ORDERS).to(&service).await.json();
    let file = &record["record"]["documents"]["value"][0];
    assert_eq!((&file["name"], &file["size"]), (&json!("n.txt"), &json!("3")));
    let key = file["fileKey"].as_str().unwrap();
    let download = get(&format!("/k/v1/file.json?fileKey={key}")).token(ORDERS).to(&service).await;
    assert_eq!(download.body, "one");
    assert_eq!(download.header("content-type"), Some("text/plain"));
}

#[tokio::test]
async fn a_lookup_needs_the_right_to_view_its_source() {
    let service = service().await;
    let body = order("T1", &json!({"customer": {"value": "C001"}}));
    let add = |tokens: &str| send(Method::POST, "/k/v1/record.json", &body).token(tokens);
    let without = add(ORDERS).to(&service).await;
    assert_eq!(without.outcome(), "400 GAIA_LO04");
    let with = add(&format!("{ORDERS},{CUSTOMERS},{PRODUCTS_VIEW}")).to(&service).await;
    assert_eq!(with.outcome(), "200");
}

#[tokio::test]
async fn a_delete_is_all_or_nothing() {
    let service = service().await;
    let delete =
        |query: &str| request(Method::DELETE, &format!("/k/v1/records.json?app=1&{query}")).token(CUSTOMERS);
    let refused = delete("ids[0]=1&ids[1]=999").to(&service).await;
    assert_eq!(refused.outcome(), "404 GAIA_RE01");
    let conflict = delete("ids[0]=1&ids[1]=2&revisions[0]=1&revisions[1]=7").to(&service).await;
    assert_eq!(conflict.outcome(), "409 GAIA_CO02");
    let total = async || {
        let reply = get("/k/v1/records.json?app=1&totalCount=true&query=limit+1").token(CUSTOMERS);
        reply.to(&service).await.json()["totalCount"].clone()
    };
    assert_eq!(total().await, "24");
    assert_eq!(
        delete("ids[0]=1&ids[1]=2&revisions[0]=1&revisions[1]=-1").to(&service).await.json(),
        json!({})
    );
    assert_eq!(total().await, "22");
}

#[tokio::test]
async fn ten_million_records_cost_nothing() {
    let service = service().await;
    let ask = async |query: &str| {
        let path = format!("/k/v1/records.json?app=4&totalCount=true&fields[0]=$id&query={}", encoded(query));
        let answer = get(&path).token(MEASUREMENTS).to(&service).await.json();
        let ids: Vec<String> = answer["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["$id"]["value"].as_str().unwrap().to_owned())
            .collect();
        (ids, answer["totalCount"].as_str().unwrap().to_owned())
    };
    let (ids, total) = ask("limit 2").await;
    assert_eq!((ids, total.as_str()), (vec!["10000000".to_owned(), "9999999".to_owned()], "10000000"));
    let (ids, total) = ask("$id > 5000000 and $id <= 5001000 order by $id asc limit 2").await;
    assert_eq!((ids, total.as_str()), (vec!["5000001".to_owned(), "5000002".to_owned()], "1000"));
    let (ids, total) = ask("$id > 20000000").await;
    assert_eq!((ids, total.as_str()), (Vec::new(), "0"));
}

#[tokio::test]
async fn a_bulk_request_gives_an_upload_back_when_it_fails() {
    let service = service().await;
    let key = upload(&service, "kept").await;
    let add = |number: &str| {
        let payload = order(number, &json!({"documents": {"value": [{"fileKey": key}]}}));
        json!({"method": "POST", "api": "/k/v1/record.json", "payload": payload})
    };
    let wrong =
        json!({"method": "PUT", "api": "/k/v1/record.json", "payload": {"app": 2, "id": 999, "record": {}}});
    let bulk = |requests: Json| {
        send(Method::POST, "/k/v1/bulkRequest.json", &json!({"requests": requests})).token(ORDERS)
    };
    let failed = bulk(json!([add("T1"), wrong])).to(&service).await;
    assert_eq!(failed.status, 404);
    assert_eq!(failed.json()["results"][0], json!({}));
    assert_eq!(failed.json()["results"][1]["code"], "GAIA_RE01");
    assert_eq!(bulk(json!([add("T1")])).to(&service).await.outcome(), "200");
    let foreign = json!({"method": "GET", "api": "/k/v1/records.json", "payload": {"app": 2}});
    assert_eq!(bulk(json!([foreign])).to(&service).await.status, 400);
    let many: Vec<Json> = (0..21).map(|_| wrong.clone()).collect();
    assert_eq!(bulk(json!(many)).to(&service).await.outcome(), "400 CB_VA01");
}
