//! Apps of guest spaces answer under their own path alone.

use http::Method;
use serde_json::json;

use crate::client::{CUSTOMERS, get, send, service};

const GUEST: &str = "sampleTokenGuestKadai0000000000000000000";

#[tokio::test]
async fn the_path_has_to_name_the_space() {
    let service = service().await;
    for (path, token, expected) in [
        ("/t/sample/k/guest/5/v1/records.json?app=21", GUEST, "200"),
        ("/t/sample/k/guest/5/v1/app.json?id=21", GUEST, "200"),
        ("/t/sample/k/v1/records.json?app=21", GUEST, "400 GAIA_IL23"),
        ("/t/sample/k/guest/6/v1/records.json?app=21", GUEST, "403 CB_NO02"),
        (
            "/t/sample/k/guest/5/v1/records.json?app=11",
            "sampleTokenKokyaku0000000000000000000000",
            "403 CB_NO02",
        ),
        ("/t/sample/k/guest/x/v1/records.json?app=21", GUEST, "404 CB_IL02"),
    ] {
        assert_eq!(get(path).gate().token(token).to(&service).await.outcome(), expected, "{path}");
    }
    let demo = get("/k/guest/2/v1/app.json?id=1").token(CUSTOMERS).to(&service).await;
    assert_eq!(demo.outcome(), "403 CB_NO02");
}

#[tokio::test]
async fn requests_of_a_bulk_request_have_to_name_the_space_too() {
    let service = service().await;
    let record = json!({"customer_code": {"value": "T1"}, "company": {"value": "One"}});
    for (api, expected) in [
        ("/k/v1/record.json", json!(null)),
        ("/k/guest/2/v1/record.json", json!("CB_NO02")),
        ("/k/guest/abc/v1/record.json", json!("CB_IL02")),
        ("/k/guest//v1/record.json", json!("CB_IL02")),
    ] {
        let request = json!({"method": "POST", "api": api, "payload": {"app": 1, "record": record}});
        let bulk = send(Method::POST, "/k/v1/bulkRequest.json", &json!({"requests": [request]}));
        let results = bulk.token(CUSTOMERS).to(&service).await.json()["results"].clone();
        assert_eq!((results[0].is_object(), &results[0]["code"]), (true, &expected), "{api}");
    }
}

#[tokio::test]
async fn members_only() {
    let service = service().await;
    let path = "/t/sample/k/guest/5/v1/records.json?app=21";
    let member = get(path).gate().user("suzuki", "sample:password:suzuki").to(&service).await;
    assert_eq!(member.outcome(), "200");
    let stranger = get(path).gate().user("takahashi", "sample-password-takahashi").to(&service).await;
    assert_eq!(stranger.outcome(), "403 CB_NO02");
    let space = get("/t/sample/k/guest/5/v1/space.json?id=5").gate().user("suzuki", "sample:password:suzuki");
    assert_eq!(space.to(&service).await.json()["attachedApps"][0]["appId"], "21");
    let outside = get("/t/sample/k/v1/space.json?id=5").gate().user("suzuki", "sample:password:suzuki");
    assert_eq!(outside.to(&service).await.outcome(), "400 GAIA_IL23");
}
