//! What an embedder may say about the people whose accounts are linked.

use std::collections::BTreeMap;

use tombolo_catalog::FieldError;
use tombolo_store::EndUser;

use crate::problem::{Problem, field};

const TAGS_MAX: usize = 10;
const TAG_LENGTH_MAX: usize = 64;
const VALUE_LENGTH_MAX: usize = 255;

/// The tags of a connection: those that were given with their keys in lower case, and what is known of the end user, so
/// that connections are found by it.
pub(crate) fn tags_of(
    given: &BTreeMap<String, String>,
    end_user: Option<&EndUser>,
) -> Result<BTreeMap<String, String>, Problem> {
    let mut faults = Vec::new();
    let mut tags: BTreeMap<String, String> = BTreeMap::new();
    if given.len() > TAGS_MAX {
        let en = format!("There may be at most {TAGS_MAX} tags.");
        faults.push(field("tags", "too_many", &en, &format!("タグは{TAGS_MAX}個までです。")));
    }
    for (tag, value) in given {
        faults.extend(fault_of_tag(tag, value));
        tags.insert(tag.to_lowercase(), value.clone());
    }
    if let Some(user) = end_user {
        faults.extend(faults_of_user(user));
        tags.extend(known_of(user));
    }
    if faults.is_empty() { Ok(tags) } else { Err(Problem::fields(faults)) }
}

fn known_of(user: &EndUser) -> impl Iterator<Item = (String, String)> {
    let organization = user.organization.as_ref();
    let known = [
        ("end_user_id", Some(&user.id)),
        ("end_user_email", user.email.as_ref()),
        ("end_user_display_name", user.display_name.as_ref()),
        ("organization_id", organization.map(|organization| &organization.id)),
        ("organization_display_name", organization.and_then(|known| known.display_name.as_ref())),
    ];
    known.into_iter().filter_map(|(tag, value)| Some((tag.to_owned(), value?.clone())))
}

fn fault_of_tag(tag: &str, value: &str) -> Option<FieldError> {
    let name = format!("tags.{}", tag.chars().take(TAG_LENGTH_MAX).collect::<String>());
    let begins_with_letter = tag.chars().next().is_some_and(|first| first.is_ascii_alphabetic());
    if !begins_with_letter || tag.chars().count() > TAG_LENGTH_MAX {
        let en = format!("A tag begins with a letter and has at most {TAG_LENGTH_MAX} characters.");
        let ja = format!("タグは英字で始まる{TAG_LENGTH_MAX}文字以内の名前にしてください。");
        return Some(field(&name, "pattern", &en, &ja));
    }
    if value.is_empty() || value.chars().count() > VALUE_LENGTH_MAX || value.chars().any(char::is_control) {
        let en = format!("The value of a tag has 1 to {VALUE_LENGTH_MAX} characters and no line breaks.");
        let ja = format!("タグの値は改行を含まない1～{VALUE_LENGTH_MAX}文字で入力してください。");
        return Some(field(&name, "pattern", &en, &ja));
    }
    (tag.eq_ignore_ascii_case("end_user_email") && !is_address(value)).then(|| no_address(&name))
}

fn faults_of_user(user: &EndUser) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let mut text = |name: &str, value: Option<&String>| {
        let Some(value) = value else { return };
        let length = value.chars().count();
        if !(1..=VALUE_LENGTH_MAX).contains(&length) || value.chars().any(char::is_control) {
            let en = format!("It has 1 to {VALUE_LENGTH_MAX} characters and no line breaks.");
            let ja = format!("改行を含まない1～{VALUE_LENGTH_MAX}文字で入力してください。");
            faults.push(field(name, "pattern", &en, &ja));
        }
    };
    text("end_user.id", Some(&user.id));
    text("end_user.display_name", user.display_name.as_ref());
    if let Some(organization) = &user.organization {
        text("organization.id", Some(&organization.id));
        text("organization.display_name", organization.display_name.as_ref());
    }
    if user.email.as_ref().is_some_and(|email| !is_address(email)) {
        faults.push(no_address("end_user.email"));
    }
    faults
}

/// Whether a text looks like an e-mail address. Only the mail server of the address knows whether it is one.
fn is_address(text: &str) -> bool {
    let sound = !text.chars().any(|character| character.is_whitespace() || character.is_control());
    let parts = text.rsplit_once('@');
    sound
        && text.chars().count() <= VALUE_LENGTH_MAX
        && parts.is_some_and(|(local, host)| {
            !local.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
        })
}

fn no_address(name: &str) -> FieldError {
    field(name, "format", "It is an e-mail address.", "メールアドレスを入力してください。")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_short_words_and_an_address_looks_like_one() {
        let many: Vec<(String, String)> = (0..11).map(|n| (format!("t{n}"), "x".to_owned())).collect();
        let many: Vec<(&str, &str)> =
            many.iter().map(|(tag, value)| (tag.as_str(), value.as_str())).collect();
        let long = "x".repeat(256);
        for (given, expected) in [
            (&[("Team", "sales")][..], "team=sales"),
            (&[("end_user_email", "anna@example.com")], "end_user_email=anna@example.com"),
            (&[("end_user_email", "anna")], "refused: tags.end_user_email format"),
            (&[("1st", "x")], "refused: tags.1st pattern"),
            (&[("team", "")], "refused: tags.team pattern"),
            (&[("team", "a\nb")], "refused: tags.team pattern"),
            (&[("team", &long)], "refused: tags.team pattern"),
            (&many, "refused: tags too_many"),
        ] {
            let given = given.iter().map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned())).collect();
            let found = match tags_of(&given, None) {
                Ok(tags) => {
                    tags.iter().map(|(tag, value)| format!("{tag}={value}")).collect::<Vec<_>>().join(";")
                }
                Err(problem) => format!("refused: {} {}", problem.fields[0].field, problem.fields[0].code),
            };
            assert_eq!(found, expected);
        }
    }
}
