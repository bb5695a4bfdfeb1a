//! Checks what a type cannot: that names resolve, that holes are declared, that a test exists.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_saphyr::Spanned;

use crate::diagnostic::{Diagnostic, Place, nearest};
use crate::provider::{Common, Provider, ProviderText};
use crate::scheme::AuthScheme;
use crate::stage::Stage;
use crate::template::{Hole, Template};

/// Parses and checks a provider file.
pub(crate) fn provider(file: &str, text: &str, common: &Common) -> Result<Provider, Vec<Diagnostic>> {
    let written: ProviderText = read(file, text).map_err(|fault| vec![fault])?;
    let mut faults = Faults { file, found: Vec::new() };
    check_id(&written, &mut faults);
    check_base_url(&written, &mut faults);
    check_paste(&written, &mut faults);
    let schemes = schemes(&written, &mut faults);
    check_stages(&written, &schemes, &mut faults);
    check_errors(&written, &schemes, &mut faults);
    if !faults.found.is_empty() {
        return Err(faults.found);
    }
    let explanations = written.errors.into_iter().chain(common.errors.iter().cloned()).collect();
    Ok(Provider {
        id: written.id.value,
        name: written.name,
        description: written.description,
        documentation: written.documentation,
        categories: written.categories,
        hosts: written.hosts,
        base_url: written.base_url,
        path_rewrite: written.path_rewrite,
        config: written.config,
        paste: written.paste.into_iter().map(|rule| rule.value).collect(),
        gates: written.gates,
        auth: schemes,
        strip_headers: written.strip_headers,
        test: written.test.into_iter().map(|stage| stage.value).collect(),
        limits: written.limits,
        retry: written.retry,
        error_body: written.error_body,
        explanations,
        settings: common.settings.with(written.settings),
        connection_string: written.connection_string,
        connection_string_schemes: written.connection_string_schemes,
    })
}

/// Reads any strict YAML file of the catalog; the error has the place and the nearest known name.
pub(crate) fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Diagnostic> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().map(Place::from).unwrap_or_default();
        let message = error.to_string();
        Diagnostic { file: file.to_owned(), place, fix: fix_for(&message), message }
    })
}

/// What to do about an error of the parser: the nearest name for an unknown one, otherwise where to look.
fn fix_for(message: &str) -> String {
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match names.split_first() {
        Some((unknown, known)) if message.contains("unknown") => {
            match nearest(unknown, known.iter().copied()) {
                Some(near) => format!("write `{near}` instead of `{unknown}`, or remove it"),
                None => format!("remove `{unknown}`, or use one of the names in the message"),
            }
        }
        Some((missing, _)) if message.contains("missing") => format!("add `{missing}:` to this block"),
        _ => "see docs/adding-a-provider.md for the shape of this part".to_owned(),
    }
}

struct Faults<'a> {
    file: &'a str,
    found: Vec<Diagnostic>,
}

impl Faults<'_> {
    fn add(&mut self, place: impl Into<Place>, message: String, fix: String) {
        self.found.push(Diagnostic { file: self.file.to_owned(), place: place.into(), message, fix });
    }
}

fn check_id(written: &ProviderText, faults: &mut Faults<'_>) {
    let id = &written.id.value;
    let is_plain = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let stem = faults.file.rsplit('/').next().unwrap_or_default().trim_end_matches(".yaml");
    if !is_plain || id.is_empty() {
        faults.add(
            written.id.referenced,
            format!("`{id}` is not an id"),
            "use lower-case letters, digits and `-`".to_owned(),
        );
    } else if stem != id {
        faults.add(
            written.id.referenced,
            format!("the id `{id}` is not the name of the file"),
            format!("name the file `{id}.yaml`, or write `id: {stem}`"),
        );
    }
}

fn check_base_url(written: &ProviderText, faults: &mut Faults<'_>) {
    check_holes(&written.base_url, written, false, faults);
    if !written.base_url.source().starts_with("https://") {
        faults.add(
            written.base_url.place(),
            "the base URL does not start with `https://`".to_owned(),
            "credentials only travel over TLS: write `https://…`".to_owned(),
        );
    }
    for name in written.base_url.config_names() {
        if written.config.get(name).is_some_and(|field| field.optional && field.default.is_none()) {
            faults.add(
                written.base_url.place(),
                format!("`config.{name}` is optional, but the base URL needs it"),
                "remove `optional: true` or give it a default".to_owned(),
            );
        }
    }
    if let Some(rewrite) = &written.path_rewrite {
        check_holes(&rewrite.to, written, false, faults);
    }
    for (name, _) in written.config.iter().filter(|(_, field)| field.secret) {
        faults.add(
            written.id.referenced,
            format!("`config.{name}` is a secret"),
            "move it to the fields of an auth scheme or a gate: those are sealed".to_owned(),
        );
    }
}

fn check_paste(written: &ProviderText, faults: &mut Faults<'_>) {
    for rule in &written.paste {
        for field in rule.value.fields().filter(|field| written.config.get(field).is_none()) {
            let near = nearest(field, written.config.names()).unwrap_or("one of the fields under `config`");
            faults.add(
                rule.referenced,
                format!("the group `{field}` is no field of `config`"),
                format!("name it after {near}"),
            );
        }
    }
}

fn schemes(written: &ProviderText, faults: &mut Faults<'_>) -> Vec<AuthScheme> {
    let mut schemes: Vec<AuthScheme> = Vec::new();
    for text in &written.auth {
        match text.value.clone().into_scheme() {
            Err(message) => {
                faults.add(
                    text.referenced,
                    message,
                    "see docs/adding-a-provider.md, auth schemes".to_owned(),
                );
            }
            Ok(scheme) if schemes.iter().any(|known| known.id == scheme.id) => faults.add(
                text.referenced,
                format!("there are two auth schemes `{}`", scheme.id),
                "give one of them another id".to_owned(),
            ),
            Ok(scheme) => {
                if let Some(entries) = scheme.entries()
                    && written.config.get(&entries.by).is_none()
                {
                    faults.add(
                        text.referenced,
                        format!("`entries.by: {}` is no field of `config`", entries.by),
                        "declare it under `config` with `type: list`".to_owned(),
                    );
                }
                schemes.push(scheme);
            }
        }
    }
    if written.auth.is_empty() {
        faults.add(
            written.id.referenced,
            "there is no auth scheme".to_owned(),
            "add at least one under `auth:`".to_owned(),
        );
    }
    schemes
}

fn check_stages(written: &ProviderText, schemes: &[AuthScheme], faults: &mut Faults<'_>) {
    if written.test.is_empty() {
        faults.add(
            written.id.referenced,
            "there is no connection test".to_owned(),
            "add at least one stage under `test:` that shows that the credential works".to_owned(),
        );
    }
    for stage in &written.test {
        check_stage(stage, written, schemes, faults);
    }
}

fn check_stage(
    stage: &Spanned<Stage>,
    written: &ProviderText,
    schemes: &[AuthScheme],
    faults: &mut Faults<'_>,
) {
    let Stage { schemes: only, when, for_each, request, .. } = &stage.value;
    for unknown in only.iter().flatten().filter(|id| !schemes.iter().any(|known| known.id == **id)) {
        faults.add(
            stage.referenced,
            format!("the stage names the auth scheme `{unknown}`, which is not declared"),
            "use the id of a scheme under `auth:`".to_owned(),
        );
    }
    for name in when.iter().chain(for_each) {
        if written.config.get(name).is_none()
            && !written.gates.iter().any(|gate| gate.fields.get(name).is_some())
        {
            faults.add(
                stage.referenced,
                format!("the stage names `{name}`, which is no field of `config`"),
                "declare the field or mend its name".to_owned(),
            );
        }
    }
    for template in request.query.iter().map(|(_, template)| template).chain([&request.path]) {
        check_holes(template, written, for_each.is_some(), faults);
    }
}

fn check_errors(written: &ProviderText, schemes: &[AuthScheme], faults: &mut Faults<'_>) {
    let built_in = ["name", "connect", "tls"];
    let stages: BTreeSet<&str> =
        written.test.iter().map(|stage| stage.value.id.as_str()).chain(built_in).collect();
    for row in &written.errors {
        let place = row.says.en.place();
        for unknown in row.at.iter().filter(|id| !stages.contains(id.as_str())) {
            faults.add(
                place,
                format!("`{}` names the stage `{unknown}`, which does not exist", row.is),
                "use the id of a stage under `test:`".to_owned(),
            );
        }
        for unknown in row.schemes.iter().filter(|id| !schemes.iter().any(|known| known.id == **id)) {
            faults.add(
                place,
                format!("`{}` names the auth scheme `{unknown}`, which is not declared", row.is),
                "use the id of a scheme under `auth:`".to_owned(),
            );
        }
        for template in row.says.templates().into_iter().chain(row.fix.templates()).chain(&row.link) {
            check_holes(template, written, true, faults);
        }
    }
}

/// Every `${config.x}` is a declared field, and `${entry.x}` only stands where there is an entry.
fn check_holes(template: &Template, written: &ProviderText, entry: bool, faults: &mut Faults<'_>) {
    for hole in template.holes() {
        match hole {
            Hole::Config(name) if written.config.get(name).is_none() => {
                let near = nearest(name, written.config.names())
                    .map_or("declare it under `config`".to_owned(), |near| {
                        format!("write `${{config.{near}}}`, or declare `{name}` under `config`")
                    });
                faults.add(template.place(), format!("`${{config.{name}}}` is no field of `config`"), near);
            }
            Hole::Entry(name) if !entry => faults.add(
                template.place(),
                format!("`${{entry.{name}}}` stands where there is no entry"),
                "use it in a stage with `for_each`".to_owned(),
            ),
            Hole::Config(_) | Hole::Entry(_) | Hole::Answer(_) => {}
        }
    }
}
