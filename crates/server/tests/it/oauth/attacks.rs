//! What attackers try, and what goes wrong by itself. Nothing is ever linked by it, and where the way ends before the
//! exchange the vendor is not even asked for a token.

use std::time::Duration;

use serde_json::json;

use super::{Browser, code, confirm, link, nothing_linked, registered, state, with_parameter};
use crate::app::App;

/// An installation with one OAuth client.
async fn with_client() -> App {
    let app = App::start().await;
    registered(&app, "Client").await;
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_the_vendor_is_taken_once() {
    let app = with_client().await;
    let link = link(&app, "Sales", "Client").await;
    let mut browser = Browser::of(&app);
    let back = browser.allow(&link).await;
    let cookies = browser.cookies.clone();
    assert_eq!(browser.open(&back).await.status, 200);
    browser.cookies = cookies;
    let again = browser.open(&back).await;
    assert_eq!(again.status, 403);
    assert!(again.text().contains("state_unknown"), "{}", again.text());
    assert_eq!(state(&app, &link).await["stage"], "unconfirmed", "the first one is not touched");
    nothing_linked(&app, 0).await;
    // The link itself is used up as well.
    assert_eq!(browser.open(link["url"].as_str().expect("a URL")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_or_missing_state_leads_nowhere() {
    let app = with_client().await;
    let link = link(&app, "Sales", "Client").await;
    let mut browser = Browser::of(&app);
    let back = browser.allow(&link).await;
    let twice = format!("{back}&state=x");
    for (url, status) in [
        (with_parameter(&back, "state", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), 403),
        (with_parameter(&back, "state", ""), 403),
        (back.split_once('?').expect("a query").0.to_owned(), 403),
        (twice, 400),
    ] {
        let refused = browser.open(&url).await;
        assert_eq!(refused.status, status, "{url}: {}", refused.text());
    }
    nothing_linked(&app, 0).await;
    // Whoever guesses does not end the way of the person who goes it.
    assert_eq!(browser.open(&back).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_browser_that_began_can_finish() {
    let app = with_client().await;
    for other_cookie in [false, true] {
        let link = link(&app, &format!("Sales {other_cookie}"), "Client").await;
        let mut browser = Browser::of(&app);
        let back = browser.allow(&link).await;
        let mut victim = Browser::of(&app);
        if other_cookie {
            let name = browser.cookies.keys().next().expect("a cookie").clone();
            victim.cookies.insert(name, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned());
        }
        let refused = victim.open(&back).await;
        assert_eq!(refused.status, 403);
        assert!(refused.text().contains("somebody tried to link your account"), "{}", refused.text());
        // Refused once is refused for good, also for the browser that began.
        assert_eq!(browser.open(&back).await.status, 403);
        let ended = state(&app, &link).await;
        assert_eq!((&ended["stage"], &ended["is_over"]), (&json!("failed"), &json!(true)));
        assert_eq!(ended["problem"]["code"], "authorization_refused", "{ended}");
        assert_eq!(confirm(&app.caller(), &link, "BCDF-GHJK").await.verdict(), "409 nothing_to_confirm");
    }
    nothing_linked(&app, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_for_one_client_is_not_taken_at_the_address_of_another() {
    let app = with_client().await;
    let other = registered(&app, "Other").await;
    let link = link(&app, "Sales", "Client").await;
    let mut browser = Browser::of(&app);
    let back = browser.allow(&link).await;
    let (_, query) = back.split_once('?').expect("a query");
    let elsewhere = format!("{}?{query}", other["redirect_uri"].as_str().expect("a redirect URI"));
    assert_eq!(browser.open(&elsewhere).await.status, 403);
    assert_eq!(state(&app, &link).await["problem"]["code"], "authorization_refused");
    let nobody = back.replace("/oauth/callback/", "/oauth/callback/x");
    assert_eq!(browser.open(&nobody).await.status, 404);
    nothing_linked(&app, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_too_late_begins_again() {
    let app = with_client().await;
    let link_too_old = link(&app, "Sales", "Client").await;
    app.clock.advance(Duration::from_mins(31));
    let mut browser = Browser::of(&app);
    let refused = browser.open(link_too_old["url"].as_str().expect("a URL")).await;
    assert_eq!((refused.status.as_u16(), refused.header("location")), (404, ""));
    assert_eq!(state(&app, &link_too_old).await["is_over"], true);

    let at_the_vendor_too_long = link(&app, "Sales", "Client").await;
    let back = browser.allow(&at_the_vendor_too_long).await;
    app.clock.advance(Duration::from_mins(11));
    assert_eq!(browser.open(&back).await.status, 403);
    nothing_linked(&app, 0).await;

    let confirmed_too_late = link(&app, "Sales", "Client").await;
    let back = browser.allow(&confirmed_too_late).await;
    let code = code(&browser.open(&back).await);
    app.clock.advance(Duration::from_mins(11));
    let late = confirm(&app.caller(), &confirmed_too_late, &code).await;
    assert_eq!(late.verdict(), "409 nothing_to_confirm");
    nothing_linked(&app, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_denies_and_a_vendor_that_fails_end_the_way() {
    let app = with_client().await;
    let denied = link(&app, "Denied", "Client").await;
    let mut browser = Browser::of(&app);
    let page = browser.begin(&denied).await;
    let back = browser.decide(&page, "deny").await;
    let told = browser.open(&back).await;
    assert_eq!(told.status, 403);
    assert!(told.text().contains("did not authorise the connection (access_denied)"), "{}", told.text());
    assert_eq!(state(&app, &denied).await["problem"]["code"], "authorization_denied");

    let failed = link(&app, "Failed", "Client").await;
    let back = browser.allow(&failed).await;
    let back = with_parameter(&back, "code", "&error=temporarily_unavailable");
    assert_eq!(browser.open(&back).await.status, 403);
    nothing_linked(&app, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_the_vendor_does_not_accept_is_told_to_whoever_sent_the_link() {
    let app = with_client().await;
    let wrong = json!({ "client_secret": "canaryClientSecretWrong00000000000000006" });
    assert_eq!(app.caller().patch("/oauth-clients/Client", &wrong).await.status, 200);
    let link = link(&app, "Sales", "Client").await;
    let mut browser = Browser::of(&app);
    let back = browser.allow(&link).await;
    let code = code(&browser.open(&back).await);
    assert_eq!(confirm(&app.caller(), &link, &code).await.verdict(), "502 token_refused");
    let ended = state(&app, &link).await;
    assert_eq!(ended["problem"]["code"], "token_refused", "{ended}");
    assert!(ended["problem"]["fix"].as_str().expect("a fix").contains("redirect URI"), "{ended}");
    nothing_linked(&app, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_counts_once_and_only_of_the_same_environment() {
    let app = with_client().await;
    let link = link(&app, "Sales", "Client").await;
    let caller = app.caller();
    let early = confirm(&caller, &link, "BCDF-GHJK").await;
    assert_eq!(early.verdict(), "409 nothing_to_confirm", "nobody has come back yet");
    let mut browser = Browser::of(&app);
    let back = browser.allow(&link).await;
    let code = code(&browser.open(&back).await);

    let stranger = app.other_environment().await;
    assert_eq!(confirm(&stranger, &link, &code).await.verdict(), "404 unknown_authorization");
    let reader = app.caller_with_scopes(&["environment:connections:read"]).await;
    assert_eq!(confirm(&reader, &link, &code).await.verdict(), "403 forbidden");
    nothing_linked(&app, 0).await;

    let again = || confirm(&caller, &link, &code);
    let answers = futures_util::future::join(again(), again()).await;
    let mut verdicts = [answers.0.verdict(), answers.1.verdict()];
    verdicts.sort();
    assert_eq!(verdicts, ["201", "409 nothing_to_confirm"]);
    assert_eq!(again().await.verdict(), "409 nothing_to_confirm");
    assert_eq!(app.vendor().count_token_requests("demo"), 1, "the code was exchanged once");
    let connections = caller.get("/connections").await.json();
    assert_eq!(connections["connections"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_browsers_with_the_same_link_only_the_last_one_finishes() {
    let app = with_client().await;
    let link = link(&app, "Sales", "Client").await;
    let (mut first, mut last) = (Browser::of(&app), Browser::of(&app));
    let back_of_first = first.allow(&link).await;
    let back_of_last = last.allow(&link).await;
    assert_eq!(first.open(&back_of_first).await.status, 403);
    nothing_linked(&app, 0).await;
    let code = code(&last.open(&back_of_last).await);
    assert_eq!(confirm(&app.caller(), &link, &code).await.status, 201);
}

/// Chats and mail programs open links to show what is behind them.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_looks_at_a_link_ends_nobodys_attempt() {
    let app = App::start().await;
    registered(&app, "Client").await;
    let link = link(&app, "Sales", "Client").await;
    let mut browser = Browser::of(&app);
    let back = browser.allow(&link).await;
    let mut preview = Browser::of(&app);
    let shown = preview.open(link["url"].as_str().expect("a URL")).await;
    assert_eq!((shown.status.as_u16(), preview.cookies.len()), (200, 0));
    assert!(shown.text().contains("“Sales”"), "{}", shown.text());
    assert_eq!(browser.open(&back).await.status, 200);
}
