//! The manual as a whole: what pages there are, in which languages, and their sources.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tombolo_platform::Platform;
use tombolo_platform::catalog::{Catalog, Common, Language, Provider};

use super::guide::guide;
use super::markdown::compose::one_line;
use super::markdown::{self, Section};
use super::providers;
use super::reference::Reference;
use super::say::Say;
use super::search::{self, Entry};
use super::shelf::{self, API, HOME, PROVIDERS};

/// Everything that pages of the manual are made of.
pub(crate) struct Library {
    platform: Arc<Platform>,
    document: Bytes,
    /// Made when somebody first asks, so that a start waits for none of it.
    reference: OnceLock<Reference>,
    common_failures: OnceLock<usize>,
    /// What can be found, in English and in Japanese.
    entries: [OnceLock<Vec<Entry>>; 2],
}

/// The source of one page.
pub(super) struct Source {
    /// The page, such as `linking` or `providers/kintone`.
    pub page: String,
    /// Its text.
    pub markdown: Cow<'static, str>,
    /// The language of the text: English where nobody has translated it.
    pub language: Language,
    /// Whether the text stands in a file of `docs/`.
    pub is_article: bool,
}

impl Library {
    /// `document` is the OpenAPI document of the routes.
    pub(crate) fn new(platform: Arc<Platform>, document: Bytes) -> Self {
        Self {
            platform,
            document,
            reference: OnceLock::new(),
            common_failures: OnceLock::new(),
            entries: [OnceLock::new(), OnceLock::new()],
        }
    }

    fn reference(&self) -> &Reference {
        self.reference.get_or_init(|| Reference::new(&self.document))
    }

    pub(super) fn catalog(&self) -> &Catalog {
        self.platform.catalog()
    }

    /// The source of a page as near to a language as there is one.
    pub(super) fn source(&self, page: &str, language: Language) -> Option<Source> {
        let say = Say(language);
        let made = |markdown: String| Source {
            page: page.to_owned(),
            markdown: markdown.into(),
            language,
            is_article: false,
        };
        if page == PROVIDERS {
            return Some(made(providers::source(self.catalog(), say)));
        }
        if page == API {
            return Some(made(self.reference().overview(say)));
        }
        match page.split_once('/') {
            Some((PROVIDERS, id)) => self.catalog().get(id).map(|provider| made(self.guide(provider, say))),
            Some((API, name)) => self.reference().page(name, say).map(made),
            Some(_) => None,
            None => {
                let translated = shelf::article(page, language).map(|markdown| (markdown, language));
                let found = translated.or_else(|| Some((shelf::article(page, Language::En)?, Language::En)));
                found.map(|(markdown, language)| Source {
                    page: page.to_owned(),
                    markdown,
                    language,
                    is_article: true,
                })
            }
        }
    }

    /// The guide of a provider.
    pub(super) fn guide(&self, provider: &Provider, say: Say) -> String {
        // The common table is part of the program, which does not start without it.
        let count = || Common::built_in().map_or(0, |common| common.explanations().len());
        guide(provider, *self.common_failures.get_or_init(count), say)
    }

    /// The names of the pages below the overview of the API.
    pub(super) fn parts_of_api(&self) -> Vec<String> {
        self.reference().pages()
    }

    /// The pages before and after one, in the order in which somebody would read them.
    pub(super) fn neighbours(&self, page: &str) -> (Option<String>, Option<String>) {
        let row: Vec<String> = match page.split_once('/') {
            Some((API, _)) => {
                let parts = self.parts_of_api().into_iter().map(|part| format!("{API}/{part}"));
                [API.to_owned()].into_iter().chain(parts).collect()
            }
            Some(_) => {
                let guides = self.catalog().iter().map(|provider| format!("{PROVIDERS}/{}", provider.id));
                guides.collect()
            }
            None => [HOME].into_iter().chain(shelf::pages()).map(str::to_owned).collect(),
        };
        let Some(place) = row.iter().position(|known| known == page) else { return (None, None) };
        (place.checked_sub(1).map(|before| row[before].clone()), row.get(place + 1).cloned())
    }

    /// What a page is called in lists and in the navigation.
    pub(super) fn title(&self, page: &str, say: Say) -> String {
        match page.split_once('/') {
            Some((PROVIDERS, id)) => {
                self.catalog().get(id).map_or_else(|| id.to_owned(), |known| one_line(say.of(&known.name)))
            }
            Some(_) => {
                let source = self.source(page, say.0);
                source.map_or_else(|| page.to_owned(), |source| markdown::sections(&source.markdown).0)
            }
            None => say.text(&format!("page-{}", page.to_lowercase())),
        }
    }

    /// Everything that can be found in a language. The guides of providers that are not part of the program are found by what
    /// they are called and what they are, because there may be a thousand of them.
    pub(super) fn entries(&self, language: Language) -> impl Iterator<Item = &Entry> {
        self.entries[usize::from(language == Language::Ja)].get_or_init(|| self.index(language)).iter()
    }

    /// The best parts that have every word of a question: path, title of the page, and heading, empty for a whole page.
    pub(crate) fn find(
        &self,
        language: Language,
        question: &str,
        most: usize,
    ) -> Vec<(String, String, String)> {
        let found = search::search(self.entries(language), question).into_iter().take(most);
        let told = found.map(|hit| {
            let entry = hit.entry;
            let lang = crate::pages::words::tag(language);
            let path = format!("/docs/{}?lang={lang}", entry.page);
            if entry.anchor.is_empty() {
                (path, entry.title.clone(), String::new())
            } else {
                (format!("{path}#{}", entry.anchor), entry.title.clone(), entry.heading.clone())
            }
        });
        told.collect()
    }

    fn index(&self, language: Language) -> Vec<Entry> {
        let mut pages: Vec<String> = [HOME].into_iter().chain(shelf::pages()).map(str::to_owned).collect();
        pages.extend(self.parts_of_api().into_iter().map(|part| format!("{API}/{part}")));
        let mut entries = Vec::new();
        for page in pages.iter().filter(|page| *page != PROVIDERS) {
            entries.extend(self.entries_of(page, language));
        }
        for provider in self.catalog().iter() {
            if Catalog::is_built_in(&provider.id) {
                entries.extend(self.entries_of(&format!("{PROVIDERS}/{}", provider.id), language));
            } else {
                entries.push(short_entry(provider, language));
            }
        }
        entries
    }

    fn entries_of(&self, page: &str, language: Language) -> Vec<Entry> {
        let Some(source) = self.source(page, language) else { return Vec::new() };
        let (title, sections) = markdown::sections(&source.markdown);
        sections.iter().map(|section| Entry::new(page, &title, section)).collect()
    }
}

/// A provider by its names, its description, its categories and its ways to sign in.
fn short_entry(provider: &Provider, language: Language) -> Entry {
    let say = Say(language);
    let mut text = format!("{}. {}", say.of(&provider.description), provider.id);
    for category in &provider.categories {
        text.extend([format!(", {category}")]);
    }
    for scheme in &provider.auth {
        text.extend([format!(", {}", say.of(&scheme.name))]);
    }
    let title = one_line(say.of(&provider.name));
    let section = Section { level: 1, id: String::new(), heading: title.clone(), text: one_line(&text) };
    Entry::new(&format!("{PROVIDERS}/{}", provider.id), &title, &section)
}
