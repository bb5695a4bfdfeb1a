//! The table of failures: every row can be reached, and names what exists.

use super::Faults;
use super::holes::{self, Allowed};
use super::stages::ENGINE_STAGES;
use crate::explanation::Explanation;
use crate::provider::ProviderText;

/// Checks the rows of a file.
pub(super) fn check(written: &ProviderText, faults: &mut Faults<'_>) {
    for (index, row) in written.errors.iter().enumerate() {
        let place = row.says.en.place();
        let is_stage =
            |id: &str| ENGINE_STAGES.contains(&id) || written.test.iter().any(|stage| stage.value.id == id);
        for unknown in row.at.iter().filter(|id| !is_stage(id)) {
            faults.add(
                place,
                format!("`{}` names the stage `{unknown}`, which does not exist", row.is),
                "use the id of a stage under `test:`",
            );
        }
        for unknown in row.schemes.iter().filter(|id| !written.declares_scheme(id)) {
            faults.add(
                place,
                format!("`{}` names the auth scheme `{unknown}`, which is not declared", row.is),
                "use the id of a scheme under `auth:`",
            );
        }
        let declared = |kind| written.gates.iter().any(|gate| gate.value.kind == kind);
        for unknown in [row.gate, row.through].into_iter().flatten().filter(|kind| !declared(*kind)) {
            faults.add(
                place,
                format!("`{}` names the gate `{}`, which is not declared", row.is, unknown.name()),
                "declare it under `gates:`",
            );
        }
        for status in row.statuses.iter().filter(|status| !(100..600).contains(*status)) {
            faults.add(
                place,
                format!("`{}` waits for the status {status}, which HTTP does not have", row.is),
                "write a status from 100 to 599",
            );
        }
        if let Some(earlier) = written.errors[..index].iter().find(|earlier| covers(earlier, row)) {
            faults.add(
                place,
                format!(
                    "`{}` is never reached: the row `{}` before it fits everything that it fits",
                    row.is, earlier.is
                ),
                "move it up, or narrow the other row",
            );
        }
        for template in row.says.templates().into_iter().chain(row.fix.templates()).chain(&row.link) {
            holes::check(template, written, Allowed::Answer, faults);
        }
    }
}

/// Whether a row fits every observation that another one fits, so that the other one after it never has its turn.
fn covers(earlier: &Explanation, later: &Explanation) -> bool {
    fn is_wider<T: PartialEq>(earlier: &[T], later: &[T]) -> bool {
        earlier.is_empty() || (!later.is_empty() && later.iter().all(|item| earlier.contains(item)))
    }
    (earlier.gate.is_none() || earlier.gate == later.gate)
        && (earlier.through.is_none() || earlier.through == later.through)
        && is_wider(&earlier.at, &later.at)
        && is_wider(&earlier.schemes, &later.schemes)
        && is_wider(&earlier.codes, &later.codes)
        && is_wider(&earlier.statuses, &later.statuses)
        && is_wider(&earlier.network, &later.network)
        && earlier.network.is_empty() == later.network.is_empty()
        && earlier.json.is_none_or(|json| later.json == Some(json))
        && earlier.header.as_ref().is_none_or(|header| later.header.as_ref() == Some(header))
}
