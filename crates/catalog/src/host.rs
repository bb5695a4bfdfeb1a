//! Host patterns: which hosts a connection of a provider may resolve to.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Deserializer, de};

/// A host name in which a label, or a part of one, may be a hole: `{subdomain}.kintone.com`, `api-{region}.example.com`.
///
/// A hole never stands for more than one label of a public DNS name (letters, digits and inner hyphens), so a pattern can
/// never match a host outside of its literal suffix. The pattern `*` is for products that everybody runs on a host of their
/// own: any host with two labels or more, and the secret is bound to the one that was typed with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern(Shape);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Labels(Vec<Label>),
    Typed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Label {
    Literal(String),
    /// A hole, by its name, with what stands around it.
    Hole {
        name: String,
        before: String,
        after: String,
    },
}

impl HostPattern {
    /// Parses a pattern; the error says what is wrong in one sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self(Shape::Typed));
        }
        let labels = text.split('.').map(|label| parse_label(label, text)).collect::<Result<Vec<_>, _>>()?;
        let literal_tail = labels.iter().rev().take_while(|label| matches!(label, Label::Literal(_))).count();
        if literal_tail < 2 {
            return Err(format!(
                "`{text}` leaves the domain open: write two literal labels at its end, such as `{{subdomain}}.example.com`"
            ));
        }
        Ok(Self(Shape::Labels(labels)))
    }

    /// Whether the host is whatever somebody types.
    pub fn is_typed(&self) -> bool {
        self.0 == Shape::Typed
    }

    /// Whether a host, in lower case and without a port, fits the pattern.
    pub fn matches(&self, host: &str) -> bool {
        let Shape::Labels(patterns) = &self.0 else {
            return host.contains('.') && host.split('.').all(is_label) && !ends_in_a_number(host);
        };
        let mut labels = host.split('.');
        let all_fit = patterns.iter().all(|pattern| match (pattern, labels.next()) {
            (Label::Literal(expected), Some(label)) => expected == label,
            (Label::Hole { before, after, .. }, Some(label)) => {
                let inner =
                    label.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
                is_label(label) && inner.is_some_and(|inner| !inner.is_empty())
            }
            (_, None) => false,
        });
        all_fit && labels.next().is_none()
    }

    /// The host of this pattern whose holes hold what those of the same names hold in a host of another pattern. `None`
    /// when the host does not fit that pattern, or a hole is missing in it.
    pub fn filled_from(&self, other: &Self, host: &str) -> Option<String> {
        if !other.matches(host) {
            return None;
        }
        let (Shape::Labels(own), Shape::Labels(others)) = (&self.0, &other.0) else { return None };
        let labels = own.iter().map(|label| match label {
            Label::Literal(text) => Some(text.as_str()),
            hole @ Label::Hole { .. } => {
                let position = others.iter().position(|known| known == hole)?;
                host.split('.').nth(position)
            }
        });
        labels.collect::<Option<Vec<_>>>().map(|labels| labels.join("."))
    }

    /// The names of the holes.
    pub(crate) fn holes(&self) -> impl Iterator<Item = &str> {
        let labels = match &self.0 {
            Shape::Labels(labels) => labels.as_slice(),
            Shape::Typed => &[],
        };
        labels.iter().filter_map(|label| match label {
            Label::Hole { name, .. } => Some(name.as_str()),
            Label::Literal(_) => None,
        })
    }
}

/// As the file writes it.
impl Display for HostPattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Shape::Labels(labels) = &self.0 else { return f.write_str("*") };
        for (position, label) in labels.iter().enumerate() {
            f.write_str(if position == 0 { "" } else { "." })?;
            match label {
                Label::Literal(text) => f.write_str(text)?,
                Label::Hole { name, before, after } => write!(f, "{before}{{{name}}}{after}")?,
            }
        }
        Ok(())
    }
}

fn parse_label(label: &str, text: &str) -> Result<Label, String> {
    let Some((before, rest)) = label.split_once('{') else {
        return if is_label(label) { Ok(Label::Literal(label.to_owned())) } else { Err(bad(label, text)) };
    };
    let (name, after) = rest.split_once('}').ok_or_else(|| bad(label, text))?;
    let is_name = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let is_plain = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    if is_name && is_plain(before) && is_plain(after) {
        Ok(Label::Hole { name: name.to_owned(), before: before.to_owned(), after: after.to_owned() })
    } else {
        Err(bad(label, text))
    }
}

/// Numeric addresses end in a number; names never do (RFC 1123 §2.1).
fn ends_in_a_number(host: &str) -> bool {
    host.rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x"))
}

/// The host in a URL that starts with `https://`.
pub(crate) fn host_of(url: &str) -> &str {
    url.trim_start_matches("https://").split(['/', ':', '?', '#', '@']).next().unwrap_or_default()
}

fn bad(label: &str, text: &str) -> String {
    format!(
        "`{label}` in `{text}` is no label of a host name: use lower case, or a hole such as `{{subdomain}}`"
    )
}

fn is_label(label: &str) -> bool {
    let plain = label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    plain && !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
}

impl<'de> Deserialize<'de> for HostPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_one_label_and_nothing_else() {
        let pattern = HostPattern::parse("{subdomain}.kintone.com").expect("valid");
        for (host, fits) in [
            ("acme.kintone.com", true),
            ("a-1.kintone.com", true),
            ("kintone.com", false),
            ("a.b.kintone.com", false),
            ("acme.kintone.com.evil.test", false),
            ("acme.kintone.org", false),
            ("-acme.kintone.com", false),
            ("Acme.kintone.com", false),
            (".kintone.com", false),
            ("acme.kintone.com.", false),
        ] {
            assert_eq!(pattern.matches(host), fits, "{host}");
        }
    }

    #[test]
    fn what_a_hole_holds_moves_to_another_pattern() {
        let pattern = |text| HostPattern::parse(text).expect("valid");
        let (plain, twin) = (pattern("{subdomain}.kintone.com"), pattern("{subdomain}.s.kintone.com"));
        for (host, expected) in [
            ("acme.kintone.com", Some("acme.s.kintone.com")),
            ("acme.s.kintone.com", None),
            ("acme.kintone.com.evil.test", None),
        ] {
            assert_eq!(twin.filled_from(&plain, host).as_deref(), expected, "{host}");
        }
        assert_eq!(pattern("{other}.kintone.com").filled_from(&plain, "acme.kintone.com"), None);
    }

    #[test]
    fn a_hole_may_be_a_part_of_a_label_and_a_whole_host_may_be_typed() {
        for (pattern, host, fits) in [
            ("api-{region}.example.com", "api-eu1.example.com", true),
            ("api-{region}.example.com", "api-.example.com", false),
            ("api-{region}.example.com", "api-a.b.example.com", false),
            ("{platform}-api.example.com", "pinotage-api.example.com", true),
            ("*", "crm.acme.test", true),
            ("*", "localhost", false),
            ("*", "127.0.0.1", false),
            ("*", "a..test", false),
        ] {
            let parsed = HostPattern::parse(pattern).expect("valid");
            assert_eq!((parsed.matches(host), parsed.to_string()), (fits, pattern.to_owned()), "{host}");
        }
    }

    #[test]
    fn a_pattern_cannot_leave_the_domain_open() {
        for text in [
            "{host}",
            "{host}.com",
            "*.kintone.com",
            "a{b.example.com",
            "{a}{b}.example.com",
            "Acme.example.com",
            "a..example.com",
            "",
        ] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }
}
