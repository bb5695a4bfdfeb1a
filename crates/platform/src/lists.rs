//! What a caller may look at: the lists of its environment, each behind its scope.

use tombolo_store::{
    ActivityCursor, ActivityFilter, ActivityPage, AuditEvent, AuditEventId, AuditVerification, CallDetail,
    CallRecord, Connection, ConnectionCursor, ConnectionFilter, ConnectionId, ConnectionPage, Integration,
    Job, JobFilter, JobId, JobState,
};

use crate::access::{Access, Scope};
use crate::platform::Platform;
use crate::problem::Problem;

impl Platform {
    /// One page of connections.
    pub async fn list_connections(
        &self,
        access: &Access,
        filter: &ConnectionFilter,
        after: Option<&ConnectionCursor>,
        limit: usize,
    ) -> Result<ConnectionPage, Problem> {
        access.require(Scope::ListConnections)?;
        Ok(self.store.list_connections(&access.environment, filter, after, limit).await?)
    }

    /// Where a list of connections goes on after the first ones; `None` when there are no more.
    pub async fn skip_connections(
        &self,
        access: &Access,
        filter: &ConnectionFilter,
        skipped: usize,
    ) -> Result<Option<ConnectionCursor>, Problem> {
        access.require(Scope::ListConnections)?;
        Ok(self.store.skip_connections(&access.environment, filter, skipped).await?)
    }

    /// The connections with a connection id, one in each integration at most.
    pub async fn connections_with_id(
        &self,
        access: &Access,
        connection_id: &str,
    ) -> Result<Vec<Connection>, Problem> {
        access.require(Scope::ListConnections)?;
        let mut found = self.store.connections_called(&access.environment, connection_id).await?;
        found.retain(|connection| connection.connection_id == connection_id);
        Ok(found)
    }

    /// One connection and its integration.
    pub async fn read_connection(
        &self,
        access: &Access,
        integration: Option<&str>,
        reference: &str,
    ) -> Result<(Connection, Integration), Problem> {
        access.require(Scope::ReadConnection)?;
        self.find_connection(&access.environment, integration, reference).await
    }

    /// The environment's integrations in the order of their keys. Whoever may list connections sees them too, because
    /// each connection names its own.
    pub async fn list_integrations(&self, access: &Access) -> Result<Vec<Integration>, Problem> {
        access.require(Scope::ListIntegrations).or_else(|_| access.require(Scope::ListConnections))?;
        Ok(self.store.integrations(&access.environment).await?)
    }

    /// One integration.
    pub async fn read_integration(&self, access: &Access, key: &str) -> Result<Integration, Problem> {
        access.require(Scope::ReadIntegration)?;
        self.find_integration(&access.environment, key).await
    }

    /// One page of the log of calls. `connection` is an id, a connection id or a name; the id of a connection that was
    /// deleted still finds its calls.
    pub async fn list_activity(
        &self,
        access: &Access,
        connection: Option<&str>,
        mut filter: ActivityFilter,
        after: Option<&ActivityCursor>,
        limit: usize,
    ) -> Result<ActivityPage, Problem> {
        access.require(Scope::ReadActivity)?;
        if let Some(reference) = connection {
            filter.connection = if let Ok(id) = reference.parse::<ConnectionId>() {
                Some(id.to_string())
            } else {
                let (found, _) = self
                    .find_connection(&access.environment, filter.integration.as_deref(), reference)
                    .await?;
                Some(found.id.to_string())
            };
        }
        Ok(self.store.list_activity(&access.environment, &filter, after, limit).await?)
    }

    /// One call of the log by the reference that its record gives, and what else was kept of it because it failed or was
    /// slow.
    pub async fn read_call(
        &self,
        access: &Access,
        reference: &str,
    ) -> Result<(CallRecord, Option<CallDetail>), Problem> {
        access.require(Scope::ReadActivity)?;
        let found = self.store.call(&access.environment, reference).await?;
        let call = found
            .ok_or_else(|| Problem::not_found("unknown_call", "There is no such call in the log any more"))?;
        let detail = self.store.call_detail(&access.environment, &call.request_id).await?;
        Ok((call, detail))
    }

    /// The environment's audit events, newest first, and for whoever may see them those of the installation itself.
    pub async fn list_audit_events(
        &self,
        access: &Access,
        after: Option<&AuditEventId>,
        limit: u32,
    ) -> Result<Vec<AuditEvent>, Problem> {
        access.require(Scope::ReadAudit)?;
        let mut events = self.store.audit_events(&access.environment, after, limit).await?;
        if access.has(Scope::ReadInstallationAudit) {
            events.extend(self.store.installation_audit_events(after, limit).await?);
            events.sort_by(|one, other| other.id.cmp(&one.id));
            events.truncate(limit as usize);
        }
        Ok(events)
    }

    /// Chains what was written last and walks along the chain of audit events, which is one for the whole installation.
    pub async fn verify_audit_events(&self, access: &Access) -> Result<AuditVerification, Problem> {
        access.require(Scope::ReadAudit)?;
        self.chain_audit(&access.actor.id).await?;
        Ok(self.store.verify_audit_events().await?)
    }

    /// The environment's jobs, newest first. Whoever may see them gets the installation's own jobs too.
    pub async fn list_jobs(
        &self,
        access: &Access,
        state: Option<JobState>,
        kind: Option<String>,
        after: Option<&JobId>,
        limit: u32,
    ) -> Result<Vec<Job>, Problem> {
        access.require(Scope::ReadJobs)?;
        let filter = JobFilter { state, kind, installation: access.has(Scope::ReadInstallationJobs) };
        Ok(self.store.jobs(&access.environment, &filter, after, limit).await?)
    }

    /// One job.
    pub async fn read_job(&self, access: &Access, id: &str) -> Result<Job, Problem> {
        access.require(Scope::ReadJobs)?;
        self.find_job(access, id).await
    }

    pub(crate) async fn find_job(&self, access: &Access, id: &str) -> Result<Job, Problem> {
        let unknown = || Problem::not_found("unknown_job", format!("There is no job `{}`", shortened(id)));
        let id: JobId = id.parse().map_err(|_| unknown())?;
        let installation = access.has(Scope::ReadInstallationJobs);
        self.store.job(&access.environment, installation, &id).await?.ok_or_else(unknown)
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
