//! What pages say, from one Fluent catalogue in English and Japanese.

use std::collections::HashMap;
use std::sync::LazyLock;

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader, static_loader};
use tombolo_platform::catalog::Language;

// What is put into a text keeps its own direction (Unicode isolates), so that a name cannot turn a sentence around.
static_loader! {
    static CATALOGUE = {
        locales: "./locales",
        fallback_language: "en",
    };
}

static ENGLISH: LazyLock<LanguageIdentifier> = LazyLock::new(|| identifier(Language::En));
static JAPANESE: LazyLock<LanguageIdentifier> = LazyLock::new(|| identifier(Language::Ja));

/// The tag of a language (BCP 47).
pub(crate) const fn tag(language: Language) -> &'static str {
    match language {
        Language::En => "en",
        Language::Ja => "ja",
    }
}

/// A text of the catalogue. The name of one that is missing stands in its place; a test sees to it that none is.
pub(crate) fn say(language: Language, key: &str) -> String {
    CATALOGUE.lookup(of(language), key)
}

/// A text with what goes into it.
pub(crate) fn say_with<'a>(
    language: Language,
    key: &str,
    values: impl IntoIterator<Item = (&'static str, FluentValue<'a>)>,
) -> String {
    let values: HashMap<_, _> = values.into_iter().map(|(name, value)| (name.into(), value)).collect();
    CATALOGUE.lookup_with_args(of(language), key, &values)
}

fn of(language: Language) -> &'static LanguageIdentifier {
    match language {
        Language::En => &ENGLISH,
        Language::Ja => &JAPANESE,
    }
}

fn identifier(language: Language) -> LanguageIdentifier {
    tag(language).parse().expect("`en` and `ja` are language tags")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::*;

    /// Every message of a language with the names of what goes into it.
    fn messages(language: &str) -> BTreeMap<String, BTreeSet<String>> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(language);
        let mut all = BTreeMap::new();
        for file in std::fs::read_dir(directory).expect("a directory") {
            let text = std::fs::read_to_string(file.expect("a file").path()).expect("text");
            let mut last = None;
            for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
                if !line.starts_with([' ', '}', '*', '[']) {
                    let (key, _) = line.split_once(" =").expect("a message");
                    assert!(all.insert(key.to_owned(), BTreeSet::new()).is_none(), "`{key}` stands twice");
                    last = Some(key.to_owned());
                }
                let names = line.split('$').skip(1).map(|rest| {
                    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
                    rest[..end.unwrap_or(rest.len())].to_owned()
                });
                let key = last.as_ref().expect("a message begins the file");
                all.get_mut(key).expect("inserted").extend(names);
            }
        }
        all
    }

    #[test]
    fn both_languages_say_the_same() {
        let (english, japanese) = (messages("en"), messages("ja"));
        assert!(english.len() > 20);
        assert_eq!(english, japanese);
        for (key, names) in &english {
            let values = names.iter().map(|name| (name.clone().into(), FluentValue::from("x"))).collect();
            for language in [Language::En, Language::Ja] {
                let said = CATALOGUE.lookup_with_args(of(language), key, &values);
                assert!(!said.starts_with("Unknown localization"), "{key} is broken in {language:?}");
            }
        }
    }

    /// Every key that a template or a page names is in the catalogue.
    #[test]
    fn nothing_is_said_that_the_catalogue_does_not_have() {
        let known = messages("en");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut asked = 0;
        let mut folders = vec![root.join("templates"), root.join("src/pages")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a directory") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("text");
                for call in ["say(\"", "say_with(\"", "say_number(\""] {
                    for rest in text.split(call).skip(1) {
                        let key = rest.split('"').next().unwrap_or_default();
                        if path.ends_with("words.rs") {
                            continue;
                        }
                        asked += 1;
                        assert!(
                            known.contains_key(key),
                            "{}: `{key}` is not in the catalogue",
                            path.display()
                        );
                    }
                }
            }
        }
        assert!(asked > 20);
    }
}
