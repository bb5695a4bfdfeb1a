//! What every page is told: the language and the theme of whoever looks, and where things are.

use std::borrow::Borrow;

use fluent_templates::fluent_bundle::FluentValue;
use tombolo_platform::catalog::{Language, Text};

use super::{assets, words};
use crate::public_url::PublicUrl;

/// What every template has as `shell`.
#[derive(Debug, Clone)]
pub(crate) struct Shell {
    /// The language of the page.
    pub(crate) language: Language,
    /// Light or dark when somebody chose; otherwise what the browser prefers.
    pub(crate) theme: Option<Theme>,
    base: String,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// The theme with a name; everything else, such as `system`, is the browser's choice.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "light" => Some(Self::Light),
            "dark" => Some(Self::Dark),
            _ => None,
        }
    }

    /// The name in addresses and markup.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Shell {
    /// A page in a language, below the path that the server is reached at.
    pub(crate) fn new(language: Language, theme: Option<Theme>, public_url: &PublicUrl) -> Self {
        Self { language, theme, base: public_url.path().to_owned() }
    }

    /// The language's tag.
    pub(crate) fn language(&self) -> &'static str {
        words::tag(self.language)
    }

    /// The theme's name, when somebody chose.
    pub(crate) fn theme(&self) -> Option<&'static str> {
        self.theme.map(Theme::name)
    }

    /// A text of the catalogue.
    pub(crate) fn say(&self, key: &str) -> String {
        words::say(self.language, key)
    }

    /// A text with one value in it.
    pub(crate) fn say_with(&self, key: &str, name: &'static str, value: impl AsRef<str>) -> String {
        words::say_with(self.language, key, [(name, FluentValue::from(value.as_ref()))])
    }

    /// A text with several values in it.
    pub(crate) fn say_all<'a>(
        &self,
        key: &str,
        values: impl IntoIterator<Item = (&'static str, &'a str)>,
    ) -> String {
        let values = values.into_iter().map(|(name, value)| (name, FluentValue::from(value)));
        words::say_with(self.language, key, values)
    }

    /// A text with a number in it, which may decide about the form of words.
    pub(crate) fn say_number(&self, key: &str, name: &'static str, value: impl Borrow<usize>) -> String {
        words::say_with(self.language, key, [(name, FluentValue::from(*value.borrow()))])
    }

    /// A text of a provider file.
    pub(crate) fn of<'a>(&self, text: &'a Text) -> &'a str {
        text.get(self.language)
    }

    /// The address of a file that is part of the program.
    pub(crate) fn asset(&self, name: &str) -> String {
        format!("{}{}", self.base, assets::path(name))
    }

    /// The address of a path of ours.
    pub(crate) fn to(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}
