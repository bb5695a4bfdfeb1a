//! The manual as a reader and as a program sees it.

mod guides;
mod links;
mod settings;

use http::Method;

use crate::app::{Answer, App, Caller};

/// Somebody without a key: the manual is public.
fn reader(app: &App) -> Caller {
    app.caller_with_key(None)
}

/// A page for somebody whose browser prefers a language.
async fn read(reader: &Caller, path: &str, language: &str) -> Answer {
    reader.send(Method::GET, path, &[("accept-language", language)], bytes::Bytes::new()).await
}

/// What stands in all attributes of a name.
fn attributes(html: &str, name: &str) -> Vec<String> {
    let start = format!(" {name}=\"");
    let parts = html.split(&start).skip(1);
    let values = parts.map(|part| part.split('"').next().unwrap_or_default());
    values.map(|value| value.replace("&amp;", "&").replace("&#39;", "'").replace("&#38;", "&")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_are_exactly_the_files() {
    let app = App::start().await;
    let reader = reader(&app);
    for (path, source) in [
        ("/docs/linking.md", include_str!("../../../../../docs/linking.md")),
        ("/docs/README.md", include_str!("../../../../../docs/README.md")),
        ("/docs/ja/quick-start.md", include_str!("../../../../../docs/ja/quick-start.md")),
    ] {
        let answer = reader.get(path).await;
        assert_eq!(answer.header("content-type"), "text/markdown; charset=utf-8");
        assert_eq!(answer.text(), source, "{path}");
    }
    // The name of a file says its language, and not what a browser prefers.
    assert!(read(&reader, "/docs/quick-start.md", "ja").await.text().starts_with("# Quick start"));
    let asked = [("accept", "text/markdown")];
    let answer = reader.send(Method::GET, "/docs/linking", &asked, bytes::Bytes::new()).await;
    assert!(answer.text().starts_with("# Linking an account"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_somebody_has_is_not_sent_again() {
    let app = App::start().await;
    let reader = reader(&app);
    for path in ["/docs", "/docs/linking", "/docs/linking.md", "/docs/providers/kintone", "/llms.txt"] {
        let first = reader.get(path).await;
        assert_eq!(
            (first.status.as_u16(), first.header("cache-control")),
            (200, "public, no-cache"),
            "{path}"
        );
        let known = [("if-none-match", first.header("etag"))];
        let again = reader.send(Method::GET, path, &known, bytes::Bytes::new()).await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), first.header("etag"));
        let other = [("if-none-match", "W/\"0\""), ("accept-language", "ja")];
        let other = reader.send(Method::GET, path, &other, bytes::Bytes::new()).await;
        assert_eq!(other.status.as_u16(), 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_is_that_of_the_address_or_of_the_browser() {
    let app = App::start().await;
    let reader = reader(&app);
    for (path, preferred, heading) in [
        ("/docs/quick-start", "en", "<h1>Quick start</h1>"),
        ("/docs/quick-start", "ja,en;q=0.5", "<h1>クイックスタート</h1>"),
        ("/docs/quick-start?lang=ja", "en", "<h1>クイックスタート</h1>"),
        ("/docs/quick-start?lang=en", "ja", "<h1>Quick start</h1>"),
        ("/docs/quick-start?lang=fr", "ja", "<h1>クイックスタート</h1>"),
        ("/docs/linking?lang=ja", "ja", "<h1>Linking an account</h1>"),
        ("/docs/providers/kintone", "ja", "<h1>kintone</h1>"),
        ("/docs/providers/kintone", "en", "<h1>Kintone</h1>"),
    ] {
        let html = read(&reader, path, preferred).await.text();
        assert!(html.contains(heading), "{path} {preferred}: {html}");
    }
    // A text that nobody has translated says which language it is in.
    let foreign = read(&reader, "/docs/linking", "ja").await.text();
    assert!(
        foreign.contains("<html lang=\"ja\"")
            && foreign.contains("<article class=\"manual-article\" lang=\"en\">")
    );
    // A language that somebody chose stays chosen from link to link.
    let chosen = read(&reader, "/docs/quick-start?lang=ja", "en").await.text();
    assert!(
        chosen.contains("/docs/calling?lang=ja") && chosen.contains("href=\"/docs/quick-start?lang=en\"")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_what_is_on_any_page_and_shows_what_was_typed_as_text() {
    let app = App::start().await;
    let reader = reader(&app);
    for (question, language, found) in [
        ("GAIA_IA02", "en", "/docs/providers/kintone"),
        ("refresh%20lease", "en", "/docs/operating#tokens"),
        ("%E3%82%B2%E3%82%B9%E3%83%88%E3%82%B9%E3%83%9A%E3%83%BC%E3%82%B9", "ja", "/docs/providers/kintone"),
        ("revokes%20an%20api%20key", "en", "/docs/api/api-keys#revokes-an-api-key"),
    ] {
        let html = read(&reader, &format!("/docs/search?q={question}"), language).await.text();
        assert!(attributes(&html, "href").iter().any(|link| link.starts_with(found)), "{question}: {html}");
    }
    let hostile = "/docs/search?q=%3Cscript%3Ealert(1)%3C/script%3E%22%20onfocus=%22x";
    let html = reader.get(hostile).await.text();
    assert!(!html.contains("<script>alert") && !html.contains("\" onfocus=\"x"), "{html}");
    assert_eq!(reader.get("/docs/search").await.status, 200);
}
