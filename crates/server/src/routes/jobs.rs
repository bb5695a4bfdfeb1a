//! Jobs: work that runs by itself.

use axum::Json;
use axum::extract::State;
use tombolo_api::{Job, JobState, Jobs, JobsQuery};
use tombolo_platform::store;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::caller::Caller;
use super::moment::moment;
use super::query::{Named, NoParameters, Query, cursor, page_size};
use super::refusal::Refusal;
use super::right::{ManageJobs, ReadJobs};

const USUAL_PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 1000;

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new()
        .routes(routes!(list_jobs))
        .routes(routes!(read_job))
        .routes(routes!(retry_job))
        .routes(routes!(cancel_job))
}

/// Lists jobs
///
/// Newest first. A key that also has the scope `installation:jobs:read`, and the operator, see the jobs that work for the
/// whole installation too: retention and verification. Scope: `environment:jobs:read`.
#[utoipa::path(
    get, path = "/jobs", operation_id = "listJobs", tag = "jobs", params(JobsQuery),
    responses((status = 200, description = "One page of jobs", body = Jobs))
)]
async fn list_jobs(
    State(routes): State<Routes>,
    caller: Caller<ReadJobs>,
    Query(query): Query<JobsQuery>,
) -> Result<Json<Jobs>, Refusal> {
    let limit = page_size(query.limit, USUAL_PAGE, LARGEST_PAGE)?;
    let after = cursor(query.cursor.as_deref())?;
    let state = query.state.map(|state| match state {
        JobState::Queued => store::JobState::Queued,
        JobState::Running => store::JobState::Running,
        JobState::Succeeded => store::JobState::Succeeded,
        JobState::Dead => store::JobState::Dead,
        JobState::Cancelled => store::JobState::Cancelled,
    });
    let jobs = routes.platform.list_jobs(&caller.access, state, query.kind, after.as_ref(), limit).await?;
    let is_full = jobs.len() == limit as usize;
    let next_cursor = jobs.last().filter(|_| is_full).map(|job| job.id.to_string());
    Ok(Json(Jobs { jobs: jobs.into_iter().map(wire).collect(), next_cursor }))
}

/// Shows a job
///
/// One of the installation only with `installation:jobs:read`. Scope: `environment:jobs:read`.
#[utoipa::path(
    get, path = "/jobs/{id}", operation_id = "readJob", tag = "jobs",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The job", body = Job))
)]
async fn read_job(
    State(routes): State<Routes>,
    caller: Caller<ReadJobs>,
    Named(id): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Job>, Refusal> {
    Ok(Json(wire(routes.platform.read_job(&caller.access, &id).await?)))
}

/// Retries a job
///
/// Begins one anew that died or was cancelled. One of the installation only with `installation:jobs:manage`. Scope:
/// `environment:jobs:manage`.
#[utoipa::path(
    post, path = "/jobs/{id}/retry", operation_id = "retryJob", tag = "jobs",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The job as it is now", body = Job))
)]
async fn retry_job(
    State(routes): State<Routes>,
    caller: Caller<ManageJobs>,
    Named(id): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Job>, Refusal> {
    Ok(Json(wire(routes.platform.retry_job(&caller.access, &id).await?)))
}

/// Cancels a job
///
/// A worker that is at it stops within seconds. One of the installation only with `installation:jobs:manage`. Scope:
/// `environment:jobs:manage`.
#[utoipa::path(
    post, path = "/jobs/{id}/cancel", operation_id = "cancelJob", tag = "jobs",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The job as it is now", body = Job))
)]
async fn cancel_job(
    State(routes): State<Routes>,
    caller: Caller<ManageJobs>,
    Named(id): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Job>, Refusal> {
    Ok(Json(wire(routes.platform.cancel_job(&caller.access, &id).await?)))
}

fn wire(job: store::Job) -> Job {
    Job {
        id: job.id.to_string(),
        kind: job.kind,
        installation: job.environment_id.is_none(),
        payload: job.payload,
        state: match job.state {
            store::JobState::Queued => JobState::Queued,
            store::JobState::Running => JobState::Running,
            store::JobState::Succeeded => JobState::Succeeded,
            store::JobState::Dead => JobState::Dead,
            store::JobState::Cancelled => JobState::Cancelled,
        },
        due_at: moment(job.due_at),
        attempts: job.attempts,
        max_attempts: job.max_attempts,
        last_error: job.last_error,
        created_at: moment(job.created_at),
        finished_at: job.finished_at.map(moment),
        worker: job.worker,
    }
}
