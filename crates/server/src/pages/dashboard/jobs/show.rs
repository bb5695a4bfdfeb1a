use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use tombolo_platform::store::{Job, JobState};
use tombolo_platform::{Problem, ProblemKind, Scope};

use super::{attempts, kind, state, version};
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::shown::pretty;
use crate::pages::dashboard::table::Moment;
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::page::{Framing, with_status};
use crate::pages::shell::Shell;
use crate::routes::Routes;

#[derive(Template)]
#[template(path = "dashboard/jobs/show.html")]
struct Show<'a> {
    shell: &'a Shell,
    frame: Frame,
    id: String,
    version: String,
    kind: String,
    is_of_installation: bool,
    state: String,
    colour: &'static str,
    is_moving: bool,
    facts: Vec<(String, String)>,
    moments: Vec<(String, Moment)>,
    last_error: String,
    payload: String,
    error: String,
    may_retry: bool,
    may_cancel: bool,
}

type Id = Path<(String, String)>;

pub(super) async fn show(visitor: Visitor, State(routes): State<Routes>, Path((_, id)): Id) -> Response {
    make(&visitor, &routes, &id, None).await
}

/// Begins one anew that died or was cancelled.
pub(super) async fn retry(visitor: Visitor, State(routes): State<Routes>, Path((_, id)): Id) -> Response {
    match routes.platform.retry_job(visitor.access(), &id).await {
        Ok(job) => visitor.done(&format!("jobs/{}", job.id), "retried"),
        Err(problem) => make(&visitor, &routes, &id, Some(&problem)).await,
    }
}

/// Ends one that is not finished.
pub(super) async fn cancel(visitor: Visitor, State(routes): State<Routes>, Path((_, id)): Id) -> Response {
    match routes.platform.cancel_job(visitor.access(), &id).await {
        Ok(job) => visitor.done(&format!("jobs/{}", job.id), "cancelled"),
        Err(problem) => make(&visitor, &routes, &id, Some(&problem)).await,
    }
}

/// The job's page, with what stood against what was asked for.
async fn make(visitor: &Visitor, routes: &Routes, id: &str, refused: Option<&Problem>) -> Response {
    if let Some(problem) = refused.filter(|problem| problem.kind != ProblemKind::Conflict) {
        return visitor.failed(Section::Jobs, problem);
    }
    match routes.platform.read_job(visitor.access(), id).await {
        Ok(job) => draw(visitor, &job, refused),
        Err(problem) => visitor.failed(Section::Jobs, &problem),
    }
}

fn draw(visitor: &Visitor, job: &Job, refused: Option<&Problem>) -> Response {
    let shell = &visitor.shell;
    let (state, colour) = state(shell, job);
    let is_of_installation = job.environment_id.is_none();
    let may_manage =
        visitor.may(Scope::ManageJobs) && (!is_of_installation || visitor.may(Scope::ManageInstallationJobs));
    let facts = [("job-attempts", attempts(job)), ("job-worker", job.worker.clone().unwrap_or_default())];
    let is_waiting = job.state == JobState::Queued;
    let moments = [
        ("made", Some(job.created_at)),
        ("job-due", Some(job.due_at).filter(|_| is_waiting)),
        ("job-finished", job.finished_at),
    ];
    let kind = kind(shell, &job.kind);
    let show = Show {
        shell,
        frame: visitor.frame(Section::Jobs, &*kind),
        id: job.id.to_string(),
        version: version(job),
        kind,
        is_of_installation,
        state,
        colour,
        is_moving: job.finished_at.is_none(),
        facts: facts
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(words, value)| (shell.say(words), value))
            .collect(),
        moments: moments
            .into_iter()
            .filter_map(|(words, at)| Some((shell.say(words), Moment::new(at?))))
            .collect(),
        last_error: job.last_error.clone().unwrap_or_default(),
        payload: pretty(&job.payload),
        error: refused.map(|problem| visitor.problem_line(problem)).unwrap_or_default(),
        may_retry: may_manage && matches!(job.state, JobState::Dead | JobState::Cancelled),
        may_cancel: may_manage && job.finished_at.is_none(),
    };
    let status = refused.map_or(200, |problem| problem.kind.status());
    with_status(StatusCode::from_u16(status).unwrap_or_default(), &show, &Framing::Nobody)
}
