//! Rows of the table of failures that one provider takes over from another: vendors have several APIs with one way to fail.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check::ENGINE_STAGES;
use crate::diagnostic::{Diagnostic, Place, nearest};
use crate::explanation::Explanation;
use crate::provider::{Common, Provider};
use crate::template::{Hole, Template};

/// A provider whose table has its own rows only.
pub(crate) struct Unjoined {
    /// The file's name as the caller gave it.
    pub(crate) file: String,
    /// The provider.
    pub(crate) provider: Provider,
    /// The provider whose rows follow its own, and where the file names it.
    pub(crate) errors_from: Option<(String, Place)>,
}

/// Completes the tables: each provider's own rows, those that it takes over, and the common ones.
pub(crate) fn join(
    providers: &BTreeMap<String, Unjoined>,
    common: &Common,
) -> Result<BTreeMap<String, Arc<Provider>>, Vec<Diagnostic>> {
    let mut joined = BTreeMap::new();
    let mut faults = Vec::new();
    for (id, unjoined) in providers {
        match taken_over(id, unjoined, providers) {
            Ok(rows) => {
                let mut provider = unjoined.provider.clone();
                provider.explanations.extend(rows);
                provider.explanations.extend(common.errors.iter().cloned());
                joined.insert(id.clone(), Arc::new(provider));
            }
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(joined) } else { Err(faults) }
}

/// The rows of the named provider, of the one that it names, and so on, as far as they fit.
fn taken_over(
    id: &str,
    unjoined: &Unjoined,
    providers: &BTreeMap<String, Unjoined>,
) -> Result<Vec<Explanation>, Diagnostic> {
    let mut rows = Vec::new();
    let mut passed = vec![id];
    let mut last = unjoined;
    while let Some((from, place)) = &last.errors_from {
        let fault = |message: String, fix: String| {
            Err(Diagnostic { file: last.file.clone(), place: *place, message, fix })
        };
        if passed.contains(&from.as_str()) {
            let circle = passed.join("` from `");
            let message = format!("`errors_from` goes round in a circle: `{circle}` from `{from}`");
            return fault(message, "remove one of these `errors_from`".to_owned());
        }
        let Some(next) = providers.get(from) else {
            let fix = match nearest(from, providers.keys().map(String::as_str)) {
                Some(near) => format!("write `{near}`"),
                None => "use the id of a provider; `tombolo provider list` shows them".to_owned(),
            };
            return fault(format!("`errors_from` names `{from}`, which is no provider"), fix);
        };
        let fitting = next.provider.explanations.iter().filter_map(|row| fitted(row, &unjoined.provider));
        rows.extend(fitting);
        passed.push(from);
        last = next;
    }
    Ok(rows)
}

/// The row with only those stages and schemes that the provider has, and without a link that cannot be built; `None` if it
/// is about nothing that the provider has.
fn fitted(row: &Explanation, provider: &Provider) -> Option<Explanation> {
    let is_stage = |id: &str| ENGINE_STAGES.contains(&id) || provider.test.iter().any(|stage| stage.id == id);
    let at = kept(&row.at, is_stage)?;
    let schemes = kept(&row.schemes, |id| provider.scheme(id).is_some())?;
    let has_gate = row.gate.is_none_or(|kind| provider.gates.iter().any(|gate| gate.kind == kind));
    let mut texts = row.says.templates().into_iter().chain(row.fix.templates());
    let can_be_said = texts.all(|template| has_values(template, provider));
    let link = row.link.clone().filter(|link| has_values(link, provider));
    (has_gate && can_be_said).then(|| Explanation { link, at, schemes, ..row.clone() })
}

/// What is left of a list of names; `None` if there were some and none is left.
fn kept(names: &[String], is_known: impl Fn(&str) -> bool) -> Option<Vec<String>> {
    let kept: Vec<String> = names.iter().filter(|name| is_known(name)).cloned().collect();
    (names.is_empty() || !kept.is_empty()).then_some(kept)
}

fn has_values(template: &Template, provider: &Provider) -> bool {
    template.holes().all(|hole| match hole {
        Hole::Config(name) => provider.config.get(name).is_some(),
        Hole::Entry(name) => provider.test.iter().any(|stage| stage.for_each.as_ref() == Some(name)),
        Hole::Answer(_) => true,
    })
}
