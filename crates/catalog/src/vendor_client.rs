//! The vendor's own clients, which call through Tombolo with the drop-in URL.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::field::Fields;

/// What stands in the code for the drop-in URL of the connection.
const URL: &str = "url";

/// A library or a command-line tool of the vendor's, and a call with it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VendorClient {
    /// What it is called where it is installed from.
    pub name: String,
    /// Code to copy. `{url}` stands for the drop-in URL and the name of a configuration field in such braces for its value;
    /// the key is read from the environment variable `TOMBOLO_API_KEY`.
    pub code: String,
}

impl VendorClient {
    /// The code for a connection: with the first item where a field has a list, and with the field's example where it is
    /// empty.
    pub fn code_for(&self, url: &str, fields: &Fields, config: &BTreeMap<String, String>) -> String {
        let mut code = String::with_capacity(self.code.len() + url.len());
        let mut rest = self.code.as_str();
        while let Some((start, end, name)) = hole(rest) {
            code.push_str(&rest[..start]);
            let known = config.get(name).map(|value| value.split(',').next().unwrap_or_default().trim());
            let example = fields.get(name).and_then(|field| field.example.as_deref());
            code.push_str(if name == URL {
                url
            } else {
                known.filter(|value| !value.is_empty()).or(example).unwrap_or_default()
            });
            rest = &rest[end..];
        }
        code + rest
    }

    /// The names that stand in braces and mean nothing, and whether the drop-in URL stands nowhere.
    pub(crate) fn faults(&self, fields: &Fields) -> (Vec<&str>, bool) {
        let mut names = Vec::new();
        let mut rest = self.code.as_str();
        while let Some((_, end, name)) = hole(rest) {
            names.push(name);
            rest = &rest[end..];
        }
        let has_url = names.contains(&URL);
        names.retain(|name| *name != URL && fields.get(name).is_none());
        (names, !has_url)
    }
}

/// The next name in braces: where its braces begin and end, and the name. Braces of the code itself have more between them.
fn hole(text: &str) -> Option<(usize, usize, &str)> {
    let mut from = 0;
    while let Some(open) = text[from..].find('{').map(|at| at + from) {
        let inside = &text[open + 1..];
        let length =
            inside.find(|one: char| !(one.is_ascii_lowercase() || one == '_')).unwrap_or(inside.len());
        if length > 0 && inside[length..].starts_with('}') {
            return Some((open, open + length + 2, &inside[..length]));
        }
        from = open + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_filled_in() {
        let client = |code: &str| VendorClient { name: "client".to_owned(), code: code.to_owned() };
        let config = BTreeMap::from([("app".to_owned(), "12, 15".to_owned())]);
        for (code, expected) in [
            ("new Client({ url: '{url}' }).get({ app: {app} })", "new Client({ url: 'U' }).get({ app: 12 })"),
            ("{{url}}", "{U}"),
            ("f({}) {url", "f({}) {url"),
            ("{nothing}", ""),
        ] {
            assert_eq!(client(code).code_for("U", &Fields::default(), &config), expected, "{code}");
        }
        assert_eq!(client("{url} {app} { app }").faults(&Fields::default()), (vec!["app"], false));
        assert_eq!(client("{ url }").faults(&Fields::default()), (vec![], true));
    }
}
