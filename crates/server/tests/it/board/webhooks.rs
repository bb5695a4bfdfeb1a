//! Receivers and what is on its way to them.

use std::time::Duration;

use http::StatusCode;

use super::{HOSTILE, found, make_webhook, open, page, press, sent_to};
use crate::app::App;
use crate::sign_in::set_up;

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_is_made_changed_tested_and_deleted() {
    let app = App::start().await;
    let mut admin = set_up(&app).await;
    assert!(page(&admin, "/webhooks").await.contains("Nobody is told anything yet"));
    let fields =
        [("name", HOSTILE), ("url", "http://hooks.example.com/"), ("event.connection.created", "on")];
    let refused = press(&mut admin, "/webhooks/new", &fields).await;
    let text = refused.text();
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{text}");
    assert!(
        text.contains("This address cannot be sent to")
            && text.contains("value=\"http://hooks.example.com/\"")
    );
    assert_eq!(found(&text, r#"name="(event\.[^"]+)" value="on" checked"#), ["event.connection.created"]);

    let fields =
        [("name", HOSTILE), ("url", "https://hooks.example.com/"), ("event.connection.created", "on")];
    let made = press(&mut admin, "/webhooks/new", &fields).await;
    let text = made.text();
    assert_eq!((made.status, made.header("cache-control")), (StatusCode::OK, "no-store"), "{text}");
    let secret = found(&text, "(whsec_[A-Za-z0-9+/=]+)").remove(0);
    assert!(!text.contains("<script>alert"), "{text}");
    let id = found(&text, r"webhooks/(whk_[0-9a-f]+)/test").remove(0);
    let own = format!("/webhooks/{id}");
    assert!(!page(&admin, &own).await.contains(&secret), "it is shown once");
    assert_eq!(press(&mut admin, "/webhooks/new", &fields).await.status, StatusCode::CONFLICT);

    app.clock.advance(Duration::from_secs(1));
    let rotated = press(&mut admin, &format!("{own}/rotate-secret"), &[]).await.text();
    let other = found(&rotated, "(whsec_[A-Za-z0-9+/=]+)").remove(0);
    assert_ne!(other, secret);
    app.clock.advance(Duration::from_secs(1));
    let fields = [("name", "CRM"), ("url", "https://hooks.example.com/in")];
    assert_eq!(sent_to(&press(&mut admin, &own, &fields).await), format!("{own}?done=saved"));
    assert!(page(&admin, &own).await.contains("Every event"));
    let fields = [("name", ""), ("url", "https://hooks.example.com/in")];
    let refused = press(&mut admin, &own, &fields).await;
    assert!(refused.status == StatusCode::BAD_REQUEST && refused.text().contains("needs a name"));

    for (act, done) in [("disable", "disabled"), ("enable", "enabled")] {
        app.clock.advance(Duration::from_secs(1));
        let answer = press(&mut admin, &format!("{own}/{act}"), &[]).await;
        assert_eq!(sent_to(&answer), format!("{own}?done={done}"));
        let shown = page(&admin, &format!("{own}?done={done}")).await;
        assert_eq!(shown.contains(&format!("{own}/test")), done == "enabled", "{shown}");
    }
    assert!(page(&admin, &format!("{own}/delete")).await.contains("CRM"));
    app.clock.advance(Duration::from_secs(1));
    let deleted = press(&mut admin, &format!("{own}/delete"), &[]).await;
    assert_eq!(sent_to(&deleted), "/webhooks?done=deleted");
    assert_eq!(open(&admin, &own).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_looked_at_and_sent_again() {
    let app = App::start().await;
    let mut admin = set_up(&app).await;
    assert!(page(&admin, "/webhooks/deliveries").await.contains("Nothing was sent yet"));
    let id = make_webhook(&app, "CRM").await;
    app.clock.advance(Duration::from_secs(1));
    app.connect("Sales").await;
    app.clock.advance(Duration::from_secs(1));
    let test = sent_to(&press(&mut admin, &format!("/webhooks/{id}/test"), &[]).await);
    assert!(test.ends_with("?done=test-sent"), "{test}");
    assert!(page(&admin, &test).await.contains("webhook.test"));
    for (query, expected) in [
        ("", vec!["webhook.test", "connection.created"]),
        (&*format!("?webhook={id}&state=pending"), vec!["webhook.test", "connection.created"]),
        ("?state=failed", vec![]),
        ("?webhook=gone&state=none", vec!["webhook.test", "connection.created"]),
    ] {
        let text = page(&admin, &format!("/webhooks/deliveries{query}")).await;
        assert_eq!(found(&text, "<code>([a-z.]+)</code></a>"), expected, "{query} {text}");
    }
    let listed = page(&admin, "/webhooks/deliveries").await;
    let delivery = found(&listed, "/webhooks/deliveries/(whd_[0-9a-f]+)").remove(1);
    let own = format!("/webhooks/deliveries/{delivery}");
    let shown = page(&admin, &own).await;
    assert!(
        shown.contains("connection.created") && shown.contains("Sales") && shown.contains("None yet"),
        "{shown}"
    );
    let again = press(&mut admin, &format!("{own}/replay"), &[]).await;
    assert_eq!(sent_to(&again), format!("{own}?done=replayed"));

    let replay = format!("/webhooks/{id}/replay");
    for (fields, expected) in [
        (vec![("span", "24")], "303"),
        (vec![("span", "exact"), ("since", "2026-01-01T00:00")], "303"),
        (
            vec![
                ("span", "exact"),
                ("since", "2026-01-01T00:00"),
                ("until", "2026-01-01T00:00"),
                ("delivered_too", "on"),
            ],
            "400",
        ),
        (vec![("span", "exact"), ("since", "")], "400"),
        (vec![("span", "exact"), ("since", "today")], "400"),
        (vec![("span", "1000")], "400"),
        (vec![], "400"),
    ] {
        let answer = press(&mut admin, &replay, &fields).await;
        assert_eq!(answer.status.as_str(), expected, "{fields:?} {}", answer.text());
    }
    let all = [("span", "1"), ("delivered_too", "on")];
    let answer = sent_to(&press(&mut admin, &replay, &all).await);
    assert!(answer.starts_with(&format!("/webhooks/{id}?replayed=")), "{answer}");
    assert!(page(&admin, &format!("/webhooks/{id}?replayed=2")).await.contains("events are sent again"));
    assert!(!page(&admin, &format!("/webhooks/{id}?replayed=x")).await.contains("sent again."));
}
