//! What is wrong with a provider file, where, and how to mend it.

use std::fmt;

/// A place in a provider file, counted from 1 as editors do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct Place {
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
}

impl From<serde_saphyr::Location> for Place {
    fn from(location: serde_saphyr::Location) -> Self {
        Self { line: location.line(), column: location.column() }
    }
}

/// One fault of a provider file. Prints as `file:line:column: what is wrong` and a line with the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Diagnostic {
    /// The file's name as the caller gave it.
    pub file: String,
    /// Where the fault is.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub fix: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, place, message, fix } = self;
        write!(formatter, "{file}:{}:{}: {message}\n  fix: {fix}", place.line, place.column)
    }
}

/// The name out of `known` that is nearest to `given`, when it is near enough to be a slip of the pen.
pub(crate) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(given, name), name))
        .filter(|(distance, name)| *distance <= slips(name.chars().count()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many slips of the pen still leave a name of that length recognisable.
fn slips(length: usize) -> usize {
    if length <= 4 { 1 } else { 2.max(length / 3) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_name_is_suggested() {
        let known = ["timeout", "page_size", "proxy_server"];
        assert_eq!(nearest("timout", known), Some("timeout"));
        assert_eq!(nearest("pagesize", known), Some("page_size"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("de", ["en", "ja"]), None);
    }
}
