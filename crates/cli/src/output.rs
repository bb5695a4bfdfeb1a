//! Data on stdout: one JSON document with `--json`, tables and lines for people otherwise. Talk goes to stderr.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;
use tombolo_platform::catalog::Language;

use crate::language;

/// How this command speaks.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// One JSON document, or one per line, instead of words.
    pub json: bool,
    /// The language of the person.
    pub language: Language,
    colours: bool,
}

/// A colour with a meaning.
#[derive(Debug, Clone, Copy)]
pub enum Colour {
    /// It went well.
    Good,
    /// It did not.
    Bad,
    /// Something to know.
    Notice,
    /// Less important.
    Faint,
}

impl Output {
    /// From the environment of the process: colours only on a terminal and without `NO_COLOR`.
    pub fn new(json: bool) -> Self {
        let colours = io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|value| value != "dumb");
        Self { json, language: language::of_locale(|name| std::env::var(name).ok()), colours }
    }

    /// Prints the data: with `--json` as one document, otherwise as `words` puts it.
    pub fn show<T: Serialize>(self, data: &T, words: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
        if self.json { document(data) } else { line(words(data).trim_end()) }
    }

    /// A text in a colour, where there are colours.
    pub fn paint(self, colour: Colour, text: &str) -> String {
        let code = match colour {
            _ if !self.colours => return text.to_owned(),
            Colour::Good => 32,
            Colour::Bad => 31,
            Colour::Notice => 33,
            Colour::Faint => 2,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// Prints one JSON document.
pub fn document(data: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(data)?)
}

/// Prints one JSON document on one line.
pub fn json_line(data: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string(data)?)
}

/// Prints a line of data.
pub fn line(line: impl Display) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}

/// Says something that is no data.
pub fn say(talk: impl Display) {
    eprintln!("{talk}");
}

/// A table without lines, as wide as its cells are.
pub fn table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.map(str::to_uppercase));
    for row in rows {
        table.add_row(row.map(one_line));
    }
    for column in 0..COLUMNS {
        if let Some(column) = table.column_mut(column) {
            column.set_padding((0, 2));
        }
    }
    table.trim_fmt()
}

/// A list of names and values, each on its line; empty values are left out.
pub fn properties<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let lines: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{name:width$}  {}", one_line(value))).collect();
    lines.join("\n")
}

/// Names and other texts come from people and vendors: control characters would move the cursor of the terminal.
pub fn one_line(text: String) -> String {
    if text.chars().any(char::is_control) {
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_and_hold_no_control_characters() {
        let text = table(
            ["name", "health"],
            [
                ["営業".to_owned(), "available".to_owned()],
                ["a\u{1b}[2Jb".to_owned(), "unverified".to_owned()],
            ],
        );
        assert_eq!(text, "NAME    HEALTH\n営業    available\na [2Jb  unverified");
    }

    #[test]
    fn empty_properties_are_left_out() {
        let pairs = [("id", "con_1".to_owned()), ("tags", String::new()), ("created", "today".to_owned())];
        assert_eq!(properties(pairs), "id       con_1\ncreated  today");
    }
}
