//! Finds out which secret belongs to which key, when a person gave different numbers of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tombolo_auth::CredentialsBuilder;
use tombolo_catalog::{FieldError, Stage};
use tombolo_egress::Probe;

use super::report::{Outcome, TestEvent};
use super::run::run_stage_alone;
use crate::problem::{Problem, field};
use crate::proxy::Plan;

/// The fields that secrets and keys were typed into.
pub(crate) struct PairedFields<'a> {
    pub(crate) secret: &'a str,
    pub(crate) key: &'a str,
}

/// Tries each secret against each key, each pair once, until each secret has its place.
///
/// `plan_of` makes a plan whose credentials are exactly the given ones. A secret that fits nowhere and a key that no
/// secret fits are named by position and key, never by value.
pub(crate) async fn place<P, F>(
    stage: &Stage,
    fields: &PairedFields<'_>,
    secrets: &[SecretString],
    keys: &[String],
    probe: &Probe,
    watch: &mut (dyn FnMut(TestEvent) + Send),
    mut plan_of: P,
) -> Result<CredentialsBuilder, Problem>
where
    P: FnMut(CredentialsBuilder) -> F,
    F: Future<Output = Result<Arc<Plan>, Problem>>,
{
    let mut builder = CredentialsBuilder::new();
    let mut free: Vec<&String> = keys.iter().collect();
    let mut faults: Vec<FieldError> = Vec::new();
    for (position, secret) in secrets.iter().enumerate() {
        let mut found = None;
        for key in &free {
            let plan = plan_of(CredentialsBuilder::new().entry(key, secret.expose_secret())).await?;
            let entry = BTreeMap::from([(fields.key.to_owned(), (*key).clone())]);
            let report = run_stage_alone(&plan, probe, stage, entry, watch).await?;
            if report.outcome == Outcome::Passed {
                found = Some((*key).clone());
                break;
            }
            // A vendor that cannot be reached says nothing about where a secret belongs.
            if report.details.as_ref().is_some_and(|details| details.status.is_none()) {
                let what = report.verdict.map(|verdict| verdict.says.en).unwrap_or_default();
                return Err(Problem::new(
                    crate::problem::ProblemKind::Upstream,
                    "placement_failed",
                    what,
                    "Give as many app IDs as tokens in the same order, or try again.",
                ));
            }
        }
        match found {
            Some(key) => {
                free.retain(|other| **other != key);
                builder = builder.entry(&key, secret.expose_secret());
            }
            None => faults.push(unplaced_secret(fields.secret, position + 1, keys)),
        }
    }
    faults.extend(
        free.into_iter().filter(|_| secrets.len() < keys.len()).map(|key| unplaced_key(fields.key, key)),
    );
    if faults.is_empty() { Ok(builder) } else { Err(Problem::fields(faults)) }
}

fn unplaced_secret(secret: &str, position: usize, keys: &[String]) -> FieldError {
    let keys = keys.join(", ");
    field(
        secret,
        "unplaced",
        &format!("Key number {position} fits none of {keys}."),
        &format!("{position}番目のキーは {keys} のいずれのものでもありません。"),
    )
}

fn unplaced_key(list: &str, key: &str) -> FieldError {
    field(
        list,
        "unplaced",
        &format!("None of the keys fits `{key}`."),
        &format!("「{key}」に対応するキーがありません。"),
    )
}
