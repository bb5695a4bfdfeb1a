//! Extra settings of a connection: documented keys, written in any case, an unknown key refused.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::diagnostic::{Place, nearest};
use crate::field::{Field, FieldError};
use crate::in_order::InOrder;
use crate::text::Text;

/// One documented setting.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Other spellings that are accepted, such as those of other products.
    #[serde(default)]
    pub also: Vec<String>,
    /// Whether the setting decides where requests go or who may answer them; changing it empties the secrets.
    #[serde(default)]
    pub routes: bool,
    /// What the value is.
    pub field: Field,
}

/// The documented settings by their key.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Settings(InOrder<Setting>);

/// A setting was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// The key is not a documented one.
    #[error("there is no setting `{key}`{}", .nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    Unknown {
        /// The key as it was given.
        key: String,
        /// The documented key that is nearest.
        nearest: Option<String>,
    },
    /// The value does not fit.
    #[error(transparent)]
    Value(#[from] FieldError),
}

impl SettingError {
    /// What is wrong, in both languages.
    pub fn message(&self) -> Text {
        match self {
            Self::Unknown { key, nearest: Some(near) } => Text {
                en: format!("There is no setting `{key}`; did you mean `{near}`?"),
                ja: format!("設定項目「{key}」はありません。「{near}」ではありませんか？"),
            },
            Self::Unknown { key, nearest: None } => Text {
                en: format!(
                    "There is no setting `{key}`. `tombolo provider show` lists the documented ones."
                ),
                ja: format!(
                    "設定項目「{key}」はありません。使える項目は `tombolo provider show` で確認できます。"
                ),
            },
            Self::Value(error) => error.message.clone(),
        }
    }
}

impl Settings {
    /// All settings in the order of the documentation.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.0.iter()
    }

    /// The documented key and setting for a key in any spelling.
    pub fn find(&self, key: &str) -> Option<(&str, &Setting)> {
        let plain = plain(key);
        self.iter().find(|(known, setting)| {
            self::plain(known) == plain || setting.also.iter().any(|other| self::plain(other) == plain)
        })
    }

    /// Checks one setting: its documented key and folded value. An empty value is `None`.
    pub fn accept(&self, key: &str, value: &str) -> Result<(String, Option<String>), SettingError> {
        let Some((known, setting)) = self.find(key) else {
            let spellings = self.iter().map(|(known, _)| known);
            let nearest = nearest(&key.to_ascii_lowercase(), spellings).map(str::to_owned);
            return Err(SettingError::Unknown { key: key.chars().take(80).collect(), nearest });
        };
        Ok((known.to_owned(), setting.field.accept(known, value)?))
    }

    /// These settings and those of another list; a key of the other list wins.
    pub(crate) fn with(&self, other: Self) -> Self {
        let mut both = self.0.clone();
        both.retain(|key| other.find(key).is_none());
        both.append(other.0);
        Self(both)
    }

    /// All settings, with the places where the file names them.
    pub(crate) fn with_places(&self) -> impl Iterator<Item = (&str, Place, &Setting)> {
        self.0.with_places()
    }

    /// The defaults of all settings that have one.
    pub fn defaults(&self) -> BTreeMap<String, String> {
        self.iter()
            .filter_map(|(key, setting)| Some((key.to_owned(), setting.field.default.clone()?)))
            .collect()
    }
}

/// A key without case, blanks, `_` and `-`: `Page Size`, `page_size` and `Pagesize` are the same key.
fn plain(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use crate::Catalog;

    #[test]
    fn keys_are_found_in_any_spelling_and_slips_are_named() {
        let catalog = Catalog::built_in().expect("the built-in files load");
        let settings = &catalog.get("kintone").expect("kintone").settings;
        for key in ["page_size", "PageSize", "Pagesize", "PAGE-SIZE", "page size"] {
            assert_eq!(settings.find(key).map(|(known, _)| known), Some("page_size"), "{key}");
        }
        assert_eq!(
            settings.accept("timout", "5").expect_err("unknown").to_string(),
            "there is no setting `timout`; did you mean `timeout`?"
        );
        assert_eq!(
            settings.accept("colour", "red").expect_err("unknown").to_string(),
            "there is no setting `colour`"
        );
        assert_eq!(settings.accept("Timeout", "１５").expect("fits").1.as_deref(), Some("15"));
    }
}
