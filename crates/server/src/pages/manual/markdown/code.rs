//! Blocks of code: what the reader types stands out from what the program answers, and comments step back.

use super::push_escaped;

/// How a language of a block is called, and how its comments begin.
const LANGUAGES: [(&str, &str, Option<&str>); 14] = [
    ("sh", "Shell", Some("#")),
    ("bash", "Shell", Some("#")),
    ("console", "Console", None),
    ("js", "JavaScript", Some("//")),
    ("javascript", "JavaScript", Some("//")),
    ("ts", "TypeScript", Some("//")),
    ("python", "Python", Some("#")),
    ("rust", "Rust", Some("//")),
    ("yaml", "YAML", Some("#")),
    ("toml", "TOML", Some("#")),
    ("json", "JSON", None),
    ("http", "HTTP", None),
    ("html", "HTML", None),
    ("sql", "SQL", Some("--")),
];

/// The language's name for people; nothing for plain text.
pub(super) fn name(language: &str) -> Option<&'static str> {
    LANGUAGES.iter().find(|(known, ..)| *known == language).map(|(_, name, _)| *name)
}

/// Writes the code as HTML.
pub(super) fn push(html: &mut String, language: &str, code: &str) {
    let comment = LANGUAGES.iter().find(|(known, ..)| *known == language).and_then(|(.., comment)| *comment);
    let mut goes_on = false;
    for line in code.split_inclusive('\n') {
        match language {
            "console" => goes_on = push_console_line(html, line, goes_on),
            _ => push_line(html, line, comment),
        }
    }
}

/// A line of a session: typed after `$ `, or going on from a typed line that ends with a backslash. The answer is whether the
/// next line goes on.
fn push_console_line(html: &mut String, line: &str, goes_on: bool) -> bool {
    let typed = line.strip_prefix("$ ");
    if typed.is_none() && !goes_on {
        html.push_str("<span class=\"answered\">");
        push_escaped(html, line);
        html.push_str("</span>");
        return false;
    }
    if typed.is_some() {
        html.push_str("<span class=\"prompt\">$ </span>");
    }
    html.push_str("<span class=\"typed\">");
    push_line(html, typed.unwrap_or(line), Some("#"));
    html.push_str("</span>");
    line.trim_end().ends_with('\\')
}

fn push_line(html: &mut String, line: &str, comment: Option<&str>) {
    match comment.and_then(|sign| comment_in(line, sign)) {
        Some(start) => {
            push_escaped(html, &line[..start]);
            html.push_str("<span class=\"comment\">");
            push_escaped(html, &line[start..]);
            html.push_str("</span>");
        }
        None => push_escaped(html, line),
    }
}

/// Where a comment begins: at the line's beginning or after a blank, and outside of quotes as far as one line shows it.
fn comment_in(line: &str, sign: &str) -> Option<usize> {
    let mut quote = None;
    let mut before = ' ';
    for (position, character) in line.char_indices() {
        match quote {
            Some(open) if character == open => quote = None,
            None if matches!(character, '"' | '\'' | '`') => quote = Some(character),
            None if before.is_whitespace() && line[position..].starts_with(sign) => return Some(position),
            Some(_) | None => {}
        }
        before = character;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_and_what_is_said_beside_it_are_told_apart() {
        for (language, code, expected) in [
            ("sh", "a --b 'x # y' # why", "a --b &#39;x # y&#39; <span class=\"comment\"># why</span>"),
            ("js", "f('http://x'); // so", "f(&#39;http://x&#39;); <span class=\"comment\">// so</span>"),
            ("yaml", "key: a#b", "key: a#b"),
            ("text", "# not a comment", "# not a comment"),
            (
                "console",
                "$ a \\\n  b\nanswer",
                "<span class=\"prompt\">$ </span><span class=\"typed\">a \\\n</span><span class=\"typed\">  b\n</span>\
                 <span class=\"answered\">answer</span>",
            ),
        ] {
            let mut html = String::new();
            push(&mut html, language, code);
            assert_eq!(html, expected, "{code}");
        }
    }
}
