//! Asks on the terminal for what was not given, with the provider's own texts. Secrets are not shown while typed.

use std::fmt;

use inquire::validator::Validation;
use inquire::{Confirm, Password, PasswordDisplayMode, Select, Text};
use tombolo_api::{ProviderField, ProviderFieldKind, ProviderQuery};
use tombolo_platform::catalog::Language;

use super::draft::Draft;
use super::secret_source::SecretSource;
use crate::command::arguments::unasked;
use crate::connect_api::Api;
use crate::language::{InBoth, either};
use crate::output::{Output, one_line, say};

/// A choice: what it is called, and what it means.
struct Choice {
    id: String,
    label: String,
}

impl fmt::Display for Choice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.label)
    }
}

/// Asks for a provider.
pub async fn provider(api: &Api, language: Language) -> anyhow::Result<String> {
    let providers = api.list_providers(&ProviderQuery::default()).await?;
    let choices = providers.iter().map(|provider| Choice {
        id: provider.name.clone(),
        label: format!(
            "{} - {}",
            provider.title.in_language(language),
            provider.description.in_language(language)
        ),
    });
    let question = either(language, "What do you want to link?", "どのサービスに接続しますか？");
    Ok(Select::new(question, choices.collect()).prompt().map_err(unasked)?.id)
}

/// Asks for everything that is missing, if anything is. Fields that may stay empty are then offered too.
pub async fn missing(api: &Api, draft: &mut Draft, output: Output) -> anyhow::Result<()> {
    let language = output.language;
    if draft.name.is_some() && draft.scheme_is_clear() && draft.missing().is_empty() {
        return passwords(api, draft, output).await;
    }
    if draft.name.is_none() {
        let question = either(language, "Name of the connection", "接続名");
        let help = either(language, "What people will see in lists.", "一覧などに表示される名前です。");
        draft.name = Some(typed(Text::new(question).with_help_message(help), false, language)?);
    }
    if !draft.scheme_is_clear() {
        let chosen = scheme(draft, language)?;
        draft.choose(&chosen)?;
    }
    let scheme = draft.scheme();
    let paired = scheme.secrets_by.clone();
    let of_form: Vec<ProviderField> = draft.provider.fields.iter().chain(&scheme.fields).cloned().collect();
    for mut wanted in of_form {
        if draft.fields.contains_key(&wanted.name) {
            continue;
        }
        wanted.optional &= paired.as_ref() != Some(&wanted.name);
        give(api, draft, &wanted, output).await?;
    }
    for gate in draft.provider.gates.clone() {
        let given = gate.fields.iter().any(|field| draft.fields.contains_key(&field.name));
        let is_needed = given || {
            let help = gate.explain.as_ref().map(|text| text.in_language(language));
            let name = gate.name.in_language(language);
            let mut question = Confirm::new(name).with_default(false);
            question.help_message = help;
            question.prompt().map_err(unasked)?
        };
        for field in gate.fields.iter().filter(|_| is_needed) {
            let wanted = ProviderField { optional: !gate.needed.contains(&field.name), ..field.clone() };
            if !draft.fields.contains_key(&wanted.name) {
                give(api, draft, &wanted, output).await?;
            }
        }
    }
    Ok(())
}

/// A file that was given may be protected: its password is asked for, and may stay empty.
async fn passwords(api: &Api, draft: &mut Draft, output: Output) -> anyhow::Result<()> {
    let given = |field: &ProviderField| draft.fields.contains_key(&field.name);
    let gates = draft.provider.gates.iter().filter(|gate| gate.fields.iter().any(given));
    let wanted = gates.flat_map(|gate| &gate.fields).filter(|field| field.secret && !given(field));
    for field in wanted.cloned().collect::<Vec<_>>() {
        give(api, draft, &ProviderField { optional: true, ..field }, output).await?;
    }
    Ok(())
}

/// Asks for what a connection has to be given anew: its secrets, and what is sealed with them. What stays is told first.
pub async fn anew(api: &Api, draft: &mut Draft, output: Output) -> anyhow::Result<()> {
    let missing: Vec<ProviderField> = draft.missing().into_iter().cloned().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let kept: Vec<String> = draft
        .kept()
        .map(|(field, value)| format!("{}: {value}", field.label.in_language(output.language)))
        .collect();
    if !kept.is_empty() {
        let word = either(output.language, "stays as it is", "変更しない項目");
        say(format_args!("{word} – {}", one_line(kept.join(", "))));
    }
    for wanted in missing {
        let wanted = ProviderField { optional: false, ..wanted };
        give(api, draft, &wanted, output).await?;
    }
    // A secret that may stay empty was perhaps given before, which nobody can see: it must not be lost unnoticed.
    let of_gates = draft
        .provider
        .gates
        .iter()
        .filter(|gate| draft.passes(gate))
        .flat_map(|gate| gate.fields.iter().filter(|field| !gate.needed.contains(&field.name)));
    let perhaps = draft.scheme().fields.iter().chain(of_gates).filter(|field| field.secret && field.optional);
    for wanted in perhaps.cloned().collect::<Vec<_>>() {
        if !draft.fields.contains_key(&wanted.name) {
            give(api, draft, &wanted, output).await?;
        }
    }
    Ok(())
}

fn scheme(draft: &Draft, language: Language) -> anyhow::Result<String> {
    let choices = draft.schemes().map(|scheme| Choice {
        id: scheme.id.clone(),
        label: match &scheme.explain {
            None => scheme.name.in_language(language).to_owned(),
            Some(text) => format!("{} - {}", scheme.name.in_language(language), text.in_language(language)),
        },
    });
    let question = either(language, "How do you sign in?", "認証方法");
    Ok(Select::new(question, choices.collect()).prompt().map_err(unasked)?.id)
}

/// Asks for one field. Where a page's address is typed instead of its part, the address fills what it can.
async fn give(api: &Api, draft: &mut Draft, field: &ProviderField, output: Output) -> anyhow::Result<()> {
    for (number, step) in field.steps.iter().enumerate() {
        say(format_args!("  {}. {}", number + 1, step.in_language(output.language)));
    }
    let value = answer(field, output.language)?;
    if value.is_empty() {
        return Ok(());
    }
    if !field.secret && value.contains(['.', '/']) {
        let pasted = api.read_pasted(&draft.provider.name, &value).await?;
        if pasted.fields.contains_key(&field.name) {
            for (name, value) in pasted.fields {
                draft.give(&name, value);
            }
            return Ok(());
        }
    }
    draft.give(&field.name, value);
    Ok(())
}

fn answer(field: &ProviderField, language: Language) -> anyhow::Result<String> {
    let label = field.label.in_language(language);
    let word = either(language, "Example:", "例:");
    let example = field.example.as_ref().map(|example| format!("{word} {example}"));
    let help = field.help.as_ref().map(|text| text.in_language(language).to_owned());
    let help = help.into_iter().chain(example).collect::<Vec<_>>().join(" ");
    if field.kind == ProviderFieldKind::File {
        return file(&label_of_place(label, language), &help, field.optional, language);
    }
    if field.secret {
        let mut question =
            Password::new(label).without_confirmation().with_display_mode(PasswordDisplayMode::Masked);
        question.help_message = Some(help.as_str()).filter(|help| !help.is_empty());
        if !field.optional {
            question = question.with_validator(needed(language));
        }
        return question.prompt().map_err(unasked);
    }
    if field.kind == ProviderFieldKind::Choice {
        let preset = field.choices.iter().position(|choice| Some(choice) == field.default.as_ref());
        let mut question =
            Select::new(label, field.choices.clone()).with_starting_cursor(preset.unwrap_or(0));
        question.help_message = Some(help.as_str()).filter(|help| !help.is_empty());
        return question.prompt().map_err(unasked);
    }
    let mut question = Text::new(label);
    question.help_message = Some(help.as_str()).filter(|help| !help.is_empty());
    question.default = field.default.as_deref();
    typed(question, field.optional, language)
}

fn label_of_place(label: &str, language: Language) -> String {
    match language {
        Language::En => format!("{label} (path of the file)"),
        Language::Ja => format!("{label}（ファイルのパス）"),
    }
}

/// Asks where a file is, and reads it.
fn file(label: &str, help: &str, optional: bool, language: Language) -> anyhow::Result<String> {
    let mut question = Text::new(label);
    question.help_message = Some(help).filter(|help| !help.is_empty());
    let path = typed(question, optional, language)?;
    if path.is_empty() { Ok(path) } else { SecretSource::File(path.into()).read_file() }
}

fn typed(question: Text<'_, '_>, optional: bool, language: Language) -> anyhow::Result<String> {
    let question = if optional { question } else { question.with_validator(needed(language)) };
    Ok(question.prompt().map_err(unasked)?.trim().to_owned())
}

/// Refuses an empty answer.
fn needed(language: Language) -> impl inquire::validator::StringValidator + 'static {
    let message = either(language, "This is needed.", "入力してください。");
    move |text: &str| {
        Ok(if text.trim().is_empty() { Validation::Invalid(message.into()) } else { Validation::Valid })
    }
}
