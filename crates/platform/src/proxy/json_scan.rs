//! Finds members in the beginning of a JSON text without building the whole of it.

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A path into JSON: `app`, or `requests.*.payload.app` where `*` is any member or item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPath {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Any,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The scalar values at the path, as text, in the order of the document, each once.
    pub values: Vec<String>,
    /// Whether the text was read to its end, so that there can be no further value.
    pub complete: bool,
}

impl MemberPath {
    /// Parses a path with dots.
    pub fn parse(text: &str) -> Self {
        let step = |part: &str| if part == "*" { Step::Any } else { Step::Member(part.to_owned()) };
        Self { steps: text.split('.').map(step).collect() }
    }

    /// Whether at most one value can be at the path.
    pub fn is_single(&self) -> bool {
        !self.steps.contains(&Step::Any)
    }

    /// Looks for the path in a text that may be cut off anywhere.
    pub fn find(&self, text: &[u8]) -> Found {
        let mut values = Vec::new();
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let seed = At { steps: &self.steps, values: &mut values };
        let complete = seed.deserialize(&mut deserializer).is_ok() && deserializer.end().is_ok();
        Found { values, complete }
    }
}

struct At<'a> {
    steps: &'a [Step],
    values: &'a mut Vec<String>,
}

impl At<'_> {
    fn take(self, value: String) {
        if self.steps.is_empty() && !self.values.contains(&value) {
            self.values.push(value);
        }
    }
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let matches = match self.steps.first() {
                Some(Step::Member(member)) => *member == name,
                Some(Step::Any) => true,
                None => false,
            };
            if matches {
                map.next_value_seed(At { steps: &self.steps[1..], values: self.values })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        if self.steps.first() == Some(&Step::Any) {
            while sequence.next_element_seed(At { steps: &self.steps[1..], values: self.values })?.is_some() {
            }
        } else {
            while sequence.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.take(value.to_owned());
        Ok(())
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.take(value.to_string());
        Ok(())
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.take(value.to_string());
        Ok(())
    }
    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_as_far_as_the_text_goes() {
        let bulk = r#"{"requests":[{"payload":{"app":1}},{"payload":{"app":"2"}},{"payload":{"app":1}}]}"#;
        for (path, text, values, complete) in [
            ("app", r#"{"app":12,"records":[]}"#, vec!["12"], true),
            ("app", r#"{"app":"12","records":[{"a":"#, vec!["12"], false),
            ("app", r#"{"records":[{"app":1}]}"#, vec![], true),
            ("app", r#"{"records":[{"ap"#, vec![], false),
            ("requests.*.payload.app", bulk, vec!["1", "2"], true),
            ("requests.*.payload.app", &bulk[..40], vec!["1"], false),
            ("app", "[1,2]", vec![], true),
            ("app", "", vec![], false),
            ("app", r#"{"app":{"deep":1}}"#, vec![], true),
        ] {
            let found = MemberPath::parse(path).find(text.as_bytes());
            assert_eq!(found.values, values, "{text}");
            assert_eq!(found.complete, complete, "{text}");
        }
    }

    #[test]
    fn depth_cannot_exhaust_the_stack() {
        let deep = "[".repeat(1_000_000);
        assert!(!MemberPath::parse("app").find(deep.as_bytes()).complete);
    }
}
