//! Gates, and what cannot be combined.

use super::Faults;
use crate::diagnostic::Place;
use crate::field::FieldKind;
use crate::gate::{Gate, GateKind};
use crate::host::HostPattern;
use crate::provider::ProviderText;

/// Checks that each gate asks for what it needs, that its twins can be reached, and that what is called impossible can
/// be met at all.
pub(super) fn check(written: &ProviderText, faults: &mut Faults<'_>) {
    for (position, spanned) in written.gates.iter().enumerate() {
        let (gate, place) = (&spanned.value, spanned.referenced.into());
        if written.gates[..position].iter().any(|earlier| earlier.value.kind == gate.kind) {
            let wrong = format!("there are two gates `{}`", gate.kind.name());
            faults.add(place, wrong, "remove one of them");
        }
        check_fields(gate, place, faults);
        check_twins(gate, place, written, faults);
    }
    check_impossible(written, faults);
}

fn check_fields(gate: &Gate, place: Place, faults: &mut Faults<'_>) {
    for name in gate.kind.fields() {
        let (wrong, fix) = match gate.fields.get(name) {
            None => (format!("the gate lacks the field `{name}`"), format!("add `{name}:` to its fields")),
            Some(field) if !field.optional => (
                format!("the gate's field `{name}` is not optional"),
                "add `optional: true`: most accounts have no gate".to_owned(),
            ),
            Some(_) => continue,
        };
        faults.add(place, wrong, fix);
    }
    if gate.kind == GateKind::ClientCertificate {
        let material = gate.fields.get("certificate");
        if material.is_some_and(|field| !field.secret || field.kind != FieldKind::File) {
            faults.add(
                place,
                "the field `certificate` is not kept as a secret file",
                "give it `type: file` and `secret: true`, or leave `fields` out",
            );
        }
    }
}

fn check_twins(gate: &Gate, place: Place, written: &ProviderText, faults: &mut Faults<'_>) {
    for pair in &gate.twins {
        if !written.hosts.contains(&pair.host) {
            faults.add(
                place,
                "a twin stands for a host that is none of `hosts`",
                "write `host:` as it stands in `hosts`",
            );
        }
        if pair.twin.holes().any(|hole| pair.host.holes().all(|known| known != hole)) {
            faults.add(
                place,
                "a twin has a hole that its host does not have",
                "name the holes of `twin:` as in `host:`",
            );
        }
    }
    let has_twin = |host: &HostPattern| gate.twins.iter().any(|pair| pair.host == *host);
    if !gate.twins.is_empty() && !written.hosts.iter().all(has_twin) {
        faults.add(
            place,
            "some of `hosts` have a twin behind this gate, and some have none",
            "add a line to `twins` for each pattern of `hosts`",
        );
    }
}

fn check_impossible(written: &ProviderText, faults: &mut Faults<'_>) {
    for row in &written.impossible {
        let (place, row) = (row.referenced, &row.value);
        if row.scheme.is_none() && row.gates.is_empty() && row.field.is_none() {
            faults.add(
                place,
                "this calls everything impossible",
                "name a `scheme`, `gates`, a `field`, or several of them",
            );
        }
        let declared = |kind| written.gates.iter().any(|gate| gate.value.kind == kind);
        for unknown in row.gates.iter().filter(|kind| !declared(**kind)) {
            faults.add(
                place,
                format!("the gate `{}` is not declared, so this is never met", unknown.name()),
                "remove the row, or declare the gate",
            );
        }
    }
}
