//! Browser sessions: a cookie, `X-Requested-With`, and a request token for changes.

use http::Method;
use jiff::SignedDuration;
use serde_json::json;

use crate::client::{Request, get, post_form, request, send, service};

fn with(cookie: &str, request: Request) -> Request {
    request.header("cookie", &format!("theme=dark; {cookie}")).header("x-requested-with", "XMLHttpRequest")
}

#[tokio::test]
async fn a_login_with_the_browser() {
    let service = service().await;
    let form = get("/login").to(&service).await;
    assert_eq!(form.status, 200);
    assert!(String::from_utf8_lossy(&form.body).contains("name=\"login_name\""));
    let log_in = |password| post_form("/login", &[("login_name", "anna"), ("password", password)]);
    let wrong = log_in("wrong").to(&service).await;
    assert_eq!((wrong.status.as_u16(), wrong.header("set-cookie")), (401, None));
    let right = log_in("demo-password-anna").to(&service).await;
    assert_eq!((right.status.as_u16(), right.header("location")), (302, Some("k/")));
    let cookie = right.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("JSESSIONID="));

    // The start page tells scripts the token that changes have to repeat.
    let page = get("/k/").header("cookie", &cookie).to(&service).await;
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    let token = page.split("\"REQUEST_TOKEN\":\"").nth(1).unwrap().split('"').next().unwrap();
    let customer = json!({"app": 1, "record": {"customer_code": {"value": "T1"}, "company": {"value": "x"}}, "__REQUEST_TOKEN__": token});
    let added = with(&cookie, send(Method::POST, "/k/v1/record.json", &customer)).to(&service).await;
    assert_eq!(added.outcome(), "200", "{}", added.json());
    let without = get("/k/").to(&service).await;
    assert_eq!((without.status.as_u16(), without.header("location")), (302, Some("../login")));
}

#[tokio::test]
async fn what_has_to_come_with_the_cookie() {
    let service = service().await;
    let session = service.control.begin_session("demo", "anna").unwrap();
    let read = get("/k/v1/apps.json").header("cookie", &session.cookie);
    assert_eq!(read.to(&service).await.outcome(), "400 CB_JH01");
    assert_eq!(with(&session.cookie, get("/k/v1/apps.json")).to(&service).await.outcome(), "200");
    assert_eq!(with(&session.cookie, get("/k/v1/space.json?id=2")).to(&service).await.outcome(), "200");
    let hana = service.control.begin_session("demo", "hana").unwrap();
    let refused = with(&hana.cookie, get("/k/v1/apps.json"));
    assert_eq!(refused.to(&service).await.outcome(), "403 CB_NO02", "she may not use the service");
    let unknown = with("JSESSIONID=unknown", get("/k/v1/apps.json"));
    assert_eq!(unknown.to(&service).await.outcome(), "401 CB_AU01");

    let token = &session.request_token;
    let delete = |query: &str| {
        with(&session.cookie, request(Method::DELETE, &format!("/k/v1/records.json?app=1&ids[0]=1{query}")))
    };
    assert_eq!(delete("").to(&service).await.outcome(), "400 CB_CS01");
    assert_eq!(delete("&__REQUEST_TOKEN__=stale").to(&service).await.outcome(), "400 CB_CS01");
    assert_eq!(delete(&format!("&__REQUEST_TOKEN__={token}")).to(&service).await.outcome(), "200");
    let upload = |token: &str| {
        let mut upload = with(&session.cookie, request(Method::POST, "/k/v1/file.json"));
        upload = upload.header("content-type", "multipart/form-data; boundary=x");
        let token =
            format!("--x\r\nContent-Disposition: form-data; name=\"__REQUEST_TOKEN__\"\r\n\r\n{token}\r\n");
        let file =
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nb\r\n--x--\r\n";
        upload.body = format!("{token}{file}").into();
        upload
    };
    assert_eq!(upload("stale").to(&service).await.outcome(), "400 CB_CS01");
    assert_eq!(upload(token).to(&service).await.outcome(), "200");
    // A long query travels as POST and stays a read.
    let overridden = send(Method::POST, "/k/v1/records.json", &json!({"app": 1}));
    let overridden = with(&session.cookie, overridden.header("x-http-method-override", "GET"));
    assert_eq!(overridden.to(&service).await.outcome(), "200");
}

#[tokio::test]
async fn sessions_end() {
    let service = service().await;
    let session = service.control.begin_session("demo", "ben").unwrap();
    let read = with(&session.cookie, get("/k/v1/app.json?id=1"));
    service.clock.advance(SignedDuration::from_secs(24 * 3600 - 1));
    assert_eq!(read.to(&service).await.outcome(), "200");
    service.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(read.to(&service).await.outcome(), "401 CB_AU01");

    let session = service.control.begin_session("demo", "ben").unwrap();
    let add = json!({"app": 1, "record": {"customer_code": {"value": "T1"}, "company": {"value": "x"}}, "__REQUEST_TOKEN__": session.request_token});
    let add = with(&session.cookie, send(Method::POST, "/k/v1/record.json", &add));
    service.control.renew_request_tokens("demo", Some("ben")).unwrap();
    assert_eq!(add.to(&service).await.outcome(), "400 CB_CS01");
    assert_eq!(service.control.end_sessions("demo", None).unwrap(), 1);
    assert_eq!(add.to(&service).await.outcome(), "401 CB_AU01");
    assert!(service.control.begin_session("demo", "nobody").is_err());
}
