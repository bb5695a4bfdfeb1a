//! Texts of others within Markdown of ours: they stay the texts that they are, on any page that shows it.

/// A text, such that it shows as itself wherever it stands in a line.
pub(in super::super) fn text(text: &str) -> String {
    let mut markdown = String::with_capacity(text.len());
    let characters: Vec<char> = one_line(text).chars().collect();
    for (position, character) in characters.iter().copied().enumerate() {
        let at = |position: usize| characters.get(position).copied();
        let before = position.checked_sub(1).and_then(at);
        let is_markup = match character {
            '\\' | '`' | '*' | '[' | ']' | '<' | '~' => true,
            // Only what looks like a character's number or name is one.
            '&' => at(position + 1).is_some_and(|next| next == '#' || next.is_ascii_alphanumeric()),
            // Within a word an underscore is none.
            '_' => {
                let is_in_word = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphanumeric);
                !(is_in_word(before) && is_in_word(at(position + 1)))
            }
            // At the beginning of a block these make headings, lists, quotes and rules.
            '#' | '+' | '-' | '=' | '>' => position == 0,
            '.' | ')' => position > 0 && characters[..position].iter().all(char::is_ascii_digit),
            _ => false,
        };
        if is_markup {
            markdown.push('\\');
        }
        markdown.push(character);
    }
    markdown
}

/// A sentence, in which what stands between backticks is code.
pub(in super::super) fn prose(sentence: &str) -> String {
    let parts: Vec<&str> = sentence.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return text(sentence);
    }
    let mut markdown = String::new();
    for (position, part) in parts.iter().enumerate() {
        let part = part.replace(['\n', '\r'], " ");
        // Blanks at the ends of a part are those around the code.
        let (start, end) = (part.len() - part.trim_start().len(), part.trim_end().len());
        let is_code = position % 2 == 1 && !part.trim().is_empty();
        markdown.push_str(if start > 0 { " " } else { "" });
        markdown.push_str(&if is_code { code(&part) } else { text(&part) });
        markdown.push_str(if end < part.len() && end > start { " " } else { "" });
    }
    markdown.trim().to_owned()
}

/// A text as code within a line.
pub(in super::super) fn code(text: &str) -> String {
    let text = one_line(text);
    if text.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let blank = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// Lines of code as a block.
pub(in super::super) fn block(language: &str, code: &str) -> String {
    let fence = "`".repeat(longest_run(code).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", code.trim_end())
}

/// A row of a table; the cells are Markdown. Bars part the cells even within code.
pub(in super::super) fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// A link to an address; text alone where the address is not one of the web.
pub(in super::super) fn link(label: &str, address: &str) -> String {
    let is_of_web = address.starts_with("https://") || address.starts_with("http://");
    if !is_of_web {
        return label.to_owned();
    }
    let mut safe = String::new();
    for character in address.chars() {
        match character {
            '<' | '>' | '\\' | '"' | '`' | '|' => safe.extend([format!("%{:02X}", character as u32)]),
            other if other.is_whitespace() || other.is_control() || is_direction(other) => {}
            other => safe.push(other),
        }
    }
    format!("[{label}](<{safe}>)")
}

/// A text in one line, without what turns the direction of whatever follows.
pub(in super::super) fn one_line(text: &str) -> String {
    let kept = text.chars().filter(|character| !is_direction(*character));
    let plain: String = kept.map(|character| if character.is_control() { ' ' } else { character }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The characters that override the direction of a text (Unicode TR 9).
fn is_direction(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn longest_run(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for character in text.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::super::{Surroundings, Words, render};
    use super::*;

    const HOSTILE: [&str; 16] = [
        "<script>alert('x')</script>",
        "a_b _c_ *d* **e** ~~f~~",
        "[x](javascript:alert(1)) ![y](z) <https://a.example>",
        "# heading",
        "- item",
        "1. item",
        "12) item",
        "> quote",
        "=== rule",
        "a | b \\| c",
        "`code` ``` \\`",
        "&lt; &amp; &#60; & <",
        "line\nbreak\r\n\tand tab",
        "back\\slash \\* \\",
        "日本語とemoji 👩‍👩‍👧 é",
        "$x$ $$y$$ ~a~ ^b^",
    ];

    #[test]
    fn hostile_texts_show_as_themselves() {
        for hostile in HOSTILE {
            let shown = hostile.split_whitespace().collect::<Vec<_>>().join(" ");
            for markdown in [
                format!("{}\n", text(hostile)),
                format!("1. {}\n", text(hostile)),
                format!("{}\n", code(hostile)),
                format!("| |\n|---|\n{}", row(&[&text(hostile)])),
                format!("| |\n|---|\n{}", row(&[&code(hostile)])),
                format!("- {}\n", link(&text(hostile), "https://a.example/")),
            ] {
                let words = Words::default();
                let surroundings =
                    Surroundings { address: &|to| Some(to.to_owned()), drawing: &|_| None, words: &words };
                let page = render(&markdown, &surroundings);
                assert_eq!(page.sections[0].text.trim(), shown, "{markdown}");
            }
        }
    }

    #[test]
    fn directions_are_not_turned() {
        assert_eq!(text("a\u{202e}b\u{2066}c"), "abc");
        assert_eq!(link("x", "https://a.example/\u{202e}<b> c"), "[x](<https://a.example/%3Cb%3Ec>)");
        assert_eq!(link("x", "javascript:alert(1)"), "x");
    }
}
