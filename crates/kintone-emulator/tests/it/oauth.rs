//! OAuth clients: a user allows one what it asks for, and it calls the API for the user.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value as Json, json};
use tombolo_kintone_emulator::model::OAuthClient;
use tombolo_kintone_emulator::{Effect, Fault, Seed};
use url::Url;

use crate::client::{CUSTOMERS, Reply, Request, Service, get, post_form, request, send, service};

pub const CALLBACK: &str = "https://tombolo.example/oauth/callback";
pub const EVERYTHING: &str =
    "k:app_record:read k:app_record:write k:app_settings:read k:app_settings:write k:file:read k:file:write";

/// The address to which a client sends a user's browser.
pub fn authorization(client: &OAuthClient, scope: &str, more: &[(&str, &str)]) -> String {
    let parameters = [
        ("client_id", client.id.as_str()),
        ("redirect_uri", CALLBACK),
        ("state", "state & more"),
        ("response_type", "code"),
        ("scope", scope),
    ];
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(
        parameters.into_iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name)),
    );
    query.extend_pairs(more.iter().filter(|(_, value)| *value != "-"));
    format!("/oauth2/authorization?{}", query.finish())
}

/// The form of the consent, filled in.
pub fn decision(address: &str, user: &str, password: &str, decision: &str) -> Request {
    post_form(address, &[("login_name", user), ("password", password), ("decision", decision)])
}

/// A parameter of the address that an answer leads to.
pub fn parameter(reply: &Reply, name: &str) -> Option<String> {
    assert_eq!(reply.status, 302, "{}", String::from_utf8_lossy(&reply.body));
    let location = Url::parse(reply.header("location").unwrap()).unwrap();
    location.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// The code that a client is given when anna allows it everything.
pub async fn code(service: &Service, client: &OAuthClient, more: &[(&str, &str)]) -> String {
    code_of(service, client, EVERYTHING, ("anna", "demo-password-anna"), more).await
}

pub async fn code_of(
    service: &Service,
    client: &OAuthClient,
    scope: &str,
    (user, password): (&str, &str),
    more: &[(&str, &str)],
) -> String {
    let reply = decision(&authorization(client, scope, more), user, password, "allow").to(service).await;
    assert_eq!(parameter(&reply, "state").as_deref(), Some("state & more"));
    parameter(&reply, "code").unwrap()
}

/// A token request whose client authenticates with HTTP Basic.
pub fn token_request(client: &OAuthClient, fields: &[(&str, &str)]) -> Request {
    post_form("/oauth2/token", fields).basic(&client.id, &client.secret)
}

pub fn exchange(client: &OAuthClient, code: &str) -> Request {
    let fields = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
    token_request(client, &fields)
}

/// Access token and refresh token of a user who allowed these scopes.
pub async fn tokens(
    service: &Service,
    client: &OAuthClient,
    scope: &str,
    user: (&str, &str),
) -> (String, String) {
    let code = code_of(service, client, scope, user, &[]).await;
    let answer = exchange(client, &code).to(service).await.json();
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

#[tokio::test]
async fn a_user_allows_a_client_what_it_asks_for() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let address = authorization(&client, "k:app_record:read k:file:read", &[]);
    let page = get(&address).to(&service).await;
    assert_eq!(page.status, 200);
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    for part in
        ["Test client", "k:app_record:read", "name=\"login_name\"", "value=\"allow\"", "value=\"deny\""]
    {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
    let japanese = get(&address).header("accept-language", "ja,en;q=0.5").to(&service).await;
    assert!(String::from_utf8_lossy(&japanese.body).contains("アクセスを許可しますか"));

    let allowed = decision(&address, "ben", "demo-password-ben", "allow").to(&service).await;
    assert!(allowed.header("location").unwrap().starts_with(&format!("{CALLBACK}?code=")));
    let answer = exchange(&client, &parameter(&allowed, "code").unwrap()).to(&service).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let answer = answer.json();
    assert_eq!(
        (&answer["token_type"], &answer["expires_in"], &answer["scope"]),
        (&json!("bearer"), &json!(3600), &json!("k:app_record:read k:file:read"))
    );
    let read = get("/k/v1/records.json?app=1").bearer(answer["access_token"].as_str().unwrap());
    assert_eq!(read.to(&service).await.outcome(), "200");
}

#[tokio::test]
async fn a_user_refuses() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &["https://tombolo.example/back?x=1"]).unwrap();
    let address = authorization(&client, EVERYTHING, &[("redirect_uri", "https://tombolo.example/back?x=1")]);
    let denied = decision(&address, "", "", "deny").to(&service).await;
    assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&denied, "state").as_deref(), Some("state & more"));
    assert_eq!(parameter(&denied, "x").as_deref(), Some("1"), "the query of the redirect URI stays");
    assert_eq!(parameter(&denied, "code"), None);
}

#[tokio::test]
async fn what_cannot_be_trusted_never_leads_away() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    for wrong in [
        ("client_id", "l.1.unknown"),
        ("client_id", "-"),
        ("redirect_uri", "https://tombolo.example/oauth/callback/"),
        ("redirect_uri", "https://TOMBOLO.example/oauth/callback"),
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", "-"),
    ] {
        let address = authorization(&client, EVERYTHING, &[wrong]);
        for reply in [
            get(&address).to(&service).await,
            decision(&address, "anna", "demo-password-anna", "allow").to(&service).await,
            decision(&address, "", "", "deny").to(&service).await,
        ] {
            assert_eq!((reply.status.as_u16(), reply.header("location")), (400, None), "{wrong:?}");
            assert!(reply.header("content-type").unwrap().starts_with("text/html"));
        }
    }
}

#[tokio::test]
async fn a_client_is_told_what_is_wrong_with_its_request() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    for (wrong, expected) in [
        (("state", "-"), "invalid_request"),
        (("scope", "-"), "invalid_scope"),
        (("scope", "k:app_record:read k:user:read"), "invalid_scope"),
        (("scope", "k:app_record:read,k:file:read"), "invalid_scope"),
        (("response_type", "token"), "unsupported_response_type"),
        (("code_challenge", "plain-challenge"), "invalid_request"),
    ] {
        let reply = get(&authorization(&client, EVERYTHING, &[wrong])).to(&service).await;
        assert_eq!(parameter(&reply, "error").as_deref(), Some(expected), "{wrong:?}");
    }
}

#[tokio::test]
async fn logins_on_the_consent_page() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let address = authorization(&client, "k:app_settings:read", &[]);
    for (user, password, expected) in [
        ("anna", "wrong", 401),
        ("", "", 401),
        ("nobody", "x", 401),
        ("dora", "demo-password-dora", 401),
        ("fay", "demo-password-fay", 401),
        // Whoever has two factors can log in here, though not with a password at the API.
        ("emil", "demo-password-emil", 302),
        ("hana", "demo-password-hana", 302),
    ] {
        let reply = decision(&address, user, password, "allow").to(&service).await;
        assert_eq!(reply.status, expected, "{user}");
    }
    let (hana, _) = tokens(&service, &client, "k:app_settings:read", ("hana", "demo-password-hana")).await;
    assert_eq!(get("/k/v1/apps.json").bearer(&hana).to(&service).await.outcome(), "403 CB_NO02");
    // A client is off for everybody until an administrator chooses its users.
    let only_anna = OAuthClient { users: vec!["anna".to_owned()], ..client };
    service.control.set_oauth_client("demo", only_anna).unwrap();
    let reply = decision(&address, "ben", "demo-password-ben", "allow").to(&service).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (403, None));
    assert_eq!(get("/k/v1/apps.json").bearer(&hana).to(&service).await.outcome(), "401 CB_OA01");
}

#[tokio::test]
async fn wrong_passwords_of_the_page_lock_the_account_too() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let address = authorization(&client, EVERYTHING, &[]);
    for _ in 0..10 {
        assert_eq!(decision(&address, "ben", "wrong", "allow").to(&service).await.status, 401);
    }
    let reply = get("/k/v1/app.json?id=1").user("ben", "demo-password-ben").to(&service).await;
    assert_eq!(reply.outcome(), "401 CB_US02");
}

#[tokio::test]
async fn whoever_is_logged_in_only_allows() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let session = service.control.begin_session("demo", "carla").unwrap();
    let address = authorization(&client, EVERYTHING, &[]);
    let page = get(&address).header("cookie", &session.cookie).to(&service).await;
    let text = String::from_utf8_lossy(&page.body).into_owned();
    assert!(text.contains("Carla Stone") && !text.contains("name=\"password\""), "{text}");
    let allow = |token: &str| {
        post_form(&address, &[("decision", "allow"), ("__REQUEST_TOKEN__", token)])
            .header("cookie", &session.cookie)
    };
    assert_eq!(allow("stale").to(&service).await.status, 400);
    let allowed = allow(&session.request_token).to(&service).await;
    assert!(parameter(&allowed, "code").is_some());
}

#[tokio::test]
async fn scopes() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let anna = ("anna", "demo-password-anna");
    let customer = json!({"app": 1, "record": {"customer_code": {"value": "T1"}, "company": {"value": "x"}}});
    let calls = [
        (get("/k/v1/records.json?app=1"), "k:app_record:read"),
        (get("/k/v1/record/comments.json?app=2&record=1"), "k:app_record:read"),
        (send(Method::POST, "/k/v1/record.json", &customer), "k:app_record:write"),
        (
            send(
                Method::PUT,
                "/k/v1/record/assignees.json",
                &json!({"app": 2, "id": 1, "assignees": ["anna"]}),
            ),
            "k:app_record:write",
        ),
        (request(Method::DELETE, "/k/v1/records.json?app=1&ids[0]=3"), "k:app_record:write"),
        (get("/k/v1/apps.json"), "k:app_settings:read"),
        (get("/k/v1/record/acl.json?app=1"), "k:app_settings:read"),
        (get("/k/v1/preview/app/deploy.json?apps[0]=1"), "k:app_settings:read"),
        (send(Method::POST, "/k/v1/preview/app.json", &json!({"name": "New"})), "k:app_settings:write"),
        (get("/k/v1/file.json?fileKey=none"), "k:file:read"),
    ];
    for scope in EVERYTHING.split(' ') {
        let (token, _) = tokens(&service, &client, scope, anna).await;
        for (call, needed) in &calls {
            let outcome = call.clone().bearer(&token).to(&service).await.outcome();
            let expected = match (scope == *needed, scope) {
                (true, "k:file:read") => "404 GAIA_BL01",
                (true, _) => "200",
                (false, _) => "403 CB_OA01",
            };
            assert_eq!(outcome, expected, "{} {} with {scope}", call.method, call.path);
        }
    }
}

#[tokio::test]
async fn what_oauth_cannot_reach() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let (token, _) = tokens(&service, &client, EVERYTHING, ("anna", "demo-password-anna")).await;
    for (method, path) in [
        (Method::POST, "/k/v1/records/cursor.json"),
        (Method::GET, "/k/v1/records/cursor.json?id=x"),
        (Method::POST, "/k/v1/bulkRequest.json"),
        (Method::GET, "/k/v1/records/acl/evaluate.json?app=1&ids[0]=1"),
        (Method::GET, "/k/v1/app/plugins.json?app=1"),
        (Method::GET, "/k/v1/app/adminNotes.json?app=1"),
        (Method::GET, "/k/v1/space.json?id=2"),
        (Method::GET, "/k/v1/apps/statistics.json"),
        (Method::GET, "/v1/users.json"),
    ] {
        let reply = send(method, path, &json!({})).bearer(&token).to(&service).await;
        assert_eq!(reply.outcome(), "401 CB_AU01", "{path}");
    }
}

#[tokio::test]
async fn the_rights_are_those_of_the_user() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let (ben, _) = tokens(&service, &client, EVERYTHING, ("ben", "demo-password-ben")).await;
    let (carla, _) = tokens(&service, &client, EVERYTHING, ("carla", "demo-password-carla")).await;
    let notes = get("/k/v1/records.json?app=5");
    assert_eq!(notes.clone().bearer(&ben).to(&service).await.outcome(), "403 CB_NO02");
    assert_eq!(notes.bearer(&carla).to(&service).await.outcome(), "200");
    let customer = json!({"app": 1, "record": {"customer_code": {"value": "T1"}, "company": {"value": "x"}}});
    let added = send(Method::POST, "/k/v1/record.json", &customer).bearer(&ben).to(&service).await.json();
    let id = added["id"].as_str().unwrap().to_owned();
    let record = get(&format!("/k/v1/record.json?app=1&id={id}")).bearer(&ben).to(&service).await.json();
    let creator = record["record"].as_object().unwrap().values().find(|cell| cell["type"] == "CREATOR");
    assert_eq!(creator.unwrap()["value"]["code"], "ben");
}

#[tokio::test]
async fn guest_spaces_have_the_same_scopes() {
    let service = service().await;
    service.control.set_basic_gate("sample", None).unwrap();
    let client = service.control.add_oauth_client("sample", &[CALLBACK]).unwrap();
    let address = format!("/t/sample{}", authorization(&client, "k:app_record:read", &[]));
    let allowed = decision(&address, "sato", "sample-password-sato", "allow").to(&service).await;
    let mut request = exchange(&client, &parameter(&allowed, "code").unwrap());
    request.path = "/t/sample/oauth2/token".to_owned();
    let answer = request.to(&service).await.json();
    let token = answer["access_token"].as_str().unwrap();
    let read = |path: &str| get(&format!("/t/sample{path}")).bearer(token);
    let guest = read("/k/guest/5/v1/records.json?app=21").to(&service).await;
    assert_eq!(guest.outcome(), "200");
    let settings = read("/k/guest/5/v1/app.json?id=21").to(&service).await;
    assert_eq!(settings.outcome(), "403 CB_OA01");
    // A token is good for the tenant alone in which it was given.
    let elsewhere = get("/k/v1/records.json?app=1").bearer(token).to(&service).await;
    assert_eq!(elsewhere.outcome(), "401 CB_OA01");
}

#[tokio::test]
async fn the_password_and_the_api_token_come_first() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let (token, _) = tokens(&service, &client, EVERYTHING, ("anna", "demo-password-anna")).await;
    let cursor = || send(Method::POST, "/k/v1/records/cursor.json", &json!({"app": 1})).bearer(&token);
    assert_eq!(cursor().to(&service).await.outcome(), "401 CB_AU01");
    assert_eq!(cursor().token(CUSTOMERS).to(&service).await.outcome(), "200");
    assert_eq!(cursor().anna().to(&service).await.outcome(), "200");
    let wrong = get("/k/v1/records.json?app=1").bearer(&token).token("wrong").to(&service).await;
    assert_eq!(wrong.outcome(), "400 GAIA_IA02");
}

#[tokio::test]
async fn the_built_in_client_and_where_it_may_answer() {
    let seed = Seed::demo().with_redirect_uri(CALLBACK);
    let client = seed.tenants[0].oauth_clients[0].clone();
    let service = crate::client::service_with(seed).await;
    let code = code(&service, &client, &[]).await;
    assert_eq!(exchange(&client, &code).to(&service).await.status, 200);
    // A domain has at most twenty clients.
    for _ in 1..20 {
        service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    }
    let error = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap_err();
    assert!(error.to_string().contains("more than 20 OAuth clients"), "{error}");
}

#[tokio::test]
async fn faults_of_the_token_endpoint() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let refresh =
        |token: &str| token_request(&client, &[("grant_type", "refresh_token"), ("refresh_token", token)]);
    let (_, token) = tokens(&service, &client, EVERYTHING, ("anna", "demo-password-anna")).await;
    let busy = Effect::Status {
        status: 503,
        code: None,
        html: None,
        json: None,
        retry_after: Some(7),
        headers: BTreeMap::new(),
    };
    for effect in
        [Effect::json(200, json!({"error": "invalid_grant"})), Effect::page(200, "<p>Hello</p>"), busy]
    {
        service.control.inject(Fault::new(effect).on("POST", "/oauth2/token").times(1));
    }
    let lying = refresh(&token).to(&service).await;
    assert_eq!((lying.status.as_u16(), lying.json()), (200, json!({"error": "invalid_grant"})));
    assert_eq!(&refresh(&token).to(&service).await.body[..], b"<p>Hello</p>");
    let busy = refresh(&token).to(&service).await;
    assert_eq!((busy.status.as_u16(), busy.header("retry-after")), (503, Some("7")));
    assert_eq!(refresh(&token).to(&service).await.status, 200);
    assert_eq!(service.control.count_token_requests("demo"), 5);
    // An answer that is lost leaves the code used.
    let code = code(&service, &client, &[]).await;
    service.control.inject(Fault::new(Effect::DropAnswer).on("POST", "/oauth2/token").times(1));
    assert!(exchange(&client, &code).try_to(&service).await.is_err());
    let again: Json = exchange(&client, &code).to(&service).await.json();
    assert_eq!(again["error"], "invalid_grant");
}
