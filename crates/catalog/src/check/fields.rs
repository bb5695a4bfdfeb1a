//! Fields of every kind: what they say of themselves must hold, and names must be declared.

use super::{Faults, address};
use crate::diagnostic::{Place, nearest};
use crate::field::{Field, FieldKind, Fields};
use crate::provider::ProviderText;

/// Checks all fields and settings of a file, and what refers to fields of the configuration.
pub(super) fn check(written: &ProviderText, faults: &mut Faults<'_>) {
    check_all(&written.config, faults);
    for (name, _) in written.config.iter().filter(|(_, field)| field.secret) {
        faults.add(
            written.config.place(name),
            format!("`config.{name}` is a secret"),
            "move it to the fields of an auth scheme or a gate: those are sealed",
        );
    }
    for gate in &written.gates {
        check_all(&gate.value.fields, faults);
        check_unique(&gate.value.fields, &written.config, faults);
    }
    for scheme in &written.auth {
        check_all(&scheme.value.fields, faults);
        check_unique(&scheme.value.fields, &written.config, faults);
        for gate in &written.gates {
            check_unique(&scheme.value.fields, &gate.value.fields, faults);
        }
    }
    for (key, place, setting) in written.settings.with_places() {
        if setting.field.secret {
            faults.add(
                place,
                format!("the setting `{key}` is a secret"),
                "move it to the fields of an auth scheme or a gate: those are sealed",
            );
        }
        check_field(key, place, &setting.field, faults);
    }
    check_paste(written, faults);
    let of_gates = written.gates.iter().map(|gate| &gate.value.fields);
    let of_schemes = written.auth.iter().map(|scheme| &scheme.value.fields);
    let all = std::iter::once(&written.config).chain(of_gates).chain(of_schemes);
    let of_fields = all.flat_map(Fields::iter).filter_map(|(_, field)| field.link.as_ref());
    let of_schemes = written.auth.iter().filter_map(|scheme| scheme.value.link.as_ref());
    for link in of_fields.chain(of_schemes) {
        address::check_link(link, written, faults);
    }
}

fn check_all(fields: &Fields, faults: &mut Faults<'_>) {
    for (name, field) in fields.iter() {
        check_field(name, fields.place(name), field, faults);
    }
}

/// One form shows the fields of the configuration, of the gates and of one scheme: a name means one of them.
fn check_unique(fields: &Fields, others: &Fields, faults: &mut Faults<'_>) {
    for name in fields.names().filter(|name| others.get(name).is_some()) {
        faults.add(
            fields.place(name),
            format!("there is another field `{name}` in the same form"),
            "give one of them another name",
        );
    }
}

fn check_field(name: &str, place: Place, field: &Field, faults: &mut Faults<'_>) {
    if field.kind == FieldKind::Choice && field.choices.is_empty() {
        faults.add(place, format!("`{name}` is a choice of nothing"), "add `choices: [one, two]`");
        return;
    }
    if field.kind != FieldKind::Choice && !field.choices.is_empty() {
        faults.add(
            place,
            format!("`{name}` has choices and is none"),
            "add `type: choice`, or remove `choices`",
        );
    }
    for (key, value) in [("example", &field.example), ("default", &field.default)] {
        if let Some(value) = value
            && field.accept(name, value).is_err()
        {
            faults.add(
                place,
                format!("the {key} of `{name}`, `{value}`, would be refused"),
                "change it, or the type, pattern, choices or length that refuse it",
            );
        }
    }
}

fn check_paste(written: &ProviderText, faults: &mut Faults<'_>) {
    for rule in &written.paste {
        for field in rule.value.fields().filter(|field| written.config.get(field).is_none()) {
            let fix = match nearest(field, written.config.names()) {
                Some(near) => format!("name the group `{near}`"),
                None => "name it after one of the fields under `config`".to_owned(),
            };
            faults.add(rule.referenced, format!("the group `{field}` is no field of `config`"), fix);
        }
    }
}
