//! Jobs: work that runs by itself, looked at, tried again and ended.

mod list;
mod show;

use axum::Router;
use axum::routing::{get, post};
use tombolo_platform::store::{Job, JobState};

use crate::pages::shell::Shell;
use crate::routes::Routes;

pub(super) fn routes() -> Router<Routes> {
    Router::new()
        .route("/dashboard/{environment}/jobs", get(list::show))
        .route("/dashboard/{environment}/jobs/{id}", get(show::show))
        .route("/dashboard/{environment}/jobs/{id}/retry", post(show::retry))
        .route("/dashboard/{environment}/jobs/{id}/cancel", post(show::cancel))
}

/// What a kind of job does, in words; one that only another version knows has its name alone.
fn kind(shell: &Shell, name: &str) -> String {
    let known = tombolo_platform::job_kinds().any(|kind| kind == name);
    if known { shell.say(&format!("job-{}", name.replace('_', "-"))) } else { name.to_owned() }
}

/// How far a job is, in words, and the colour of it.
fn state(shell: &Shell, job: &Job) -> (String, &'static str) {
    let (words, colour) = match job.state {
        JobState::Queued if job.attempts > 0 && job.last_error.is_some() => ("job-waits-again", "warn"),
        JobState::Queued => ("job-queued", ""),
        JobState::Running => ("job-running", "running"),
        JobState::Succeeded => ("job-succeeded", "good"),
        JobState::Dead => ("job-dead", "bad"),
        JobState::Cancelled => ("job-cancelled", ""),
    };
    (shell.say(words), colour)
}

/// How often a job was begun, and how often it may be.
fn attempts(job: &Job) -> String {
    // So large a number stands for a job that goes on as long as there is work.
    if job.max_attempts >= 1_000_000 {
        job.attempts.to_string()
    } else {
        format!("{} / {}", job.attempts, job.max_attempts)
    }
}

/// Changes whenever something of a job that is shown does.
fn version(job: &Job) -> String {
    format!("{} {} {}", job.state, job.attempts, job.due_at.as_milliseconds())
}
