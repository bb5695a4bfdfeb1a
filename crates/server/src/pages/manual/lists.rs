//! Pages that lead on: the home of the manual, the list of providers, and what a search finds.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tombolo_platform::catalog::{Catalog, Language};

use super::address::Addresses;
use super::answer::page;
use super::library::Library;
use super::markdown::compose::one_line;
use super::providers::{self, PAGE};
use super::reader::Reader;
use super::say::Say;
use super::search::{self, RESULTS_MAX};
use super::shelf::{HOME, PROVIDERS, SHELVES};
use crate::pages::shell::Shell;
use crate::routes::Routes;

/// What stands around every page of the manual.
pub(super) struct Frame {
    pub home: String,
    pub search: String,
    pub question: String,
    /// The language that forms pass on.
    pub chosen: Option<&'static str>,
    /// The same page in the other language: address, name and tag of the language.
    pub other: (String, &'static str, &'static str),
    pub shelves: Vec<(String, Vec<Leaf>)>,
}

/// A page in a list.
pub(super) struct Leaf {
    pub address: String,
    pub title: String,
    pub about: String,
    /// Whether it is the page that is shown, or one above it.
    pub is_current: bool,
}

impl Leaf {
    pub(super) fn new(library: &Library, say: Say, to: &Addresses<'_>, page: &str, current: &str) -> Self {
        let is_above = current.split_once('/').is_some_and(|(folder, _)| folder == page);
        let about = if page.contains('/') {
            String::new()
        } else {
            say.text(&format!("about-{}", page.to_lowercase()))
        };
        Self {
            address: to.page(page),
            title: library.title(page, say),
            about,
            is_current: page == current || is_above,
        }
    }
}

impl Frame {
    pub(super) fn new(library: &Library, reader: &Reader, current: &str) -> Self {
        let (say, to) = (reader.say, reader.addresses());
        let other = match say.0 {
            Language::En => (to.page_in(Language::Ja, current), "日本語", "ja"),
            Language::Ja => (to.page_in(Language::En, current), "English", "en"),
        };
        let leaf = |page: &&str| Leaf::new(library, say, &to, page, current);
        let shelves = SHELVES.iter().map(|shelf| {
            (say.text(&format!("shelf-{}", shelf.reader)), shelf.pages.iter().map(leaf).collect())
        });
        Self {
            home: to.page(HOME),
            search: format!("{}/docs/search", to.base),
            question: String::new(),
            chosen: reader.chosen().map(crate::pages::words::tag),
            other,
            shelves: shelves.collect(),
        }
    }
}

#[derive(Template)]
#[template(path = "manual/home.html")]
struct Home<'a> {
    shell: &'a Shell,
    frame: Frame,
    /// Providers of the program, because people look for them first.
    providers: Vec<Leaf>,
    provider_count: usize,
    all_providers: String,
}

#[derive(Template)]
#[template(path = "manual/providers.html")]
struct ProviderList<'a> {
    shell: &'a Shell,
    frame: Frame,
    question: String,
    category: String,
    categories: Vec<(String, usize)>,
    count: usize,
    cards: Vec<Card>,
    before: Option<String>,
    after: Option<String>,
    place: String,
    action: String,
    source: String,
}

/// A provider in the list.
struct Card {
    address: String,
    name: String,
    /// The first letter, where a logo would stand.
    mark: String,
    description: String,
    categories: Vec<String>,
    schemes: String,
}

#[derive(Template)]
#[template(path = "manual/search.html")]
struct SearchPage<'a> {
    shell: &'a Shell,
    frame: Frame,
    question: String,
    results: Vec<Hit>,
    is_full: bool,
}

/// Something that was found.
struct Hit {
    address: String,
    title: String,
    heading: String,
    excerpt: String,
}

#[derive(Template)]
#[template(path = "manual/nothing.html")]
struct Nothing<'a> {
    shell: &'a Shell,
    frame: Frame,
}

/// The home of the manual, or its source.
pub(super) async fn home(State(routes): State<Routes>, reader: Reader) -> Response {
    let library = &routes.manual;
    let to = reader.addresses();
    let of_program = library.catalog().iter().filter(|provider| Catalog::is_built_in(&provider.id));
    let providers = of_program.map(|provider| Leaf {
        address: to.page(&format!("{PROVIDERS}/{}", provider.id)),
        title: one_line(reader.say.of(&provider.name)),
        about: one_line(reader.say.of(&provider.description)),
        is_current: false,
    });
    let template = Home {
        shell: &reader.shell,
        frame: Frame::new(library, &reader, HOME),
        providers: providers.collect(),
        provider_count: library.catalog().iter().count(),
        all_providers: to.page(PROVIDERS),
    };
    page(StatusCode::OK, &template, Some(&to.source(HOME, Language::En, true)), &reader.headers)
}

/// All providers, or those that somebody looks for.
pub(super) async fn providers(State(routes): State<Routes>, reader: Reader) -> Response {
    all_providers(&routes, &reader)
}

/// The list of providers.
pub(super) fn all_providers(routes: &Routes, reader: &Reader) -> Response {
    let (library, say, to) = (&routes.manual, reader.say, reader.addresses());
    let (question, category) = (reader.parameter("q"), reader.parameter("category"));
    let found = providers::find(library.catalog(), say, question, category);
    let pages = found.len().div_ceil(PAGE).max(1);
    let number = reader.parameter("page").parse::<usize>().unwrap_or(1).clamp(1, pages);
    let cards = found.iter().skip((number - 1) * PAGE).take(PAGE).map(|provider| {
        let name = one_line(say.of(&provider.name));
        let schemes = provider.auth.iter().map(|scheme| one_line(say.of(&scheme.name)));
        Card {
            address: to.page(&format!("{PROVIDERS}/{}", provider.id)),
            mark: name.chars().find(|letter| letter.is_alphanumeric()).map(String::from).unwrap_or_default(),
            name,
            description: one_line(say.of(&provider.description)),
            categories: provider.categories.clone(),
            schemes: schemes.collect::<Vec<_>>().join(&say.text("list-separator")),
        }
    });
    let there = |number: usize| {
        let mut address = to.page(PROVIDERS);
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        for (name, value) in [("q", question), ("category", category), ("page", &number.to_string())] {
            if !value.is_empty() {
                address.push(if address.contains('?') { '&' } else { '?' });
                address.extend([format!("{name}={}", encoded(value))]);
            }
        }
        address
    };
    let categories = providers::categories(library.catalog());
    let source = to.source(PROVIDERS, say.0, false);
    let template = ProviderList {
        shell: &reader.shell,
        frame: Frame::new(library, reader, PROVIDERS),
        question: question.to_owned(),
        category: category.to_owned(),
        categories: categories.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
        count: found.len(),
        cards: cards.collect(),
        before: (number > 1).then(|| there(number - 1)),
        after: (number < pages).then(|| there(number + 1)),
        place: format!("{number} / {pages}"),
        action: format!("{}/docs/{PROVIDERS}", to.base),
        source: source.clone(),
    };
    page(StatusCode::OK, &template, Some(&source), &reader.headers)
}

/// What a search finds.
pub(super) async fn search(State(routes): State<Routes>, reader: Reader) -> Response {
    let (library, to) = (&routes.manual, reader.addresses());
    let question = reader.parameter("q").trim();
    let found = search::search(library.entries(reader.say.0), question);
    let is_full = found.len() == RESULTS_MAX;
    let results = found.into_iter().map(|hit| {
        let anchor =
            if hit.entry.anchor.is_empty() { String::new() } else { format!("#{}", hit.entry.anchor) };
        Hit {
            address: format!("{}{anchor}", to.page(&hit.entry.page)),
            title: hit.entry.title.clone(),
            heading: if anchor.is_empty() { String::new() } else { hit.entry.heading.clone() },
            excerpt: hit.excerpt,
        }
    });
    let mut frame = Frame::new(library, &reader, HOME);
    question.clone_into(&mut frame.question);
    let other = utf8_percent_encode(question, NON_ALPHANUMERIC).to_string();
    let language = if reader.say.0 == Language::En { "ja" } else { "en" };
    frame.other.0 = format!("{}?lang={language}&q={other}", frame.search);
    let template = SearchPage {
        shell: &reader.shell,
        frame,
        question: question.to_owned(),
        results: results.collect(),
        is_full,
    };
    page(StatusCode::OK, &template, None, &reader.headers)
}

/// There is no such page.
pub(super) fn nothing(routes: &Routes, reader: &Reader) -> Response {
    let frame = Frame::new(&routes.manual, reader, HOME);
    page(StatusCode::NOT_FOUND, &Nothing { shell: &reader.shell, frame }, None, &reader.headers)
}
