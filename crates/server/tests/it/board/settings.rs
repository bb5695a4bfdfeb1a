//! The environment, whom it tells, and how pages look.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tombolo_platform::Housekeeping;

use super::{HOSTILE, found, main_of, open, page, press, sent_to};
use crate::app::App;
use crate::sign_in::set_up;

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_the_environment_come_back_as_they_were_saved() {
    let app = App::start().await;
    let mut admin = set_up(&app).await;
    app.platform.work(Housekeeping { activity: Duration::from_hours(24 * 14), verify_every: None });
    let shown = page(&admin, "/settings").await;
    assert!(
        shown.contains(
            "name=\"confirm_authorizations\" value=\"on\" aria-describedby=\"confirm-help\" checked"
        )
    );
    let fields = [
        ("allowed_origins", "https://app.example.com\r\n\r\n  https://other.example.com \r\n"),
        ("return_urls", "https://app.example.com/done"),
    ];
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(sent_to(&press(&mut admin, "/settings", &fields).await), "/settings?done=saved");
    let environment = app.caller().get("/environment").await.json();
    assert_eq!(
        environment["allowed_origins"],
        json!(["https://app.example.com", "https://other.example.com"])
    );
    assert_eq!(environment["return_urls"], json!(["https://app.example.com/done"]));
    assert_eq!(environment["confirm_authorizations"], json!(false));
    let shown = page(&admin, "/settings").await;
    assert!(shown.contains("https://app.example.com\nhttps://other.example.com</textarea>"), "{shown}");
    assert!(!shown.contains("aria-describedby=\"confirm-help\" checked"), "{shown}");

    let fields =
        [("confirm_authorizations", "on"), ("allowed_origins", "https://app.example.com\n</textarea>evil")];
    let refused = press(&mut admin, "/settings", &fields).await;
    let text = refused.text();
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{text}");
    assert!(text.contains("It is an origin such as") && !text.contains("</textarea>evil"), "{text}");
    assert_eq!(app.caller().get("/environment").await.json()["confirm_authorizations"], json!(false));

    let kept = page(&admin, "/settings/retention").await;
    for part in ["activity.retention_days", "14", "never", "for ever"] {
        assert!(kept.contains(part), "{part} {kept}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_are_made_and_their_addresses_of_chats_never_shown() {
    let app = App::start().await;
    let mut admin = set_up(&app).await;
    let listed = page(&admin, "/settings/notifications").await;
    assert!(listed.contains("Nobody is told when a connection stops working"), "{listed}");
    let chat = "https://hooks.slack.com/services/T000/B000/canaryChatAddress";
    let fields = [
        ("name", HOSTILE),
        ("channel", "slack"),
        ("address", chat),
        ("language", "ja"),
        ("kind.failing", "on"),
        ("kind.needs_reconnecting", "on"),
    ];
    let own = sent_to(&press(&mut admin, "/settings/notifications/new", &fields).await);
    let own = own.strip_suffix("?done=created").expect("it was made").to_owned();
    let shown = page(&admin, &own).await;
    assert!(shown.contains("hooks.slack.com") && !shown.contains("canaryChat"), "{shown}");
    assert!(!shown.contains("<script>alert"), "{shown}");
    assert_eq!(
        found(&shown, r#"name="kind\.([^"]+)" value="on" checked"#),
        ["failing", "needs_reconnecting"]
    );
    assert!(shown.contains("value=\"ja\" selected"), "{shown}");

    let fields = [("name", "Chat"), ("address", "no address"), ("channel", "slack")];
    let refused = press(&mut admin, &own, &fields).await;
    assert!(
        refused.status == StatusCode::BAD_REQUEST && refused.text().contains("error\" id=\"address-error\">")
    );
    assert!(!main_of(&refused).contains("no address"));
    let fields = [("name", "x"), ("channel", "mail"), ("address", "no mailbox"), ("kind.failing", "on")];
    let refused = press(&mut admin, "/settings/notifications/new", &fields).await;
    assert!(refused.status == StatusCode::BAD_REQUEST && refused.text().contains("This is no mail address"));

    app.clock.advance(Duration::from_secs(1));
    assert_eq!(
        sent_to(&press(&mut admin, &own, &[("name", "Chat"), ("language", "en")]).await),
        format!("{own}?done=saved")
    );
    let listed = page(&admin, "/settings/notifications").await;
    assert!(listed.contains(">Chat</a>") && listed.contains("Everything"), "{listed}");
    for (act, done) in [("disable", "disabled"), ("enable", "enabled")] {
        app.clock.advance(Duration::from_secs(1));
        assert_eq!(
            sent_to(&press(&mut admin, &format!("{own}/{act}"), &[]).await),
            format!("{own}?done={done}")
        );
    }
    // Nothing is sent through a mail server that there is not.
    let fields = [("name", "Mail"), ("channel", "mail"), ("address", "ops@example.com")];
    let mail = sent_to(&press(&mut admin, "/settings/notifications/new", &fields).await);
    let mail = mail.split('?').next().expect("a path").to_owned();
    let tested = press(&mut admin, &format!("{mail}/test"), &[]).await;
    assert!(!tested.status.is_success() && tested.text().contains("role=\"alert\""), "{}", tested.text());
    assert!(page(&admin, &format!("{own}/delete")).await.contains("Chat"));
    let deleted = press(&mut admin, &format!("{own}/delete"), &[]).await;
    assert_eq!(sent_to(&deleted), "/settings/notifications?done=deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_chooses_how_pages_look_to_them() {
    let app = App::start().await;
    let mut admin = set_up(&app).await;
    let chosen = press(&mut admin, "/settings/appearance", &[("theme", "dark"), ("language", "ja")]).await;
    assert_eq!(sent_to(&chosen), "/settings/appearance?done=saved");
    let answer = open(&admin, "/settings/appearance").await.text();
    assert!(answer.contains("<html lang=\"ja\" data-theme=\"dark\">"), "{answer}");
    assert_eq!(found(&answer, r#"value="([a-z]+)" checked"#), ["dark", "ja"]);
    for (theme, language) in [("blue", "en"), ("light", "fr"), ("", ""), ("light; Domain=x", "en")] {
        let fields = [("theme", theme), ("language", language)];
        let refused = press(&mut admin, "/settings/appearance", &fields).await;
        assert_eq!((refused.status.as_u16(), refused.header("set-cookie")), (400, ""), "{theme} {language}");
    }
    press(&mut admin, "/settings/appearance", &[("theme", "browser"), ("language", "browser")]).await;
    let answer = open(&admin, "/settings/appearance").await.text();
    assert!(answer.contains("<html lang=\"en\">"), "{answer}");
}
