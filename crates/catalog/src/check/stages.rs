//! The stages of the connection test.

use std::collections::BTreeSet;

use serde_saphyr::Spanned;

use super::Faults;
use super::holes::{self, Allowed};
use crate::field::FieldKind;
use crate::provider::ProviderText;
use crate::stage::Stage;

/// The stages that the engine runs before those of a file.
pub(crate) const ENGINE_STAGES: [&str; 3] = ["name", "connect", "tls"];

/// Checks that there is a test, and that each of its stages can run.
pub(super) fn check(written: &ProviderText, faults: &mut Faults<'_>) {
    if written.test.is_empty() {
        faults.add(
            written.id.referenced,
            "there is no connection test",
            "add at least one stage under `test:` that shows that the credential works",
        );
    }
    let mut ids = BTreeSet::from(ENGINE_STAGES);
    for stage in &written.test {
        let id = stage.value.id.as_str();
        if !ids.insert(id) {
            let whose =
                if ENGINE_STAGES.contains(&id) { "is one of the engine's own" } else { "stands here twice" };
            faults.add(stage.referenced, format!("the stage `{id}` {whose}"), "give it another id");
        }
        check_stage(stage, written, faults);
    }
}

fn check_stage(stage: &Spanned<Stage>, written: &ProviderText, faults: &mut Faults<'_>) {
    let place = stage.referenced;
    let Stage { schemes: only, when, for_each, request, .. } = &stage.value;
    for unknown in only.iter().flatten().filter(|id| !written.declares_scheme(id)) {
        faults.add(
            place,
            format!("the stage names the auth scheme `{unknown}`, which is not declared"),
            "use the id of a scheme under `auth:`",
        );
    }
    if only.as_ref().is_some_and(Vec::is_empty) {
        faults.add(place, "the stage runs for no auth scheme", "name some, or remove `schemes`");
    }
    if let Some(name) = when {
        let is_gate_field = written.gates.iter().any(|gate| gate.value.fields.get(name).is_some());
        if written.config.get(name).is_none() && !is_gate_field {
            faults.add(
                place,
                format!("`when: {name}` is no field of `config` or of a gate"),
                "declare the field or mend its name",
            );
        }
    }
    if let Some(name) = for_each {
        let fault = match written.config.get(name) {
            None => Some(("no field of `config`", "declare the field or mend its name")),
            Some(field) if field.kind == FieldKind::List => None,
            Some(_) => {
                Some(("a field that holds one value", "give the field the `type: list`, or use `when`"))
            }
        };
        if let Some((wrong, fix)) = fault {
            faults.add(place, format!("`for_each: {name}` is {wrong}"), fix);
        }
    }
    if !request.path.source().starts_with('/') {
        faults.add(
            request.path.place(),
            format!("the path `{}` does not start with `/`", request.path.source()),
            "write the path as callers write it, without scheme and host",
        );
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD" | "POST") {
        faults.add(
            place,
            format!("a stage cannot send `{}`", request.method),
            "a test never writes: use GET, or POST where the vendor asks for reading that way",
        );
    }
    let allowed = if for_each.is_some() { Allowed::Entry } else { Allowed::Config };
    for template in request.query.iter().map(|(_, template)| template).chain([&request.path]) {
        holes::check(template, written, allowed, faults);
    }
}
