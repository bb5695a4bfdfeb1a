//! One input of a form.

use tombolo_platform::catalog::{Field, FieldKind};

use super::Drawn;

/// An input with everything around it.
pub(crate) struct Input {
    /// Its name in what the browser posts.
    pub(crate) name: String,
    /// Its id in the page.
    pub(crate) id: String,
    /// What stands above it.
    pub(crate) label: String,
    /// What stands below it.
    pub(crate) help: String,
    /// Where a person finds the value, step by step.
    pub(crate) steps: Vec<String>,
    /// Whether it is found on a page of the vendor's.
    pub(crate) has_place: bool,
    /// The address of that page in the person's own tenant; empty while it is not known.
    pub(crate) place: String,
    /// How it looks.
    pub(crate) kind: &'static str,
    /// What stands in it. Empty for secrets.
    pub(crate) value: String,
    /// What is wrong with it.
    pub(crate) error: Option<String>,
    /// Whether it has to be filled in.
    pub(crate) required: bool,
    /// Whether it may stay empty.
    pub(crate) optional: bool,
    /// What stands before the value.
    pub(crate) prefix: String,
    /// What stands after the value.
    pub(crate) suffix: String,
    /// What a good value looks like.
    pub(crate) example: String,
    /// The values to choose from.
    pub(crate) options: Vec<Choice>,
    default: Option<String>,
}

/// A value to choose.
pub(crate) struct Choice {
    /// The value.
    pub(crate) value: String,
    /// What people read.
    pub(crate) text: String,
    /// Whether it is the one.
    pub(crate) chosen: bool,
}

impl Input {
    /// The ids of what describes the input.
    pub(crate) fn described_by(&self) -> String {
        let help = if self.help.is_empty() { "" } else { "-help" };
        match help {
            "" => format!("{}-error", self.id),
            help => format!("{0}{help} {0}-error", self.id),
        }
    }

    /// What is wrong, or nothing.
    pub(crate) fn fault(&self) -> &str {
        self.error.as_deref().unwrap_or_default()
    }

    /// Whether something stands in it that does not stand there by itself.
    pub(super) fn is_filled_by_hand(&self) -> bool {
        !self.value.is_empty() && Some(&self.value) != self.default.as_ref()
    }
}

impl Drawn<'_> {
    /// The input of a field in a part of the form.
    pub(super) fn input(&self, part: &str, name: &str, field: &Field) -> Input {
        self.input_at(part, name, field, 0)
    }

    /// The input of one item of a list, in one row of them.
    pub(super) fn input_of_item(&self, part: &str, name: &str, field: &Field, row: usize) -> Input {
        let input = self.input_at(part, name, field, row);
        let Some(item) = &field.item else { return input };
        let (label, help) = (self.shell.of(&item.label), item.help.as_ref().map(|help| self.shell.of(help)));
        Input { label: label.to_owned(), help: help.unwrap_or_default().to_owned(), optional: false, ..input }
    }

    fn input_at(&self, part: &str, name: &str, field: &Field, row: usize) -> Input {
        let posted = format!("{part}.{name}");
        let typed = self.values.get(&posted).and_then(|values| values.get(row)).cloned();
        let default = field.default.clone().filter(|_| !field.secret);
        let value = typed.or_else(|| default.clone()).filter(|_| !field.secret).unwrap_or_default();
        let words = |text: &tombolo_platform::catalog::Text| self.shell.of(text).to_owned();
        let fault = self.faults.get(if part == "settings" { posted.as_str() } else { name });
        let options = match field.kind {
            FieldKind::Choice => field.choices.clone(),
            FieldKind::Boolean => vec!["true".to_owned(), "false".to_owned()],
            _ => Vec::new(),
        };
        let text_of = |value: &str| match (field.kind, value) {
            (FieldKind::Boolean, "true") => self.shell.say("yes"),
            (FieldKind::Boolean, _) => self.shell.say("no"),
            _ => value.to_owned(),
        };
        Input {
            id: format!("{}-{row}", posted.replace('.', "-")),
            label: words(&field.label),
            help: field.help.as_ref().map(words).unwrap_or_default(),
            steps: field.steps.iter().map(words).collect(),
            has_place: field.link.is_some(),
            place: self.place(field.link.as_ref(), part, row),
            kind: kind_of(field),
            error: fault.filter(|_| row == 0).cloned(),
            required: !field.optional && field.default.is_none(),
            optional: field.optional,
            prefix: field.prefix.clone().unwrap_or_default(),
            suffix: field.suffix.clone().unwrap_or_default(),
            example: field.example.clone().unwrap_or_default(),
            options: options
                .into_iter()
                .map(|choice| Choice { text: text_of(&choice), chosen: choice == value, value: choice })
                .collect(),
            name: posted,
            value,
            default,
        }
    }
}

fn kind_of(field: &Field) -> &'static str {
    match field.kind {
        FieldKind::File => "file",
        FieldKind::Choice | FieldKind::Boolean => "select",
        FieldKind::Multiline => "multiline",
        FieldKind::Integer | FieldKind::Text | FieldKind::List if field.secret => "secret",
        FieldKind::Integer => "number",
        FieldKind::Text | FieldKind::List => "text",
    }
}
