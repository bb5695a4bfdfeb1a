use std::time::Duration;

use tombolo_vault::{Random, RandomnessUnavailable};

use super::JobLease;
use crate::commit::Act;
use crate::database::query;
use crate::error::StoreError;
use crate::id::JobId;
use crate::timestamp::Timestamp;

/// Marks the job as done, if the lease still holds.
pub(crate) async fn complete(act: &mut Act<'_>, lease: &JobLease) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE jobs SET state = 'succeeded', finished_at = $1, last_error = NULL \
         WHERE id = $2 AND lease_token = $3 AND state = 'running'",
    );
    match act.transaction.execute(statement.bind(act.at).bind(&lease.id).bind(lease.token)).await? {
        0 => Err(StoreError::LeaseLost { name: lease.id.to_string() }),
        _ => Ok(()),
    }
}

/// Notes why the attempt failed. The job is tried again later, unless its attempts are used up or `retry` is false. Whoever
/// woke it while it ran is heard, as in [`rest`]: it comes back when it was called, with all its attempts.
pub(crate) async fn fail(
    act: &mut Act<'_>,
    lease: &JobLease,
    error: &str,
    retry: bool,
) -> Result<(), StoreError> {
    let select = query(
        "SELECT attempts, max_attempts FROM jobs WHERE id = $1 AND lease_token = $2 AND state = 'running'",
    );
    let row = act.transaction.row(select.bind(&lease.id).bind(lease.token)).await?;
    let lost = || StoreError::LeaseLost { name: lease.id.to_string() };
    let mut row = row.ok_or_else(lost)?;
    let (attempts, max_attempts) = (row.small_counter()?, row.small_counter()?);

    let retry_at = if retry && attempts < max_attempts {
        Some(act.at.plus(retry_delay(attempts, act.random)?))
    } else {
        None
    };
    let statement = query(
        "UPDATE jobs SET state = CASE WHEN COALESCE(woken_at, $1) IS NULL THEN 'dead' ELSE 'queued' END, \
         due_at = CASE WHEN woken_at IS NOT NULL AND ($1 IS NULL OR woken_at < $1) THEN woken_at \
         ELSE COALESCE($1, due_at) END, \
         finished_at = CASE WHEN COALESCE(woken_at, $1) IS NULL THEN $2 ELSE NULL END, \
         attempts = CASE WHEN woken_at IS NULL THEN attempts ELSE 0 END, \
         woken_at = NULL, last_error = $3 WHERE id = $4 AND lease_token = $5 AND state = 'running'",
    );
    let statement = statement.bind(retry_at).bind(Some(act.at)).bind(error).bind(&lease.id).bind(lease.token);
    match act.transaction.execute(statement).await? {
        0 => Err(lost()),
        _ => Ok(()),
    }
}

/// Ends a claim of a job that comes back. Whoever woke it while it ran is heard: the row is written once, so that no call
/// falls between a look and a write.
pub(crate) async fn rest(
    act: &mut Act<'_>,
    lease: &JobLease,
    until: Option<Timestamp>,
) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE jobs SET state = CASE WHEN COALESCE(woken_at, $1) IS NULL THEN 'succeeded' ELSE 'queued' END, \
         due_at = CASE WHEN woken_at IS NOT NULL AND ($1 IS NULL OR woken_at < $1) THEN woken_at \
         ELSE COALESCE($1, due_at) END, \
         finished_at = CASE WHEN COALESCE(woken_at, $1) IS NULL THEN $2 ELSE NULL END, \
         attempts = CASE WHEN COALESCE(woken_at, $1) IS NULL THEN attempts ELSE 0 END, \
         woken_at = NULL, last_error = NULL WHERE id = $3 AND lease_token = $4 AND state = 'running'",
    );
    let statement = statement.bind(until).bind(Some(act.at)).bind(&lease.id).bind(lease.token);
    match act.transaction.execute(statement).await? {
        0 => Err(StoreError::LeaseLost { name: lease.id.to_string() }),
        _ => Ok(()),
    }
}

/// Ends a job that is not finished. Its worker, if it has one, loses its claim.
pub(crate) async fn cancel(act: &mut Act<'_>, id: &JobId) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE jobs SET state = 'cancelled', finished_at = $1, woken_at = NULL, lease_token = lease_token + 1 \
         WHERE id = $2 AND finished_at IS NULL",
    );
    match act.transaction.execute(statement.bind(act.at).bind(id)).await? {
        0 => Err(StoreError::version_conflict("job", id)),
        _ => Ok(()),
    }
}

/// Begins a job anew, with all its attempts, that died or was cancelled.
pub(crate) async fn retry(act: &mut Act<'_>, id: &JobId) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE jobs SET state = 'queued', due_at = $1, attempts = 0, finished_at = NULL \
         WHERE id = $2 AND state IN ('dead', 'cancelled')",
    );
    match act.transaction.execute(statement.bind(act.at).bind(id)).await? {
        0 => Err(StoreError::version_conflict("job", id)),
        _ => Ok(()),
    }
}

const FIRST_DELAY: Duration = Duration::from_secs(10);
const LONGEST_DELAY: Duration = Duration::from_hours(1);

/// Doubles with every attempt up to an hour; up to a quarter is taken off at random, so that what failed together does not
/// come back together.
fn retry_delay(attempts: u32, random: &dyn Random) -> Result<Duration, RandomnessUnavailable> {
    let factor = 2_u32.saturating_pow(attempts.saturating_sub(1));
    let delay = FIRST_DELAY.saturating_mul(factor).min(LONGEST_DELAY);
    let mut byte = [0];
    random.fill(&mut byte)?;
    Ok(delay * (1020 - u32::from(byte[0])) / 1020)
}

#[cfg(test)]
mod tests {
    use tombolo_vault::testing::SeededRandom;

    use super::*;

    #[test]
    fn delays_double_up_to_an_hour() {
        let random = SeededRandom::new(1);
        for (attempts, longest) in [(1, 10), (2, 20), (5, 160), (10, 3600), (u32::MAX, 3600)] {
            for _ in 0..100 {
                let delay = retry_delay(attempts, &random).unwrap();
                let longest = Duration::from_secs(longest);
                assert!(delay <= longest && delay >= longest * 3 / 4, "{attempts}: {delay:?}");
            }
        }
    }
}
