//! Checks what a type cannot: that names resolve, that holes have values, that a test exists and its rows are reached.

mod address;
mod clients;
mod connection_strings;
mod explanations;
mod expressions;
mod fields;
mod gates;
mod holes;
mod limits;
mod reading;
mod schemes;
mod stages;

pub(crate) use reading::read;
pub(crate) use stages::ENGINE_STAGES;

use crate::diagnostic::{Diagnostic, Place};
use crate::errors_from::Unjoined;
use crate::provider::{Common, Provider, ProviderText};

/// Parses and checks a provider file, all but what it takes over from another.
pub(crate) fn provider(file: &str, text: &str, common: &Common) -> Result<Unjoined, Vec<Diagnostic>> {
    let mut written: ProviderText = read(file, text).map_err(|fault| vec![fault])?;
    written.complete(common);
    let settings = common.settings.with(written.settings.clone());
    let mut faults = Faults { file, found: Vec::new() };
    fields::check(&written, &mut faults);
    address::check(&written, &mut faults);
    let schemes = schemes::read(&written, &mut faults);
    gates::check(&written, &mut faults);
    clients::check(&written, &mut faults);
    stages::check(&written, &mut faults);
    explanations::check(&written, &mut faults);
    limits::check(&written, &mut faults);
    connection_strings::check(&written, &settings, &mut faults);
    if !faults.found.is_empty() {
        faults.found.sort_by_key(|fault| fault.place);
        return Err(faults.found);
    }
    let names = |pairs: std::collections::BTreeMap<String, serde_saphyr::Spanned<String>>| {
        pairs.into_iter().map(|(name, meaning)| (name, meaning.value)).collect()
    };
    let provider = Provider {
        id: written.id.value,
        name: written.name,
        description: written.description,
        documentation: written.documentation,
        categories: written.categories,
        family: written.family,
        hosts: written.hosts,
        base_url: written.base_url,
        path_rewrite: written.path_rewrite,
        config: written.config,
        paste: written.paste.into_iter().map(|rule| rule.value).collect(),
        clients: written.clients.into_iter().map(|client| client.value).collect(),
        gates: written.gates.into_iter().map(|gate| gate.value).collect(),
        auth: schemes,
        impossible: written.impossible.into_iter().map(|row| row.value).collect(),
        strip_headers: written.strip_headers,
        test: written.test.into_iter().map(|stage| stage.value).collect(),
        limits: written.limits,
        retry: written.retry,
        pagination: written.pagination,
        error_body: written.error_body,
        explanations: written.errors,
        settings,
        connection_string: names(written.connection_string),
        connection_string_schemes: names(written.connection_string_schemes),
    };
    let errors_from = written.errors_from.map(|from| (from.value, from.referenced.into()));
    Ok(Unjoined { file: file.to_owned(), provider, errors_from })
}

/// The faults that were found so far.
struct Faults<'a> {
    file: &'a str,
    found: Vec<Diagnostic>,
}

impl Faults<'_> {
    fn add(&mut self, place: impl Into<Place>, message: impl Into<String>, fix: impl Into<String>) {
        self.found.push(Diagnostic {
            file: self.file.to_owned(),
            place: place.into(),
            message: message.into(),
            fix: fix.into(),
        });
    }
}
