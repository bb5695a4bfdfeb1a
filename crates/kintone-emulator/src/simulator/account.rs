//! The sample account: what a person types to link it.

use std::collections::BTreeMap;

use tombolo_catalog::{Field, Provider};

use super::accepted::AcceptedCredential;
use super::error::SimulatorError;
use super::sample::{marked, typical};
use crate::model::BasicGate;

/// Values of configuration, credential and gate by field name.
type Form = BTreeMap<String, String>;

/// The form that links the account by a credential. Lists that the connection test walks through are filled in even
/// where they are optional, so that no stage is left out; one that says what each key is for gets as many values.
pub(super) fn form(
    provider: &Provider,
    config: &Form,
    credential: &AcceptedCredential,
    basic_gate: Option<&BasicGate>,
) -> Result<Form, SimulatorError> {
    let mut form = config.clone();
    let scheme = provider.scheme(&credential.scheme);
    // What the vendor gives out is not typed.
    let is_typed = |name: &String| scheme.is_some_and(|scheme| scheme.fields.get(name).is_some());
    form.extend(credential.fields.clone().into_iter().filter(|(name, _)| is_typed(name)));
    let entries = scheme.and_then(|scheme| scheme.entries());
    for (name, field) in provider.config.iter() {
        let given = form.get(name).map(|given| given.split(',').count());
        let wanted = match entries {
            Some(entries) if entries.by == name => {
                credential.fields.keys().map(|field| credential.keys(field).count()).max().unwrap_or(1)
            }
            _ if provider.test.iter().any(|stage| stage.for_each.as_deref() == Some(name)) => {
                given.unwrap_or(1)
            }
            _ => continue,
        };
        if given != Some(wanted) {
            let items = items(field, wanted).ok_or_else(|| SimulatorError::no_config_sample(name))?;
            form.insert(name.to_owned(), items);
        }
    }
    if let Some(gate) = basic_gate {
        form.insert("basic_username".to_owned(), gate.username.clone());
        form.insert("basic_password".to_owned(), gate.password.clone());
    }
    Ok(form)
}

/// The given fields, checked, and a typical value for every other that has to be filled in.
pub(super) fn config(
    provider: &Provider,
    mut config: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, SimulatorError> {
    for (name, value) in &config {
        let refuse = |reason| SimulatorError::Config { field: name.clone(), reason };
        let field = provider.config.get(name);
        let field = field.ok_or_else(|| refuse("the provider file has no such field".to_owned()))?;
        field.accept(name, value).map_err(|fault| refuse(fault.to_string()))?;
    }
    for (name, field) in provider.config.iter().filter(|(_, field)| !field.optional && !field.automatic) {
        if !config.contains_key(name) {
            let host = sample_host(provider, name, field);
            let value = host.or_else(|| typical(field));
            config.insert(name.to_owned(), value.ok_or_else(|| SimulatorError::no_config_sample(name))?);
        }
    }
    Ok(config)
}

/// The configuration with what the vendor's answers fill: the host where tokens are given out is that of the account.
pub(super) fn with_answers(provider: &Provider, config: &Form) -> Form {
    let mut known = config.clone();
    let urls = provider.auth.iter().flat_map(tombolo_catalog::AuthScheme::token_urls);
    let host = urls.into_iter().find_map(|url| {
        let url = provider.url(url, config, &[]).ok()?;
        let rest = url.trim_start_matches("https://");
        Some(rest.split(['/', ':', '?']).next()?.to_owned())
    });
    let address = host.map_or_else(|| "sample".to_owned(), |host| format!("https://{host}"));
    for (name, _) in provider.config.iter().filter(|(_, field)| field.automatic) {
        known.entry(name.to_owned()).or_insert_with(|| address.clone());
    }
    known
}

/// A host for a field of which an address begins, where any host is good and the file has no example of one.
fn sample_host(provider: &Provider, name: &str, field: &Field) -> Option<String> {
    const HOST: &str = "sample.example.com";
    let tokens = provider.auth.iter().flat_map(tombolo_catalog::AuthScheme::token_urls);
    let whole = format!("https://${{config.{name}}}");
    let begins = std::iter::once(&provider.base_url).chain(tokens).any(|url| url.source().contains(&whole));
    let is_open = provider.hosts.iter().any(tombolo_catalog::HostPattern::is_typed);
    let fits = begins && is_open && field.example.is_none() && field.accept(name, HOST).is_ok();
    fits.then(|| HOST.to_owned())
}

/// Values for a list that says what each key is for: as many as there are keys.
fn items(field: &Field, count: usize) -> Option<String> {
    let items: Vec<String> =
        (1..=count).map(|number| marked(field, &format!("{number}-item"))).collect::<Option<_>>()?;
    Some(items.join(","))
}
