//! Guides: whole for every provider, and a provider file says nothing to a browser but text.

use std::path::Path;

use super::{attributes, read, reader};
use crate::app::{App, Engine};

/// Texts that would do something if they were not texts.
const HOSTILE: &str = r#"id: hostile
name: { en: "<script>alert('name')</script> \u202Eevil\u202C **bold** `code` | 👩‍👩‍👧 שלום", ja: "名前</h1><img src=x onerror=alert(1)>" }
description: { en: "A \"quoted\" & [link](javascript:alert(1)) <b>text</b>.\n\n# Heading", ja: "説明 ![x](y) <style>*{}</style>" }
documentation: "https://example.com/\"><script>alert(2)</script>"
categories: ["<i>category</i>", "a|b"]
hosts: ["api.hostile.example"]
base_url: https://api.hostile.example
config:
  region:
    label: { en: "</text><script>alert(3)</script>", ja: "地域" }
    help: { en: "LONG", ja: "${x}$(y) `ls`" }
    example: "a'; rm -rf /"
    prefix: "\" onload=\""
auth:
  - id: key
    name: { en: "Key -->]]>", ja: "キー" }
    explain: { en: "1. Not a list\n- nor this", ja: "> 引用ではない" }
    type: api_key
    header: X-Key
    fields:
      key: { label: { en: "*Key*", ja: "_キー_" }, secret: true, steps: [{ en: "<a href='javascript:x'>click</a>", ja: "手順" }] }
strip_headers: [X-Key]
test:
  - id: credential
    name: { en: "<svg onload=alert(4)>", ja: "確認" }
    request: { path: /me }
    accept: { member: id }
errors:
  - is: key_refused
    side: input
    statuses: [401]
    says: { en: "Refused <script>alert(5)</script> ``` `", ja: "拒否" }
    fix: { en: "Say `this` & \\ that.", ja: "対処" }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_a_provider_file_are_texts() {
    let app = App::start_with(Engine::Sqlite, None, |options, directory| {
        let providers = directory.join("providers");
        std::fs::create_dir(&providers).expect("a directory");
        let text = HOSTILE.replace("LONG", &"verylong".repeat(100));
        std::fs::write(providers.join("hostile.yaml"), text).expect("a file");
        options.provider_directory = Some(providers);
    })
    .await;
    let reader = reader(&app);
    for path in [
        "/docs/providers/hostile",
        "/docs/providers",
        "/docs/search?q=hostile",
        "/docs/providers/hostile/key.svg",
    ] {
        for language in ["en", "ja"] {
            let html = read(&reader, path, language).await.text();
            for tag in ["<script>", "<img src=x", "<svg onload", "<style>*", "<i>cat", "<b>text", "</text><s"]
            {
                assert!(!html.contains(tag), "{path} {language} has {tag}: {html}");
            }
            assert!(!html.contains('\u{202e}'), "{path} {language} turns a direction");
            for link in attributes(&html, "href") {
                assert!(!link.to_lowercase().starts_with("javascript:"), "{path} {language}: {link}");
            }
            for event in ["onload", "onerror"] {
                assert!(attributes(&html, event).is_empty(), "{path} {language}: {event}");
            }
        }
    }
    let html = reader.get("/docs/providers/hostile").await.text();
    for shown in [
        "<h1>&#60;script&#62;alert(&#39;name&#39;)&#60;/script&#62; evil **bold** `code` | 👩‍👩‍👧 שלום</h1>",
        "A &quot;quoted&quot; &amp; [link](javascript:alert(1)) &lt;b&gt;text&lt;/b&gt;. # Heading",
        "Say <code>this</code> &amp; \\ that.",
        "--field &#39;region=a&#39;\\&#39;&#39;; rm -rf /&#39;",
    ] {
        assert!(html.contains(shown), "{shown} is not shown: {html}");
    }
    let index = reader.get("/llms.txt").await.text();
    assert!(index.contains("/docs/providers/hostile.md): "), "{index}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_goes_from_nothing_to_a_connection() {
    let app = App::start().await;
    let reader = reader(&app);
    for (language, ends) in
        [("en", "**You are now connected to Kintone.**"), ("ja", "**kintoneに接続しました。**")]
    {
        let guide = reader.get(&format!("/docs/providers/kintone.md?lang={language}")).await.text();
        assert!(guide.trim_end().ends_with(ends), "{guide}");
        // What a provider file says stands there: click paths, gates, what cannot be combined, stages, codes of errors.
        for part in
            ["X-Cybozu-API-Token", "GAIA_IA02", "GET /k/v1/app.json", "--secret-from token=env:KINTONE_TOKEN"]
        {
            assert!(guide.contains(part), "{language}: {part} is missing in {guide}");
        }
    }
    let html = read(&reader, "/docs/providers/kintone", "en").await.text();
    assert!(
        html.contains("<svg") && html.contains("role=\"img\" aria-label=\"The form for Kintone"),
        "{html}"
    );
    insta::assert_snapshot!(reader.get("/docs/providers/oomnitza.md").await.text());
}

/// The published file of another product, as an operator would load it.
#[tokio::test(flavor = "multi_thread")]
async fn imported_providers_have_guides_that_read_well() {
    let Some(clients) = std::env::var_os("NPM_CLIENTS_DIR") else {
        eprintln!(
            "NOT RUN: guides of imported providers are not looked at, because NPM_CLIENTS_DIR is unset"
        );
        return;
    };
    let published = Path::new(&clients).join("node_modules/@nangohq/providers/providers.yaml");
    let app = App::start_with(Engine::Sqlite, None, |options, directory| {
        let providers = directory.join("providers");
        std::fs::create_dir(&providers).expect("a directory");
        std::fs::copy(&published, providers.join("providers.yaml")).expect("a copy");
        options.provider_directory = Some(providers);
    })
    .await;
    let reader = reader(&app);
    let ids: Vec<String> = app.platform.catalog().iter().map(|provider| provider.id.clone()).collect();
    assert!(ids.len() > 500, "{} providers", ids.len());
    for id in &ids {
        for (language, connected) in [("en", "You are now connected to"), ("ja", "に接続しました。")]
        {
            let answer = read(&reader, &format!("/docs/providers/{id}"), language).await;
            assert_eq!(answer.status.as_u16(), 200, "{id}");
            let html = answer.text();
            assert_eq!(html.matches("<h1").count(), 1, "{id} {language}");
            for bad in ["Unknown localization", "${", "<li></li>", "<p></p>", "<td></td><td></td>"] {
                assert!(!html.contains(bad), "{id} {language} has `{bad}`");
            }
            assert!(html.contains(connected), "{id} {language}");
        }
    }
    let list = reader.get("/docs/providers?q=github&category=dev-tools").await.text();
    assert!(list.contains("/docs/providers/github\""), "{list}");
    let last = reader.get("/docs/providers?page=9999").await.text();
    assert!(last.contains("rel=\"prev\"") && !last.contains("rel=\"next\""), "{last}");
    assert!(reader.get("/llms-full.txt").await.body.len() < 2_000_000);
}
