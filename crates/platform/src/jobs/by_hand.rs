//! What people do with jobs: try those again that died, end those that should not run.

use serde_json::json;
use tombolo_store::{Change, Job, JobState, Object};

use crate::access::{Access, Scope};
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind};

impl Platform {
    /// Begins a job anew that died or was cancelled.
    pub async fn retry_job(&self, access: &Access, id: &str) -> Result<Job, Problem> {
        let job = self.job_to_change(access, id).await?;
        if !matches!(job.state, JobState::Dead | JobState::Cancelled) {
            let what =
                format!("The job is {}: only one that died or was cancelled can be retried", job.state);
            return Err(Problem::new(ProblemKind::Conflict, "job_not_dead", what, "Wait for its end."));
        }
        let change = Change::RetryJob(job.id.clone());
        self.change_job(access, job, change, "job.retried").await
    }

    /// Ends a job that is not finished; a worker that is at it stops within seconds.
    pub async fn cancel_job(&self, access: &Access, id: &str) -> Result<Job, Problem> {
        let job = self.job_to_change(access, id).await?;
        if job.finished_at.is_some() {
            let what = format!("The job is {} already", job.state);
            return Err(Problem::new(
                ProblemKind::Conflict,
                "job_finished",
                what,
                "There is nothing to cancel.",
            ));
        }
        let change = Change::CancelJob(job.id.clone());
        self.change_job(access, job, change, "job.cancelled").await
    }

    async fn job_to_change(&self, access: &Access, id: &str) -> Result<Job, Problem> {
        access.require(Scope::ManageJobs)?;
        let job = self.find_job(access, id).await?;
        if job.environment_id.is_none() {
            access.require(Scope::ManageInstallationJobs)?;
        }
        Ok(job)
    }

    async fn change_job(
        &self,
        access: &Access,
        job: Job,
        change: Change,
        action: &str,
    ) -> Result<Job, Problem> {
        let object = Object { kind: "job".into(), id: job.id.to_string(), label: job.kind };
        let mut changes = vec![change];
        changes.extend(events(access, action, object, json!(null), false));
        self.commit(&changes).await?;
        self.held_jobs.look();
        self.find_job(access, job.id.as_str()).await
    }
}
