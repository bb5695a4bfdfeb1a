//! Expressions of auth schemes: every hole is one that something fills.

use super::{Faults, address};
use crate::diagnostic::{Place, nearest};
use crate::expression::ExpressionValue;
use crate::host::HostPattern;
use crate::provider::ProviderText;
use crate::scheme::{AuthScheme, SchemeKind};

/// Checks the expressions and the addresses of a scheme.
pub(super) fn check(scheme: &AuthScheme, place: Place, written: &ProviderText, faults: &mut Faults<'_>) {
    for value in scheme.values() {
        if let Some((wrong, fix)) = unfilled(value, scheme, written) {
            faults.add(place, wrong, fix);
        }
    }
    for url in scheme.token_urls() {
        if scheme.oauth2().is_none() {
            address::check_url(url, written, faults);
        }
    }
    let (steps, parts) = match &scheme.kind {
        SchemeKind::Login { login, .. } => (login.all_steps().collect(), login.values()),
        _ => (Vec::new(), Vec::new()),
    };
    if steps.iter().any(|step| step.url.origin.is_none()) && !written.hosts.iter().any(HostPattern::is_typed)
    {
        let fix = "write `hosts: [\"*\"]`, or the address itself";
        faults.add(
            place,
            "a step goes to a host that an earlier answer names, which no host pattern allows",
            fix,
        );
    }
    let asks = parts.iter().any(|value| matches!(value, ExpressionValue::Assertion));
    let signs = matches!(&scheme.kind, SchemeKind::Login { login, .. } if login.assertion.is_some());
    if asks && !signs {
        faults.add(
            place,
            "`${assertion}` stands in a login that signs nothing",
            "add `assertion:` to `login`",
        );
    }
    if scheme
        .send
        .values()
        .into_iter()
        .any(|value| matches!(value, ExpressionValue::Answer { .. } | ExpressionValue::Assertion))
    {
        let fix = "keep it under `answer.keep`, and write `${secret.NAME}`";
        faults.add(place, "`send` has no answers of a login", fix);
    }
    for (field, path) in fields_of_answers(scheme) {
        if written.config.get(field).is_none() {
            let fix = format!("declare `{field}` under `config`, or remove the line `{field}: {path}`");
            faults.add(place, format!("the answer fills `{field}`, which is no field of `config`"), fix);
        }
    }
}

fn fields_of_answers(scheme: &AuthScheme) -> Vec<(&str, &str)> {
    let lists = match &scheme.kind {
        SchemeKind::OAuth2(oauth2) => vec![&oauth2.redirect_config],
        SchemeKind::Login { login, .. } => vec![&login.answer.config],
        _ => Vec::new(),
    };
    lists.into_iter().flatten().map(|(field, path)| (field.as_str(), path.as_str())).collect()
}

/// What is wrong with a hole that nothing fills, and how to mend it.
fn unfilled(
    value: &ExpressionValue,
    scheme: &AuthScheme,
    written: &ProviderText,
) -> Option<(String, String)> {
    match value {
        ExpressionValue::Config(name) if written.config.get(name).is_none() => Some((
            format!("`${{config.{name}}}` is no field of `config`"),
            match nearest(name, written.config.names()) {
                Some(near) => format!("write `${{config.{near}}}`, or declare `{name}` under `config`"),
                None => format!("declare `{name}` under `config`"),
            },
        )),
        ExpressionValue::Secret(name) if !scheme.has_secret(name) => Some((
            format!("`${{secret.{name}}}` is nothing that the scheme `{}` has", scheme.id),
            match nearest(name, scheme.fields.names()) {
                Some(near) => format!("write `${{secret.{near}}}`, or declare `{name}` among its fields"),
                None => format!("declare `{name}` among its fields"),
            },
        )),
        _ => None,
    }
}
