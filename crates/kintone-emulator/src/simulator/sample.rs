//! Finds a value that a field of a provider file accepts.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;
use tombolo_catalog::{Field, FieldKind};

/// Longest run that an open-ended repetition is filled with.
const LONGEST_RUN: usize = 64;

/// A value that the field accepts and that holds as much of `marker` as the field's pattern admits; `None` when the
/// pattern is too clever for us. The same arguments always give the same value.
pub(super) fn marked(field: &Field, marker: &str) -> Option<String> {
    let fitted = field.pattern.as_ref().map(|pattern| fit(pattern.source(), marker));
    let candidates = [Some(marker.to_owned()), fitted, field.example.clone()];
    first_accepted(field, candidates.into_iter().flatten())
}

/// A value that a person would give: the default, the example, the first choice, or else something that fits.
pub(super) fn typical(field: &Field) -> Option<String> {
    let given = [field.default.clone(), field.example.clone(), field.choices.first().cloned()];
    let of_kind = match field.kind {
        FieldKind::Integer => Some("1".to_owned()),
        FieldKind::Boolean => Some("true".to_owned()),
        FieldKind::Text | FieldKind::Choice | FieldKind::List | FieldKind::Multiline | FieldKind::File => {
            None
        }
    };
    first_accepted(field, given.into_iter().flatten().chain(of_kind)).or_else(|| marked(field, "sample"))
}

fn first_accepted(field: &Field, mut candidates: impl Iterator<Item = String>) -> Option<String> {
    candidates.find(|candidate| {
        field.accept("sample", candidate).is_ok_and(|value| value.as_ref() == Some(candidate))
    })
}

/// A text made along a regular expression: the first of alternatives, the fewest repetitions of groups, and runs of
/// the marker's characters where a class repeats. It is a guess; the caller checks it.
fn fit(pattern: &str, marker: &str) -> String {
    let mut fitting = Fitting { rest: pattern.chars().peekable(), marker };
    fitting.alternative()
}

struct Fitting<'a> {
    rest: Peekable<Chars<'a>>,
    marker: &'a str,
}

/// How often an atom stands: at least, at most.
type Times = (usize, usize);

impl Fitting<'_> {
    /// Everything up to the end of the group; alternatives after the first are read and dropped.
    fn alternative(&mut self) -> String {
        let mut text = String::new();
        let mut keep = true;
        while let Some(next) = self.rest.next() {
            let piece = match next {
                ')' => break,
                '|' => {
                    keep = false;
                    continue;
                }
                '^' | '$' => continue,
                '(' => {
                    self.group_head();
                    let inside = self.alternative();
                    inside.repeat(self.times().0)
                }
                '[' => {
                    let class = self.class();
                    self.run(&class)
                }
                '.' => self.run("."),
                '\\' => {
                    let escaped = self.rest.next().unwrap_or('\\');
                    match escaped {
                        'A' | 'z' | 'b' => continue,
                        'd' | 'w' | 's' | 'D' | 'W' | 'S' => self.run(&format!("\\{escaped}")),
                        _ => escaped.to_string().repeat(self.times().0),
                    }
                }
                literal => literal.to_string().repeat(self.times().0),
            };
            if keep {
                text.push_str(&piece);
            }
        }
        text
    }

    /// Skips `?:`, `?<name>` and `?P<name>`.
    fn group_head(&mut self) {
        if self.rest.next_if_eq(&'?').is_some() {
            for next in self.rest.by_ref() {
                if matches!(next, ':' | '>') {
                    break;
                }
            }
        }
    }

    /// The rest of a class, as written.
    fn class(&mut self) -> String {
        let mut class = String::from("[");
        while let Some(next) = self.rest.next() {
            class.push(next);
            match next {
                '\\' => class.extend(self.rest.next()),
                ']' if class.len() > 2 && class != "[^]" => break,
                _ => {}
            }
        }
        class
    }

    /// As many of the marker's characters as the class admits and the repetition allows.
    fn run(&mut self, class: &str) -> String {
        let (least, most) = self.times();
        let Ok(class) = Regex::new(&format!(r"\A{class}\z")) else { return String::new() };
        let admits = |character: &char| class.is_match(character.encode_utf8(&mut [0; 4]));
        let marked: Vec<char> = self.marker.chars().filter(admits).collect();
        let plain = || ('0'..='z').chain(' '..='~').find(admits).into_iter().collect();
        let characters: Vec<char> = if marked.is_empty() { plain() } else { marked };
        let count = characters.len().min(LONGEST_RUN).min(most).max(least);
        characters.iter().cycle().take(count).collect()
    }

    /// The repetition that stands here; exactly once when there is none.
    fn times(&mut self) -> Times {
        let times = match self.rest.peek() {
            Some('?') => (0, 1),
            Some('*') => (0, usize::MAX),
            Some('+') => (1, usize::MAX),
            Some('{') => {
                let counts: String = self.rest.by_ref().skip(1).take_while(|next| *next != '}').collect();
                self.rest.next_if_eq(&'?');
                let (least, most) = counts.split_once(',').unwrap_or((&counts, &counts));
                return (least.parse().unwrap_or(1), most.parse().unwrap_or(usize::MAX));
            }
            _ => return (1, 1),
        };
        self.rest.next();
        self.rest.next_if_eq(&'?');
        times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_made_along_a_pattern() {
        for (pattern, expected) in [
            ("[A-Za-z0-9]{8,80}", "my4711marker"),
            (r"cy\.s\.api1\.[A-Za-z0-9_-]+\.[a-z]+", "cy.s.api1.my-4711-marker.mymarker"),
            ("[^:]+", "my-4711-marker"),
            ("[1-9][0-9]{0,9}", "44711"),
            ("(?:sk|pk)_(?<kind>live|test)_[0-9]{20}", "sk_live_47114711471147114711"),
            (r"[\x21-\x7e]{8,10}", "my-4711-ma"),
            (r"^\d{2}[]x]?$", "47]"),
            ("[A-Z]{3}-?[αβ]", "AAA"),
        ] {
            let text = fit(pattern, "my-4711-marker");
            assert_eq!(text, expected, "{pattern}");
        }
    }
}
