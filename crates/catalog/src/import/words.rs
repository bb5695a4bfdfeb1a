//! Texts of providers that have them in one language only.

use serde_json::{Value, json};

/// The same words for every language.
pub(super) fn same(text: &str) -> Value {
    json!({ "en": text, "ja": text })
}

/// A name as people write it: `privateKey` becomes `Private key`.
pub(super) fn label(name: &str) -> String {
    let mut text = String::new();
    for (position, character) in name.chars().enumerate() {
        match character {
            '_' | '-' | '.' => text.push(' '),
            _ if position == 0 => text.extend(character.to_uppercase()),
            _ if character.is_uppercase() && text.chars().last().is_some_and(char::is_lowercase) => {
                text.push(' ');
                text.extend(character.to_lowercase());
            }
            _ => text.push(character),
        }
    }
    text
}
