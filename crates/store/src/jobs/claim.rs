use std::time::Duration;

use super::{COLUMNS, ClaimedJob, JobLease, read};
use crate::commit::Act;
use crate::database::{Query, query};
use crate::error::StoreError;
use crate::store::Store;
use crate::timestamp::Timestamp;

impl Store {
    /// Claims at most `limit` due jobs of these kinds for `lease`, oldest first; no job goes to two claimers. A job whose
    /// worker stopped renewing its lease is due again. (Works on all environments.)
    pub async fn claim_jobs(
        &self,
        kinds: &[&str],
        owner: &str,
        limit: u32,
        lease: Duration,
        at: Timestamp,
    ) -> Result<Vec<ClaimedJob>, StoreError> {
        if kinds.is_empty() || !self.any_job_is_due(at).await? {
            return Ok(Vec::new());
        }
        let mut act = Act::begin(self, at).await?;
        bury_abandoned(&mut act).await?;
        let mut claim = query(
            "WITH due AS MATERIALIZED (SELECT id FROM jobs WHERE finished_at IS NULL AND due_at <= $1 \
             AND attempts < max_attempts AND kind IN (",
        )
        .bind(at);
        let kinds: Vec<_> = kinds.iter().map(|kind| format!("${}", claim.push(*kind))).collect();
        let limit = claim.push(limit);
        claim.append(&format!(
            "{}) ORDER BY due_at, id LIMIT ${limit}{})",
            kinds.join(", "),
            self.database.skip_locked()
        ));
        let (owner, until) = (claim.push(owner), claim.push(at.plus(lease)));
        claim.append(&format!(
            " UPDATE jobs SET state = 'running', attempts = attempts + 1, lease_token = lease_token + 1, \
             lease_owner = ${owner}, due_at = ${until} WHERE id IN (SELECT id FROM due) RETURNING {COLUMNS}, lease_token"
        ));
        let mut claimed = Vec::new();
        for mut row in act.transaction.rows(claim).await? {
            let job = read(&mut row)?;
            let lease = JobLease { id: job.id.clone(), token: row.counter()? };
            claimed.push(ClaimedJob { job, lease });
        }
        act.transaction.commit().await?;
        claimed.sort_by(|one, two| one.job.id.cmp(&two.job.id));
        Ok(claimed)
    }

    /// Holds claims for `duration` from now on, all of them in one statement, and gives back those that are still held: a
    /// job that was claimed again, cancelled or finished is not among them.
    pub async fn renew_jobs(
        &self,
        leases: &[JobLease],
        duration: Duration,
        at: Timestamp,
    ) -> Result<Vec<JobLease>, StoreError> {
        if leases.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = query("").bind(at.plus(duration));
        let held = these(&mut statement, leases);
        statement.append(&format!("UPDATE jobs SET due_at = $1 WHERE {held} RETURNING id, lease_token"));
        let rows = self.database.vital().write(statement).await?;
        rows.into_iter().map(|mut row| Ok(JobLease { id: row.parsed()?, token: row.counter()? })).collect()
    }

    /// Gives claims back, as if the jobs had not been begun: another worker may take them at once.
    pub async fn release_jobs(&self, leases: &[JobLease], at: Timestamp) -> Result<(), StoreError> {
        if leases.is_empty() {
            return Ok(());
        }
        let mut statement = query("").bind(at);
        let held = these(&mut statement, leases);
        statement.append(&format!(
            "UPDATE jobs SET state = 'queued', due_at = $1, attempts = attempts - 1, woken_at = NULL WHERE {held}"
        ));
        self.database.execute(statement).await.map(drop)
    }

    /// Lets idle workers poll without taking the write lock.
    async fn any_job_is_due(&self, at: Timestamp) -> Result<bool, StoreError> {
        let select = query("SELECT id FROM jobs WHERE finished_at IS NULL AND due_at <= $1 LIMIT 1");
        Ok(self.database.read_one(select.bind(at)).await?.is_some())
    }
}

/// A job whose last allowed attempt ended without a word can neither be claimed nor finish by itself.
async fn bury_abandoned(act: &mut Act<'_>) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE jobs SET state = 'dead', finished_at = $1, \
         last_error = 'the worker stopped during the last attempt without saying why' \
         WHERE finished_at IS NULL AND due_at <= $1 AND attempts >= max_attempts",
    );
    act.transaction.execute(statement.bind(act.at)).await.map(drop)
}

/// The condition that picks the jobs of claims that still hold.
fn these(statement: &mut Query, leases: &[JobLease]) -> String {
    let claims: Vec<String> = leases
        .iter()
        .map(|lease| {
            let (id, token) = (statement.push(&lease.id), statement.push(lease.token));
            format!("(id = ${id} AND lease_token = ${token})")
        })
        .collect();
    format!("state = 'running' AND ({})", claims.join(" OR "))
}
