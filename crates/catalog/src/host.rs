//! Host patterns: which hosts a connection of a provider may resolve to.

use serde::{Deserialize, Deserializer, de};

/// A host name in which a label may be a hole: `{subdomain}.kintone.com`.
///
/// A hole stands for exactly one label of a public DNS name (letters, digits and inner hyphens), so a pattern
/// can never match a host outside of its literal suffix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    labels: Vec<Label>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Label {
    Literal(String),
    /// A hole, by its name.
    Any(String),
}

impl HostPattern {
    /// Parses a pattern; the error says what is wrong in one sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let labels = text
            .split('.')
            .map(|label| {
                if let Some(name) = label.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                    if is_label(name) || name.contains('_') {
                        Ok(Label::Any(name.to_owned()))
                    } else {
                        Err(bad(label, text))
                    }
                } else if is_label(label) {
                    Ok(Label::Literal(label.to_owned()))
                } else {
                    Err(bad(label, text))
                }
            })
            .collect::<Result<Vec<_>, _>>()?;
        let literal_tail = labels.iter().rev().take_while(|label| matches!(label, Label::Literal(_))).count();
        if literal_tail < 2 {
            return Err(format!(
                "`{text}` leaves the domain open: write two literal labels at its end, such as `{{subdomain}}.example.com`"
            ));
        }
        Ok(Self { labels })
    }

    /// Whether a host, in lower case and without a port, fits the pattern.
    pub fn matches(&self, host: &str) -> bool {
        let mut labels = host.split('.');
        let all_fit = self.labels.iter().all(|pattern| match (pattern, labels.next()) {
            (Label::Literal(expected), Some(label)) => expected == label,
            (Label::Any(_), Some(label)) => is_label(label),
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
        let labels = self.labels.iter().map(|label| match label {
            Label::Literal(text) => Some(text.as_str()),
            hole @ Label::Any(_) => {
                let position = other.labels.iter().position(|known| known == hole)?;
                host.split('.').nth(position)
            }
        });
        labels.collect::<Option<Vec<_>>>().map(|labels| labels.join("."))
    }

    /// The names of the holes.
    pub(crate) fn holes(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().filter_map(|label| match label {
            Label::Any(name) => Some(name.as_str()),
            Label::Literal(_) => None,
        })
    }
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
    fn a_pattern_cannot_leave_the_domain_open() {
        for text in ["{host}", "{host}.com", "*.kintone.com", "Acme.example.com", "a..example.com", ""] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }
}
