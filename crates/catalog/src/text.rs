//! Texts that people read, in every language of the product.

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::template::{Encoding, Scope, Template, TemplateError};

/// A language of the product's texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English, used where nothing else is asked for.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Language {
    /// The best language for an `Accept-Language` header or a locale name such as `ja_JP.UTF-8`.
    ///
    /// The first entry that names a language we have wins; quality values are taken as already ordered,
    /// which is how browsers send them.
    pub fn negotiate(preferences: &str) -> Self {
        preferences
            .split(',')
            .find_map(|entry| {
                let tag = entry.trim().split(['-', '_', ';', '.']).next().unwrap_or_default();
                match tag.to_ascii_lowercase().as_str() {
                    "ja" => Some(Self::Ja),
                    "en" => Some(Self::En),
                    _ => None,
                }
            })
            .unwrap_or_default()
    }
}

/// A text in both languages; a provider file that leaves one out does not load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// English.
    #[serde(deserialize_with = "something")]
    pub en: String,
    /// Japanese.
    #[serde(deserialize_with = "something")]
    pub ja: String,
}

impl Text {
    /// The text in a language.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Ja => &self.ja,
        }
    }
}

/// A text in both languages with holes such as `${config.subdomain}` or `${entry.app}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextTemplate {
    /// English.
    #[serde(deserialize_with = "some_template")]
    pub en: Template,
    /// Japanese.
    #[serde(deserialize_with = "some_template")]
    pub ja: Template,
}

fn something<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() { Err(empty()) } else { Ok(text) }
}

fn some_template<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
    let template = Template::deserialize(deserializer)?;
    if template.source().trim().is_empty() { Err(empty()) } else { Ok(template) }
}

fn empty<E: de::Error>() -> E {
    E::custom("the text is empty: write it in both languages")
}

impl TextTemplate {
    /// Both languages with their holes filled; a hole without a value becomes `?`, because a text that
    /// explains a failure must never itself fail.
    pub fn render(&self, scope: &Scope<'_>) -> Text {
        let fill = |template: &Template| match template.render(scope, Encoding::Text) {
            Ok(text) => text,
            Err(TemplateError { .. }) => template.render_lenient(scope, "?"),
        };
        Text { en: fill(&self.en), ja: fill(&self.ja) }
    }

    pub(crate) fn templates(&self) -> [&Template; 2] {
        [&self.en, &self.ja]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_language_wins() {
        for (preferences, expected) in [
            ("ja,en-US;q=0.9", Language::Ja),
            ("en-GB,ja;q=0.5", Language::En),
            ("fr-FR,ja;q=0.8", Language::Ja),
            ("ja_JP.UTF-8", Language::Ja),
            ("de", Language::En),
            ("", Language::En),
        ] {
            assert_eq!(Language::negotiate(preferences), expected, "{preferences}");
        }
    }
}
