//! The numbered steps from nothing to a connection.

use tombolo_platform::catalog::{AuthScheme, Field, FieldKind, Fields};

use super::super::markdown::compose::{block, code, link, prose, text};
use super::Guide;
use super::command::{client_commands, indented};

/// Most choices of a field that a sentence can bear.
const CHOICES_MAX: usize = 12;

impl Guide<'_> {
    /// The steps with one auth scheme.
    pub(super) fn steps(&self, scheme: &AuthScheme) -> String {
        let mut steps = Vec::new();
        if scheme.needs_browser() {
            self.client_steps(scheme, &mut steps);
        }
        let (say, name) = (self.say, self.name());
        steps.push(say.with("guide-step-open", &[("name", &name)]));
        steps.push(say.with("guide-step-name", &[("name", &name)]));
        if self.provider.auth.len() > 1 {
            let scheme = text(say.of(&scheme.name));
            steps.push(say.with("guide-step-scheme", &[("scheme", &scheme)]));
        }
        if !self.provider.paste.is_empty() {
            steps.push(say.with("guide-step-paste", &[("name", &name)]));
        }
        for fields in [&self.provider.config, &scheme.fields] {
            steps.extend(asked(fields).map(|(_, field)| self.field_step(field)));
        }
        for gate in &self.provider.gates {
            let gate_name = text(say.of(&gate.name));
            steps.push(say.with("guide-step-gate", &[("gate", &gate_name)]));
        }
        if scheme.needs_browser() {
            steps.push(say.with("guide-step-agree", &[("name", &name)]));
        } else {
            steps.push(say.text("guide-step-test"));
            steps.push(say.text("guide-step-create"));
        }
        let end = steps.len();
        let last = say.with("guide-now-connected", &[("name", &name)]);
        steps[end - 1].extend([format!(" **{last}**")]);
        numbered(&steps)
    }

    /// What an administrator does once, before anybody can agree.
    fn client_steps(&self, scheme: &AuthScheme, steps: &mut Vec<String>) {
        let (say, name) = (self.say, self.name());
        let (make, give) = client_commands(self.provider, scheme);
        steps.push(format!("{}\n\n{}", say.text("guide-step-client"), block("sh", &make)));
        if scheme.steps.is_empty() {
            let documentation = link(&text(&self.provider.documentation), &self.provider.documentation);
            let mut step = say.with("guide-step-register", &[("name", &name)]);
            if !documentation.is_empty() {
                step.push_str(&say.with("guide-step-register-where", &[("documentation", &documentation)]));
            }
            steps.push(step);
        }
        steps.extend(scheme.steps.iter().map(|step| prose(say.of(step))));
        steps.push(format!("{}\n\n{}", say.text("guide-step-client-secret"), block("sh", &give)));
    }

    /// One field of the form, with where its value is found.
    fn field_step(&self, field: &Field) -> String {
        let say = self.say;
        let found: Vec<String> = field.steps.iter().map(|step| prose(say.of(step))).collect();
        let step = self.field_in_words(field);
        if found.is_empty() { step } else { format!("{step}\n{}", numbered(&found).trim_end()) }
    }

    /// Fields as a list, for gates.
    pub(super) fn field_list(&self, fields: &Fields) -> String {
        asked(fields)
            .flat_map(|(_, field)| ["- ".to_owned(), self.field_in_words(field), "\n".to_owned()])
            .collect()
    }

    fn field_in_words(&self, field: &Field) -> String {
        let say = self.say;
        let mut words = format!("**{}**", text(say.of(&field.label)));
        if field.optional {
            words.push_str(&say.text("guide-optional"));
        }
        words.push_str(&say.text("guide-colon"));
        if let Some(help) = &field.help {
            words.push_str(&prose(say.of(help)));
        } else {
            words.push_str(&say.text(if field.secret { "guide-field-secret" } else { "guide-field-plain" }));
        }
        let few = !field.choices.is_empty() && field.choices.len() <= CHOICES_MAX;
        if few && field.kind == FieldKind::Choice {
            let choices: Vec<String> = field.choices.iter().map(|choice| code(choice)).collect();
            words.push_str(&say.with("guide-field-choices", &[("choices", &choices.join(", "))]));
        }
        if let Some(default) = &field.default {
            words.push_str(&say.with("guide-field-default", &[("default", &code(default))]));
        } else if let Some(example) = &field.example {
            words.push_str(&say.with("guide-field-example", &[("example", &code(example))]));
        }
        words
    }
}

/// The fields that a form asks for.
fn asked(fields: &Fields) -> impl Iterator<Item = (&str, &Field)> {
    fields.iter().filter(|(_, field)| !field.automatic)
}

/// A numbered list; what a step has below its first line stands below it.
pub(super) fn numbered(steps: &[String]) -> String {
    let mut list = String::new();
    for (position, step) in steps.iter().enumerate() {
        let number = format!("{}. ", position + 1);
        let blank = " ".repeat(number.len());
        list.extend([format!("{number}{}\n", indented(step.trim_end(), &blank))]);
    }
    list
}
