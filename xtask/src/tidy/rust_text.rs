//! Just enough understanding of Rust's text to leave comments and test modules out of a search.

use std::iter::Peekable;
use std::str::Chars;

/// The text with every comment replaced by blanks; lines stay where they are, strings stay whole.
pub(super) fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut before = ' ';
    while let Some(character) = rest.next() {
        match (character, rest.peek()) {
            ('/', Some('/')) => while rest.next_if(|next| *next != '\n').is_some() {},
            ('/', Some('*')) => skip_block_comment(&mut rest, &mut kept),
            ('"', _) => copy_string(&mut rest, &mut kept),
            ('r', Some('"' | '#')) if !before.is_alphanumeric() && before != '_' => {
                copy_raw_string(&mut rest, &mut kept);
            }
            ('\'', _) => copy_character(&mut rest, &mut kept),
            _ => kept.push(character),
        }
        before = character;
    }
    kept
}

/// The numbered lines that stand outside of items below `#[cfg(test)]`. The text must be formatted by rustfmt: such an
/// item ends with the first line that closes it at its own indentation.
pub(super) fn without_tests(text: &str) -> Vec<(usize, String)> {
    let mut shipped = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            shipped.push((index + 1, line.to_owned()));
            continue;
        }
        let indentation = &line[..line.len() - line.trim_start().len()];
        lines.by_ref().find(|(_, line)| ends_item(line, indentation));
    }
    shipped
}

/// Whether a line that is not deeper than the item's first one is also its last.
fn ends_item(line: &str, indentation: &str) -> bool {
    let Some(rest) = line.strip_prefix(indentation) else { return false };
    !rest.starts_with([' ', '#']) && rest.trim_end().ends_with([';', '}', ','])
}

fn skip_block_comment(rest: &mut Peekable<Chars<'_>>, kept: &mut String) {
    let mut depth = 1;
    rest.next();
    while depth > 0 {
        match (rest.next(), rest.peek()) {
            (Some('*'), Some('/')) => {
                rest.next();
                depth -= 1;
            }
            (Some('/'), Some('*')) => {
                rest.next();
                depth += 1;
            }
            (Some('\n'), _) => kept.push('\n'),
            (Some(_), _) => {}
            (None, _) => return,
        }
    }
}

fn copy_string(rest: &mut Peekable<Chars<'_>>, kept: &mut String) {
    kept.push('"');
    while let Some(character) = rest.next() {
        kept.push(character);
        match character {
            '\\' => kept.extend(rest.next()),
            '"' => return,
            _ => {}
        }
    }
}

fn copy_raw_string(rest: &mut Peekable<Chars<'_>>, kept: &mut String) {
    kept.push('r');
    let mut hashes = 0;
    while rest.next_if_eq(&'#').is_some() {
        kept.push('#');
        hashes += 1;
    }
    if rest.next_if_eq(&'"').is_none() {
        return; // A raw identifier, such as `r#type`.
    }
    kept.push('"');
    let end = format!("\"{}", "#".repeat(hashes));
    let start = kept.len();
    for character in rest.by_ref() {
        kept.push(character);
        if kept[start..].ends_with(&end) {
            return;
        }
    }
}

/// A character such as `'"'`, or the beginning of a lifetime, which has no second quote.
fn copy_character(rest: &mut Peekable<Chars<'_>>, kept: &mut String) {
    kept.push('\'');
    let mut ahead = rest.clone();
    let length = match (ahead.next(), ahead.next()) {
        (Some('\\'), Some(escaped)) => {
            let braces = if escaped == 'u' { ahead.take_while(|next| *next != '}').count() + 1 } else { 0 };
            2 + braces + 1
        }
        (Some(_), Some('\'')) => 2,
        _ => 0,
    };
    kept.extend(rest.by_ref().take(length));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_strings_stay() {
        for (text, expected) in [
            ("let a = 1; // one", "let a = 1; "),
            ("let url = \"https://x\"; // why", "let url = \"https://x\"; "),
            ("a /* b /* c */ d */ e", "a  e"),
            ("let q = '\"'; // x", "let q = '\"'; "),
            ("let q = '\\''; // x", "let q = '\\''; "),
            ("let q = '\\u{2f}'; // x", "let q = '\\u{2f}'; "),
            ("fn f<'a>(x: &'a str) {} // x", "fn f<'a>(x: &'a str) {} "),
            ("let r = r#\"a \" // b\"#; // c", "let r = r#\"a \" // b\"#; "),
            ("let r#type = \"//\"; // c", "let r#type = \"//\"; "),
            ("\"a \\\" // b\" // c", "\"a \\\" // b\" "),
        ] {
            assert_eq!(without_comments(text), expected, "{text}");
        }
    }

    #[test]
    fn items_for_tests_go() {
        let text = "one\n#[cfg(test)]\nmod inline {\n    fn f() {\n    }\n}\ntwo\n#[cfg(test)]\nmod other;\nthree\n\
                    impl X {\n    #[cfg(test)]\n    fn g() {\n        1;\n    }\n    four\n}\n\
                    #[cfg(test)]\n#[path = \"x.rs\"]\nmod attributed;\nfive";
        let shipped: Vec<String> =
            without_tests(text).iter().map(|(number, line)| format!("{number} {}", line.trim())).collect();
        assert_eq!(shipped.join("|"), "1 one|7 two|10 three|11 impl X {|16 four|17 }|21 five");
    }
}
