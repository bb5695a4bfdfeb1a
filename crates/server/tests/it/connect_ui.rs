//! The Connect UI as a browser without eyes goes it: forms that are posted, and what comes back. Chromium does the rest.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{Answer, App, TOKEN};
use crate::oauth::{Browser, attribute, confirm_for, nothing_linked, registered};

const PAGE: &str = "https://app.example.com";
const SCRIPT: &str = "application/json";

/// An installation with an OAuth client, whose environment knows the embedder's pages.
async fn with_embedder() -> App {
    let app = App::start().await;
    registered(&app, "Client").await;
    let pages = json!({ "allowed_origins": [PAGE] });
    assert_eq!(app.caller().patch("/environment", &pages).await.status, 200);
    app
}

/// The token of a session for Anna.
async fn session(app: &App, more: Value) -> String {
    let mut wanted =
        json!({ "end_user": { "id": "anna", "display_name": "Anna" }, "allowed_integrations": ["kintone"] });
    wanted.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    let made = app.caller().post("/connect/sessions", &wanted).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    made.json()["data"]["token"].as_str().expect("a token").to_owned()
}

/// Posts a form to a step as browsers do.
pub async fn post(app: &App, step: &str, accept: &str, inputs: &[(&str, &str)]) -> Answer {
    const BETWEEN: &str = "----between";
    let part = |(name, value): &(&str, &str)| {
        format!("--{BETWEEN}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = inputs.iter().map(part).collect::<String>() + &format!("--{BETWEEN}--\r\n");
    let kind = format!("multipart/form-data; boundary={BETWEEN}");
    let headers = [("content-type", kind.as_str()), ("accept", accept), ("sec-fetch-site", "same-origin")];
    app.caller_with_key(None)
        .send(Method::POST, &format!("/connect/default/{step}"), &headers, body.into())
        .await
}

/// What somebody types who signs in at the vendor.
fn typed<'a>(token: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let inputs = [
        ("session_token", token),
        ("integration", "kintone"),
        ("name", "Anna's apps"),
        ("scheme", "oauth2"),
        ("c.subdomain", "demo"),
        ("c.domain", "kintone.com"),
        ("s.oauth2.app", "1"),
    ];
    let kept = inputs.into_iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    kept.chain(more.iter().copied()).collect()
}

async fn state(app: &App, token: &str, authorization: &str, language: &str) -> Value {
    let inputs = [
        ("session_token", token),
        ("authorization", authorization),
        ("lang", language),
        ("provider", "Kintone"),
    ];
    post(app, "state", SCRIPT, &inputs).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_at_the_vendor_is_told_how_the_window_does() {
    let app = with_embedder().await;
    let token = session(&app, json!({})).await;
    let begun = post(&app, "vendor", SCRIPT, &typed(&token, &[])).await.json();
    let id = begun["authorization"].as_str().expect("an id").to_owned();
    assert_eq!(state(&app, &token, &id, "en").await, json!({ "state": "open" }));

    let mut browser = Browser::of(&app);
    let back = browser.allow(&json!({ "url": begun["location"] })).await;
    let page = browser.open(&back).await;
    assert_eq!(attribute(&page, "data-authorization"), id, "the page knows it by this name");
    let waiting = state(&app, &token, &id, "en").await;
    assert_eq!(waiting["state"], "waiting", "{waiting}");
    nothing_linked(&app, 0).await;

    let proof = attribute(&page, "data-proof");
    let body = json!({ "proof": proof, "end_user_id": "anna" });
    assert_eq!(confirm_for(&app.caller(), &id, &body).await.status, StatusCode::CREATED);
    let linked = state(&app, &token, &id, "ja").await;
    assert_eq!(linked["state"], "linked", "also when the session has ended: {linked}");
    assert_eq!(linked["connectionId"], waiting["connectionId"]);
    assert!(linked["called"].as_str().expect("a text").contains("Anna's apps"), "{linked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_comes_to_nothing_says_why_in_the_persons_language() {
    let app = with_embedder().await;
    let token = session(&app, json!({})).await;
    let begun = post(&app, "vendor", SCRIPT, &typed(&token, &[])).await.json();
    let mut browser = Browser::of(&app);
    let page = browser.begin(&json!({ "url": begun["location"] })).await;
    let back = browser.decide(&page, "deny").await;
    browser.open(&back).await;
    let id = begun["authorization"].as_str().expect("an id");
    let english = state(&app, &token, id, "en").await;
    let japanese = state(&app, &token, id, "ja").await;
    assert_eq!(english["what"], "Access was not allowed at the service.");
    assert_eq!(japanese["what"], "サービスの画面でアクセスが許可されませんでした。");

    // Nobody else is told anything, and the person may try again.
    let other = session(&app, json!({})).await;
    let stranger = state(&app, &other, id, "en").await;
    assert_eq!((&stranger["state"], stranger["connectionId"].as_str()), (&json!("failed"), None));
    assert_ne!(stranger["what"], english["what"]);
    let again = post(&app, "vendor", SCRIPT, &typed(&token, &[])).await;
    assert_ne!(again.json()["authorization"], begun["authorization"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_script_a_form_goes_on_to_the_page_before_the_vendors() {
    let app = with_embedder().await;
    let token = session(&app, json!({})).await;
    // The Enter key may press another button than the one that is shown.
    for step in ["vendor", "link"] {
        let sent = post(&app, step, "text/html", &typed(&token, &[])).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{step}: {}", sent.text());
        assert!(sent.header("location").contains("/oauth/start/"), "{step}");
    }
    let wrong = post(&app, "vendor", "text/html", &typed(&token, &[("s.oauth2.app", "one")])).await;
    let text = wrong.text();
    assert!(text.contains("aria-invalid=\"true\"") && text.contains("value=\"one\""), "{text}");
    assert!(text.contains("Anna&#39;s apps"), "what was typed stays: {text}");
    let elsewhere = post(&app, "vendor", "text/html", &typed(&token, &[("c.subdomain", "other")])).await;
    assert!(elsewhere.text().contains("not set up for this address"), "{}", elsewhere.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_told_what_is_wrong_by_the_inputs_name() {
    let app = with_embedder().await;
    let token = session(&app, json!({})).await;
    let over = typed("tombolo_connect_session_0000000000000000000000000000000000000000000", &[]);
    for (step, inputs, field, kind) in [
        ("vendor", typed(&token, &[("s.oauth2.app", "one")]), "s.oauth2.app", "connection_validation_failed"),
        ("vendor", typed(&token, &[("name", "")]), "name", "connection_validation_failed"),
        ("vendor", over.clone(), "", "missing_connect_session_token"),
        ("test", over, "", "missing_connect_session_token"),
    ] {
        let refused = post(&app, step, SCRIPT, &inputs).await;
        let told = refused.json();
        assert_eq!((&told["type"], &told["errorType"]), (&json!("problem"), &json!(kind)), "{told}");
        assert_eq!(told["fields"][0]["input"].as_str().unwrap_or_default(), field, "{told}");
    }
}

/// A connection of the demo's first app, and the token of a session in which it is linked again.
async fn linked_before(app: &App) -> (String, String) {
    let id = app.connect("Customers").await["connection_id"].as_str().expect("an id").to_owned();
    let again = json!({ "connection_id": id, "integration_id": "kintone" });
    let made = app.caller().post("/connect/sessions/reconnect", &again).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    (id, made.json()["data"]["token"].as_str().expect("a token").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_links_again_is_asked_for_what_is_needed_and_warned_of_another_account() {
    let app = App::start().await;
    let (id, token) = linked_before(&app).await;
    let page =
        app.caller_with_key(None).get(&format!("/connect/default/?session_token={token}")).await.text();
    assert!(
        page.contains("value=\"demo\"") && page.contains("value=\"1\""),
        "what is no secret stands there"
    );
    assert!(!page.contains(TOKEN), "and no secret does");
    assert!(!page.contains("<input id=\"name\""), "the name stays");

    let typed = |subdomain: &'static str, app: &'static str, meant: &'static str| {
        vec![
            ("session_token", token.clone()),
            ("integration", "kintone".to_owned()),
            ("scheme", "api_token".to_owned()),
            ("c.subdomain", subdomain.to_owned()),
            ("c.domain", "kintone.com".to_owned()),
            ("s.api_token.app", app.to_owned()),
            ("s.api_token.token", TOKEN.to_owned()),
            ("other_account", meant.to_owned()),
        ]
    };
    let link = async |inputs: Vec<(&str, String)>| {
        let inputs: Vec<(&str, &str)> = inputs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let told = post(&app, "link", "application/x-ndjson", &inputs).await.text();
        let last = told.lines().last().expect("a line").to_owned();
        serde_json::from_str::<Value>(&last).expect("JSON")
    };
    for (subdomain, app, expected) in [("other", "1", "c.subdomain"), ("demo", "2", "s.api_token.app")] {
        let warned = link(typed(subdomain, app, "")).await;
        let field = &warned["fields"][0];
        assert_eq!(
            (&field["code"], &field["input"]),
            (&json!("other_account"), &json!(expected)),
            "{warned}"
        );
    }
    // It is tried when it is meant, and then the token is not that app's.
    let meant = link(typed("demo", "2", "yes")).await;
    assert_eq!((&meant["type"], &meant["available"]), (&json!("report"), &json!(false)), "{meant}");
    let linked = link(typed("demo", "1", "")).await;
    assert_eq!((&linked["type"], &linked["connectionId"]), (&json!("linked"), &json!(id)), "{linked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_told_that_the_account_was_linked_in_another_one_or_with_a_secret() {
    let app = with_embedder().await;
    let token = session(&app, json!({})).await;
    let begin = async || {
        let begun = post(&app, "vendor", SCRIPT, &typed(&token, &[])).await.json();
        (begun["authorization"].as_str().expect("an id").to_owned(), begun)
    };
    let (first, _) = begin().await;
    let (second, begun) = begin().await;
    let mut browser = Browser::of(&app);
    let back = browser.allow(&json!({ "url": begun["location"] })).await;
    let page = browser.open(&back).await;
    let body = json!({ "proof": attribute(&page, "data-proof"), "end_user_id": "anna" });
    assert_eq!(confirm_for(&app.caller(), &second, &body).await.status, StatusCode::CREATED);
    let told = state(&app, &token, &first, "en").await;
    assert_eq!(told, state(&app, &token, &second, "en").await);
    assert_eq!(told["state"], "linked", "{told}");

    let token = session(&app, json!({})).await;
    let begun = post(&app, "vendor", SCRIPT, &typed(&token, &[("name", "Window")])).await.json();
    let id = begun["authorization"].as_str().expect("an id");
    let secret =
        [("name", "Secret"), ("scheme", "api_token"), ("s.api_token.app", "1"), ("s.api_token.token", TOKEN)];
    let linked = post(&app, "link", "text/html", &typed(&token, &secret)).await;
    assert!(linked.text().contains("You are now connected"), "{}", linked.text());
    let told = state(&app, &token, id, "en").await;
    assert_eq!((&told["state"], told["connectionId"].as_str()), (&json!("failed"), None), "{told}");
    assert!(told["what"].as_str().expect("a text").contains("used already"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_links_again_reads_whose_account_it_is_although_the_embedder_did_not_say() {
    let app = with_embedder().await;
    let token = session(&app, json!({})).await;
    let secret = [("scheme", "api_token"), ("s.api_token.app", "1"), ("s.api_token.token", TOKEN)];
    let linked = post(&app, "link", SCRIPT, &typed(&token, &secret)).await;
    assert!(linked.status.is_success(), "{}", linked.text());
    let connections = app.caller().get("/connections").await.json();
    let again = json!({ "connection_id": connections["connections"][0]["connection_id"], "integration_id": "kintone" });
    let made = app.caller().post("/connect/sessions/reconnect", &again).await.json();
    let link = made["data"]["connect_link"].as_str().expect("a link");
    let path = &link[link.find("/connect/").expect("a path")..];
    let page = app.caller_with_key(None).get(path).await.text();
    assert!(page.contains("account for \u{2068}Anna\u{2069}"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_carry_the_embedders_name_and_colours() {
    let app = App::start().await;
    for (wrong, field) in [
        (json!({ "logo_url": "https://app.example.com/x.svg; script-src *" }), "connect_ui.logo_url"),
        (json!({ "primary_light": "red" }), "connect_ui.primary_light"),
        (json!({ "default_theme": "blue" }), "connect_ui.default_theme"),
    ] {
        let refused = app.caller().patch("/environment", &json!({ "connect_ui": wrong })).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text());
        assert!(refused.text().contains(field), "{}", refused.text());
    }
    let logo = "https://app.example.com/logo.svg";
    let look = json!({
        "display_name": "Acme <b>CRM</b>", "logo_url": logo, "primary_light": "#ffd400", "default_theme": "dark",
    });
    assert_eq!(app.caller().patch("/environment", &json!({ "connect_ui": look })).await.status, 200);
    let token = session(&app, json!({})).await;
    let told = app.caller_with_key(Some(&token)).get("/connect/session").await.json();
    assert_eq!(told["data"]["connectUISettings"]["defaultTheme"], "dark");
    assert_ne!(
        told["data"]["connectUISettings"]["theme"]["light"]["primary"], "#ffd400",
        "it could not be read"
    );

    let page = app.caller_with_key(None).get(&format!("/connect/default/?session_token={token}")).await;
    let text = page.text();
    assert!(page.header("content-security-policy").contains(&format!("img-src 'self' {logo};")));
    assert!(text.contains("data-theme=\"dark\"") && text.contains(&format!("src=\"{logo}\"")), "{text}");
    assert!(text.contains("Acme &#60;b&#62;CRM") || text.contains("Acme &lt;b&gt;CRM"), "{text}");
    let sheet = app.caller_with_key(None).get("/connect/default/theme.css").await;
    assert_eq!(sheet.header("content-type"), "text/css; charset=utf-8");
    assert!(sheet.text().contains("--accent: light-dark("), "{}", sheet.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_element_is_small_and_loads_from_every_page() {
    let app = App::start().await;
    let browser = app.caller_with_key(None);
    for (path, kind) in [
        ("/connect/element.js", "text/javascript; charset=utf-8"),
        ("/connect/element.d.ts", "text/plain; charset=utf-8"),
    ] {
        let headers = [("origin", PAGE)];
        let told = browser.send(Method::GET, path, &headers, "".into()).await;
        assert_eq!((told.status, told.header("content-type")), (StatusCode::OK, kind));
        assert_eq!(told.header("access-control-allow-origin"), "*");
        assert!(told.text().contains("TomboloConnect"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn links_lead_into_the_persons_own_tenant_and_the_guide_is_ours() {
    let app = App::start().await;
    let token = session(&app, json!({})).await;
    let page =
        app.caller_with_key(None).get(&format!("/connect/default/?session_token={token}&lang=ja")).await;
    assert!(page.text().contains("href=\"/docs/providers/kintone?lang=ja\""), "{}", page.text());
    assert_eq!(app.caller_with_key(None).get("/docs/providers/kintone?lang=ja").await.status, 200);

    let token_page = |number: usize| format!("s-api_token-token-{number}");
    let at = |places: &Value, id: &str| {
        let url = places[id].as_str()?;
        Some(url.strip_prefix("https://demo.kintone.com").unwrap_or_else(|| panic!("{url}")).to_owned())
    };
    let apps = [("s.api_token.app", "12"), ("s.api_token.app", ""), ("s.api_token.app", "7")];
    let typed = |subdomain| vec![("c.subdomain", subdomain), ("c.domain", "kintone.com")];
    let ask = async |more: Vec<(&str, &str)>| {
        let known = vec![("session_token", token.as_str()), ("integration", "kintone")];
        post(&app, "places", SCRIPT, &[known, more].concat()).await.json()
    };
    let places = ask([typed("demo"), apps.to_vec()].concat()).await;
    assert_eq!(at(&places, &token_page(0)).as_deref(), Some("/k/admin/app/apitoken?app=12"), "{places}");
    assert_eq!(at(&places, &token_page(1)), None, "{places}");
    assert_eq!(at(&places, &token_page(2)).as_deref(), Some("/k/admin/app/apitoken?app=7"), "{places}");
    let clients = at(&places, "scheme-oauth2");
    assert_eq!(clients.as_deref(), Some("/admin/integrations/oauth/list"), "{places}");
    let guest = [typed("demo"), vec![("c.guest_space_id", "5")], apps.to_vec()].concat();
    let places = ask(guest).await;
    assert_eq!(
        at(&places, &token_page(0)).as_deref(),
        Some("/k/guest/5/admin/app/apitoken?app=12"),
        "{places}"
    );
    // Nothing that somebody types leads to another host.
    for hostile in ["", "evil.example/", "evil.example#", "a@evil.example", "javascript:alert(1)//"] {
        assert_eq!(ask([typed(hostile), apps.to_vec()].concat()).await, json!({}), "{hostile}");
    }
    let stranger = vec![("session_token", "tombolo_connect_session_x"), ("integration", "kintone")];
    let told = post(&app, "places", SCRIPT, &[stranger, typed("demo")].concat()).await.json();
    assert_eq!(told, json!({}), "only for whoever has a session");
}
