//! Rules on paths: which calls a rule is about, and how a path is moved below a prefix of the connection.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Deserializer, de};

use crate::template::{Encoding, Scope, Template};

/// Which calls a rule is about: `GET /k/v1/records/cursor.json`, `/v1/*`, `POST,PUT /k/v1/record.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallPattern {
    methods: Vec<String>,
    path: String,
    is_prefix: bool,
}

impl CallPattern {
    /// Parses a pattern; the error says what is wrong in one sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (methods, path) = match text.split_once(' ') {
            Some((methods, path)) => (methods.split(',').map(str::to_owned).collect(), path.trim()),
            None => (Vec::new(), text),
        };
        if !path.starts_with('/') || methods.iter().any(|method: &String| !is_method(method)) {
            return Err(format!("`{text}` is not a call: write `GET /path`, `/path` or `/path/*`"));
        }
        let (path, is_prefix) = match path.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (path, false),
        };
        Ok(Self { methods, path: path.to_owned(), is_prefix })
    }

    /// Whether a call fits.
    pub fn matches(&self, method: &str, path: &str) -> bool {
        let path_fits = if self.is_prefix { path.starts_with(&self.path) } else { path == self.path };
        path_fits && (self.methods.is_empty() || self.methods.iter().any(|known| known == method))
    }
}

/// As the file writes it.
impl Display for CallPattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.methods.is_empty() {
            write!(f, "{} ", self.methods.join(","))?;
        }
        f.write_str(&self.path)?;
        f.write_str(if self.is_prefix { "*" } else { "" })
    }
}

fn is_method(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

impl<'de> Deserialize<'de> for CallPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// When a configuration field is set, paths below `from` move below `to`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathRewrite {
    /// The configuration field that switches the rule on.
    pub when: String,
    /// The prefix that callers write.
    pub from: String,
    /// The prefix that the upstream wants.
    pub to: Template,
    /// The prefix below which everything but `to` belongs to somebody else.
    pub only_below: String,
    /// Calls that stay as they are.
    #[serde(default)]
    pub pass: Vec<CallPattern>,
}

/// A path lies outside of what the connection may reach.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path is outside of `{allowed}`, the part that this connection may reach")]
pub struct PathRefusal {
    /// The prefix that the connection may reach.
    pub allowed: String,
}

impl PathRewrite {
    /// The prefix that paths move below for this configuration; `None` when the rule is off.
    pub fn prefix(&self, config: &BTreeMap<String, String>) -> Option<String> {
        config.get(&self.when)?;
        self.to.render(&Scope { config: Some(config), ..Scope::default() }, Encoding::PathSegment).ok()
    }

    /// The path to send. The path must be normalised already: no dot segments and no encoded slashes.
    pub fn apply<'a>(&self, prefix: &str, method: &str, path: &'a str) -> Result<Cow<'a, str>, PathRefusal> {
        if path.starts_with(prefix) || self.pass.iter().any(|pattern| pattern.matches(method, path)) {
            Ok(Cow::Borrowed(path))
        } else if let Some(rest) = path.strip_prefix(self.from.as_str()) {
            Ok(Cow::Owned(format!("{prefix}{rest}")))
        } else if path.starts_with(&self.only_below) {
            Err(PathRefusal { allowed: prefix.to_owned() })
        } else {
            Ok(Cow::Borrowed(path))
        }
    }

    /// The path as callers write it, which is what every other rule of a provider file is about.
    pub fn canonical<'a>(&self, prefix: &str, path: &'a str) -> Cow<'a, str> {
        match path.strip_prefix(prefix) {
            Some(rest) => Cow::Owned(format!("{}{rest}", self.from)),
            None => Cow::Borrowed(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> PathRewrite {
        serde_saphyr::from_str(
            "when: guest_space_id\nfrom: /k/v1/\nto: '/k/guest/${config.guest_space_id}/v1/'\nonly_below: /k/guest/\n\
             pass: ['/k/v1/apis.json', '/k/v1/apis/*', '/v1/*']",
        )
        .expect("a valid rule")
    }

    #[test]
    fn paths_move_below_the_guest_space_and_never_beside_it() {
        let config = BTreeMap::from([("guest_space_id".to_owned(), "5".to_owned())]);
        let rule = rule();
        let prefix = rule.prefix(&config).expect("switched on");
        for (path, expected) in [
            ("/k/v1/records.json", Some("/k/guest/5/v1/records.json")),
            ("/k/guest/5/v1/records.json", Some("/k/guest/5/v1/records.json")),
            ("/k/guest/6/v1/records.json", None),
            ("/k/guest/55/v1/records.json", None),
            ("/k/v1/apis.json", Some("/k/v1/apis.json")),
            ("/k/v1/apis/x.json", Some("/k/v1/apis/x.json")),
            ("/v1/users.json", Some("/v1/users.json")),
        ] {
            assert_eq!(rule.apply(&prefix, "GET", path).ok().as_deref(), expected, "{path}");
        }
        assert_eq!(rule.canonical(&prefix, "/k/guest/5/v1/app.json"), "/k/v1/app.json");
        assert_eq!(rule.prefix(&BTreeMap::new()), None);
    }

    #[test]
    fn a_pattern_names_methods_and_a_path_or_a_prefix() {
        for (pattern, method, path, fits) in [
            ("GET /a.json", "GET", "/a.json", true),
            ("GET /a.json", "POST", "/a.json", false),
            ("POST,PUT /a.json", "PUT", "/a.json", true),
            ("/v1/*", "GET", "/v1/users.json", true),
            ("/v1/*", "GET", "/k/v1/users.json", false),
            ("/a.json", "GET", "/a.json/b", false),
        ] {
            let written = pattern;
            let pattern = CallPattern::parse(pattern).expect("valid");
            assert_eq!(pattern.matches(method, path), fits, "{pattern:?} {method} {path}");
            assert_eq!(pattern.to_string(), written);
        }
        assert!(CallPattern::parse("get /a").is_err());
        assert!(CallPattern::parse("a").is_err());
    }
}
