//! The articles of the manual in their order, by whom they are for, and their texts.

use std::borrow::Cow;

use rust_embed::RustEmbed;
use tombolo_platform::catalog::Language;

/// The files of `docs/` that are part of the program.
#[derive(RustEmbed)]
#[folder = "../../docs"]
#[include = "*.md"]
#[include = "images/*"]
struct Files;

/// Pages for one kind of reader.
pub(super) struct Shelf {
    /// The reader: the words for it are `shelf-…`.
    pub reader: &'static str,
    /// The pages in their order: the words for each are `page-…` and `about-…`.
    pub pages: &'static [&'static str],
}

/// The page that the manual opens with.
pub(super) const HOME: &str = "README";
/// The page with all providers.
pub(super) const PROVIDERS: &str = "providers";
/// The overview of the API.
pub(super) const API: &str = "api";

/// The whole manual but the pages of single providers and of parts of the API.
pub(super) const SHELVES: &[Shelf] = &[
    Shelf { reader: "everybody", pages: &["quick-start"] },
    Shelf { reader: "end-user", pages: &["link-an-account", PROVIDERS] },
    Shelf { reader: "developer", pages: &["embedding", "calling", "webhooks", API] },
    Shelf {
        reader: "administrator",
        pages: &["linking", "notifications", "switching", "importing-providers", "adding-a-provider"],
    },
    Shelf { reader: "data-person", pages: &["reading-data"] },
    Shelf { reader: "operator", pages: &["operating", "single-sign-on", "configuration", "cli"] },
    Shelf { reader: "agent", pages: &["agents"] },
];

/// Every page in the order of the shelves.
pub(super) fn pages() -> impl Iterator<Item = &'static str> {
    SHELVES.iter().flat_map(|shelf| shelf.pages.iter().copied())
}

/// Whether a page is an article, whose text stands in a file.
pub(super) fn is_article(page: &str) -> bool {
    page == HOME || (pages().any(|known| known == page) && page != PROVIDERS && page != API)
}

/// The text of an article in a language, as its file has it. `None` where there is no such file.
pub(super) fn article(page: &str, language: Language) -> Option<Cow<'static, str>> {
    if !is_article(page) {
        return None;
    }
    let file = match language {
        Language::En => format!("{page}.md"),
        Language::Ja => format!("ja/{page}.md"),
    };
    text(Files::get(&file)?.data)
}

/// A picture of the manual with its media type.
pub(super) fn image(name: &str) -> Option<(Cow<'static, [u8]>, &'static str)> {
    let kind = match name.rsplit_once('.')?.1 {
        "png" => "image/png",
        "webp" => "image/webp",
        "jpg" => "image/jpeg",
        "svg" => "image/svg+xml",
        _ => return None,
    };
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    is_name.then(|| Files::get(&format!("images/{name}"))).flatten().map(|file| (file.data, kind))
}

/// Files of this repository are UTF-8.
fn text(data: Cow<'static, [u8]>) -> Option<Cow<'static, str>> {
    match data {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_a_place_and_every_place_a_file() {
        for file in Files::iter().filter(|file| file.ends_with(".md")) {
            let page = file.trim_start_matches("ja/").trim_end_matches(".md");
            assert!(is_article(page), "{file} stands on no shelf");
        }
        for page in pages().chain([HOME]).filter(|page| is_article(page)) {
            assert!(article(page, Language::En).is_some(), "docs/{page}.md is missing");
        }
        assert!(article("quick-start", Language::Ja).is_some());
        assert!(article("../README", Language::En).is_none());
    }
}
