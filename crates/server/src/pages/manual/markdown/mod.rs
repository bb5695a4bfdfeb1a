//! Markdown as the manual shows it: HTML without a way for a text to become markup, with ids, contents and sections.

mod code;
pub(super) mod compose;
mod slug;
mod writer;

use pulldown_cmark::{Options, Parser};

pub(super) use slug::slug;
use writer::Writer;

/// A page made of Markdown.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    /// The heading of the first level, as plain text.
    pub title: String,
    /// Everything but that heading.
    pub html: String,
    /// The page in parts, each below its heading; the first is what stands before the second heading.
    pub sections: Vec<Section>,
}

/// A heading and what stands below it, up to the next one.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// 1 for the page's own heading.
    pub level: u8,
    /// What a link to the heading ends with after `#`; empty for the page's own heading.
    pub id: String,
    /// The heading as plain text.
    pub heading: String,
    /// What stands below it as plain text.
    pub text: String,
}

/// What a page's HTML takes from its surroundings.
pub(super) struct Surroundings<'a> {
    /// Where a link of the Markdown leads; `None` when it leads nowhere that is safe, and is shown as text.
    pub address: &'a dyn Fn(&str) -> Option<String>,
    /// The drawing that stands in the place of an image with this address: HTML of our own.
    pub drawing: &'a dyn Fn(&str) -> Option<String>,
    /// The words of the page's language that stand in attributes.
    pub words: &'a Words,
}

/// Words that the Markdown does not have.
#[derive(Debug, Default, Clone)]
pub(super) struct Words {
    /// The button that copies a block of code.
    pub copy: String,
    /// The same, once it has.
    pub copied: String,
    /// What a link to a heading is called, before the heading.
    pub link_to: String,
    /// What a table is called that has no heading.
    pub table: String,
}

/// Turns Markdown into HTML. Raw HTML in it is shown as the text that it is.
pub(super) fn render(markdown: &str, surroundings: &Surroundings<'_>) -> Rendered {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    Writer::new(surroundings).write(Parser::new_ext(markdown, options))
}

/// The parts of a page, for whoever needs no HTML.
pub(super) fn sections(markdown: &str) -> (String, Vec<Section>) {
    let words = Words::default();
    let rendered = render(markdown, &Surroundings { address: &|_| None, drawing: &|_| None, words: &words });
    (rendered.title, rendered.sections)
}

/// A text as HTML shows it, also within a quoted attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    push_escaped(&mut html, text);
    html
}

fn push_escaped(html: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(markdown: &str) -> Rendered {
        let words = Words {
            copy: "Copy".to_owned(),
            copied: "Copied".to_owned(),
            link_to: "Link to".to_owned(),
            table: "Table".to_owned(),
        };
        let address = |to: &str| (!to.starts_with("javascript:")).then(|| to.replace(".md", ""));
        let drawing = |to: &str| (to == "form.svg").then(|| "<svg></svg>".to_owned());
        render(markdown, &Surroundings { address: &address, drawing: &drawing, words: &words })
    }

    #[test]
    fn a_text_never_becomes_markup() {
        for hostile in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<div>\n\n<style>*{}</style>",
            "[x](javascript:alert(1))",
            "![x](javascript:alert(1))",
            "`<b>`",
            "```\n</code></pre><script>\n```",
            "# <script>",
            "| <b> | \"' |\n|:--|--:|\n| <i> | & |",
            "[a](x\"onclick=alert(1))",
            "[a](<x' onclick='b>  \"t\")",
        ] {
            let html = page(hostile).html;
            for tag in ["<script", "<img", "<style", "<b>", "<i>", "<div>", "style=", "javascript:"] {
                assert!(!html.contains(tag), "{hostile}: {html}");
            }
            assert!(!html.contains("\"onclick") && !html.contains("' onclick"), "{hostile}: {html}");
        }
    }

    #[test]
    fn headings_have_ids_and_make_the_contents() {
        let page = page(
            "# The *page*\n\nLead.\n\n## One & two\n\nFirst.\n\n### `code`\n\n## One & two\n\n## 日本語 の見出し\n",
        );
        assert_eq!(page.title, "The page");
        let found: Vec<_> =
            page.sections.iter().map(|part| (part.level, part.id.as_str(), part.text.as_str())).collect();
        assert_eq!(
            found,
            [
                (1, "", "Lead."),
                (2, "one--two", "First."),
                (3, "code", ""),
                (2, "one--two-1", ""),
                (2, "日本語-の見出し", ""),
            ]
        );
        insta::assert_snapshot!(page.html, @r##"
        <p>Lead.</p>
        <h2 id="one--two"><span>One &amp; two</span> <a class="permalink" href="#one--two" aria-label="Link to One &amp; two">#</a></h2>
        <p>First.</p>
        <h3 id="code"><span><code>code</code></span> <a class="permalink" href="#code" aria-label="Link to code">#</a></h3>
        <h2 id="one--two-1"><span>One &amp; two</span> <a class="permalink" href="#one--two-1" aria-label="Link to One &amp; two">#</a></h2>
        <h2 id="日本語-の見出し"><span>日本語 の見出し</span> <a class="permalink" href="#日本語-の見出し" aria-label="Link to 日本語 の見出し">#</a></h2>
        "##);
    }

    #[test]
    fn code_has_its_language_and_tables_scroll() {
        let page = page(
            "```console\n$ tombolo version # <now>\ntombolo 0.1.0\n```\n\n| a | b |\n|---|:-:|\n| `1` | x |\n\n| | |\n|---|---|\n| k | v |\n\n![The form](form.svg)\n",
        );
        insta::assert_snapshot!(page.html, @r##"
        <copy-code data-copy="Copy" data-copied="Copied"><div class="code-head">Console</div><pre tabindex="0"><code><span class="prompt">$ </span><span class="typed">tombolo version <span class="comment"># &lt;now&gt;
        </span></span><span class="answered">tombolo 0.1.0
        </span></code></pre></copy-code>
        <div class="table" role="group" tabindex="0" aria-label="Table"><table>
        <thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead>
        <tbody>
        <tr><td><code>1</code></td><td>x</td></tr>
        </tbody></table></div>
        <div class="table" role="group" tabindex="0" aria-label="Table"><table>
        <tbody>
        <tr><th scope="row">k</th><td>v</td></tr>
        </tbody></table></div>
        <p><svg></svg></p>
        "##);
    }
}
