//! Fields of a form: what a person types, how it is folded, and when it is refused.

use regex::Regex;
use serde::de;
use serde::{Deserialize, Deserializer};
use unicode_normalization::UnicodeNormalization;

use crate::diagnostic::Place;
use crate::in_order::InOrder;
use crate::template::Template;
use crate::text::Text;

/// Longest value of a field that sets no length of its own, in characters.
const DEFAULT_MAX_LENGTH: usize = 1024;

/// Named fields in the order in which a form shows them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Fields(InOrder<Field>);

/// One field of a form.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// What stands above the field.
    pub label: Text,
    /// What stands below the field.
    pub help: Option<Text>,
    /// Where a person finds the value, step by step, in the vendor's own words.
    #[serde(default)]
    pub steps: Vec<Text>,
    /// The page of the vendor, in the person's own tenant, where the value is found.
    pub link: Option<Template>,
    /// What stands around one item of a list, where each has an input of its own.
    pub item: Option<Item>,
    /// What kind of value it is.
    #[serde(default, rename = "type")]
    pub kind: FieldKind,
    /// The values to choose from, for [`FieldKind::Choice`].
    #[serde(default)]
    pub choices: Vec<String>,
    /// A linear-time regular expression that the whole value (each item of a list) must fit.
    pub pattern: Option<FieldPattern>,
    /// What a good value looks like.
    pub example: Option<String>,
    /// The value when nothing is typed.
    pub default: Option<String>,
    /// Whether the field may stay empty.
    #[serde(default)]
    pub optional: bool,
    /// Whether the vendor's answer fills the field, so that no form asks for it.
    #[serde(default)]
    pub automatic: bool,
    /// Whether the value is a secret: sealed, write-only, never shown.
    #[serde(default)]
    pub secret: bool,
    /// Whether full-width characters and outer blanks are folded; passwords are taken as they are.
    #[serde(default = "yes")]
    pub fold: bool,
    /// What a form shows before the value, such as `https://`.
    pub prefix: Option<String>,
    /// What a form shows after the value.
    pub suffix: Option<String>,
    /// Longest value in characters.
    pub max_length: Option<usize>,
}

fn yes() -> bool {
    true
}

/// What stands around one item of a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// What stands above it.
    pub label: Text,
    /// What stands below it.
    pub help: Option<Text>,
}

/// What kind of value a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// One line.
    #[default]
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// One of the listed values.
    Choice,
    /// Several values, separated by commas or line breaks.
    List,
    /// Several lines, such as a PEM certificate.
    Multiline,
    /// What a file holds: its text, or the base64 form of what is none.
    File,
}

/// A checked pattern, anchored at both ends.
#[derive(Debug, Clone)]
pub struct FieldPattern {
    source: String,
    regex: Regex,
}

/// A value was refused. The value itself is never part of the error: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {}", .message.en)]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// A stable code: `required`, `too_long`, `control_character`, `not_an_integer`, `not_a_choice`, `pattern`,
    /// `unknown_field`, `too_many`.
    pub code: &'static str,
    /// What is wrong and what to type, in both languages.
    pub message: Text,
}

impl Field {
    /// Folds and checks what was typed. An empty value of an optional field is `None`; a list comes back joined
    /// by `,`, and one without an item is empty.
    pub fn accept(&self, name: &str, typed: &str) -> Result<Option<String>, FieldError> {
        let value =
            if self.fold { typed.nfkc().collect::<String>().trim().to_owned() } else { typed.to_owned() };
        let value = self.joined(value);
        let value =
            if value.is_empty() { self.joined(self.default.clone().unwrap_or_default()) } else { value };
        if value.is_empty() {
            return if self.optional || self.automatic {
                Ok(None)
            } else {
                Err(self.refuse(name, Refusal::Required))
            };
        }
        let longest = self.max_length.unwrap_or(DEFAULT_MAX_LENGTH);
        if value.chars().count() > longest {
            return Err(self.refuse(name, Refusal::TooLong(longest)));
        }
        let breaks_allowed = matches!(self.kind, FieldKind::Multiline | FieldKind::File);
        if value.chars().any(|c| c.is_control() && !(breaks_allowed && matches!(c, '\n' | '\r' | '\t'))) {
            return Err(self.refuse(name, Refusal::ControlCharacter));
        }
        match self.kind {
            FieldKind::List => value.split(',').try_for_each(|item| self.check_item(name, item))?,
            _ => self.check_item(name, &value)?,
        }
        Ok(Some(value))
    }

    /// A list as its items with `,` between them, so that separators alone are no value; anything else as it is.
    fn joined(&self, value: String) -> String {
        match self.kind {
            FieldKind::List => split_list(&value).join(","),
            _ => value,
        }
    }

    fn check_item(&self, name: &str, value: &str) -> Result<(), FieldError> {
        let kind_fits = match self.kind {
            FieldKind::Integer => value.parse::<i64>().map_err(|_| Refusal::NotAnInteger).map(drop),
            FieldKind::Boolean if !matches!(value, "true" | "false") => Err(Refusal::NotAChoice),
            FieldKind::Choice if !self.choices.iter().any(|choice| choice == value) => {
                Err(Refusal::NotAChoice)
            }
            _ => Ok(()),
        };
        let pattern_fits = match &self.pattern {
            Some(pattern) if !pattern.regex.is_match(value) => Err(Refusal::Pattern),
            _ => Ok(()),
        };
        kind_fits.and(pattern_fits).map_err(|refusal| self.refuse(name, refusal))
    }

    fn refuse(&self, name: &str, refusal: Refusal) -> FieldError {
        let (en_label, ja_label) = (&self.label.en, &self.label.ja);
        let example = self.example.as_deref();
        let such_as = example.map(|text| format!(", such as `{text}`")).unwrap_or_default();
        let for_example = example.map(|text| format!("（例: {text}）")).unwrap_or_default();
        let (code, en, ja) = match refusal {
            Refusal::Required => (
                "required",
                format!("{en_label} is needed{such_as}."),
                format!("{ja_label}を入力してください{for_example}。"),
            ),
            Refusal::TooLong(longest) => (
                "too_long",
                format!("{en_label} may have at most {longest} characters."),
                format!("{ja_label}は{longest}文字以内で入力してください。"),
            ),
            Refusal::ControlCharacter => (
                "control_character",
                format!(
                    "{en_label} contains a line break or another control character: paste it again without it."
                ),
                format!("{ja_label}に改行などの制御文字が含まれています。取り除いて入力し直してください。"),
            ),
            Refusal::NotAnInteger => (
                "not_an_integer",
                format!("{en_label} is a whole number{such_as}."),
                format!("{ja_label}は整数で入力してください{for_example}。"),
            ),
            Refusal::NotAChoice => {
                let choices = match self.kind {
                    FieldKind::Boolean => "true, false".to_owned(),
                    _ => self.choices.join(", "),
                };
                (
                    "not_a_choice",
                    format!("{en_label} is one of: {choices}."),
                    format!("{ja_label}は次のいずれかです: {choices}"),
                )
            }
            Refusal::Pattern => (
                "pattern",
                format!("{en_label}: that does not look right{such_as}."),
                format!("{ja_label}の形式が正しくありません{for_example}。"),
            ),
        };
        FieldError { field: name.to_owned(), code, message: Text { en, ja } }
    }
}

#[derive(Clone, Copy)]
enum Refusal {
    Required,
    TooLong(usize),
    ControlCharacter,
    NotAnInteger,
    NotAChoice,
    Pattern,
}

/// The items of a list as people write one: separated by commas or line breaks, blanks around them ignored.
fn split_list(text: &str) -> Vec<&str> {
    text.split([',', '\n', '、']).map(str::trim).filter(|item| !item.is_empty()).collect()
}

impl FieldPattern {
    /// The pattern as it was written, without anchors.
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl<'de> Deserialize<'de> for FieldPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let source = String::deserialize(deserializer)?;
        let regex = Regex::new(&format!(r"\A(?:{source})\z")).map_err(|error| {
            de::Error::custom(format!("`{source}` is not a linear-time pattern: {error}"))
        })?;
        Ok(Self { source, regex })
    }
}

impl Fields {
    /// The field with a name.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.iter().find_map(|(known, field)| (known == name).then_some(field))
    }

    /// All fields in the order of the form.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.0.iter()
    }

    /// The names in the order of the form.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// Where the file names a field.
    pub(crate) fn place(&self, name: &str) -> Place {
        self.0.with_places().find(|(known, ..)| *known == name).map(|(_, place, _)| place).unwrap_or_default()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(yaml: &str) -> Field {
        serde_saphyr::from_str(&format!("label: {{ en: Value, ja: 値 }}\n{yaml}")).expect("a valid field")
    }

    #[test]
    fn values_are_folded_and_checked() {
        let subdomain = field("pattern: '[a-z0-9][a-z0-9-]*'\nexample: acme");
        let password = field("secret: true\nfold: false");
        let port = field("type: integer\noptional: true");
        let region = field("type: choice\nchoices: [jp, us]\ndefault: jp");
        let apps = field("type: list\npattern: '[0-9]+'");
        let labels = field("type: list\noptional: true");
        let scopes = field("type: list\ndefault: 'read, write'");
        let long = "a".repeat(1_048_576);
        for (field, typed, expected) in [
            (&subdomain, " ａｃｍｅ　", Ok(Some("acme"))),
            (&subdomain, "ac me", Err("pattern")),
            (&subdomain, "", Err("required")),
            (&subdomain, "acme\r\nX-Evil: 1", Err("control_character")),
            (&subdomain, "acme\0", Err("control_character")),
            (&subdomain, long.as_str(), Err("too_long")),
            (&password, " pass word ", Ok(Some(" pass word "))),
            (&port, "", Ok(None)),
            (&port, "８０", Ok(Some("80"))),
            (&port, "8o", Err("not_an_integer")),
            (&region, "", Ok(Some("jp"))),
            (&region, "eu", Err("not_a_choice")),
            (&apps, "1, 2\n 3", Ok(Some("1,2,3"))),
            (&apps, "1, x", Err("pattern")),
            (&apps, "1\t2", Err("control_character")),
            (&apps, ",1、、", Ok(Some("1"))),
            (&apps, ",", Err("required")),
            (&apps, " 、\n, ", Err("required")),
            (&labels, "", Ok(None)),
            (&labels, "、", Ok(None)),
            (&scopes, ",", Ok(Some("read,write"))),
        ] {
            let outcome = field.accept("value", typed);
            let short = outcome.as_ref().map(Option::as_deref).map_err(|error| error.code);
            assert_eq!(short, expected, "{typed:.40}");
        }
    }

    #[test]
    fn a_refusal_never_repeats_the_value() {
        let error = field("pattern: '[a-z]+'").accept("value", "MARKER-1234").expect_err("refused");
        assert!(!format!("{error} {error:?}").contains("MARKER"));
    }
}
