//! Calls and jobs.

use std::time::Duration;

use http::{Method, StatusCode};

use super::{found, make_calls, make_jobs, open, page, press, sent_to};
use crate::app::App;
use crate::sign_in::{invited, set_up};

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_filtered_by_the_address_and_shown_in_all_that_is_known() {
    let app = App::start().await;
    let admin = set_up(&app).await;
    assert!(page(&admin, "/activity").await.contains("Nobody has called anything yet"));
    make_calls(&app).await;
    let rows = |text: &str| found(text, r"</span> (/k/v1/[^<]+)</code>");
    for (query, expected) in [
        (
            "",
            vec![
                "/k/v1/app.json?id=▒",
                "/k/v1/record.json?app=▒&#38;id=▒",
                "/k/v1/records.json?app=▒&#38;query=▒",
            ],
        ),
        ("?connection=Support", vec!["/k/v1/app.json?id=▒"]),
        ("?path=%2Fk%2Fv1%2Fapp", vec!["/k/v1/app.json?id=▒"]),
        ("?failed=true", vec!["/k/v1/record.json?app=▒&#38;id=▒"]),
        ("?status=4xx&method=GET&integration=kintone", vec!["/k/v1/record.json?app=▒&#38;id=▒"]),
        ("?status=5xx", vec![]),
        ("?method=POST", vec![]),
        ("?connection=nobody", vec![]),
        ("?after=nonsense&connection=Support", vec!["/k/v1/app.json?id=▒"]),
    ] {
        let text = page(&admin, &format!("/activity{query}")).await;
        assert_eq!(rows(&text), expected, "{query} {text}");
        assert_eq!(text.contains("Show all"), expected.is_empty(), "{query}");
        // Only the newest calls are watched.
        assert_eq!(text.contains("data-live-switch"), !query.contains("after"), "{query}");
    }
    let text = page(&admin, "/activity").await;
    let link = found(&text, r#"href="/dashboard/default(/activity/[^"]+)""#);
    assert_eq!(link.len(), 3);
    let shown = page(&admin, &link[1]).await;
    for part in [
        "The service refused the request",
        "In all",
        "phase-first-byte",
        "Authorization: Bearer $TOMBOLO_API_KEY",
        "/proxy/k/v1/record.json?app=▒&#38;id=▒",
        "Provider-Config-Key: kintone",
        "demo.kintone.com",
        ">Sales</a>",
    ] {
        assert!(shown.contains(part), "{part} {shown}");
    }
    assert!(!shown.contains("style=") && !shown.contains("MARKER"), "{shown}");
    let stranger = open(&admin, &link[0].replace(':', ":x")).await;
    assert!(stranger.status == StatusCode::NOT_FOUND && stranger.text().contains("not in the log any more"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_calls_lead_on_and_keep_the_filter() {
    let app = App::start().await;
    let admin = set_up(&app).await;
    app.connect("Sales").await;
    for _ in 0..51 {
        app.clock.advance(Duration::from_secs(1));
        let headers = [("connection-id", "Sales")];
        app.caller().send(Method::GET, "/proxy/k/v1/app.json?id=1", &headers, "".into()).await;
    }
    app.platform.flush_activity().await;
    let first = page(&admin, "/activity?connection=Sales").await;
    assert_eq!(found(&first, r#"data-row="([^"]+)""#).len(), 50);
    let next = found(&first, r#"href="(\?[^"]*after[^"]*)""#).remove(0).replace("&#38;", "&");
    assert!(next.starts_with("?connection=Sales&after="), "{next}");
    let second = page(&admin, &format!("/activity{next}")).await;
    assert_eq!(found(&second, r#"data-row="([^"]+)""#).len(), 1);
    assert!(second.contains("Back to the newest") && !second.contains("Next page"), "{second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_tried_again_and_cancelled() {
    let app = App::start().await;
    let mut admin = set_up(&app).await;
    assert!(page(&admin, "/jobs").await.contains("Nothing has been done yet"));
    let [own, shared] = make_jobs(&app).await;
    let listed = page(&admin, "/jobs").await;
    assert_eq!(found(&listed, r#"data-row="([^"]+)""#), [shared.as_str(), own.as_str()]);
    assert!(listed.contains("Whole installation") && listed.contains("data-moving"), "{listed}");
    let shown = page(&admin, &format!("/jobs/{own}")).await;
    assert!(shown.contains("Forget what is old") && shown.contains("&#60;script&#62;"), "{shown}");

    let cancel = format!("/jobs/{own}/cancel");
    assert_eq!(sent_to(&press(&mut admin, &cancel, &[]).await), format!("/jobs/{own}?done=cancelled"));
    let again = press(&mut admin, &cancel, &[]).await;
    assert!(
        again.status == StatusCode::CONFLICT && again.text().contains("finished already"),
        "{}",
        again.text()
    );
    let retry = format!("/jobs/{own}/retry");
    assert_eq!(sent_to(&press(&mut admin, &retry, &[]).await), format!("/jobs/{own}?done=retried"));
    assert_eq!(press(&mut admin, &retry, &[]).await.status, StatusCode::CONFLICT);
    for (query, expected) in [
        ("?state=queued", 2),
        ("?state=running", 0),
        ("?state=queued&kind=retention", 2),
        ("?kind=notification", 0),
        ("?kind=unknown&state=unknown", 2),
    ] {
        let text = page(&admin, &format!("/jobs{query}")).await;
        assert_eq!(found(&text, r#"data-row="([^"]+)""#).len(), expected, "{query}");
    }
    let viewer = invited(&app, &mut admin, "vera", "viewer").await;
    assert_eq!(found(&page(&viewer, "/jobs").await, r#"data-row="([^"]+)""#), [own.as_str()]);
    assert_eq!(open(&viewer, &format!("/jobs/{shared}")).await.status, StatusCode::NOT_FOUND);
}
