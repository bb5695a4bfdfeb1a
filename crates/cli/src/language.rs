//! The language of the person at the terminal.

use tombolo_api::{Text, Wording};
use tombolo_platform::catalog::Language;

/// The language that the locale asks for: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is set, as POSIX has it.
pub fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Language {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set);
    Language::negotiate(&locale.unwrap_or_default())
}

/// The name of a language in `Accept-Language`.
pub fn tag(language: Language) -> &'static str {
    match language {
        Language::En => "en",
        Language::Ja => "ja",
    }
}

/// A text that is there in both languages.
pub trait InBoth {
    /// The text in one of them.
    fn in_language(&self, language: Language) -> &str;
}

impl InBoth for Text {
    fn in_language(&self, language: Language) -> &str {
        either(language, &self.en, &self.ja)
    }
}

impl InBoth for Wording {
    fn in_language(&self, language: Language) -> &str {
        either(language, &self.en, &self.ja)
    }
}

/// One of two texts.
pub fn either<'a>(language: Language, en: &'a str, ja: &'a str) -> &'a str {
    match language {
        Language::En => en,
        Language::Ja => ja,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        for (variables, expected) in [
            (&[("LANG", "ja_JP.UTF-8")][..], Language::Ja),
            (&[("LC_ALL", ""), ("LANG", "ja_JP.UTF-8")], Language::Ja),
            (&[("LC_ALL", "C.UTF-8"), ("LANG", "ja_JP.UTF-8")], Language::En),
            (&[("LC_MESSAGES", "ja"), ("LANG", "en_US.UTF-8")], Language::Ja),
            (&[], Language::En),
        ] {
            let find = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(of_locale(find), expected, "{variables:?}");
        }
    }
}
