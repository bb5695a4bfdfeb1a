//! How numbers, filters and choices of lists are written.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but what may stand in a URL anywhere (RFC 3986 §2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An `<option>`: its value, what it says, and whether it is chosen.
pub(crate) type Choice = (String, String, bool);

/// A time that was measured.
pub(crate) fn micros(micros: u64) -> String {
    match micros {
        0..10_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        10_000..1_000_000 => format!("{} ms", micros / 1000),
        _ => format!("{}.{:02} s", micros / 1_000_000, micros % 1_000_000 / 10_000),
    }
}

/// A size.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{}.{} KB", bytes / 1000, bytes % 1000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// The query of an address, without what is empty; nothing when all is.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let given = pairs.iter().filter(|(_, value)| !value.is_empty());
    let written: Vec<String> = given.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if written.is_empty() { String::new() } else { format!("?{}", written.join("&")) }
}

/// A text as it stands in a query or in a segment of a path.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Values that say themselves, with the chosen one.
pub(crate) fn plain_choices<'a>(values: impl IntoIterator<Item = &'a str>, chosen: &str) -> Vec<Choice> {
    values.into_iter().map(|value| (value.to_owned(), value.to_owned(), value == chosen)).collect()
}

/// A payload as people read it.
pub(crate) fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let times = [0, 90, 1234, 9999, 10_000, 999_999, 1_000_000, 61_230_000].map(micros);
        assert_eq!(times, ["0.0 ms", "0.0 ms", "1.2 ms", "9.9 ms", "10 ms", "999 ms", "1.00 s", "61.23 s"]);
        assert_eq!([0, 999, 1000, 1_234_567].map(bytes), ["0 B", "999 B", "1.0 KB", "1.2 MB"]);
    }

    #[test]
    fn filters_are_written_without_what_is_empty() {
        assert_eq!(query(&[("a", ""), ("b", "x y&z"), ("c", "")]), "?b=x%20y%26z");
        assert_eq!(query(&[("a", "")]), "");
    }
}
