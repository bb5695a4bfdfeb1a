//! The parts of the dashboard that show what happens: calls, jobs, webhooks, and the settings.

mod accounts;
mod calls;
mod choices;
mod settings;
mod webhooks;

use std::time::Duration;

use http::{Method, StatusCode};
use regex::Regex;
use serde_json::json;
use tombolo_platform::store::{Change, NewJob};

use crate::app::{Answer, App, TOKEN, draft};
use crate::sign_in::{Browser, invited, location, set_up};

const HOME: &str = "/dashboard/default";
/// A name that would be a script if a page took it for one.
const HOSTILE: &str = "<script>alert(1)</script>\"'\u{202e}名前🙂";

/// What stands in the page itself, without what stands around every page.
fn main_of(answer: &Answer) -> String {
    let text = answer.text();
    text.split_once("<main").map_or(text.clone(), |(_, main)| {
        main.split_once("</main>").map_or(main, |(main, _)| main).to_owned()
    })
}

async fn open(browser: &Browser, path: &str) -> Answer {
    browser.open(&format!("{HOME}{path}")).await
}

/// The page at a path, which has to be there.
async fn page(browser: &Browser, path: &str) -> String {
    let answer = open(browser, path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path} {}", answer.text());
    main_of(&answer)
}

/// Presses a button of a form of a page of ours.
async fn press(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    browser.send_parts(&format!("{HOME}/settings/appearance"), &format!("{HOME}{path}"), fields).await
}

/// The path, below the environment, where a browser was sent to.
fn sent_to(answer: &Answer) -> String {
    let to = location(answer);
    let path = to.strip_prefix(&format!("303 {HOME}")).unwrap_or_else(|| panic!("{to} {}", answer.text()));
    path.to_owned()
}

fn found(text: &str, pattern: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).expect("a pattern");
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// Three calls: one that works, one that the service refuses, and one through another connection.
async fn make_calls(app: &App) {
    app.connect("Sales").await;
    let mut other = draft("Support");
    other["test"] = json!(false);
    assert_eq!(app.caller().post("/connections", &other).await.status, 201);
    for (connection, path) in [
        ("Sales", "/proxy/k/v1/records.json?app=1&query=company%20%3D%20%22MARKER%22"),
        ("Sales", "/proxy/k/v1/record.json?app=1&id=999999"),
        ("Support", "/proxy/k/v1/app.json?id=1"),
    ] {
        app.clock.advance(Duration::from_secs(1));
        app.caller().send(Method::GET, path, &[("connection-id", connection)], "".into()).await;
    }
    app.platform.flush_activity().await;
}

/// A job of the environment and one of the installation.
async fn make_jobs(app: &App) -> [String; 2] {
    let access = app.platform.operator_access(None).await.expect("the default environment");
    let mut ids = Vec::new();
    for environment_id in [Some(access.environment.clone()), None] {
        let now = app.platform.now();
        let new = NewJob {
            environment_id,
            kind: "retention".to_owned(),
            payload: json!({ "note": HOSTILE }),
            run_at: now,
            max_attempts: 1,
            idempotency_key: None,
        };
        let committed = app.platform.store().commit(&[Change::EnqueueJob(new)], now).await.expect("stored");
        ids.push(committed.jobs[0].to_string());
    }
    ids.try_into().expect("two")
}

async fn make_webhook(app: &App, name: &str) -> String {
    let body =
        json!({ "name": name, "url": "https://hooks.example.com/in", "event_types": ["connection.*"] });
    let made = app.caller().post("/webhooks", &body).await.json();
    made["id"].as_str().expect("an id").to_owned()
}

/// Everything that changes something, with a body that would.
fn acts(
    webhook: &str,
    delivery: &str,
    job: &str,
    recipient: &str,
) -> Vec<(String, Vec<(&'static str, &'static str)>)> {
    let hook = vec![("name", "New"), ("url", "https://hooks.example.com/new")];
    let recipient_fields = vec![("name", "New"), ("channel", "mail"), ("address", "new@example.com")];
    vec![
        ("/webhooks/new".to_owned(), hook.clone()),
        (format!("/webhooks/{webhook}"), hook),
        (format!("/webhooks/{webhook}/test"), vec![]),
        (format!("/webhooks/{webhook}/disable"), vec![]),
        (format!("/webhooks/{webhook}/enable"), vec![]),
        (format!("/webhooks/{webhook}/rotate-secret"), vec![]),
        (format!("/webhooks/{webhook}/replay"), vec![("span", "24")]),
        (format!("/webhooks/deliveries/{delivery}/replay"), vec![]),
        (format!("/webhooks/{webhook}/delete"), vec![]),
        (format!("/jobs/{job}/cancel"), vec![]),
        (format!("/jobs/{job}/retry"), vec![]),
        ("/settings".to_owned(), vec![("allowed_origins", "https://app.example.com")]),
        ("/settings/notifications/new".to_owned(), recipient_fields.clone()),
        (format!("/settings/notifications/{recipient}"), recipient_fields),
        (format!("/settings/notifications/{recipient}/test"), vec![]),
        (format!("/settings/notifications/{recipient}/disable"), vec![]),
        (format!("/settings/notifications/{recipient}/enable"), vec![]),
        (format!("/settings/notifications/{recipient}/delete"), vec![]),
    ]
}

struct Scene {
    app: App,
    admin: Browser,
    webhook: String,
    delivery: String,
    job: String,
    recipient: String,
}

/// One of everything.
async fn scene() -> Scene {
    let app = App::start().await;
    let mut admin = set_up(&app).await;
    let webhook = make_webhook(&app, "CRM").await;
    app.clock.advance(Duration::from_secs(1));
    make_calls(&app).await;
    let sent = press(&mut admin, &format!("/webhooks/{webhook}/test"), &[]).await;
    let delivery = found(&sent_to(&sent), "deliveries/([^?]+)").remove(0);
    let [job, _] = make_jobs(&app).await;
    let fields =
        [("name", "On call"), ("channel", "mail"), ("address", "ops@example.com"), ("language", "ja")];
    let made = press(&mut admin, "/settings/notifications/new", &fields).await;
    let recipient = found(&sent_to(&made), "notifications/([^?]+)").remove(0);
    Scene { app, admin, webhook, delivery, job, recipient }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_sees_and_does_what_the_table_of_roles_says() {
    let Scene { app, mut admin, webhook, delivery, job, recipient } = scene().await;
    let mut viewer = invited(&app, &mut admin, "vera", "viewer").await;
    let mut member = invited(&app, &mut admin, "mio", "member").await;
    for (path, expected) in [
        ("/activity".to_owned(), [200, 200, 200]),
        ("/jobs".to_owned(), [200, 200, 200]),
        (format!("/jobs/{job}"), [200, 200, 200]),
        ("/webhooks".to_owned(), [200, 200, 200]),
        ("/webhooks/new".to_owned(), [403, 403, 200]),
        (format!("/webhooks/{webhook}"), [200, 200, 200]),
        (format!("/webhooks/{webhook}/delete"), [403, 403, 200]),
        ("/webhooks/deliveries".to_owned(), [200, 200, 200]),
        (format!("/webhooks/deliveries/{delivery}"), [200, 200, 200]),
        ("/settings".to_owned(), [303, 303, 200]),
        ("/settings/retention".to_owned(), [403, 403, 200]),
        ("/settings/appearance".to_owned(), [200, 200, 200]),
        ("/settings/notifications".to_owned(), [200, 200, 200]),
        ("/settings/notifications/new".to_owned(), [403, 403, 200]),
        (format!("/settings/notifications/{recipient}"), [200, 200, 200]),
        (format!("/settings/notifications/{recipient}/delete"), [403, 403, 200]),
        ("/activity/1:req_0".to_owned(), [404, 404, 404]),
        ("/jobs/x".to_owned(), [404, 404, 404]),
        ("/webhooks/x".to_owned(), [404, 404, 404]),
        ("/webhooks/deliveries/x".to_owned(), [404, 404, 404]),
        ("/settings/notifications/x".to_owned(), [404, 404, 404]),
    ] {
        for (browser, expected) in [&viewer, &member, &admin].into_iter().zip(expected) {
            let answer = open(browser, &path).await;
            assert_eq!(answer.status.as_u16(), expected, "{path} {}", answer.text());
            let is_button = main_of(&answer).contains("method=\"post\"");
            let is_for_all = path == "/settings/appearance";
            if expected == 200 && !is_for_all && !std::ptr::eq(browser, &raw const admin) {
                assert!(!is_button, "{path} offers what is not theirs: {}", main_of(&answer));
            }
        }
    }
    for (path, fields) in acts(&webhook, &delivery, &job, &recipient) {
        for browser in [&mut viewer, &mut member] {
            let answer = press(browser, &path, &fields).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {}", answer.text());
            assert!(answer.text().contains("You may not do this"), "{path} {}", answer.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_site_does_anything_here() {
    let Scene { app, admin, webhook, delivery, job, recipient } = scene().await;
    let state = async || {
        let caller = app.caller();
        let mut all = Vec::new();
        for path in ["/webhooks", "/webhook-deliveries", "/jobs", "/environment", "/notification-recipients"]
        {
            all.push(caller.get(path).await.text());
        }
        all
    };
    let before = state().await;
    let token = admin.form_token(&format!("{HOME}/settings/appearance")).await;
    let mut all = acts(&webhook, &delivery, &job, &recipient);
    all.push(("/settings/appearance".to_owned(), vec![("theme", "dark"), ("language", "ja")]));
    for (path, fields) in all {
        let with_token: Vec<_> = fields.iter().copied().chain([("form_token", token.as_str())]).collect();
        for (site, fields) in
            [("same-origin", &fields), ("cross-site", &with_token), ("same-site", &with_token)]
        {
            let answer = admin.post_parts(&format!("{HOME}{path}"), site, fields).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {site}");
            assert_eq!(answer.header("set-cookie"), "", "{path} {site}");
        }
    }
    assert_eq!(state().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_there_in_both_languages_with_its_policy() {
    let Scene { app: _app, mut admin, webhook, delivery, job, recipient } = scene().await;
    let call =
        found(&page(&admin, "/activity").await, r#"href="/dashboard/default(/activity/[^"]+)""#).remove(0);
    for language in ["en", "ja"] {
        press(&mut admin, "/settings/appearance", &[("theme", "browser"), ("language", language)]).await;
        for path in [
            "/activity".to_owned(),
            call.clone(),
            "/jobs".to_owned(),
            format!("/jobs/{job}"),
            "/webhooks".to_owned(),
            "/webhooks/new".to_owned(),
            format!("/webhooks/{webhook}"),
            format!("/webhooks/{webhook}?done=enabled&replayed=0"),
            "/webhooks/deliveries".to_owned(),
            format!("/webhooks/deliveries/{delivery}"),
            "/settings".to_owned(),
            "/settings/retention".to_owned(),
            "/settings/appearance".to_owned(),
            "/settings/notifications".to_owned(),
            "/settings/notifications/new".to_owned(),
            format!("/settings/notifications/{recipient}"),
        ] {
            let answer = open(&admin, &path).await;
            let text = answer.text();
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            assert!(text.contains(&format!("<html lang=\"{language}\"")), "{path}");
            assert!(!text.contains("Unknown localization"), "{path} {text}");
            assert!(!text.contains("style=\"") && !text.contains(" onclick"), "{path}");
            assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        }
    }
}
