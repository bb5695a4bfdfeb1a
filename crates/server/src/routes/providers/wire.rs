//! Providers as they go over the wire.

use serde_json::{Map, Value, json};
use tombolo_api as api;
use tombolo_platform::catalog::{AuthScheme, Field, FieldKind, Fields, Language, Provider, Stage, Text};

/// A provider with its texts in both languages, one of them picked out.
pub(super) fn provider(provider: &Provider, language: Language) -> api::Provider {
    let in_words = |text: &Text| wording(text, language);
    api::Provider {
        name: provider.id.clone(),
        display_name: provider.name.get(language).to_owned(),
        title: in_words(&provider.name),
        description: in_words(&provider.description),
        docs: provider.documentation.clone(),
        categories: provider.categories.clone(),
        auth_mode: provider.auth.first().map_or("NONE", |scheme| scheme.auth_mode().name()).to_owned(),
        logo_url: None,
        connection_config: compatible(&provider.config, language),
        credentials: provider
            .auth
            .first()
            .map(|scheme| compatible(&scheme.fields, language))
            .unwrap_or_default(),
        fields: fields(&provider.config, language),
        gates: provider
            .gates
            .iter()
            .map(|gate| api::ProviderGate {
                kind: gate.kind.name().to_owned(),
                needed: gate.kind.needed_fields().iter().map(ToString::to_string).collect(),
                name: in_words(&gate.name),
                explain: gate.explain.as_ref().map(in_words),
                fields: fields(&gate.fields, language),
            })
            .collect(),
        auth_schemes: provider.auth.iter().map(|scheme| auth_scheme(scheme, language)).collect(),
        settings: provider
            .settings
            .iter()
            .map(|(key, setting)| api::ProviderSetting {
                also: setting.also.clone(),
                routes: setting.routes,
                field: field(key, &setting.field, language),
            })
            .collect(),
        test: provider.test.iter().map(|stage| test_stage(stage, language)).collect(),
        connection_string: provider.connection_string.clone(),
        connection_string_schemes: provider.connection_string_schemes.clone(),
    }
}

fn auth_scheme(scheme: &AuthScheme, language: Language) -> api::ProviderScheme {
    api::ProviderScheme {
        id: scheme.id.clone(),
        name: wording(&scheme.name, language),
        explain: scheme.explain.as_ref().map(|text| wording(text, language)),
        auth_mode: scheme.auth_mode().name().to_owned(),
        fields: fields(&scheme.fields, language),
        secrets_max: scheme.entries().map(|entries| entries.max),
        secrets_by: scheme.entries().map(|entries| entries.by.clone()),
    }
}

fn test_stage(stage: &Stage, language: Language) -> api::ProviderStage {
    api::ProviderStage {
        id: stage.id.clone(),
        name: wording(&stage.name, language),
        capability: stage.capability.clone(),
        auth_schemes: stage.schemes.clone(),
    }
}

/// Fields as the compatible API describes them: by name, in the order of the form.
fn compatible(fields: &Fields, language: Language) -> Map<String, Value> {
    let describe = |(position, (name, field)): (usize, (&str, &Field))| {
        let mut description = json!({
            "type": "string",
            "title": field.label.get(language),
            "description": field.help.as_ref().map_or("", |help| help.get(language)),
            "order": position + 1,
            "optional": field.optional,
            "secret": field.secret,
        });
        let more = [
            ("example", field.example.clone().map(Value::from)),
            ("pattern", field.pattern.as_ref().map(|pattern| Value::from(pattern.source()))),
            ("default_value", field.default.clone().map(Value::from)),
            ("prefix", field.prefix.clone().map(Value::from)),
            ("suffix", field.suffix.clone().map(Value::from)),
            ("enum", (!field.choices.is_empty()).then(|| Value::from(field.choices.clone()))),
        ];
        for (member, value) in more {
            if let (Some(value), Some(description)) = (value, description.as_object_mut()) {
                description.insert(member.to_owned(), value);
            }
        }
        (name.to_owned(), description)
    };
    fields.iter().enumerate().map(describe).collect()
}

fn fields(fields: &Fields, language: Language) -> Vec<api::ProviderField> {
    fields.iter().map(|(name, known)| field(name, known, language)).collect()
}

fn field(name: &str, field: &Field, language: Language) -> api::ProviderField {
    api::ProviderField {
        name: name.to_owned(),
        label: wording(&field.label, language),
        help: field.help.as_ref().map(|text| wording(text, language)),
        steps: field.steps.iter().map(|text| wording(text, language)).collect(),
        kind: match field.kind {
            FieldKind::Text => api::ProviderFieldKind::Text,
            FieldKind::Integer => api::ProviderFieldKind::Integer,
            FieldKind::Boolean => api::ProviderFieldKind::Boolean,
            FieldKind::Choice => api::ProviderFieldKind::Choice,
            FieldKind::List => api::ProviderFieldKind::List,
            FieldKind::Multiline => api::ProviderFieldKind::Multiline,
            FieldKind::File => api::ProviderFieldKind::File,
        },
        choices: field.choices.clone(),
        pattern: field.pattern.as_ref().map(|pattern| pattern.source().to_owned()),
        example: field.example.clone(),
        default: field.default.clone(),
        optional: field.optional,
        secret: field.secret,
        prefix: field.prefix.clone(),
        suffix: field.suffix.clone(),
        max_length: field.max_length,
    }
}

fn wording(text: &Text, language: Language) -> api::Wording {
    api::Wording { text: text.get(language).to_owned(), en: text.en.clone(), ja: text.ja.clone() }
}
