//! Pages that are texts: articles, guides and the reference, their sources, and the manual in one piece.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use tombolo_platform::catalog::{AuthScheme, Language, Provider};

use super::address::Addresses;
use super::answer::{file, moved, page as answered};
use super::guide::picture as drawing;
use super::library::{Library, Source};
use super::lists::{self, Frame, Leaf};
use super::markdown::{self, Surroundings, Words};
use super::reader::Reader;
use super::shelf::{self, HOME, PROVIDERS};
use super::{index, say::Say};
use crate::pages::shell::Shell;
use crate::routes::Routes;

/// The type of sources (RFC 7763).
const MARKDOWN: &str = "text/markdown; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// One text with everything around it.
#[derive(Template)]
#[template(path = "manual/text.html")]
struct TextPage<'a> {
    shell: &'a Shell,
    frame: Frame,
    title: String,
    /// The name of the language of the text.
    language: &'static str,
    /// Whether nobody has translated it into the reader's language.
    is_foreign: bool,
    html: String,
    contents: Vec<(u8, String, String)>,
    source: String,
    before: Option<Leaf>,
    after: Option<Leaf>,
    /// Where it belongs.
    above: Vec<Leaf>,
}

/// An article, or its source.
pub(super) async fn page(State(routes): State<Routes>, reader: Reader, Path(name): Path<String>) -> Response {
    shown(&routes, &reader, &name)
}

/// A page below another one, or its source.
pub(super) async fn page_in_folder(
    State(routes): State<Routes>,
    reader: Reader,
    Path((folder, name)): Path<(String, String)>,
) -> Response {
    match folder.as_str() {
        "ja" => {
            if let Some(page) = name.strip_suffix(".md") {
                let source = shelf::article(page, Language::Ja);
                return match source {
                    Some(source) => file(MARKDOWN, source.into_owned(), &reader.headers),
                    None => lists::nothing(&routes, &reader),
                };
            }
            moved(&reader.addresses().page_in(Language::Ja, &name))
        }
        "images" => match shelf::image(&name) {
            Some((bytes, kind)) => file(kind, bytes.into_owned(), &reader.headers),
            None => lists::nothing(&routes, &reader),
        },
        _ => shown(&routes, &reader, &format!("{folder}/{name}")),
    }
}

/// The drawing of a form, as a file of its own.
pub(super) async fn picture(
    State(routes): State<Routes>,
    reader: Reader,
    Path((id, picture)): Path<(String, String)>,
) -> Response {
    match scheme_of(&routes.manual, &id, &picture) {
        Some((provider, scheme)) => {
            let drawn = drawing::file(provider, scheme, reader.say);
            let mut response = file("image/svg+xml", drawn, &reader.headers);
            // A drawing that somebody opens alone runs nothing.
            let policy =
                http::HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");
            response.headers_mut().insert(http::header::CONTENT_SECURITY_POLICY, policy);
            response
        }
        None => lists::nothing(&routes, &reader),
    }
}

/// The API's own description, where links within the sources expect it.
pub(super) async fn openapi(reader: Reader) -> Response {
    moved(&reader.shell.to("/openapi.json"))
}

/// The list of all pages for programs that read.
pub(super) async fn index(State(routes): State<Routes>, reader: Reader) -> Response {
    file(PLAIN, index::short(&routes.manual, address(&routes)), &reader.headers)
}

/// All pages in one text.
pub(super) async fn whole(State(routes): State<Routes>, reader: Reader) -> Response {
    file(PLAIN, index::full(&routes.manual, address(&routes)), &reader.headers)
}

/// What absolute addresses begin with, as far as anybody knows.
fn address(routes: &Routes) -> &str {
    routes.public_url.known().unwrap_or_default()
}

fn shown(routes: &Routes, reader: &Reader, name: &str) -> Response {
    let library = &routes.manual;
    let (page, wants_source) = match name.strip_suffix(".md") {
        Some(page) => (page, true),
        None => (name, reader.wants_source()),
    };
    // The name of a file in English is that of the page; its language is another one only where the address says so.
    let is_file = page != name && shelf::is_article(page);
    let language = if is_file { reader.chosen().unwrap_or(Language::En) } else { reader.say.0 };
    let Some(source) = library.source(page, language) else { return lists::nothing(routes, reader) };
    if wants_source {
        return file(MARKDOWN, source.markdown.into_owned(), &reader.headers);
    }
    if page == HOME {
        return moved(&reader.addresses().page(HOME));
    }
    if page == PROVIDERS {
        return lists::all_providers(routes, reader);
    }
    text(library, reader, &source)
}

fn text(library: &Library, reader: &Reader, source: &Source) -> Response {
    let (say, addresses) = (reader.say, reader.addresses());
    let rendered = render(library, reader.say, &addresses, source);
    let file = addresses.source(&source.page, source.language, source.is_article);
    let (before, after) = library.neighbours(&source.page);
    let leaf = |page: String| Leaf::new(library, say, &addresses, &page, &source.page);
    let above = source.page.split_once('/').map(|(folder, _)| leaf(folder.to_owned()));
    let contents = rendered.sections.iter().filter(|part| matches!(part.level, 2 | 3));
    let template = TextPage {
        shell: &reader.shell,
        frame: Frame::new(library, reader, &source.page),
        title: rendered.title.clone(),
        language: crate::pages::words::tag(source.language),
        is_foreign: source.language != say.0,
        contents: contents.map(|part| (part.level, part.id.clone(), part.heading.clone())).collect(),
        html: rendered.html,
        source: file.clone(),
        before: before.map(leaf),
        after: after.map(leaf),
        above: above.into_iter().collect(),
    };
    answered(StatusCode::OK, &template, Some(&file), &reader.headers)
}

fn render(library: &Library, say: Say, addresses: &Addresses<'_>, source: &Source) -> markdown::Rendered {
    let words = Words {
        copy: say.text("manual-copy"),
        copied: say.text("manual-copied"),
        link_to: say.text("manual-link-to"),
        table: say.text("manual-table"),
    };
    // Links of a translated article are those of its own file.
    let from = match (source.language, source.is_article) {
        (Language::Ja, true) => format!("ja/{}", source.page),
        _ => source.page.clone(),
    };
    let surroundings = Surroundings {
        address: &|to| addresses.link(&from, to),
        drawing: &|to| {
            let (id, picture) = to.split_once('/')?;
            let (provider, scheme) = scheme_of(library, id, picture)?;
            source.page.starts_with(PROVIDERS).then(|| drawing::inline(provider, scheme, say))
        },
        words: &words,
    };
    markdown::render(&source.markdown, &surroundings)
}

fn scheme_of<'a>(library: &'a Library, id: &str, picture: &str) -> Option<(&'a Provider, &'a AuthScheme)> {
    let provider = library.catalog().get(id)?;
    Some((provider, provider.scheme(picture.strip_suffix(".svg")?)?))
}
