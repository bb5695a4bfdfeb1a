//! `tombolo job`

use clap::{Args, Subcommand};
use tombolo_api::{Job as Work, JobState, Jobs, JobsQuery};

use super::arguments::{Page, from_wire_name, moment, moment_or_dash, wire_name};
use super::{GlobalOptions, on_api};
use crate::connect_api::{Api, WhereNothingIs};
use crate::exit::Exit;
use crate::output::{Output, properties, say, table};

/// The work that runs by itself: for the environment, and for the whole installation where that may be seen.
#[derive(Debug, Subcommand)]
pub enum Job {
    /// List jobs, newest first.
    List(List),
    /// Show a job.
    Show(Named),
    /// Begin a job anew that died or was cancelled.
    Retry(Named),
    /// End a job that is queued or running.
    Cancel(Named),
}

/// Which jobs are listed.
#[derive(Debug, Args)]
pub struct List {
    /// Only those in this state: queued, running, succeeded, dead or cancelled.
    #[arg(long, value_name = "STATE", value_parser = from_wire_name::<JobState>)]
    state: Option<JobState>,
    /// Only those of this kind, such as retention.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    #[command(flatten)]
    page: Page,
}

/// One job.
#[derive(Debug, Args)]
pub struct Named {
    /// The job's id.
    id: String,
}

impl Job {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        on_api(global, WhereNothingIs::Refuse, output, async |api| self.on(api, output).await).await
    }

    async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::List(List { state, kind, page: Page { limit, cursor } }) => {
                let jobs = api.list_jobs(&JobsQuery { state, kind, limit, cursor }).await?;
                output.show(&jobs, list)?;
                if let (Some(cursor), false) = (&jobs.next_cursor, output.json) {
                    say(format_args!("more: --cursor {cursor}"));
                }
            }
            Self::Show(Named { id }) => output.show(&api.read_job(&id).await?, words)?,
            Self::Retry(Named { id }) => output.show(&api.retry_job(&id).await?, words)?,
            Self::Cancel(Named { id }) => output.show(&api.cancel_job(&id).await?, words)?,
        }
        Ok(Exit::Done)
    }
}

fn list(page: &Jobs) -> String {
    let rows = page.jobs.iter().map(|job| {
        [
            job.id.clone(),
            job.kind.clone(),
            works_for(job),
            wire_name(job.state),
            attempts(job),
            moment(job.due_at),
        ]
    });
    table(["id", "kind", "for", "state", "attempts", "due"], rows)
}

fn works_for(job: &Work) -> String {
    if job.installation { "installation" } else { "environment" }.to_owned()
}

fn attempts(job: &Work) -> String {
    format!("{} of {}", job.attempts, job.max_attempts)
}

fn words(job: &Work) -> String {
    properties([
        ("id", job.id.clone()),
        ("kind", job.kind.clone()),
        ("for", works_for(job)),
        ("state", wire_name(job.state)),
        ("attempts", attempts(job)),
        ("last error", job.last_error.clone().unwrap_or_default()),
        ("payload", job.payload.to_string()),
        ("due", moment(job.due_at)),
        ("created", moment(job.created_at)),
        ("finished", moment_or_dash(job.finished_at)),
        ("worker", job.worker.clone().unwrap_or_default()),
    ])
}
