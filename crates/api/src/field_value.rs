//! What somebody typed into a field: possibly a secret, so it is never shown by `Debug`.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A typed value, or the values of a list. May be a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "a text or an array of texts")]
pub enum FieldValue {
    /// One value.
    Text(String),
    /// The values of a list, such as several API tokens.
    List(Vec<String>),
}

impl FieldValue {
    /// The form in which fields are accepted: the items of a list separated by line breaks.
    pub fn into_typed(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::List(items) => items.join("\n"),
        }
    }
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl fmt::Debug for FieldValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => formatter.write_str("Text(…)"),
            Self::List(items) => write!(formatter, "List({} …)", items.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FieldValue;

    #[test]
    fn a_value_is_a_text_or_a_list_and_never_shown() {
        for (json, typed, shown) in [
            (r#""MARKER""#, "MARKER", "Text(…)"),
            (r#"["MARKER","b"]"#, "MARKER\nb", "List(2 …)"),
            ("[]", "", "List(0 …)"),
        ] {
            let value: FieldValue = serde_json::from_str(json).expect("fits");
            assert_eq!(format!("{value:?}"), shown);
            assert_eq!(serde_json::to_string(&value).expect("serializes"), json);
            assert_eq!(value.into_typed(), typed);
        }
        for json in ["5", "null", r#"{"a":1}"#, "[1]"] {
            assert!(serde_json::from_str::<FieldValue>(json).is_err(), "{json}");
        }
    }
}
