//! Pages of the vendor in the person's own tenant, where the values of a form are found. Their addresses are known as soon as what
//! they need was typed.

use std::collections::BTreeMap;

use tombolo_platform::Platform;
use tombolo_platform::catalog::{Encoding, FieldKind, Scope, Template};

use super::{AccountForm, Drawn, Input};

/// The address of a page; empty while something that it needs is not known.
pub(crate) fn place_of(
    platform: &Platform,
    link: Option<&Template>,
    config: &BTreeMap<String, String>,
) -> String {
    let scope = Scope { config: Some(config), ..Scope::default() };
    let rendered = link.and_then(|link| link.render(&scope, Encoding::Url).ok());
    rendered.map(|url| platform.for_browsers(url)).unwrap_or_default()
}

impl Drawn<'_> {
    /// The address of the page where the value of a field is found, for one row of a part of the form.
    pub(super) fn place(&self, link: Option<&Template>, part: &str, row: usize) -> String {
        if link.is_none() { String::new() } else { place_of(self.platform, link, &self.config(part, row)) }
    }

    /// The configuration that was typed so far, as far as it is good: of lists the item that the row is about.
    pub(crate) fn config(&self, part: &str, row: usize) -> BTreeMap<String, String> {
        let mut config = BTreeMap::new();
        for (name, field) in self.provider.config.iter() {
            let typed = [part, "c"].iter().find_map(|part| self.values.get(&format!("{part}.{name}")));
            let typed =
                typed.and_then(|values| values.get(if field.kind == FieldKind::List { row } else { 0 }));
            let Ok(Some(value)) = field.accept(name, typed.map_or("", String::as_str)) else { continue };
            let first = value.split(',').next().unwrap_or_default().to_owned();
            config.insert(name.to_owned(), if field.kind == FieldKind::List { first } else { value });
        }
        config
    }
}

impl AccountForm {
    /// The pages that are known, by the id of the input that they are about.
    pub(crate) fn places(&self) -> BTreeMap<String, String> {
        let of_gates = self.gates.iter().flat_map(|gate| &gate.inputs);
        let of_schemes = self
            .schemes
            .iter()
            .flat_map(|scheme| scheme.inputs.iter().chain(scheme.rows.iter().flat_map(|row| &row.inputs)));
        let all = self.config.iter().chain(of_gates).chain(of_schemes);
        let known = all.filter(|input: &&Input| !input.place.is_empty());
        known.map(|input| (input.id.clone(), input.place.clone())).collect()
    }
}
