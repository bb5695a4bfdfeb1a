//! `${root.name}` templates: a closed set of roots, encoded for the place where the value lands.
//!
//! There is no expression language on purpose: a provider file may come from anyone, and a value must never
//! change the structure of a URL or a header.

use std::collections::BTreeMap;

use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Deserializer, de};
use serde_saphyr::Spanned;

use crate::diagnostic::Place;
use crate::host::HostPattern;
use crate::url_builder::{RESERVED, UrlBuilder};

/// A text with holes, checked when the provider file is read. `A || B` is `B` where a hole of `A` has no value.
#[derive(Debug, Clone)]
pub struct Template {
    source: String,
    choices: Vec<Vec<Part>>,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Hole(Hole),
}

/// A hole of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hole {
    /// A field of the connection's configuration.
    Config(String),
    /// A member of the credential entry at hand, such as the app of an API token.
    Entry(String),
    /// What the upstream answered: `status`, `code`, `id` or `message`.
    Answer(String),
}

/// The values that fill the holes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scope<'a> {
    /// The connection's configuration by field name.
    pub config: Option<&'a BTreeMap<String, String>>,
    /// The non-secret members of the credential entry at hand.
    pub entry: Option<&'a BTreeMap<String, String>>,
    /// Members of the upstream's answer.
    pub answer: Option<&'a BTreeMap<String, String>>,
}

/// Where a rendered value lands, which decides how it is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// An address: each value is encoded for the part that it lands in, as [`UrlBuilder::value`] says.
    Url,
    /// One segment of a path, percent-encoded; `.` and `..` are refused.
    PathSegment,
    /// A query value, percent-encoded.
    QueryValue,
    /// Plain text for people.
    Text,
}

/// A template could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`${{{hole}}}` {reason}")]
pub struct TemplateError {
    /// The hole, as `root.name`.
    pub hole: String,
    /// Why it could not be filled.
    pub reason: &'static str,
}

impl Template {
    /// Parses a template; the error says what is wrong in one sentence.
    pub fn parse(source: &str, place: Place) -> Result<Self, String> {
        let choices = source.split(" || ").map(parse_choice).collect::<Result<_, _>>()?;
        Ok(Self { source: source.to_owned(), choices, place })
    }

    /// The template as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Where the template stands in its file.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Fills the holes, each encoded for the place where it lands.
    pub fn render(&self, scope: &Scope<'_>, encoding: Encoding) -> Result<String, TemplateError> {
        let mut outcome = Ok(String::new());
        for choice in &self.choices {
            outcome = render_choice(choice, scope, encoding);
            // A value that does not fit is a mistake; only one that is not there makes way for the next choice.
            if !matches!(&outcome, Err(TemplateError { reason: NO_VALUE, .. })) {
                return outcome;
            }
        }
        outcome
    }

    pub(crate) fn render_lenient(&self, scope: &Scope<'_>, missing: &str) -> String {
        let choice = self.choices.first().into_iter().flatten();
        choice
            .map(|part| match part {
                Part::Literal(literal) => literal.as_str(),
                Part::Hole(hole) => hole.value(scope).unwrap_or(missing),
            })
            .collect()
    }

    pub(crate) fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.choices.iter().flatten().filter_map(|part| match part {
            Part::Hole(hole) => Some(hole),
            Part::Literal(_) => None,
        })
    }

    /// The names of the configuration fields that the template uses.
    pub fn config_names(&self) -> impl Iterator<Item = &str> {
        self.holes().filter_map(|hole| match hole {
            Hole::Config(name) => Some(name.as_str()),
            Hole::Entry(_) | Hole::Answer(_) => None,
        })
    }

    /// Whether one of the alternatives needs no other configuration fields than these.
    pub fn is_filled_by(&self, config: &BTreeMap<String, String>) -> bool {
        let is_known = |part: &Part| match part {
            Part::Hole(Hole::Config(name)) => config.contains_key(name),
            Part::Literal(_) | Part::Hole(Hole::Entry(_) | Hole::Answer(_)) => true,
        };
        self.choices.iter().any(|choice| choice.iter().all(is_known))
    }

    /// The names of the configuration fields that may lead an address to any domain: those in its host, unless two literal
    /// labels end it.
    pub fn open_host_names(&self) -> impl Iterator<Item = &str> {
        self.choices.iter().flat_map(|choice| {
            let (host, names) = host_of_choice(choice);
            if HostPattern::parse(&host).is_ok() { Vec::new() } else { names }
        })
    }
}

/// The host of an address as a pattern, and the configuration fields in it.
fn host_of_choice(parts: &[Part]) -> (String, Vec<&str>) {
    let (mut host, mut names) = (String::new(), Vec::new());
    for (position, part) in parts.iter().enumerate() {
        match part {
            Part::Literal(literal) => {
                let rest = if position == 0 { literal.trim_start_matches("https://") } else { literal };
                let end = rest.find(['/', '?', '#', ':']);
                host.push_str(&rest[..end.unwrap_or(rest.len())]);
                if end.is_some() {
                    break;
                }
            }
            Part::Hole(Hole::Config(name)) => {
                host.push_str("{hole}");
                names.push(name.as_str());
            }
            Part::Hole(Hole::Entry(_) | Hole::Answer(_)) => host.push_str("{hole}"),
        }
    }
    (host, names)
}

const NO_VALUE: &str = "has no value";

fn parse_choice(source: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = source;
    while let Some(start) = rest.find("${") {
        if start > 0 {
            parts.push(Part::Literal(rest[..start].to_owned()));
        }
        let Some(length) = rest[start..].find('}') else {
            return Err(format!("the hole that starts with `{}` is never closed: add `}}`", &rest[start..]));
        };
        parts.push(Part::Hole(Hole::parse(&rest[start + 2..start + length])?));
        rest = &rest[start + length + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    Ok(parts)
}

fn render_choice(parts: &[Part], scope: &Scope<'_>, encoding: Encoding) -> Result<String, TemplateError> {
    let value_of = |hole: &Hole| hole.value(scope).ok_or_else(|| hole.error(NO_VALUE));
    if encoding == Encoding::Url {
        let mut url = UrlBuilder::default();
        for (position, part) in parts.iter().enumerate() {
            match part {
                Part::Literal(literal) => url.literal(literal),
                Part::Hole(hole) => {
                    let next = match parts.get(position + 1) {
                        Some(Part::Literal(literal)) => Some(literal.as_str()),
                        Some(Part::Hole(_)) => Some(""),
                        None => None,
                    };
                    url.value(value_of(hole)?, next).map_err(|reason| hole.error(reason))?;
                }
            }
        }
        return Ok(url.finish());
    }
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::Hole(hole) => {
                text.push_str(&encode(value_of(hole)?, encoding).map_err(|reason| hole.error(reason))?);
            }
        }
    }
    Ok(text)
}

impl Hole {
    fn parse(text: &str) -> Result<Self, String> {
        let (root, name) = text
            .split_once('.')
            .ok_or_else(|| format!("`${{{text}}}` names no root: write `${{config.{text}}}`"))?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!("`${{{text}}}` names nothing: use letters, digits and `_`"));
        }
        match root {
            "config" => Ok(Self::Config(name.to_owned())),
            "entry" => Ok(Self::Entry(name.to_owned())),
            "answer" => Ok(Self::Answer(name.to_owned())),
            _ => Err(format!(
                "`${{{text}}}` has a root that nothing fills, `{root}`: use `config`, `entry` or `answer`"
            )),
        }
    }

    fn value<'a>(&self, scope: &Scope<'a>) -> Option<&'a str> {
        let (values, name) = match self {
            Self::Config(name) => (scope.config, name),
            Self::Entry(name) => (scope.entry, name),
            Self::Answer(name) => (scope.answer, name),
        };
        values?.get(name).map(String::as_str)
    }

    fn error(&self, reason: &'static str) -> TemplateError {
        let hole = match self {
            Self::Config(name) => format!("config.{name}"),
            Self::Entry(name) => format!("entry.{name}"),
            Self::Answer(name) => format!("answer.{name}"),
        };
        TemplateError { hole, reason }
    }
}

fn encode(value: &str, encoding: Encoding) -> Result<String, &'static str> {
    match encoding {
        Encoding::PathSegment if value == "." || value == ".." || value.is_empty() => {
            Err("is not a segment of a path")
        }
        Encoding::PathSegment | Encoding::QueryValue => Ok(utf8_percent_encode(value, RESERVED).to_string()),
        Encoding::Text | Encoding::Url => Ok(value.to_owned()),
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Spanned::<String>::deserialize(deserializer)?;
        Self::parse(&text.value, text.referenced.into()).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(source: &str, value: &str, encoding: Encoding) -> Result<String, String> {
        let config = BTreeMap::from([("x".to_owned(), value.to_owned())]);
        let scope = Scope { config: Some(&config), ..Scope::default() };
        Template::parse(source, Place::default())?.render(&scope, encoding).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_never_leaves_its_place() {
        for (value, encoding, expected) in [
            ("..", Encoding::PathSegment, Err("`${config.x}` is not a segment of a path")),
            ("a/../b?c#d", Encoding::PathSegment, Ok("[a%2F..%2Fb%3Fc%23d]")),
            ("a&b=c d", Encoding::QueryValue, Ok("[a%26b%3Dc%20d]")),
            ("顧客", Encoding::Text, Ok("[顧客]")),
        ] {
            let rendered = render("[${config.x}]", value, encoding);
            assert_eq!(rendered.as_deref().map_err(String::as_str), expected, "{value} as {encoding:?}");
        }
    }

    #[test]
    fn an_address_takes_the_first_choice_that_has_its_values() {
        for (value, expected) in [
            (Some("acme"), Ok("https://acme.example.com/v1")),
            (None, Ok("https://api.example.com/v1")),
            (Some("a/b"), Err("`${config.x}` is not part of a host name")),
        ] {
            let template = Template::parse(
                "https://${config.x}.example.com/v1 || https://api.example.com/v1",
                Place::default(),
            );
            let config = value.map(|value| ("x".to_owned(), value.to_owned())).into_iter().collect();
            let scope = Scope { config: Some(&config), ..Scope::default() };
            let rendered =
                template.expect("parses").render(&scope, Encoding::Url).map_err(|error| error.to_string());
            assert_eq!(rendered.as_deref().map_err(String::as_str), expected, "{value:?}");
        }
    }

    #[test]
    fn an_alternative_without_further_fields_fills_an_address() {
        let config: BTreeMap<String, String> = [("x".to_owned(), "a".to_owned())].into();
        for (source, expected) in [
            ("https://id.example.com/token", true),
            ("https://${config.x}/token", true),
            ("https://${config.y}/token", false),
            ("https://${config.y}/token || https://id.example.com/token", true),
            ("https://${config.y}/token || https://${config.x}.${config.z}/token", false),
        ] {
            let template = Template::parse(source, Place::default()).expect("parses");
            assert_eq!(template.is_filled_by(&config), expected, "{source}");
        }
    }

    #[test]
    fn an_address_is_open_where_no_literal_labels_end_its_host() {
        for (source, expected) in [
            ("https://id.example.com/${config.x}/token", ""),
            ("https://${config.x}.example.com/token", ""),
            ("https://${config.x}.${config.y}.example.com:8443/token", ""),
            ("https://${config.x}/token", "x"),
            ("${config.x}/token", "x"),
            ("https://${config.x}.com/${config.y}", "x"),
            ("https://api.${config.x}.${config.y}/token", "x y"),
            ("https://${config.x}:8443/${config.y}", "x"),
            ("https://id.example.com/token || https://${config.x}/token", "x"),
        ] {
            let template = Template::parse(source, Place::default()).expect("parses");
            assert_eq!(template.open_host_names().collect::<Vec<_>>().join(" "), expected, "{source}");
        }
    }

    #[test]
    fn a_broken_template_is_refused_when_it_is_read() {
        for (source, complaint) in [
            ("${config.x", "never closed"),
            ("${x}", "names no root"),
            ("${secret.x}", "a root that nothing fills"),
            ("${config.}", "letters, digits"),
            ("${config.a b}", "letters, digits"),
        ] {
            let error = Template::parse(source, Place::default()).expect_err(source);
            assert!(error.contains(complaint), "{source}: {error}");
        }
    }
}
