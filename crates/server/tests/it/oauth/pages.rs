use super::{Browser, link, registered, with_parameter};
use crate::app::App;

#[tokio::test(flavor = "multi_thread")]
async fn pages_run_nothing_but_what_tells_the_opener() {
    let app = App::start().await;
    registered(&app, "Client").await;
    let link = link(&app, "<b>Sales</b> & Co", "Client").await;
    let mut browser = Browser::of(&app);
    let back = browser.allow(&link).await;
    let done = browser.open(&back).await;
    assert!(done.text().contains("“&lt;b&gt;Sales&lt;/b&gt; &amp; Co”"), "{}", done.text());
    let again = browser.open(&back).await;
    let lost = browser.open("http://localhost/oauth/start/unknown").await;
    for (page, status, script) in
        [(done, 200, "script-src 'self'; "), (again, 403, "script-src 'self'; "), (lost, 404, "")]
    {
        let policy = format!(
            "default-src 'none'; {script}style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
        );
        assert_eq!(page.status, status, "{}", page.text());
        for (header, expected) in [
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", policy.as_str()),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(page.header(header), expected, "{header}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_vendor_says_is_shown_as_text() {
    let app = App::start().await;
    registered(&app, "Client").await;
    let link = link(&app, "Sales", "Client").await;
    let mut browser = Browser::of(&app);
    let page = browser.begin(&link).await;
    let denied = browser.decide(&page, "deny").await;
    let forged = with_parameter(&denied, "error", "%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    let shown = browser.open(&forged).await;
    assert_eq!(shown.status, 403);
    assert!(
        !shown.text().contains("<script>") && shown.text().contains("&lt;script&gt;"),
        "{}",
        shown.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_told_in_the_language_of_the_browser() {
    let app = App::start().await;
    registered(&app, "Client").await;
    for (mut browser, title, fix) in [
        (Browser::of(&app), "The account was not connected", "Ask for a new link."),
        (
            Browser::of(&app).in_japanese(),
            "アカウントを接続できませんでした",
            "新しいリンクを依頼してください。",
        ),
    ] {
        let page = browser.open("http://localhost/oauth/start/unknown").await;
        assert!(page.text().contains(&format!("<h1>{title}</h1>")), "{}", page.text());
        assert!(page.text().contains(fix) && page.text().contains("link_over (req_"), "{}", page.text());
    }
}
