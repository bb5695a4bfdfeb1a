//! `llms.txt` and `llms-full.txt`: the manual for programs that read, as llmstxt.org describes it.

use tombolo_platform::catalog::{Catalog, Language};

use super::address::Addresses;
use super::library::Library;
use super::markdown::compose::one_line;
use super::say::Say;
use super::shelf::{API, HOME, PROVIDERS, SHELVES};

/// Every page with its address and a sentence.
pub(super) fn short(library: &Library, base: &str) -> String {
    let say = Say(Language::En);
    let addresses = Addresses { base, language: None };
    let line = |title: &str, page: &str, is_article: bool, about: &str| {
        let title = one_line(title).replace(['[', ']'], "");
        let source = addresses.source(page, Language::En, is_article);
        let about = one_line(about);
        format!("- [{title}]({source}): {about}\n")
    };
    let mut text = format!("# Tombolo\n\n> {}\n\n{}\n", say.text("llms-summary"), say.text("llms-lead"));
    text.push_str(&line(&say.text("page-readme"), HOME, true, &say.text("about-readme")));
    for shelf in SHELVES {
        text.extend([format!("\n## {}\n\n", say.text(&format!("shelf-{}", shelf.reader)))]);
        for page in shelf.pages {
            let (title, about) = (say.text(&format!("page-{page}")), say.text(&format!("about-{page}")));
            text.push_str(&line(&title, page, super::shelf::is_article(page), &about));
        }
    }
    text.extend([format!("\n## {}\n\n", say.text("page-api"))]);
    text.extend([format!("- [OpenAPI]({base}/openapi.json): {}\n", say.text("llms-openapi"))]);
    for part in library.parts_of_api() {
        let page = format!("{API}/{part}");
        text.push_str(&line(&library.title(&page, say), &page, false, &say.text("llms-part-of-api")));
    }
    text.extend([format!("\n## {}\n\n", say.text("shelf-japanese"))]);
    let quick_start = addresses.source("quick-start", Language::Ja, true);
    text.extend([format!(
        "- [クイックスタート]({quick_start}): {}\n",
        Say(Language::Ja).text("about-quick-start")
    )]);
    // Readers with little room may leave this part out.
    text.push_str("\n## Optional\n\n");
    for provider in library.catalog().iter() {
        let page = format!("{PROVIDERS}/{}", provider.id);
        text.push_str(&line(say.of(&provider.name), &page, false, say.of(&provider.description)));
    }
    text
}

/// The whole text of the manual. The guides of providers that are not part of the program are left out: a thousand of them
/// would be more than anybody reads at once.
pub(super) fn full(library: &Library, base: &str) -> String {
    let say = Say(Language::En);
    let addresses = Addresses { base, language: None };
    let mut pages: Vec<String> = [HOME].into_iter().chain(super::shelf::pages()).map(str::to_owned).collect();
    pages.extend(library.parts_of_api().into_iter().map(|part| format!("{API}/{part}")));
    let guides = library.catalog().iter().filter(|provider| Catalog::is_built_in(&provider.id));
    pages.extend(guides.map(|provider| format!("{PROVIDERS}/{}", provider.id)));
    let mut text = format!("{}\n", say.with("llms-full-lead", &[("address", &format!("{base}/llms.txt"))]));
    for page in pages {
        if let Some(source) = library.source(&page, Language::En) {
            let address = addresses.source(&page, Language::En, source.is_article);
            text.extend([format!("\n---\nSource: {address}\n\n{}\n", source.markdown.trim_end())]);
        }
    }
    text
}
