//! How often was tried to sign in. Every server on the same database counts together.

use std::time::Duration;

use crate::commit::Act;
use crate::database::query;
use crate::error::StoreError;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// How often may be tried on behalf of one subject: a login, an address, or both together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptBound {
    /// The hash of the subject.
    pub subject_hash: Vec<u8>,
    /// Most attempts in the window.
    pub most: u32,
}

impl Store {
    /// Counts an attempt for every subject before anything is compared, so that many at the same time are no way around,
    /// and says whether all of them are within their bounds. A window begins with its first attempt. The same is written
    /// whether or not there is such a login. (Takes no environment.)
    pub async fn count_attempt(
        &self,
        bounds: &[AttemptBound],
        window: Duration,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        // In one order, so that two of them never wait for each other.
        let mut bounds: Vec<&AttemptBound> = bounds.iter().collect();
        bounds.sort_by(|one, other| one.subject_hash.cmp(&other.subject_hash));
        let mut act = Act::begin(self, at).await?;
        let mut is_within = true;
        for bound in bounds {
            let statement = query(
                "INSERT INTO sign_in_attempts (subject_hash, attempts, since) VALUES ($1, 1, $2) \
                 ON CONFLICT (subject_hash) DO UPDATE SET \
                 attempts = CASE WHEN sign_in_attempts.since <= $3 THEN 1 ELSE sign_in_attempts.attempts + 1 END, \
                 since = CASE WHEN sign_in_attempts.since <= $3 THEN $2 ELSE sign_in_attempts.since END \
                 RETURNING attempts",
            );
            let statement = statement.bind(bound.subject_hash.as_slice()).bind(at).bind(at.minus(window));
            let attempts = act.transaction.row(statement).await?.map_or(Ok(0), |mut row| row.integer())?;
            is_within &= attempts <= i64::from(bound.most);
        }
        act.transaction.commit().await?;
        Ok(is_within)
    }

    /// Forgets at most `limit` counts whose window began before `before`, and says how many. (Takes no environment.)
    pub async fn prune_attempts(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let statement = query(
            "DELETE FROM sign_in_attempts WHERE subject_hash IN \
             (SELECT subject_hash FROM sign_in_attempts WHERE since < $1 ORDER BY since LIMIT $2)",
        );
        self.database.execute(statement.bind(before).bind(limit)).await
    }
}

pub(super) async fn forget(act: &mut Act<'_>, subjects: &[Vec<u8>]) -> Result<(), StoreError> {
    let mut subjects: Vec<&Vec<u8>> = subjects.iter().collect();
    subjects.sort();
    for subject in subjects {
        let statement = query("DELETE FROM sign_in_attempts WHERE subject_hash = $1");
        act.transaction.execute(statement.bind(subject.as_slice())).await?;
    }
    Ok(())
}

pub(super) async fn take_back(act: &mut Act<'_>, subject: &[u8]) -> Result<(), StoreError> {
    let statement =
        query("UPDATE sign_in_attempts SET attempts = attempts - 1 WHERE subject_hash = $1 AND attempts > 0");
    act.transaction.execute(statement.bind(subject)).await.map(drop)
}
