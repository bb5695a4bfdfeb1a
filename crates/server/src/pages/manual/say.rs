//! The words of the manual in one language, for Markdown.

use fluent_templates::fluent_bundle::FluentValue;
use tombolo_platform::catalog::{Language, Text};

use crate::pages::words;

/// Says things in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Say(pub Language);

impl Say {
    /// The text of a key.
    pub(super) fn text(self, key: &str) -> String {
        words::say(self.0, key)
    }

    /// The text of a key with its holes filled. Sources are read as plain text, where the marks around what was put in would
    /// be in the way; what turns the direction of a text is taken out before.
    pub(super) fn with(self, key: &str, values: &[(&'static str, &str)]) -> String {
        let values = values.iter().map(|(name, value)| (*name, FluentValue::from(*value)));
        words::say_with(self.0, key, values).replace(['\u{2068}', '\u{2069}'], "")
    }

    /// A text of a provider file.
    pub(super) fn of(self, text: &Text) -> &str {
        text.get(self.0)
    }
}
