//! The form of a provider as pages show it, made from the same fields that the platform checks.

mod clients;
mod input;
mod lines;
mod places;
mod posted;
mod report;
mod scheme;

use std::collections::{BTreeMap, BTreeSet};

use tombolo_platform::Platform;
use tombolo_platform::catalog::{FieldError, GateKind, Provider};

pub(crate) use clients::{ClientOption, ClientsView};
pub(crate) use input::Input;
pub(crate) use lines::{LINES, lines, told_problem, told_report, wants_lines};
pub(crate) use places::place_of;
pub(crate) use posted::{Posted, client_input};
pub(crate) use report::{ReportView, StageView, conclusion, rights};
pub(crate) use scheme::SchemeView;

use super::shell::Shell;

/// What a page knows while it draws a form.
pub(crate) struct Drawn<'a> {
    /// Whom it is drawn for.
    pub(crate) shell: &'a Shell,
    /// The provider.
    pub(crate) provider: &'a Provider,
    /// What stands in the inputs, by their name. Never a secret.
    pub(crate) values: BTreeMap<String, Vec<String>>,
    /// What is wrong, by the field's name in the provider's file.
    pub(crate) faults: BTreeMap<String, String>,
    /// What knows where addresses lead.
    pub(crate) platform: &'a Platform,
    /// Fields that are not asked for, because somebody else gave them.
    pub(crate) given: BTreeSet<String>,
}

/// A form.
pub(crate) struct AccountForm {
    /// The fields that every auth scheme has.
    pub(crate) config: Vec<Input>,
    /// The auth schemes to choose from.
    pub(crate) schemes: Vec<SchemeView>,
    /// What may stand in front of the API.
    pub(crate) gates: Vec<GateView>,
    /// Documented settings that may be given.
    pub(crate) settings: Vec<Input>,
    /// Whether a pasted address fills fields.
    pub(crate) takes_pasted: bool,
    /// Ways to sign in that people look for and this API does not have, each with why and what to do instead.
    pub(crate) missing: Vec<String>,
    /// For an account that is linked again, where the address and the other auth schemes are folded away: whether the
    /// address is open all the same.
    pub(crate) folded: Option<bool>,
}

/// A gate of a form.
pub(crate) struct GateView {
    /// Its name for people.
    pub(crate) name: String,
    /// When somebody needs it.
    pub(crate) explain: String,
    /// Its fields.
    pub(crate) inputs: Vec<Input>,
    /// Whether it is shown at once.
    pub(crate) is_open: bool,
}

impl AccountForm {
    /// What the address of an account is, and whether anything about it is to be typed.
    pub(crate) fn address(&self) -> String {
        let values = self.config.iter().map(|input| input.value.as_str()).filter(|value| !value.is_empty());
        values.collect::<Vec<_>>().join(" · ")
    }

    /// Whether a part of the address is missing or wrong.
    pub(crate) fn asks_for_address(&self) -> bool {
        self.config.iter().any(|input| input.error.is_some() || (input.required && input.value.is_empty()))
    }

    /// The auth schemes in the order in which they are shown, with those after the chosen one apart.
    pub(crate) fn chosen_first(&self) -> (Vec<&SchemeView>, Vec<&SchemeView>) {
        self.schemes.iter().partition(|scheme| scheme.chosen)
    }

    /// Whether any of its auth schemes has a person agree at the vendor.
    pub(crate) fn at_vendor_somewhere(&self) -> bool {
        self.schemes.iter().any(|scheme| scheme.at_vendor)
    }
}

impl Drawn<'_> {
    /// The whole form, with the auth schemes of these ids, of which one is chosen.
    pub(crate) fn form(&self, schemes: &[String], chosen: Option<&str>) -> AccountForm {
        let provider = self.provider;
        let known = provider.auth.iter().filter(|scheme| schemes.contains(&scheme.id));
        let first = known.clone().next().map(|scheme| scheme.id.as_str());
        let chosen = chosen.filter(|id| schemes.iter().any(|known| known == id)).or(first);
        let of_rows: BTreeSet<&str> = provider.auth.iter().filter_map(scheme::key_of_rows).collect();
        let config = provider.config.iter().filter(|(name, field)| {
            !field.automatic && !of_rows.contains(name) && !self.given.contains(*name)
        });
        AccountForm {
            config: config.map(|(name, field)| self.input("c", name, field)).collect(),
            schemes: known.map(|scheme| self.scheme(scheme, chosen == Some(scheme.id.as_str()))).collect(),
            gates: provider.gates.iter().filter_map(|gate| self.gate(gate)).collect(),
            settings: self.settings(),
            takes_pasted: !provider.paste.is_empty(),
            missing: self.missing(),
            folded: None,
        }
    }

    /// The inputs of some fields that every auth scheme has, by their names.
    pub(crate) fn inputs_of_address(&self, names: &[String]) -> Vec<Input> {
        let asked = self.provider.config.iter().filter(|(name, _)| names.iter().any(|known| known == name));
        let asked = asked.filter(|(name, _)| !self.given.contains(*name));
        asked.map(|(name, field)| self.input("c", name, field)).collect()
    }

    fn missing(&self) -> Vec<String> {
        let provider = self.provider;
        let rows = provider.impossible.iter().filter(|row| row.gates.is_empty() && row.field.is_none());
        let of_none =
            rows.filter(|row| row.scheme.as_deref().is_some_and(|id| provider.scheme(id).is_none()));
        of_none.map(|row| format!("{} {}", self.shell.of(&row.says), self.shell.of(&row.fix))).collect()
    }

    fn gate(&self, gate: &tombolo_platform::catalog::Gate) -> Option<GateView> {
        let asked = gate.fields.iter().filter(|(name, _)| !self.given.contains(*name));
        let inputs: Vec<Input> = asked.map(|(name, field)| self.input("g", name, field)).collect();
        if inputs.is_empty() {
            return None;
        }
        let is_open = inputs.iter().any(|input| input.error.is_some() || input.is_filled_by_hand());
        let is_open = is_open || gate.kind == GateKind::HttpBasic && self.faults.contains_key("gates");
        Some(GateView {
            name: self.shell.of(&gate.name).to_owned(),
            explain: gate.explain.as_ref().map(|text| self.shell.of(text).to_owned()).unwrap_or_default(),
            inputs,
            is_open,
        })
    }

    /// Where requests go is decided by whoever runs the integration, so settings about that are not offered.
    pub(crate) fn settings(&self) -> Vec<Input> {
        let offered = self.provider.settings.iter().filter(|(_, setting)| !setting.routes);
        offered.map(|(name, setting)| self.input("settings", name, &setting.field)).collect()
    }
}

/// What stands in the inputs of a known configuration, by their names.
pub(crate) fn known_values(
    provider: &Provider,
    config: &BTreeMap<String, String>,
) -> BTreeMap<String, Vec<String>> {
    let mut values = BTreeMap::new();
    for (name, value) in config {
        values.insert(format!("c.{name}"), vec![value.clone()]);
        for scheme in &provider.auth {
            // In rows each has one item of the list.
            let of_rows = scheme::key_of_rows(scheme) == Some(name);
            let items =
                if of_rows { value.split(',').map(str::to_owned).collect() } else { vec![value.clone()] };
            values.insert(format!("s.{}.{name}", scheme.id), items);
        }
    }
    values
}

/// What is wrong in a language, by field.
pub(crate) fn faults(shell: &Shell, errors: &[FieldError]) -> BTreeMap<String, String> {
    errors.iter().map(|error| (error.field.clone(), shell.of(&error.message).to_owned())).collect()
}

/// The names of the inputs that are at fault, with what is wrong with each.
pub(crate) fn input_names<'a>(posted: &Posted, errors: &'a [FieldError]) -> Vec<(String, &'a FieldError)> {
    let scheme = format!("s.{}", posted.text("scheme"));
    let places = ["c", "g", scheme.as_str()];
    let named = |error: &'a FieldError| {
        let known = places.iter().map(|part| format!("{part}.{}", error.field)).find(|name| posted.has(name));
        (known.unwrap_or_else(|| error.field.clone()), error)
    };
    errors.iter().map(named).collect()
}
