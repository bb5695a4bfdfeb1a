//! How many requests a key may send to the API.

use std::time::Duration;

use tombolo_platform::Clock as _;

use crate::app::App;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_learns_what_it_has_left_and_waits_for_the_next_minute() {
    let app = App::start().await;
    let caller = app.caller();
    let first = caller.get("/integrations").await;
    assert_eq!((first.header("x-ratelimit-limit"), first.header("x-ratelimit-remaining")), ("1000", "999"));
    let reset: i64 = first.header("x-ratelimit-reset").parse().expect("a number");
    let now = app.clock.now().as_milliseconds() / 1000;
    assert!(reset > now && reset <= now + 60, "{reset} after {now}");

    for _ in 0..999 {
        caller.get("/integrations").await;
    }
    let refused = caller.get("/integrations").await;
    assert_eq!(refused.verdict(), "429 too_many_request");
    assert_eq!(
        (refused.header("x-ratelimit-remaining"), refused.header("retry-after").is_empty()),
        ("0", false)
    );
    // Another key has a count of its own, and a request without a key has none.
    let other = app.caller_with_scopes(&["environment:*"]).await;
    assert_eq!(other.get("/integrations").await.header("x-ratelimit-remaining"), "999");
    assert_eq!(app.caller_with_key(None).get("/health").await.header("x-ratelimit-limit"), "");

    app.clock.advance(Duration::from_mins(1));
    assert_eq!(caller.get("/integrations").await.status, 200);
}
