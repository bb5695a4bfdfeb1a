//! Definitions of fields.

use regex::Regex;
use serde_json::{Map, Value, json};

use super::notes::Notes;
use super::words;

/// Whether a form asks for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// It has to be filled in.
    Always,
    /// It may be.
    Perhaps,
    /// The vendor's answer fills it.
    Never,
}

/// Definitions in the order in which a form shows them.
pub(super) fn in_order(mut definitions: Vec<(String, Value)>) -> Vec<(String, Value)> {
    definitions
        .sort_by_key(|(_, definition)| definition.get("order").and_then(Value::as_u64).unwrap_or(u64::MAX));
    definitions
}

/// Patterns of formats that have no pattern of their own.
const FORMATS: [(&str, &str); 4] = [
    ("uuid", "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"),
    ("email", r"[^@\s]+@[^@\s]+"),
    ("hostname", r"(?:https://)?[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?(?:/.*)?"),
    ("uri", r"[a-z][a-z0-9+.-]*://\S+"),
];

/// A field of ours from a definition of theirs.
pub(super) fn field(name: &str, definition: &Value, asked: Asked, secret: bool, notes: &mut Notes) -> Value {
    let text = |key: &str| {
        definition.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    };
    let mut field = Map::new();
    let mut put = |key: &str, value: Value| drop(field.insert(key.to_owned(), value));
    put("label", words::same(text("title").unwrap_or(&words::label(name))));
    if let Some(description) = text("description") {
        put("help", words::same(description));
    }
    let choices: Vec<String> = definition
        .get("enum")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|choice| choice.as_str().map(str::to_owned))
        .collect();
    let is_long = is_key_text(name, text("example"));
    let pattern = text("pattern").or_else(|| {
        let format = text("format")?;
        FORMATS.iter().find(|(known, _)| *known == format).map(|(_, pattern)| *pattern)
    });
    let pattern = pattern.filter(|_| choices.is_empty() && !is_long);
    let compiled = pattern.map(|pattern| (pattern, Regex::new(&format!(r"\A(?:{pattern})\z"))));
    let fits = |value: &str| {
        let fits_pattern = !matches!(&compiled, Some((_, Ok(regex))) if !regex.is_match(value));
        fits_pattern && (choices.is_empty() || choices.iter().any(|choice| choice == value))
    };
    for (ours, theirs) in [("example", "example"), ("default", "default_value")] {
        if let Some(value) = text(theirs).filter(|value| !is_long && fits(value)) {
            put(ours, json!(value));
        }
    }
    match &compiled {
        Some((pattern, Ok(_))) => put("pattern", json!(pattern)),
        Some((_, Err(_))) => notes.add(format!(
            "the pattern of `{name}` is not checked, because it cannot be matched in linear time"
        )),
        None => {}
    }
    if !choices.is_empty() {
        put("type", json!("choice"));
        put("choices", json!(choices));
    } else if is_long {
        put("type", json!("multiline"));
        put("max_length", json!(32_768));
    }
    for key in ["prefix", "suffix"] {
        if let Some(value) = text(key) {
            put(key, json!(value));
        }
    }
    match asked {
        Asked::Always => {}
        Asked::Perhaps => put("optional", json!(true)),
        Asked::Never => put("automatic", json!(true)),
    }
    if secret {
        put("secret", json!(true));
        put("fold", json!(false));
        if !is_long {
            put("max_length", json!(8_192));
        }
    }
    Value::Object(field)
}

/// Whether a value is a key in PEM, which has several lines.
fn is_key_text(name: &str, example: Option<&str>) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "");
    let is_key = name.contains("privatekey") || name.contains("certificate");
    let is_id = name.ends_with("id") || name.ends_with("thumbprint");
    (is_key && !is_id) || example.is_some_and(|example| example.contains("-----BEGIN"))
}

/// Whether a field of a credential is a secret, whatever its definition forgot to say.
pub(super) fn is_secret(name: &str, definition: &Value) -> bool {
    let told = definition.get("secret").and_then(Value::as_bool);
    let name = name.to_ascii_lowercase().replace('_', "");
    let sounds = ["secret", "password", "apikey", "privatekey", "token", "jwt", "sask", "hmac"];
    let is_id = name.ends_with("id") && !name.ends_with("sessionid");
    told.unwrap_or(false) || (!is_id && sounds.iter().any(|word| name.contains(word)))
}
