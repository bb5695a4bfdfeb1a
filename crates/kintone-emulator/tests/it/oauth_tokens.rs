//! The token endpoint: what it gives, what it refuses, and how long tokens live.

use http::Method;
use jiff::SignedDuration;
use serde_json::json;
use tombolo_kintone_emulator::model::OAuthClient;

use crate::client::{Request, Service, get, post_form, request, service};
use crate::oauth::{CALLBACK, EVERYTHING, code, exchange, token_request, tokens};

const ANNA: (&str, &str) = ("anna", "demo-password-anna");

/// Status and error of a token request, such as `400 invalid_grant`.
async fn refusal(service: &Service, request: Request) -> String {
    let reply = request.to(service).await;
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let body = reply.json();
    assert!(body["error_description"].is_string(), "{body}");
    format!("{} {}", reply.status.as_u16(), body["error"].as_str().unwrap())
}

fn refresh(client: &OAuthClient, token: &str) -> Request {
    token_request(client, &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

async fn outcome_with(service: &Service, token: &str) -> String {
    get("/k/v1/records.json?app=1").bearer(token).to(service).await.outcome()
}

#[tokio::test]
async fn a_client_authenticates_in_header_or_body() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let first = code(&service, &client, &[]).await;
    let fields =
        |code| vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
    let id_and_secret = [("client_id", client.id.as_str()), ("client_secret", client.secret.as_str())];
    let in_body = [fields(&first), id_and_secret.to_vec()].concat();
    let twice = post_form("/oauth2/token", &in_body).basic(&client.id, &client.secret);
    assert_eq!(refusal(&service, twice).await, "400 invalid_request");
    assert_eq!(post_form("/oauth2/token", &in_body).to(&service).await.status, 200);

    let wrong_secret = post_form("/oauth2/token", &fields("x")).basic(&client.id, "wrong");
    let reply = wrong_secret.to(&service).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (401, &json!("invalid_client")));
    assert!(reply.header("www-authenticate").unwrap().starts_with("Basic"));
    for (request, expected) in [
        (post_form("/oauth2/token", &fields("x")), "401 invalid_client"),
        (post_form("/oauth2/token", &fields("x")).basic("unknown", &client.secret), "401 invalid_client"),
        (post_form("/oauth2/token", &fields("x")).bearer("x"), "401 invalid_client"),
        (token_request(&client, &[("client_id", "other"), ("code", "x")]), "400 invalid_request"),
        (token_request(&client, &[]), "400 invalid_request"),
        (token_request(&client, &[("grant_type", "password")]), "400 unsupported_grant_type"),
        (token_request(&client, &[("grant_type", "authorization_code")]), "400 invalid_request"),
        (token_request(&client, &[("grant_type", "refresh_token")]), "400 invalid_request"),
        (token_request(&client, &[("code", "a"), ("code", "b")]), "400 invalid_request"),
        (request(Method::GET, "/oauth2/token"), "405 invalid_request"),
    ] {
        let path = request.body.clone();
        assert_eq!(refusal(&service, request).await, expected, "{path:?}");
    }
}

#[tokio::test]
async fn a_secret_in_the_header_may_be_encoded_or_not() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let client = OAuthClient { secret: "a+b c%41:d".to_owned(), ..client };
    service.control.set_oauth_client("demo", client.clone()).unwrap();
    let encoded: String = url::form_urlencoded::byte_serialize(client.secret.as_bytes()).collect();
    for (secret, expected) in [(client.secret.as_str(), 200), (&encoded, 200), ("a b c%41:d", 401)] {
        let code = code(&service, &client, &[]).await;
        let sent = exchange(&OAuthClient { secret: secret.to_owned(), ..client.clone() }, &code);
        assert_eq!(sent.to(&service).await.status, expected, "{secret}");
    }
}

#[tokio::test]
async fn a_code_is_good_once_for_its_client_and_redirect_uri() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK, "https://other.example/"]).unwrap();
    let other = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let first = code(&service, &client, &[]).await;
    assert_eq!(refusal(&service, exchange(&other, &first)).await, "400 invalid_grant");
    assert_eq!(exchange(&client, &first).to(&service).await.status, 200);
    assert_eq!(refusal(&service, exchange(&client, &first)).await, "400 invalid_grant");

    let second = code(&service, &client, &[]).await;
    let elsewhere = [
        ("grant_type", "authorization_code"),
        ("code", second.as_str()),
        ("redirect_uri", "https://other.example/"),
    ];
    assert_eq!(refusal(&service, token_request(&client, &elsewhere)).await, "400 invalid_grant");

    let third = code(&service, &client, &[]).await;
    let fourth = code(&service, &client, &[]).await;
    service.clock.advance(SignedDuration::from_secs(599));
    assert_eq!(exchange(&client, &third).to(&service).await.status, 200);
    service.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(refusal(&service, exchange(&client, &fourth)).await, "400 invalid_grant");
}

#[tokio::test]
async fn a_challenge_asks_for_its_verifier() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    // RFC 7636, appendix B.
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let challenge = [
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    for (given, expected) in [(Some(verifier), 200), (Some("wrong"), 400), (None, 400)] {
        let code = code(&service, &client, &challenge).await;
        let mut fields =
            vec![("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
        fields.extend(given.map(|verifier| ("code_verifier", verifier)));
        let reply = token_request(&client, &fields).to(&service).await;
        assert_eq!(reply.status, expected, "{given:?}: {}", reply.json());
    }
}

#[tokio::test]
async fn an_access_token_lives_an_hour_and_is_renewed() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let (access, token) = tokens(&service, &client, EVERYTHING, ANNA).await;
    service.clock.advance(SignedDuration::from_secs(3599));
    assert_eq!(outcome_with(&service, &access).await, "200");
    service.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(outcome_with(&service, &access).await, "401 CB_OA01");
    // A refresh token has no end, is not replaced, and is not told again.
    service.clock.advance(SignedDuration::from_hours(24 * 365));
    for _ in 0..2 {
        let answer = refresh(&client, &token).to(&service).await.json();
        assert_eq!(answer.get("refresh_token"), None);
        assert_eq!(answer["scope"], EVERYTHING);
        assert_eq!(outcome_with(&service, answer["access_token"].as_str().unwrap()).await, "200");
    }
    let other = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    assert_eq!(refusal(&service, refresh(&other, &token)).await, "400 invalid_grant");
    assert_eq!(refusal(&service, refresh(&client, "unknown")).await, "400 invalid_grant");
}

#[tokio::test]
async fn the_eleventh_refresh_token_of_a_user_ends_the_first() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let (_, of_ben) = tokens(&service, &client, EVERYTHING, ("ben", "demo-password-ben")).await;
    let mut of_anna = Vec::new();
    for _ in 0..11 {
        of_anna.push(tokens(&service, &client, EVERYTHING, ANNA).await.1);
    }
    assert_eq!(refusal(&service, refresh(&client, &of_anna[0])).await, "400 invalid_grant");
    for token in [&of_ben, &of_anna[1], &of_anna[10]] {
        assert_eq!(refresh(&client, token).to(&service).await.status, 200);
    }
}

#[tokio::test]
async fn a_strict_client_gets_a_new_refresh_token_each_time() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let client = OAuthClient { rotates_refresh_tokens: true, ..client };
    service.control.set_oauth_client("demo", client.clone()).unwrap();
    let (_, first) = tokens(&service, &client, EVERYTHING, ANNA).await;
    let (untouched, other) = tokens(&service, &client, EVERYTHING, ANNA).await;
    let second = refresh(&client, &first).to(&service).await.json();
    let second_token = second["refresh_token"].as_str().unwrap().to_owned();
    let third = refresh(&client, &second_token).to(&service).await.json();
    assert_ne!(third["refresh_token"], second["refresh_token"]);
    // The first one again looks like a theft: everything that came of the same consent ends.
    assert_eq!(refusal(&service, refresh(&client, &first)).await, "400 invalid_grant");
    let third_token = third["refresh_token"].as_str().unwrap();
    assert_eq!(refusal(&service, refresh(&client, third_token)).await, "400 invalid_grant");
    assert_eq!(outcome_with(&service, third["access_token"].as_str().unwrap()).await, "401 CB_OA01");
    assert_eq!(outcome_with(&service, &untouched).await, "200");
    assert_eq!(refresh(&client, &other).to(&service).await.status, 200);
}

#[tokio::test]
async fn tokens_end_on_request() {
    let service = service().await;
    let client = service.control.add_oauth_client("demo", &[CALLBACK]).unwrap();
    let (anna, anna_refresh) = tokens(&service, &client, EVERYTHING, ANNA).await;
    let (ben, ben_refresh) = tokens(&service, &client, EVERYTHING, ("ben", "demo-password-ben")).await;
    assert_eq!(service.control.expire_access_tokens("demo", Some(&client.id), Some("anna")).unwrap(), 1);
    assert_eq!(outcome_with(&service, &anna).await, "401 CB_OA01");
    assert_eq!(outcome_with(&service, &ben).await, "200");
    assert_eq!(refresh(&client, &anna_refresh).to(&service).await.status, 200);
    assert_eq!(service.control.revoke_refresh_tokens("demo", None, Some("ben")).unwrap(), 1);
    assert_eq!(refusal(&service, refresh(&client, &ben_refresh)).await, "400 invalid_grant");
    assert_eq!(outcome_with(&service, &ben).await, "200");
    assert!(service.control.expire_access_tokens("demo", Some("unknown"), None).is_err());
    service.control.remove_oauth_client("demo", &client.id).unwrap();
    assert_eq!(outcome_with(&service, &ben).await, "401 CB_OA01");
    assert_eq!(refusal(&service, refresh(&client, &anna_refresh)).await, "401 invalid_client");
}
