use super::NewJob;
use crate::commit::Act;
use crate::database::query;
use crate::error::StoreError;
use crate::id::JobId;

/// Has the one job of this kind and key run at `run_at` or before: makes it, brings it forward, begins it anew, or lets the
/// worker that is at it know that it must come back. However it is finished later, this is not forgotten. A job that waits
/// for its next attempt has all of them again: there is something new to do.
pub(crate) async fn wake(act: &mut Act<'_>, job: &NewJob) -> Result<(), StoreError> {
    let id = JobId::generate(act.at, act.random)?;
    let statement = query(
        "INSERT INTO jobs (id, environment_id, kind, payload, state, due_at, attempts, max_attempts, lease_token, \
         idempotency_key, created_at) VALUES ($1, $2, $3, $4, 'queued', $5, 0, $6, 0, $7, $8) \
         ON CONFLICT (kind, idempotency_key) WHERE idempotency_key IS NOT NULL DO UPDATE SET \
         woken_at = CASE WHEN jobs.state <> 'running' THEN NULL \
         WHEN jobs.woken_at < excluded.due_at THEN jobs.woken_at ELSE excluded.due_at END, \
         due_at = CASE WHEN jobs.state = 'running' THEN jobs.due_at \
         WHEN jobs.state = 'queued' AND jobs.due_at < excluded.due_at THEN jobs.due_at ELSE excluded.due_at END, \
         attempts = CASE WHEN jobs.state = 'running' THEN jobs.attempts ELSE 0 END, \
         max_attempts = excluded.max_attempts, \
         state = CASE WHEN jobs.state = 'running' THEN 'running' ELSE 'queued' END, finished_at = NULL",
    );
    let statement = statement
        .bind(&id)
        .bind(job.environment_id.as_ref())
        .bind(job.kind.as_str())
        .bind(&job.payload)
        .bind(job.run_at)
        .bind(job.max_attempts.max(1))
        .bind(job.idempotency_key.as_deref())
        .bind(act.at);
    act.transaction.execute(statement).await.map(drop)
}
