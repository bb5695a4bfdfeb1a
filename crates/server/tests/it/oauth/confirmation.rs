//! A link can be forwarded, and then a victim goes the whole way with cookies of their own (COSF with a hosted link). What
//! stands against it: the browser that finished is given a proof, which comes back only through the embedder's own page in
//! that browser.

use serde_json::{Value, json};

use super::{
    Browser, attribute, code, confirm, confirm_for, link, nothing_linked, parameters_of, registered, state,
};
use crate::app::{Answer, App};

const PAGE: &str = "https://app.example.com";
const RETURN_URL: &str = "https://app.example.com/linked?tab=1";

/// An installation with an OAuth client, whose environment knows the embedder's pages.
async fn with_embedder() -> App {
    let app = App::start().await;
    registered(&app, "Client").await;
    let pages = json!({ "allowed_origins": [PAGE], "return_urls": [RETURN_URL] });
    assert_eq!(app.caller().patch("/environment", &pages).await.status, 200);
    app
}

/// A session for a user of the embedder; answers its token.
async fn session(app: &App, user: &str, more: Value) -> String {
    let mut wanted = json!({ "end_user": { "id": user }, "allowed_integrations": ["kintone"] });
    wanted.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    let made = app.caller().post("/connect/sessions", &wanted).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["data"]["token"].as_str().expect("a token").to_owned()
}

/// The link behind the window of a session.
async fn window(app: &App, token: &str) -> Value {
    let path = format!("/oauth/connect/kintone?connect_session_token={token}&params[app]=1");
    let begun = app.caller_with_key(None).get(&path).await;
    assert_eq!(begun.status, 303, "{}", begun.text());
    json!({ "url": begun.header("location") })
}

/// Somebody goes the whole way in a browser of their own; what they end with.
async fn finished(app: &App, link: &Value) -> Answer {
    let mut browser = Browser::of(app);
    let back = browser.allow(link).await;
    browser.open(&back).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proof_goes_to_the_embedders_page_and_makes_the_connection() {
    let app = with_embedder().await;
    let link = window(&app, &session(&app, "anna", json!({})).await).await;
    let page = finished(&app, &link).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(attribute(&page, "data-origins"), PAGE);
    assert_eq!(code(&page), "", "nobody can be talked into telling a code");
    let waiting = app.caller().get("/authorizations").await.json();
    assert_eq!(waiting, json!({ "accounts": [] }), "nor anybody into typing one");
    let (id, proof) = (attribute(&page, "data-authorization"), attribute(&page, "data-proof"));
    assert_eq!(proof.len(), 43);
    nothing_linked(&app, 0).await;
    let confirmed = confirm_for(&app.caller(), &id, &json!({ "proof": proof, "end_user_id": "anna" })).await;
    assert_eq!(confirmed.status, 201, "{}", confirmed.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_url_gets_the_proof_or_the_reason() {
    let app = with_embedder().await;
    let token = session(&app, "anna", json!({ "return_url": RETURN_URL })).await;
    let denied = window(&app, &token).await;
    let mut browser = Browser::of(&app);
    let page = browser.begin(&denied).await;
    let back = browser.decide(&page, "deny").await;
    let sent = browser.open(&back).await;
    assert_eq!((sent.status.as_u16(), sent.header("referrer-policy")), (303, "no-referrer"));
    assert!(sent.header("location").starts_with("https://app.example.com/linked?tab=1&authorization=aut_"));
    assert!(sent.header("location").ends_with("&error=authorization_denied"), "{}", sent.header("location"));

    // The session is still good: nothing was linked in it.
    let sent = finished(&app, &window(&app, &token).await).await;
    assert_eq!(sent.status, 303);
    let parameters = parameters_of(sent.header("location"));
    let body = json!({ "proof": parameters["proof"], "end_user_id": "anna" });
    let confirmed = confirm_for(&app.caller(), &parameters["authorization"], &body).await;
    assert_eq!(confirmed.status, 201, "{}", confirmed.text());
    let path = format!("/oauth/connect/kintone?connect_session_token={token}");
    assert_eq!(app.caller_with_key(None).get(&path).await.status, 401, "the session was for one account");
}

/// COSF: the attacker begins, and the victim is made to finish in another browser.
#[tokio::test(flavor = "multi_thread")]
async fn cosf_a_victim_does_not_finish_what_an_attacker_began() {
    let app = with_embedder().await;
    let link = window(&app, &session(&app, "attacker", json!({})).await).await;
    let (mut attacker, mut victim) = (Browser::of(&app), Browser::of(&app));
    let page = attacker.begin(&link).await;
    let back = victim.decide(&page, "allow").await;
    let refused = victim.open(&back).await;
    assert_eq!(refused.status, 403);
    assert_eq!((attribute(&refused, "data-proof"), code(&refused)), (String::new(), String::new()));
    assert_eq!(attacker.open(&back).await.status, 403);
    nothing_linked(&app, 0).await;
}

/// The victim follows the attacker's link from its beginning to its end, and the attacker asks their embedder to confirm.
#[tokio::test(flavor = "multi_thread")]
async fn a_forwarded_link_that_a_victim_follows_to_the_end_links_nothing() {
    let app = with_embedder().await;
    let caller = app.caller();
    let link = window(&app, &session(&app, "attacker", json!({})).await).await;
    let page = finished(&app, &link).await;
    let (id, proof) = (attribute(&page, "data-authorization"), attribute(&page, "data-proof"));

    // A flow that the attacker finished themselves gives them a proof, of that flow.
    let own = finished(&app, &window(&app, &session(&app, "attacker", json!({})).await).await).await;
    let proof_of_own = attribute(&own, "data-proof");
    for (body, verdict) in [
        (json!({}), "400 end_user_needed"),
        (json!({ "end_user_id": "attacker" }), "400 proof_needed"),
        (json!({ "end_user_id": "attacker", "proof": "" }), "403 proof_refused"),
        (json!({ "end_user_id": "attacker", "proof": proof_of_own }), "403 proof_refused"),
        (json!({ "end_user_id": "attacker", "proof": "BCDF-GHJK" }), "403 proof_refused"),
    ] {
        assert_eq!(confirm_for(&caller, &id, &body).await.verdict(), verdict, "{body}");
    }
    let stranger = app.other_environment().await;
    let body = json!({ "end_user_id": "attacker", "proof": proof });
    assert_eq!(confirm_for(&stranger, &id, &body).await.verdict(), "404 unknown_authorization");

    // The victim's browser shows the proof to the embedder, which knows who is signed in there.
    let body = json!({ "end_user_id": "victim", "proof": proof });
    assert_eq!(confirm_for(&caller, &id, &body).await.verdict(), "403 other_end_user");
    let body = json!({ "end_user_id": "attacker", "proof": proof });
    assert_eq!(confirm_for(&caller, &id, &body).await.verdict(), "409 nothing_to_confirm", "it has ended");
    nothing_linked(&app, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_counts_once_and_not_after_a_refusal() {
    let app = with_embedder().await;
    let caller = app.caller();
    for refused in [false, true] {
        let page = finished(&app, &window(&app, &session(&app, "anna", json!({})).await).await).await;
        let (id, proof) = (attribute(&page, "data-authorization"), attribute(&page, "data-proof"));
        let body = json!({ "end_user_id": "anna", "proof": proof });
        let first = if refused { "reject" } else { "confirm" };
        let sent = if refused { json!({}) } else { body.clone() };
        let first = caller.post(&format!("/authorizations/{id}/{first}"), &sent).await;
        assert!(first.status.is_success(), "{}", first.text());
        assert_eq!(confirm_for(&caller, &id, &body).await.verdict(), "409 nothing_to_confirm");
    }
    assert_eq!(app.vendor().count_token_requests("demo"), 1, "what was refused was never exchanged");
}

/// Two windows of one session, both finished: the session is for one account.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_accounts_in_one_session_the_first_is_linked() {
    let app = with_embedder().await;
    let token = session(&app, "anna", json!({})).await;
    let (one, other) = (window(&app, &token).await, window(&app, &token).await);
    let mut verdicts = Vec::new();
    for link in [one, other] {
        let page = finished(&app, &link).await;
        let body = json!({ "end_user_id": "anna", "proof": attribute(&page, "data-proof") });
        verdicts
            .push(confirm_for(&app.caller(), &attribute(&page, "data-authorization"), &body).await.verdict());
    }
    assert_eq!(verdicts, ["201", "409 session_over"]);
    assert_eq!(
        app.caller().get("/connections").await.json()["connections"].as_array().map(Vec::len),
        Some(1)
    );
}

/// An account that fails its test is told to whoever confirms, with the report, and the session can be used again.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_test_is_told_to_whoever_confirms() {
    let app = with_embedder().await;
    let token = session(&app, "anna", json!({ "return_url": RETURN_URL })).await;
    let path = format!("/oauth/connect/kintone?connect_session_token={token}&params[app]=99");
    let begun = app.caller_with_key(None).get(&path).await;
    let sent = finished(&app, &json!({ "url": begun.header("location") })).await;
    let parameters = parameters_of(sent.header("location"));
    let body = json!({ "end_user_id": "anna", "proof": parameters["proof"] });
    let refused = confirm_for(&app.caller(), &parameters["authorization"], &body).await;
    assert_eq!(refused.verdict(), "422 connection_test_failed", "{}", refused.text());
    assert!(refused.json()["report"]["stages"].as_array().is_some_and(|stages| !stages.is_empty()));
    nothing_linked(&app, 1).await;
    window(&app, &token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_can_be_mistyped_a_few_times_and_then_no_more() {
    let app = with_embedder().await;
    for (mistyped, verdict) in [(4, "201"), (5, "403 too_many_codes")] {
        let link = link(&app, &format!("Mistyped {mistyped} times"), "Client").await;
        let page = finished(&app, &link).await;
        let code = code(&page);
        let waiting = app.caller().get("/authorizations").await.json();
        assert_eq!(waiting["accounts"][0]["authorization"], link["id"], "{waiting}");
        for _ in 0..mistyped {
            let wrong = if code == "BCDF-GHJK" { "CCCC-CCCC" } else { "BCDF-GHJK" };
            assert_eq!(confirm(&app.caller(), &link, wrong).await.verdict(), "403 proof_refused");
        }
        let typed = code.replace('-', "").to_lowercase();
        assert_eq!(confirm(&app.caller(), &link, &typed).await.verdict(), verdict, "{mistyped}");
    }
    let shown = state(&app, &link(&app, "Other", "Client").await).await;
    assert!(shown.get("proof").is_none() && shown.get("code").is_none(), "{shown}");
}

/// What nobody could confirm does not even begin.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_without_a_way_back_or_without_a_person_opens_no_window() {
    let app = App::start().await;
    registered(&app, "Client").await;
    let token = session(&app, "anna", json!({})).await;
    let path = format!("/oauth/connect/kintone?connect_session_token={token}&params[app]=1");
    let refused = app.caller_with_key(None).get(&path).await;
    assert_eq!(refused.status, 409);
    assert!(
        refused.text().contains("no_way_back") && refused.text().contains("allowed_origins"),
        "{}",
        refused.text()
    );

    let app = with_embedder().await;
    let wanted = json!({ "tags": { "plan": "pro" }, "allowed_integrations": ["kintone"] });
    let made = app.caller().post("/connect/sessions", &wanted).await.json();
    let token = made["data"]["token"].as_str().expect("a token").to_owned();
    let path = format!("/oauth/connect/kintone?connect_session_token={token}&params[app]=1");
    let refused = app.caller_with_key(None).get(&path).await;
    assert!(refused.text().contains("end_user_needed"), "{}", refused.text());
}

/// A program on the person's machine is reached from the page, which also has the code for when it waits elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_never_gone_to_unasked() {
    let app = with_embedder().await;
    let wanted = json!({
        "integration": "kintone", "name": "By program", "fields": { "app": "1" }, "return_url": "http://127.0.0.1:49152/",
    });
    let link = app.caller().post("/authorizations", &wanted).await.json();
    let page = finished(&app, &link).await;
    assert_eq!(page.status, 200);
    let text = page.text();
    let (_, address) = text.split_once("<a href=\"").expect("a link");
    let onward = address.split_once('"').expect("its end").0.replace("&amp;", "&");
    assert!(onward.starts_with("http://127.0.0.1:49152/?authorization=aut_"), "{onward}");
    let (_, proof) = onward.split_once("proof=").expect("a proof");
    assert_eq!(code(&page).len(), 9);
    assert_eq!(confirm(&app.caller(), &link, proof).await.status, 201);
}

/// What a browser asks for, it may ask for less of.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_asks_for_no_more_than_the_embedder_or_the_client_allows() {
    let app = with_embedder().await;
    let scopes = |session: &str, wanted: &str| {
        let defaults = json!({ "kintone": { "user_scopes": session } });
        let more =
            if session.is_empty() { json!({}) } else { json!({ "integrations_config_defaults": defaults }) };
        let (app, wanted) = (&app, wanted.to_owned());
        async move {
            let token = self::session(app, "anna", more).await;
            let path = format!(
                "/oauth/connect/kintone?connect_session_token={token}&params[app]=1&user_scope={wanted}"
            );
            let begun = app.caller_with_key(None).get(&path).await;
            if begun.status != 303 {
                return begun.text();
            }
            let page = Browser::of(app).begin(&json!({ "url": begun.header("location") })).await;
            parameters_of(&page)["scope"].clone()
        }
    };
    let read = "k:app_record:read";
    let encoded = "k%3Aapp_record%3Aread";
    assert_eq!(scopes("", read).await, encoded, "fewer than by default");
    assert!(scopes("", "k:everything").await.contains("scope_not_allowed"));
    assert_eq!(scopes(read, "").await, encoded);
    assert_eq!(scopes(read, read).await, encoded);
    assert!(scopes(read, "k:app_record:read,k:app_record:write").await.contains("scope_not_allowed"));
}

/// A link that the back end makes without a session, to a page of the embedder: whoever follows it lands there with the proof,
/// signed in as themselves.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_a_page_of_the_embedder_is_for_somebody() {
    let app = with_embedder().await;
    let caller = app.caller();
    let wanted = |name: &str, tags: Value| {
        json!({
            "integration": "kintone", "name": name, "fields": { "app": "1" }, "return_url": RETURN_URL, "tags": tags,
        })
    };
    let nobodys = caller.post("/authorizations", &wanted("Nobody's", json!({ "plan": "pro" }))).await;
    assert_eq!(nobodys.verdict(), "409 end_user_needed", "{}", nobodys.text());

    for (user, verdict) in [("victim", "403 other_end_user"), ("attacker", "201")] {
        let made = caller.post("/authorizations", &wanted(user, json!({ "end_user_id": "attacker" }))).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let sent = finished(&app, &made.json()).await;
        let parameters = parameters_of(sent.header("location"));
        let body = json!({ "proof": parameters["proof"], "end_user_id": user });
        assert_eq!(confirm_for(&caller, &parameters["authorization"], &body).await.verdict(), verdict);
    }
}

/// Who says for whom they confirm has a person in mind whom nobody named when the link was made.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_nobody_in_particular_is_confirmed_for_nobody() {
    let app = with_embedder().await;
    let caller = app.caller();
    let link = link(&app, "By code", "Client").await;
    let id = link["id"].as_str().expect("an id");
    let code = code(&finished(&app, &link).await);
    let body = json!({ "proof": code, "end_user_id": "victim" });
    assert_eq!(confirm_for(&caller, id, &body).await.verdict(), "403 other_end_user");
    assert_eq!(confirm(&caller, &link, &code).await.verdict(), "409 nothing_to_confirm", "it has ended");
    nothing_linked(&app, 0).await;
}

/// A link that was made while an environment did without the confirmation is not a way around it later.
#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_that_is_switched_on_holds_for_what_is_under_way() {
    let app = with_embedder().await;
    let caller = app.caller();
    let decide = async |confirmed: bool| {
        let change = json!({ "confirm_authorizations": confirmed });
        assert_eq!(app.caller().patch("/environment", &change).await.status, 200);
    };
    for (name, return_url, tags, ends) in [
        ("By code", Value::Null, json!({}), "waits"),
        ("Anna's page", json!(RETURN_URL), json!({ "end_user_id": "anna" }), "waits"),
        ("Nobody's page", json!(RETURN_URL), json!({}), "end_user_needed"),
    ] {
        decide(false).await;
        let wanted = json!({
            "integration": "kintone", "name": name, "fields": { "app": "1" }, "return_url": return_url, "tags": tags,
        });
        let link = caller.post("/authorizations", &wanted).await.json();
        let mut browser = Browser::of(&app);
        let back = browser.allow(&link).await;
        decide(true).await;
        let page = browser.open(&back).await;
        let state = state(&app, &link).await;
        if ends == "waits" {
            assert_eq!(state["stage"], "unconfirmed", "{name}: {state}");
        } else {
            assert!(page.header("location").ends_with(&format!("&error={ends}")), "{name}: {}", page.text());
            assert_eq!(state["stage"], "failed", "{name}: {state}");
        }
    }
    nothing_linked(&app, 0).await;
}
