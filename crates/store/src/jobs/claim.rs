use std::time::Duration;

use super::{COLUMNS, ClaimedJob, JobLease, read};
use crate::commit::Act;
use crate::database::query;
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

    /// Holds the claim for `duration` from now on. [`StoreError::LeaseLost`] when the job was claimed again or finished.
    pub async fn renew_job(
        &self,
        lease: &JobLease,
        duration: Duration,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let statement =
            query("UPDATE jobs SET due_at = $1 WHERE id = $2 AND lease_token = $3 AND state = 'running'");
        let statement = statement.bind(at.plus(duration)).bind(&lease.id).bind(lease.token);
        match self.database.execute(statement).await? {
            0 => Err(StoreError::LeaseLost { name: lease.id.to_string() }),
            _ => Ok(()),
        }
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
