use unicode_normalization::UnicodeNormalization;

use crate::error::StoreError;

const MAX_CHARACTERS: usize = 255;

/// What decides whether two names are the same: Unicode form C without surrounding white space.
/// Refuses names that are empty, longer than 255 characters, or hold control characters.
pub(crate) fn name_key(name: &str) -> Result<String, StoreError> {
    let key: String = name.trim().nfc().collect();
    if key.is_empty() {
        return Err(StoreError::Invalid("a name must not be empty; type one".to_owned()));
    }
    check_text("a name", &key)?;
    Ok(key)
}

/// Refuses texts that are longer than 255 characters or hold control characters: PostgreSQL stores no NUL, and no index
/// of it takes a long text. Both databases refuse the same. `what` begins the message, such as `a tag`.
pub(crate) fn check_text(what: &str, text: &str) -> Result<(), StoreError> {
    if text.chars().count() > MAX_CHARACTERS {
        return Err(StoreError::Invalid(format!(
            "{what} has at most {MAX_CHARACTERS} characters; shorten it"
        )));
    }
    if text.chars().any(char::is_control) {
        return Err(StoreError::Invalid(format!(
            "{what} must not hold control characters such as line breaks; take them out"
        )));
    }
    Ok(())
}

/// What searches compare: half-width and full-width forms, and upper and lower case, are the same.
pub(crate) fn search_key(text: &str) -> String {
    text.trim().nfkc().collect::<String>().to_lowercase()
}

/// The first text after every text that begins with `prefix`, comparing byte by byte: no text holds the last character.
pub(crate) fn end_of_prefix(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// Keys that stand in URLs and headers, such as an integration's: visible ASCII without `/`, 1 to 255 characters, with
/// spaces between them.
pub(crate) fn check_url_key(object: &'static str, key: &str) -> Result<(), StoreError> {
    let allowed =
        |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'/' | b'\\' | b'?' | b'#' | b'%');
    if key.len() <= MAX_CHARACTERS && key.bytes().all(allowed) && stays_itself(key) {
        return Ok(());
    }
    Err(StoreError::Invalid(format!(
        "{:?} cannot be the key of an {object}: use 1 to {MAX_CHARACTERS} ASCII letters, digits, spaces and marks other than / \\ ? # %",
        key.chars().take(64).collect::<String>()
    )))
}

/// The ids that embedders give connections: 1 to 255 visible characters of any script, with spaces between them. In URLs and
/// headers they stand percent-encoded.
pub fn check_connection_id(id: &str) -> Result<(), StoreError> {
    check_text("a connection id", id)?;
    if stays_itself(id) {
        return Ok(());
    }
    Err(StoreError::Invalid(format!("{id:?} cannot be a connection id; use visible characters")))
}

/// Whether a text arrives as it is in a path and in a header: those lose dots and surrounding spaces on their way.
fn stays_itself(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && text != "." && text != ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_by_what_is_seen() {
        assert_eq!(name_key(" が\n").unwrap(), name_key("\u{304b}\u{3099}").unwrap());
        assert_ne!(name_key("Acme").unwrap(), name_key("acme").unwrap());
        assert_eq!(search_key("ＡＣＭＥ ｶﾞ"), search_key("acme ガ"));
    }

    #[test]
    fn impossible_names_are_refused() {
        for name in ["", " \t", "a\nb", "a\0b", &"x".repeat(256)] {
            assert!(matches!(name_key(name), Err(StoreError::Invalid(_))), "{name:?}");
        }
    }

    #[test]
    fn keys_stay_one_segment_of_a_url() {
        for key in ["kintone", "user-1@example.com", "a.b", "{1}", "a b"] {
            check_url_key("integration", key).unwrap();
        }
        for key in ["", ".", "..", "a/b", " a", "a%2fb", "a?b", "é", "a\r\nb", &"x".repeat(256)] {
            assert!(check_url_key("integration", key).is_err(), "{key:?}");
        }
    }

    #[test]
    fn ids_of_connections_are_what_embedders_gave_them() {
        for id in ["50% of a/b?c#d", "営業 1", "{\"a\": [1]}", &"é".repeat(255)] {
            check_connection_id(id).unwrap();
        }
        for id in ["", ".", "..", " a", "a ", "a\nb", "a\0b", &"x".repeat(256)] {
            assert!(check_connection_id(id).is_err(), "{id:?}");
        }
    }
}
