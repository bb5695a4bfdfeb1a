//! Reads strict YAML, and says in the words of a provider file what the parser complains about.

use serde::de::DeserializeOwned;

use crate::diagnostic::{Diagnostic, Place, nearest};

/// Reads any strict YAML file of the catalog; the error has the place and the nearest known name.
pub(crate) fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Diagnostic> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().map(Place::from).unwrap_or_default();
        let (message, fix) = translate(without_place(&error.to_string()));
        Diagnostic { file: file.to_owned(), place, message, fix }
    })
}

/// The parser ends its messages with the place, which a diagnostic has in front.
fn without_place(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message)
}

/// What is wrong and how to mend it, for a message of the parser or of one of our own types.
fn translate(message: &str) -> (String, String) {
    let quoted = || message.split('`').nth(1).unwrap_or_default();
    if let Some((_, known)) = message.split_once(", expected ") {
        let known = known.trim_start_matches("one of ");
        if message.starts_with("unknown field") {
            return unknown(
                quoted(),
                known,
                "is no key of this block",
                "remove it; the keys of this block are",
            );
        }
        if message.starts_with("unknown variant") {
            return unknown(quoted(), known, "is not known here", "use one of");
        }
    }
    if message.starts_with("missing field") {
        return (format!("`{}` is missing", quoted()), format!("add `{}:` to this block", quoted()));
    }
    if let Some(rest) = message.strip_prefix("duplicate mapping key: ") {
        let key = rest.split(',').next().unwrap_or(rest);
        return (format!("`{key}` stands here twice"), "remove one of the two".to_owned());
    }
    if message.contains("is not a linear-time pattern") {
        return pattern(message);
    }
    for (start, wrong, fix) in [
        ("tabs disallowed", "a tab stands where blanks indent", "indent with blanks"),
        ("invalid boolean", "this is neither yes nor no", "write `true` or `false`"),
        ("invalid u16", "this is no whole number that fits", "write one from 0 to 65535"),
        ("invalid u", "this is no whole number that fits", "write one that is not negative"),
        ("expected sequence", "a list belongs here", "write `[one, two]`, or a line with `- ` for each"),
        ("expected mapping", "keys and values belong here", "write `{ key: value }`, or a line for each"),
        (
            "expected string scalar",
            "one text belongs here",
            "write it in a line, in quotes if it has `: ` in it",
        ),
    ] {
        if message.starts_with(start) {
            return (wrong.to_owned(), fix.to_owned());
        }
    }
    if message.starts_with("while parsing a flow") {
        let fix = "close the bracket, and put quotes around a text that has a comma in it";
        return (message.to_owned(), fix.to_owned());
    }
    // Our own types say what to do after what is wrong.
    for verb in ["write ", "add ", "use "] {
        if let Some((wrong, fix)) = message.split_once(&format!(": {verb}")) {
            return (wrong.to_owned(), format!("{verb}{fix}"));
        }
    }
    (message.to_owned(), "see docs/adding-a-provider.md for the shape of this part".to_owned())
}

/// A name that is not known, with the nearest one or with all of them.
fn unknown(name: &str, known: &str, wrong: &str, otherwise: &str) -> (String, String) {
    let names = known.split(", ").map(|name| name.trim_matches('`'));
    let fix = match nearest(name, names) {
        Some(near) => format!("write `{near}`"),
        None => format!("{otherwise} {known}"),
    };
    (format!("`{name}` {wrong}"), fix)
}

/// The library draws a picture of the fault over several lines; its last line says what it is.
fn pattern(message: &str) -> (String, String) {
    let (source, reason) = message.rsplit_once("error: ").unwrap_or((message, "it cannot be read"));
    let source = source.split("` is not a linear-time pattern").next().unwrap_or_default();
    let fix = if reason.contains("not supported") {
        "patterns run in linear time, so that no input can stall the server: write it without this construct"
    } else {
        "mend the regular expression"
    };
    (format!("the pattern {source}` cannot be used: {reason}"), fix.to_owned())
}
