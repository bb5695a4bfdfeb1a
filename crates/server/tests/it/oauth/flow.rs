use http::Method;
use regex::Regex;
use serde_json::json;

use super::{Browser, code, confirm, link, nothing_linked, registered, state};
use crate::app::{App, settled};

#[tokio::test(flavor = "multi_thread")]
async fn a_person_agrees_at_the_vendor_and_whoever_sent_the_link_confirms() {
    let app = App::start().await;
    let caller = app.caller();
    registered(&app, "Client").await;
    let link = link(&app, "Sales", "Client").await;
    assert_eq!((&link["stage"], link["expires_at"].is_string()), (&json!("waiting"), true));

    let mut browser = Browser::of(&app);
    let page = browser.begin(&link).await;
    assert!(page.starts_with("https://demo.kintone.com/oauth2/authorization?"), "{page}");
    assert_eq!(state(&app, &link).await["stage"], "started");
    let back = browser.decide(&page, "allow").await;
    let done = browser.open(&back).await;
    assert_eq!(done.status, 200, "{}", done.text());
    insta::assert_snapshot!("agreed", without_chance(&done.text()));
    assert!(browser.cookies.is_empty(), "its cookie has done its work: {:?}", browser.cookies);

    // The code waits, and nobody has asked for a token yet.
    let waiting = state(&app, &link).await;
    assert_eq!((&waiting["stage"], &waiting["is_over"]), (&json!("unconfirmed"), &json!(false)));
    assert_eq!((&waiting["name"], &waiting["config"]["app"]), (&json!("Sales"), &json!("1")));
    nothing_linked(&app, 0).await;

    let confirmed = confirm(&caller, &link, &code(&done)).await;
    assert_eq!(confirmed.status, 201, "{}", confirmed.text());
    let connection = confirmed.json();
    assert_eq!(
        (&connection["name"], &connection["auth_scheme"], &connection["health"]["status"]),
        (&json!("Sales"), &json!("oauth2"), &json!("active"))
    );
    let linked = state(&app, &link).await;
    assert_eq!(
        (&linked["stage"], &linked["is_over"], &linked["connection"]),
        (&json!("linked"), &json!(true), &connection["id"])
    );

    app.vendor().clear_requests();
    let call = [("connection-id", "Sales")];
    let called = caller.send(Method::GET, "/proxy/k/v1/app.json?id=1", &call, "".into()).await;
    assert_eq!(called.status, 200, "{}", called.text());
    let seen = app.vendor().requests();
    let credential = seen.last().and_then(|request| request.header("authorization")).expect("a token");
    assert!(credential.starts_with("Bearer "), "{credential}");
    assert_eq!(caller.delete("/oauth-clients/Client").await.verdict(), "409 oauth_client_in_use");
}

/// Without ports, ids and codes.
fn without_chance(page: &str) -> String {
    let chance = [
        ("localhost:[0-9]+", "localhost"),
        ("/assets/[0-9a-f]+/", "/assets/…/"),
        ("aut_[0-9a-z]+", "aut_…"),
        ("[B-Z]{4}-[B-Z]{4}", "BCDF-GHJK"),
    ];
    chance.into_iter().fold(page.to_owned(), |page, (pattern, word)| {
        Regex::new(pattern).expect("a pattern").replace_all(&page, word).into_owned()
    })
}

/// Where an environment does without the confirmation, the account is linked as the person comes back.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_confirmation_the_account_is_linked_at_once() {
    let app = App::start().await;
    registered(&app, "Client").await;
    let change = json!({ "confirm_authorizations": false, "return_urls": ["https://app.example.com/done"] });
    assert_eq!(app.caller().patch("/environment", &change).await.status, 200);
    for (name, return_url, status) in
        [("Stays", None, 200), ("Returns", Some("https://app.example.com/done"), 303)]
    {
        let wanted = json!({
            "integration": "kintone", "name": name, "fields": { "app": "1" }, "return_url": return_url,
        });
        let link = app.caller().post("/authorizations", &wanted).await.json();
        let mut browser = Browser::of(&app);
        let back = browser.allow(&link).await;
        let done = browser.open(&back).await;
        assert_eq!(done.status, status, "{}", done.text());
        let id = link["id"].as_str().expect("an id");
        if return_url.is_some() {
            let onward = format!("https://app.example.com/done?authorization={id}&linked=true");
            assert_eq!(done.header("location"), onward);
        } else {
            assert!(done.text().contains("You are now connected to Kintone"), "{}", done.text());
        }
        assert_eq!(state(&app, &link).await["stage"], "linked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_cookie_is_of_this_host_alone() {
    let app = App::start_reached_as(Some("https://tombolo.example/")).await;
    let client = registered(&app, "Client").await;
    let redirect_uri = client["redirect_uri"].as_str().expect("a redirect URI");
    assert!(redirect_uri.starts_with("https://tombolo.example/oauth/callback/"), "{redirect_uri}");
    let link = link(&app, "Sales", "Client").await;
    let url = link["url"].as_str().expect("a URL");
    assert!(url.starts_with("https://tombolo.example/oauth/start/"), "{url}");

    let mut browser = Browser::of(&app).in_japanese();
    let begun = browser.press(url).await;
    let cookie = begun.header("set-cookie");
    assert!(cookie.starts_with("__Host-tombolo-aut"), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure"), "{cookie}");
    assert_eq!(
        (begun.status.as_u16(), begun.header("referrer-policy"), begun.header("cache-control")),
        (303, "no-referrer", "no-store")
    );
    let back = browser.decide(begun.header("location"), "allow").await;
    let done = browser.open(&back).await;
    assert_eq!(done.status, 200, "{}", done.text());
    insta::assert_snapshot!("agreed_ja", without_chance(&done.text()));
    assert!(browser.cookies.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_a_cookie_that_another_host_can_set_does_not_count() {
    let app = App::start_reached_as(Some("https://tombolo.example")).await;
    registered(&app, "Client").await;
    let link = link(&app, "Sales", "Client").await;
    let mut browser = Browser::of(&app);
    let back = browser.allow(&link).await;
    let plain = std::mem::take(&mut browser.cookies).into_iter();
    browser.cookies = plain.map(|(name, value)| (name.replacen("__Host-", "", 1), value)).collect();
    assert_eq!(browser.open(&back).await.status, 403);
    nothing_linked(&app, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_nobody_can_be_sent_anywhere() {
    use tombolo_api::client::{ApiClient, Transport};
    use tombolo_api::{CreateAuthorization, CreateOAuthClient};

    let app = App::start().await;
    let in_process = |url| {
        let server = tombolo_server::InProcess::new(&app.platform, 9, url).expect("it starts");
        ApiClient::new(Transport::in_process(move || server.connect()))
    };
    let draft = CreateOAuthClient {
        name: "Client".to_owned(),
        provider: "kintone".to_owned(),
        client_id: Some("l.1.abc".to_owned()),
        ..CreateOAuthClient::default()
    };
    let made = in_process(None).create_oauth_client(&draft).await.expect("made");
    assert_eq!(made.redirect_uri, None);
    let known = in_process(Some("https://tombolo.example"));
    let read = known.read_oauth_client("Client").await.expect("it is there");
    assert!(read.redirect_uri.expect("known").starts_with("https://tombolo.example/oauth/callback/"));
    let link = CreateAuthorization {
        integration: "kintone".to_owned(),
        name: "Sales".to_owned(),
        fields: [("subdomain".to_owned(), "demo".to_owned())].into(),
        ..CreateAuthorization::default()
    };
    let error = known.create_authorization(&link).await.expect_err("no server");
    let problem = error.api().expect("a problem");
    assert_eq!((problem.status, problem.code.as_str()), (503, "no_public_url"));
    assert!(problem.fix.contains("tombolo serve"), "{}", settled(&problem.fix));
}
