use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tombolo_platform::Problem;
use tombolo_platform::store::{Job, JobId, JobState};

use super::{attempts, kind, state, version};
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::shown::{Choice, query};
use crate::pages::dashboard::table::Moment;
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

const PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "dashboard/jobs/list.html")]
struct List<'a> {
    shell: &'a Shell,
    frame: Frame,
    rows: Vec<Row>,
    states: Vec<Choice>,
    kinds: Vec<Choice>,
    /// Whether something runs, so that the page is worth being renewed.
    is_moving: bool,
    is_filtered: bool,
    next: String,
}

struct Row {
    id: String,
    version: String,
    kind: String,
    is_of_installation: bool,
    state: String,
    colour: &'static str,
    attempts: String,
    due: Moment,
    finished: Option<Moment>,
    error: String,
}

pub(super) async fn show(visitor: Visitor, State(routes): State<Routes>) -> Response {
    match make(&visitor, &routes).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Jobs, &problem),
    }
}

async fn make(visitor: &Visitor, routes: &Routes) -> Result<Response, Problem> {
    let shell = &visitor.shell;
    let [wanted_state, wanted_kind, after] = ["state", "kind", "after"].map(|name| visitor.parameter(name));
    let state = wanted_state.parse::<JobState>().ok();
    let kind_wanted = tombolo_platform::job_kinds().find(|kind| *kind == wanted_kind).map(str::to_owned);
    let after: Option<JobId> = after.parse().ok();
    let found = routes.platform.list_jobs(visitor.access(), state, kind_wanted, after.as_ref(), PAGE).await?;
    let is_full = found.len() == PAGE as usize;
    let next = found
        .last()
        .filter(|_| is_full)
        .map(|last| query(&[("state", &wanted_state), ("kind", &wanted_kind), ("after", last.id.as_str())]));
    let list = List {
        shell,
        frame: visitor.frame(Section::Jobs, shell.say("nav-jobs")),
        is_moving: found.iter().any(|job| matches!(job.state, JobState::Queued | JobState::Running)),
        rows: found.iter().map(|job| row(shell, job)).collect(),
        states: JobState::ALL
            .iter()
            .map(|known| {
                let words = shell.say(&format!("job-{known}"));
                (known.to_string(), words, known.as_str() == wanted_state)
            })
            .collect(),
        kinds: tombolo_platform::job_kinds()
            .map(|known| (known.to_owned(), kind(shell, known), known == wanted_kind))
            .collect(),
        is_filtered: !wanted_state.is_empty() || !wanted_kind.is_empty(),
        next: next.unwrap_or_default(),
    };
    Ok(page(&list, &Framing::Nobody))
}

fn row(shell: &Shell, job: &Job) -> Row {
    let (state, colour) = state(shell, job);
    Row {
        id: job.id.to_string(),
        version: version(job),
        kind: kind(shell, &job.kind),
        is_of_installation: job.environment_id.is_none(),
        state,
        colour,
        attempts: attempts(job),
        due: Moment::new(job.due_at),
        finished: job.finished_at.map(Moment::new),
        error: job.last_error.clone().unwrap_or_default(),
    }
}
