//! Every link leads somewhere, every page has one heading and a source, and programs are told of all of them.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::{attributes, reader};
use crate::app::App;

#[tokio::test(flavor = "multi_thread")]
async fn every_link_leads_somewhere() {
    let app = App::start().await;
    let reader = reader(&app);
    let mut open = vec!["/docs".to_owned(), "/docs?lang=ja".to_owned()];
    let mut pages: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut files: BTreeSet<String> = BTreeSet::new();
    let mut anchors: Vec<(String, String, String)> = Vec::new();
    while let Some(path) = open.pop() {
        if pages.contains_key(&path) || files.contains(&path) {
            continue;
        }
        let answer = reader.get(&path).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}");
        if !answer.header("content-type").starts_with("text/html") {
            files.insert(path);
            continue;
        }
        let html = answer.text();
        assert_eq!(html.matches("<h1").count(), 1, "{path}");
        assert!(!html.contains("Unknown localization") && !html.contains("Unknown message"), "{path}");
        assert!(!html.contains(" style=\"") && !html.contains("<style"), "{path}");
        let ids = attributes(&html, "id");
        let once: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(once.len(), ids.len(), "an id of {path} stands twice");
        for link in attributes(&html, "href").into_iter().chain(attributes(&html, "src")) {
            if link.starts_with("https://") || link.starts_with("http://") {
                continue;
            }
            let (to, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let to = if to.is_empty() { path.as_str() } else { to };
            assert!(to.starts_with('/'), "{path} leads to {link}");
            if !anchor.is_empty() {
                anchors.push((path.clone(), to.to_owned(), anchor.to_owned()));
            }
            open.push(to.to_owned());
        }
        pages.insert(path, (html, answer.header("link").to_owned()));
    }
    assert!(pages.len() > 100 && files.len() > 50, "{} pages, {} files", pages.len(), files.len());
    for (from, to, anchor) in anchors {
        let Some((html, _)) = pages.get(&to) else {
            panic!("{from} leads to {to}#{anchor}, which is no page")
        };
        assert!(
            attributes(html, "id").contains(&anchor),
            "{from} leads to {to}#{anchor}, which is not there"
        );
    }
    let index = reader.get("/llms.txt").await.text();
    let whole = reader.get("/llms-full.txt").await.text();
    for (path, (_, link)) in pages.iter().filter(|(path, _)| !path.contains("/search")) {
        let source = link.split(['<', '>']).nth(1).unwrap_or_else(|| panic!("{path} names no source"));
        let answer = reader.get(source).await;
        assert_eq!(answer.header("content-type"), "text/markdown; charset=utf-8", "{path}: {source}");
        assert_eq!(headings(&answer.text()), 1, "{source}");
        if !source.contains("lang=") {
            assert!(index.contains(&format!("{source})")), "{source} is not in llms.txt");
        }
        let in_english = !source.contains("lang=") && !source.contains("/ja/");
        assert!(!in_english || whole.contains(answer.text().trim_end()), "{source} is not in llms-full.txt");
    }
}

/// Headings of the first level outside of code.
fn headings(markdown: &str) -> usize {
    let blocks = Regex::new("(?ms)^ *(`{3,}).*?^ *`{3,} *$").expect("a pattern");
    blocks.replace_all(markdown, "").lines().filter(|line| line.starts_with("# ")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_are_given_whole_addresses() {
    let app = App::start_reached_as(Some("https://example.com/tombolo")).await;
    let reader = reader(&app);
    let index = reader.get("/llms.txt").await.text();
    assert!(index.starts_with("# Tombolo\n\n> "), "{index}");
    for line in index.lines().filter(|line| line.starts_with("- [")) {
        assert!(line.contains("](https://example.com/tombolo/"), "{line}");
        assert!(line.contains("): "), "{line}");
    }
    let page = reader.get("/docs/linking").await;
    assert!(page.header("link").starts_with("</tombolo/docs/linking.md>"), "{}", page.header("link"));
    let html = page.text();
    for link in attributes(&html, "href").into_iter().filter(|link| link.starts_with('/')) {
        assert!(link.starts_with("/tombolo/"), "{link}");
    }
}
