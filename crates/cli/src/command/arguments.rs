//! Arguments that several commands take.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;

use clap::Args;
use inquire::{Confirm, InquireError};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::exit::Exit;
use crate::failure::Failure;

/// Which page of a list.
#[derive(Debug, Args)]
pub struct Page {
    /// At most this many.
    #[arg(long, value_name = "NUMBER")]
    pub limit: Option<u32>,
    /// Where to go on: the `next_cursor` of the page before.
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

/// Something that cannot be undone.
#[derive(Debug, Args)]
pub struct Confirmation {
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

impl Confirmation {
    /// Asks, and fails when the answer is no or when nobody can be asked.
    pub fn ask(&self, question: &str) -> anyhow::Result<()> {
        if self.yes {
            return Ok(());
        }
        if !may_ask() {
            let what = format!("this needs a yes: {question}");
            return Err(Failure::usage(what, "Add --yes; nobody can be asked here.").into());
        }
        let agreed = Confirm::new(question).with_default(false).prompt().map_err(unasked)?;
        if agreed { Ok(()) } else { Err(cancelled().into()) }
    }
}

/// Whether somebody sits at a terminal who can answer questions.
pub fn may_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// A question that was not answered.
pub fn unasked(error: InquireError) -> anyhow::Error {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => cancelled().into(),
        other => other.into(),
    }
}

fn cancelled() -> Failure {
    Failure::new(Exit::Failure, "cancelled", "cancelled", "Nothing was done.")
}

/// `key=value`, split at the first `=`. The value is never repeated: it may be a secret.
pub fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("write key=value".to_owned()),
    }
}

/// Pairs as a map; a key that stands twice is refused.
pub fn once(pairs: &[(String, String)], option: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let mut map = BTreeMap::new();
    for (key, value) in pairs {
        if map.insert(key.clone(), value.clone()).is_some() {
            let what = format!("{option} has `{key}` twice");
            return Err(Failure::usage(what, "Give each key once; lists are separated by commas.").into());
        }
    }
    Ok(map)
}

/// A name as a shell takes it.
pub fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.chars().all(plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}

/// A moment in the time zone of the person.
pub fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A moment, or a dash.
pub fn moment_or_dash(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), moment)
}

/// A snake-case value of the API, such as a health, as it goes over the wire.
pub fn wire_name(value: impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

/// Reads a snake-case value of the API.
pub fn from_wire_name<T: serde::de::DeserializeOwned>(name: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_split_at_the_first_equals_sign_and_never_repeated() {
        assert_eq!(key_value("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(key_value("a="), Ok(("a".to_owned(), String::new())));
        for text in ["MARKER", "=MARKER"] {
            assert!(!key_value(text).expect_err(text).contains("MARKER"));
        }
    }
}
