//! Which credential entries a call needs: the app that it is about decides which API token goes along.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use tombolo_catalog::{CallPattern, Entries};

use super::json_scan::MemberPath;

/// How many bytes of a body are looked at to find out what a call is about.
pub const PEEK_BYTES: usize = 64 * 1024;

/// The compiled selectors of a connection that has several entries.
#[derive(Debug, Clone)]
pub struct Selection {
    selectors: Vec<Selector>,
    /// The keys that the connection has entries for.
    known: Vec<String>,
    /// Entries that must go along when a key is written to, because its records look things up there.
    companions: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone)]
struct Selector {
    at: Option<CallPattern>,
    query: Option<String>,
    body: Option<MemberPath>,
}

/// Which entries a call needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needed {
    /// These keys.
    Keys(Vec<String>),
    /// It cannot be seen, or not yet: the body has to be looked at.
    Undecided {
        /// Whether the body may tell.
        body_may_tell: bool,
    },
}

impl Selection {
    /// Compiles the selectors for the keys that a connection has.
    pub fn compile(entries: &Entries, known: Vec<String>, companions: BTreeMap<String, Vec<String>>) -> Self {
        let selectors = entries
            .select
            .iter()
            .map(|selector| Selector {
                at: selector.at.clone(),
                query: selector.query.clone(),
                body: selector.body.as_deref().map(MemberPath::parse),
            })
            .collect();
        Self { selectors, known, companions }
    }

    /// What can be told from the line of the request alone.
    pub fn by_line(&self, method: &str, path: &str, query: Option<&str>) -> Needed {
        let mut body_may_tell = false;
        for selector in self.fitting(method, path) {
            if let Some(parameter) = &selector.query {
                let keys = query.map(|query| query_values(query, parameter)).unwrap_or_default();
                if !keys.is_empty() {
                    return Needed::Keys(self.with_companions(method, keys));
                }
            }
            body_may_tell |= selector.body.is_some();
        }
        Needed::Undecided { body_may_tell }
    }

    /// What can be told from the beginning of a JSON body.
    pub fn by_body(&self, method: &str, path: &str, beginning: &[u8]) -> Needed {
        for member in self.fitting(method, path).filter_map(|selector| selector.body.as_ref()) {
            let found = member.find(beginning);
            if !found.values.is_empty() && (found.complete || member.is_single()) {
                return Needed::Keys(self.with_companions(method, found.values));
            }
        }
        Needed::Undecided { body_may_tell: false }
    }

    /// Whether the connection has an entry for at least one of the keys.
    pub fn knows_any(&self, keys: &[String]) -> bool {
        keys.iter().any(|key| self.known.contains(key))
    }

    fn fitting(&self, method: &str, path: &str) -> impl Iterator<Item = &Selector> {
        self.selectors
            .iter()
            .filter(move |selector| selector.at.as_ref().is_none_or(|pattern| pattern.matches(method, path)))
    }

    /// Reads need the key itself; writes also need those that its records look things up in.
    fn with_companions(&self, method: &str, mut keys: Vec<String>) -> Vec<String> {
        if method != "GET" {
            for key in keys.clone() {
                for companion in self.companions.get(&key).into_iter().flatten() {
                    if self.known.contains(companion) && !keys.contains(companion) {
                        keys.push(companion.clone());
                    }
                }
            }
        }
        keys
    }
}

/// The values of a parameter; `name[*]` stands for `name[0]`, `name[1]` and so on.
fn query_values(query: &str, parameter: &str) -> Vec<String> {
    let indexed = parameter.strip_suffix("[*]");
    let mut values: Vec<String> = Vec::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name);
        let fits = match indexed {
            Some(stem) => name.strip_prefix(stem).is_some_and(|rest| rest.starts_with('[')),
            None => name == parameter,
        };
        let value = decode(value);
        if fits && !value.is_empty() && !values.iter().any(|known| *known == value) {
            values.push(value.into_owned());
        }
    }
    values
}

fn decode(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_catalog::Catalog;

    fn selection() -> Selection {
        let catalog = Catalog::built_in().expect("the built-in files load");
        let scheme = catalog.get("kintone").and_then(|p| p.scheme("api_token")).expect("the scheme").clone();
        let companions = BTreeMap::from([("1".to_owned(), vec!["2".to_owned(), "9".to_owned()])]);
        Selection::compile(
            scheme.entries().expect("entries"),
            vec!["1".into(), "2".into(), "3".into()],
            companions,
        )
    }

    #[test]
    fn the_line_tells_or_says_whether_the_body_may() {
        let keys = |keys: &[&str]| Needed::Keys(keys.iter().map(|&key| key.to_owned()).collect());
        for (method, path, query, expected) in [
            ("GET", "/k/v1/records.json", Some("app=1&query=limit+1"), keys(&["1"])),
            ("GET", "/k/v1/app.json", Some("id=3"), keys(&["3"])),
            ("GET", "/k/v1/records.json", Some("id=3"), Needed::Undecided { body_may_tell: true }),
            ("DELETE", "/k/v1/records.json", Some("app=1&ids[0]=5"), keys(&["1", "2"])),
            ("GET", "/k/v1/preview/app/deploy.json", Some("apps%5B0%5D=1&apps[1]=3"), keys(&["1", "3"])),
            ("GET", "/k/v1/file.json", Some("fileKey=x"), Needed::Undecided { body_may_tell: true }),
            ("POST", "/k/v1/record.json", None, Needed::Undecided { body_may_tell: true }),
        ] {
            assert_eq!(selection().by_line(method, path, query), expected, "{method} {path}");
        }
    }

    #[test]
    fn the_body_tells_when_enough_of_it_is_there() {
        let keys = |keys: &[&str]| Needed::Keys(keys.iter().map(|&key| key.to_owned()).collect());
        let undecided = Needed::Undecided { body_may_tell: false };
        let bulk = r#"{"requests":[{"payload":{"app":1}},{"payload":{"app":3}}]}"#;
        for (method, path, body, expected) in [
            ("POST", "/k/v1/record.json", r#"{"app":1,"record":{"#, keys(&["1", "2"])),
            ("POST", "/k/v1/record.json", r#"{"record":{},"app":"3"}"#, keys(&["3"])),
            ("POST", "/k/v1/record.json", r#"{"record":{"#, undecided.clone()),
            ("POST", "/k/v1/bulkRequest.json", bulk, keys(&["1", "3", "2"])),
            ("POST", "/k/v1/bulkRequest.json", &bulk[..45], undecided.clone()),
            ("POST", "/k/v1/record.json", "", undecided.clone()),
        ] {
            assert_eq!(selection().by_body(method, path, body.as_bytes()), expected, "{path} {body}");
        }
    }
}
