//! Who is let in with what.

use http::Method;
use serde_json::json;
use tombolo_kintone_emulator::model::{Permission, UserCondition};

use crate::client::{
    CUSTOMERS, CUSTOMERS_DRAFT, CUSTOMERS_VIEW, ORDERS, PRODUCTS_VIEW, get, request, send, service,
};

const APP: &str = "/k/v1/app.json?id=1";
const RECORDS: &str = "/k/v1/records.json?app=1";

#[tokio::test]
async fn tokens() {
    let service = service().await;
    let both = format!("{CUSTOMERS}, {ORDERS}");
    let same_app = format!("{CUSTOMERS},{CUSTOMERS_VIEW}");
    let poisoned = format!("{CUSTOMERS},{}", "x".repeat(40));
    let ten = [CUSTOMERS; 10].join(",");
    for (token, path, expected) in [
        (CUSTOMERS, APP, "200"),
        (CUSTOMERS_VIEW, RECORDS, "200"),
        (&both, "/k/v1/records.json?app=2", "200"),
        (CUSTOMERS, "/k/v1/records.json?app=2", "403 GAIA_NO01"),
        (CUSTOMERS_DRAFT, APP, "400 GAIA_IA02"),
        (&poisoned, APP, "400 GAIA_IA02"),
        (&same_app, APP, "400 GAIA_DA03"),
        (&ten, APP, "400 GAIA_IA02"),
        (" , ", APP, "401 CB_AU01"),
        (CUSTOMERS, "/k/v1/apps.json", "403 GAIA_NO01"),
        (CUSTOMERS, "/k/v1/records/acl/evaluate.json?app=1&ids[0]=1", "403 GAIA_NO01"),
        (CUSTOMERS, "/v1/users.json", "401 CB_AU01"),
        (CUSTOMERS, "/k/v1/app.json?id=999", "404 GAIA_AP01"),
    ] {
        let reply = get(path).token(token).to(&service).await;
        assert_eq!(reply.outcome(), expected, "{token} {path}");
    }
    let repeated = get("/k/v1/records.json?app=2").token(CUSTOMERS).token(ORDERS);
    assert_eq!(repeated.to(&service).await.outcome(), "200");
}

#[tokio::test]
async fn permissions_of_a_token() {
    let service = service().await;
    let add = |token: &str| {
        let record =
            json!({"app": 3, "record": {"product_code": {"value": "T1"}, "product_name": {"value": "T"}}});
        send(Method::POST, "/k/v1/record.json", &record).token(token)
    };
    assert_eq!(add(PRODUCTS_VIEW).to(&service).await.outcome(), "403 GAIA_NO01");
    let permissions = vec![Permission::Add];
    service.control.set_token_permissions("demo", PRODUCTS_VIEW, permissions).unwrap();
    assert_eq!(add(PRODUCTS_VIEW).to(&service).await.outcome(), "200");
    let read = get("/k/v1/records.json?app=3").token(PRODUCTS_VIEW);
    assert_eq!(read.to(&service).await.outcome(), "403 GAIA_NO01");
    service.control.set_token_deployed("demo", PRODUCTS_VIEW, false).unwrap();
    assert_eq!(add(PRODUCTS_VIEW).to(&service).await.outcome(), "400 GAIA_IA02");
}

#[tokio::test]
async fn passwords() {
    let service = service().await;
    for (code, password, expected) in [
        ("anna", "demo-password-anna", "200"),
        ("ANNA", "demo-password-anna", "200"),
        ("anna", "wrong", "401 CB_WA01"),
        ("nobody", "wrong", "401 CB_WA01"),
        ("dora", "demo-password-dora", "401 CB_US02"),
        ("emil", "demo-password-emil", "401 CB_TW02"),
        ("fay", "demo-password-fay", "401 CB_PE01"),
        ("gus", "demo-password-gus", "401 SLASH_PA02"),
        ("hana", "demo-password-hana", "403 CB_NO02"),
    ] {
        let reply = get(APP).user(code, password).to(&service).await;
        assert_eq!(reply.outcome(), expected, "{code}");
    }
    let garbled = get(APP).header("x-cybozu-authorization", "%%%").to(&service).await;
    assert_eq!(garbled.outcome(), "401 CB_WA01");
    // A password may hold colons: the login name ends at the first.
    let colons = get("/t/sample/k/v1/app.json?id=11").gate().user("suzuki", "sample:password:suzuki");
    assert_eq!(colons.to(&service).await.outcome(), "200");
}

#[tokio::test]
async fn wrong_passwords_lock_the_account() {
    let service = service().await;
    let right = get(APP).user("ben", "demo-password-ben");
    let wrong = get(APP).user("ben", "wrong");
    for _ in 0..9 {
        assert_eq!(wrong.to(&service).await.outcome(), "401 CB_WA01");
    }
    assert_eq!(right.to(&service).await.outcome(), "200", "a right password starts the count anew");
    for _ in 0..10 {
        assert_eq!(wrong.to(&service).await.outcome(), "401 CB_WA01");
    }
    assert_eq!(right.to(&service).await.outcome(), "401 CB_US02");
    service.control.set_user_condition("demo", "ben", UserCondition::Normal).unwrap();
    assert_eq!(right.to(&service).await.outcome(), "200");
}

#[tokio::test]
async fn precedence() {
    let service = service().await;
    // A wrong password is not made good by a right token, nor a wrong token by a right bearer token.
    let password_first = get(APP).user("anna", "wrong").token(CUSTOMERS);
    assert_eq!(password_first.to(&service).await.outcome(), "401 CB_WA01");
    let token_first = get(APP).token("wrong").bearer("any");
    assert_eq!(token_first.to(&service).await.outcome(), "400 GAIA_IA02");
    let bearer_first = get(APP).bearer("any").header("cookie", "JSESSIONID=any");
    assert_eq!(bearer_first.to(&service).await.outcome(), "401 CB_OA01");
    for other in [get(APP).header("cookie", "a=b").header("x-requested-with", "x"), get(APP)] {
        assert_eq!(other.to(&service).await.outcome(), "401 CB_AU01");
    }
}

#[tokio::test]
async fn messages_follow_the_language_of_the_user() {
    let service = service().await;
    let reply = get("/t/sample/k/v1/app.json?id=11").gate().user("sato", "wrong").to(&service).await;
    assert_eq!(reply.json()["message"], "ログイン名またはパスワードが正しくありません。");
    let reply = get("/t/sample/k/v1/app.json?id=999").gate().user("sato", "sample-password-sato");
    assert_eq!(
        reply.to(&service).await.json()["message"],
        "指定したアプリが見つかりません。削除されている可能性があります。"
    );
}

#[tokio::test]
async fn permissions_of_a_user() {
    let service = service().await;
    let sample =
        |path: &str, code: &str, password: &str| get(&format!("/t/sample{path}")).gate().user(code, password);
    let (sato, taka) = (("sato", "sample-password-sato"), ("takahashi", "sample-password-takahashi"));
    for (path, (code, password), expected) in [
        ("/k/v1/records.json?app=14", sato, "200"),
        ("/k/v1/records.json?app=14", taka, "403 CB_NO02"),
        ("/k/v1/records.json?app=13", taka, "200"),
        ("/k/v1/app/acl.json?app=13", taka, "403 CB_NO02"),
        ("/k/v1/app/acl.json?app=13", sato, "200"),
    ] {
        assert_eq!(sample(path, code, password).to(&service).await.outcome(), expected, "{path} {code}");
    }
    let delete = request(Method::DELETE, "/t/sample/k/v1/records.json?app=13&ids[0]=1");
    let delete = delete.gate().user("takahashi", "sample-password-takahashi");
    assert_eq!(delete.to(&service).await.outcome(), "403 CB_NO02");
    let seen = |reply: serde_json::Value| reply["apps"].as_array().unwrap().len();
    let all = sample("/k/v1/apps.json", "sato", "sample-password-sato").to(&service).await.json();
    let some = sample("/k/v1/apps.json", "takahashi", "sample-password-takahashi").to(&service).await.json();
    assert_eq!((seen(all), seen(some)), (4, 3));
}
