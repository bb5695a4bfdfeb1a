//! The events of a Markdown parser, written as HTML.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Tag, TagEnd};

use super::slug::Slugs;
use super::{Rendered, Section, Surroundings, code, push_escaped};

/// Writes one page.
pub(super) struct Writer<'a> {
    surroundings: &'a Surroundings<'a>,
    html: String,
    title: String,
    sections: Vec<Section>,
    slugs: Slugs,
    /// Where the open heading's HTML begins; its text is `heading`.
    heading: Option<(usize, String)>,
    /// The open block of code: language and text.
    code: Option<(String, String)>,
    /// The open image: address and alternative text.
    image: Option<(String, String)>,
    table: Table,
    /// Whether each open link leads somewhere.
    links: Vec<bool>,
}

/// What is known of the open table.
#[derive(Default)]
struct Table {
    /// Where its head begins in the HTML.
    head_at: usize,
    /// Whether a cell of the head has any content.
    has_head: bool,
    in_head: bool,
    /// The next cell is the first of its row.
    at_row_start: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(surroundings: &'a Surroundings<'a>) -> Self {
        Self {
            surroundings,
            html: String::new(),
            title: String::new(),
            sections: vec![Section { level: 1, ..Section::default() }],
            slugs: Slugs::default(),
            heading: None,
            code: None,
            image: None,
            table: Table::default(),
            links: Vec::new(),
        }
    }

    pub(super) fn write<'b>(mut self, events: impl Iterator<Item = Event<'b>>) -> Rendered {
        for event in events {
            self.event(event);
        }
        for section in &mut self.sections {
            section.text.truncate(section.text.trim_end().len());
        }
        Rendered { title: self.title, html: self.html, sections: self.sections }
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            // Raw HTML is a text like any other.
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(text) => {
                self.raw("<code>");
                self.text(&text);
                self.raw("</code>");
            }
            Event::SoftBreak => self.text("\n"),
            Event::HardBreak => self.raw("<br>"),
            Event::Rule => self.raw("<hr>\n"),
            Event::TaskListMarker(done) => self.text(if done { "☑ " } else { "☐ " }),
            // These come only with options that are not set.
            Event::FootnoteReference(_) | Event::InlineMath(_) | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            // A block of raw HTML is a paragraph of text.
            Tag::Paragraph | Tag::HtmlBlock => self.raw("<p>"),
            Tag::Heading { level, .. } => self.start_heading(level),
            Tag::BlockQuote(_) => self.raw("<blockquote>\n"),
            Tag::CodeBlock(kind) => {
                let language = match kind {
                    CodeBlockKind::Fenced(info) => {
                        info.split_whitespace().next().unwrap_or_default().to_owned()
                    }
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some((language, String::new()));
            }
            Tag::List(Some(1)) => self.raw("<ol>\n"),
            Tag::List(Some(start)) => self.raw(&format!("<ol start=\"{start}\">\n")),
            Tag::List(None) => self.raw("<ul>\n"),
            Tag::Item => self.raw("<li>"),
            Tag::Table(_) => self.start_table(),
            Tag::TableHead => {
                self.table = Table { head_at: self.html.len(), in_head: true, ..Table::default() };
                self.raw("<thead><tr>");
            }
            Tag::TableRow => {
                self.table.at_row_start = true;
                self.raw("<tr>");
            }
            Tag::TableCell => self.start_cell(),
            Tag::Emphasis => self.raw("<em>"),
            Tag::Strong => self.raw("<strong>"),
            Tag::Strikethrough => self.raw("<del>"),
            Tag::Link { dest_url, .. } => self.start_link(&dest_url),
            Tag::Image { dest_url, .. } => self.image = Some((dest_url.into_string(), String::new())),
            // The rest comes only with options that are not set.
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => {
                self.raw("</p>\n");
                self.apart();
            }
            TagEnd::Heading(level) => self.end_heading(level),
            TagEnd::BlockQuote(_) => self.raw("</blockquote>\n"),
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::List(true) => self.raw("</ol>\n"),
            TagEnd::List(false) => self.raw("</ul>\n"),
            TagEnd::Item => {
                self.raw("</li>\n");
                self.apart();
            }
            TagEnd::Table => self.raw("</tbody></table></div>\n"),
            TagEnd::TableHead => self.end_table_head(),
            TagEnd::TableRow => {
                self.raw("</tr>\n");
                self.apart();
            }
            TagEnd::TableCell => self.end_cell(),
            TagEnd::Emphasis => self.raw("</em>"),
            TagEnd::Strong => self.raw("</strong>"),
            TagEnd::Strikethrough => self.raw("</del>"),
            TagEnd::Link => {
                let leads_somewhere = self.links.pop() == Some(true);
                self.raw(if leads_somewhere { "</a>" } else { "" });
            }
            TagEnd::Image => self.end_image(),
            _ => {}
        }
    }

    /// HTML of our own.
    fn raw(&mut self, html: &str) {
        if self.image.is_none() {
            self.html.push_str(html);
        }
    }

    /// A text of others.
    fn text(&mut self, text: &str) {
        if let Some((_, code)) = &mut self.code {
            code.push_str(text);
            return;
        }
        if let Some((_, alternative)) = &mut self.image {
            alternative.push_str(text);
            return;
        }
        push_escaped(&mut self.html, text);
        self.table.has_head |= self.table.in_head && !text.trim().is_empty();
        match &mut self.heading {
            Some((_, heading)) => heading.push_str(text),
            None => self.plain(text),
        }
    }

    fn plain(&mut self, text: &str) {
        if let Some(section) = self.sections.last_mut() {
            section.text.push_str(text);
        }
    }

    /// Keeps the words of two blocks apart in the plain text.
    fn apart(&mut self) {
        self.plain("\n");
    }

    fn start_heading(&mut self, level: HeadingLevel) {
        self.heading = Some((self.html.len(), String::new()));
        if level != HeadingLevel::H1 || !self.title.is_empty() {
            self.html.push_str("<span>");
        }
    }

    fn end_heading(&mut self, level: HeadingLevel) {
        let Some((start, heading)) = self.heading.take() else { return };
        if level == HeadingLevel::H1 && self.title.is_empty() {
            // The page's own heading stands outside, beside what belongs to the whole page.
            self.html.truncate(start);
            self.sections[0].heading.clone_from(&heading);
            self.title = heading;
            return;
        }
        let inner = self.html.split_off(start);
        let id = self.slugs.next(&heading);
        // A second heading of the first level would make two pages of one.
        let level = (level as u8).max(2);
        let mut html = format!("<h{level} id=\"");
        push_escaped(&mut html, &id);
        html.push_str("\">");
        html.push_str(&inner);
        html.push_str("</span> <a class=\"permalink\" href=\"#");
        push_escaped(&mut html, &id);
        html.push_str("\" aria-label=\"");
        push_escaped(&mut html, &format!("{} {heading}", self.surroundings.words.link_to));
        html.extend([format!("\">#</a></h{level}>\n")]);
        self.html.push_str(&html);
        self.sections.push(Section { level, id, heading, text: String::new() });
    }

    fn end_code(&mut self) {
        let Some((language, text)) = self.code.take() else { return };
        let words = &self.surroundings.words;
        let mut html = "<copy-code data-copy=\"".to_owned();
        push_escaped(&mut html, &words.copy);
        html.push_str("\" data-copied=\"");
        push_escaped(&mut html, &words.copied);
        html.push_str("\"><div class=\"code-head\">");
        html.push_str(code::name(&language).unwrap_or_default());
        html.push_str("</div><pre tabindex=\"0\"><code>");
        code::push(&mut html, &language, &text);
        html.push_str("</code></pre></copy-code>\n");
        self.raw(&html);
        self.plain(&text);
        self.apart();
    }

    fn start_table(&mut self) {
        let heading = self.sections.last().map(|section| section.heading.as_str());
        let name = heading.filter(|heading| !heading.is_empty());
        let mut html = "<div class=\"table\" role=\"group\" tabindex=\"0\" aria-label=\"".to_owned();
        push_escaped(&mut html, name.unwrap_or(&self.surroundings.words.table));
        html.push_str("\"><table>\n");
        self.raw(&html);
    }

    fn end_table_head(&mut self) {
        self.table.in_head = false;
        if self.table.has_head {
            self.raw("</tr></thead>\n<tbody>\n");
        } else {
            // Two columns of names and values need no head; Markdown wants one all the same.
            self.html.truncate(self.table.head_at);
            self.raw("<tbody>\n");
        }
        self.apart();
    }

    fn start_cell(&mut self) {
        let is_name = !self.table.has_head && self.table.at_row_start;
        self.raw(match (self.table.in_head, is_name) {
            (true, _) => "<th scope=\"col\">",
            (false, true) => "<th scope=\"row\">",
            (false, false) => "<td>",
        });
    }

    fn end_cell(&mut self) {
        let is_name = !self.table.has_head && self.table.at_row_start;
        self.raw(if self.table.in_head || is_name { "</th>" } else { "</td>" });
        self.table.at_row_start = false;
        self.plain(" ");
    }

    fn start_link(&mut self, to: &str) {
        let address = (self.surroundings.address)(to);
        self.links.push(address.is_some());
        let Some(address) = address else { return };
        let mut html = "<a href=\"".to_owned();
        push_escaped(&mut html, &address);
        html.push_str(if is_elsewhere(&address) { "\" rel=\"noreferrer\">" } else { "\">" });
        self.raw(&html);
    }

    fn end_image(&mut self) {
        let Some((to, alternative)) = self.image.take() else { return };
        if let Some(drawing) = (self.surroundings.drawing)(&to) {
            self.raw(&drawing);
        } else if let Some(address) =
            (self.surroundings.address)(&to).filter(|address| !is_elsewhere(address))
        {
            let mut html = "<img loading=\"lazy\" src=\"".to_owned();
            push_escaped(&mut html, &address);
            html.push_str("\" alt=\"");
            push_escaped(&mut html, &alternative);
            html.push_str("\">");
            self.raw(&html);
        } else {
            self.text(&CowStr::from(alternative));
        }
    }
}

fn is_elsewhere(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://") || address.starts_with("mailto:")
}
