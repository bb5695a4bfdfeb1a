//! One function for each route. Connections are named by id, connection id or name.

use serde::Serialize;

use super::error::ClientError;
use super::lines::Lines;
use super::{ApiClient, path, query};
use crate::{
    Activity, ActivityQuery, ApiKey, ApiKeyAnswer, ApiKeys, AuditEvents, AuditVerification, Authorization,
    ConfirmAuthorization, Connection, ConnectionQuery, Connections, CreateApiKey, CreateAuthorization,
    CreateConnection, CreateIntegration, CreateOAuthClient, CreateProgress, CreatedApiKey,
    CreatedApiKeyAnswer, CreatedAuthorization, CreatedConnection, DeletedConnection, Environment,
    ImportApiKey, ImportConnection, Integration, IntegrationAnswer, IntegrationOfConnection, Integrations,
    Job, Jobs, JobsQuery, Keys, OAuthClient, OAuthClients, PageQuery, Paste, Pasted, Provider,
    ProviderAnswer, ProviderQuery, Providers, ReconnectConnection, Success, TestProgress, TestReport,
    UpdateConnection, UpdateEnvironment, UpdateIntegration, UpdateOAuthClient, UpdatedConnection,
};

/// No body at all.
const NONE: Option<&()> = None;

impl ApiClient {
    /// One page of connections.
    pub async fn list_connections(&self, wanted: &ConnectionQuery) -> Result<Connections, ClientError> {
        self.get(&query("/connections", wanted)?).await
    }

    /// Tests and makes a connection. A failed test is an error with code `connection_test_failed` and its report.
    pub async fn create_connection(
        &self,
        draft: &CreateConnection,
    ) -> Result<CreatedConnection, ClientError> {
        self.post("/connections", draft).await
    }

    /// Takes a connection over from another product.
    pub async fn import_connection(
        &self,
        import: &ImportConnection,
    ) -> Result<CreatedConnection, ClientError> {
        self.post("/connections", import).await
    }

    /// The same, telling how the test goes; the last line is `Created` or `Problem`.
    pub async fn watch_create_connection(
        &self,
        draft: &CreateConnection,
    ) -> Result<Lines<CreateProgress>, ClientError> {
        self.lines("/connections", Some(draft)).await
    }

    /// One connection.
    pub async fn read_connection(
        &self,
        reference: &str,
        integration: Option<&str>,
    ) -> Result<Connection, ClientError> {
        self.get(&of_connection(&[reference], integration)?).await
    }

    /// Changes what needs no secret.
    pub async fn update_connection(
        &self,
        reference: &str,
        integration: Option<&str>,
        change: &UpdateConnection,
    ) -> Result<Connection, ClientError> {
        let updated: UpdatedConnection =
            self.patch(&of_connection(&[reference], integration)?, change).await?;
        Ok(updated.connection)
    }

    /// Tests what was typed and puts it in the place of target and credentials. A failed test is an error with code
    /// `connection_test_failed` and its report.
    pub async fn reconnect_connection(
        &self,
        reference: &str,
        integration: Option<&str>,
        typed: &ReconnectConnection,
    ) -> Result<CreatedConnection, ClientError> {
        self.post(&of_connection(&[reference, "reconnect"], integration)?, typed).await
    }

    /// The same, telling how the test goes; the last line is `Created` or `Problem`.
    pub async fn watch_reconnect_connection(
        &self,
        reference: &str,
        integration: Option<&str>,
        typed: &ReconnectConnection,
    ) -> Result<Lines<CreateProgress>, ClientError> {
        self.lines(&of_connection(&[reference, "reconnect"], integration)?, Some(typed)).await
    }

    /// Deletes a connection.
    pub async fn delete_connection(
        &self,
        reference: &str,
        integration: Option<&str>,
    ) -> Result<DeletedConnection, ClientError> {
        self.delete(&of_connection(&[reference], integration)?).await
    }

    /// Tests a connection.
    pub async fn test_connection(
        &self,
        reference: &str,
        integration: Option<&str>,
    ) -> Result<TestReport, ClientError> {
        self.post(&of_connection(&[reference, "test"], integration)?, &serde_json::json!({})).await
    }

    /// The same, telling how it goes; the last line is `Report` or `Problem`.
    pub async fn watch_test_connection(
        &self,
        reference: &str,
        integration: Option<&str>,
    ) -> Result<Lines<TestProgress>, ClientError> {
        self.lines(&of_connection(&[reference, "test"], integration)?, NONE).await
    }

    /// All integrations.
    pub async fn list_integrations(&self) -> Result<Vec<Integration>, ClientError> {
        Ok(self.get::<Integrations>("/integrations").await?.data)
    }

    /// Makes an integration.
    pub async fn create_integration(&self, draft: &CreateIntegration) -> Result<Integration, ClientError> {
        Ok(self.post::<IntegrationAnswer>("/integrations", draft).await?.data)
    }

    /// One integration.
    pub async fn read_integration(&self, key: &str) -> Result<Integration, ClientError> {
        Ok(self.get::<IntegrationAnswer>(&path(["integrations", key])).await?.data)
    }

    /// Changes an integration.
    pub async fn update_integration(
        &self,
        key: &str,
        change: &UpdateIntegration,
    ) -> Result<Integration, ClientError> {
        Ok(self.patch::<IntegrationAnswer>(&path(["integrations", key]), change).await?.data)
    }

    /// Deletes an integration that has no connections.
    pub async fn delete_integration(&self, key: &str) -> Result<(), ClientError> {
        self.delete::<Success>(&path(["integrations", key])).await.map(drop)
    }

    /// All OAuth clients.
    pub async fn list_oauth_clients(&self) -> Result<Vec<OAuthClient>, ClientError> {
        Ok(self.get::<OAuthClients>("/oauth-clients").await?.oauth_clients)
    }

    /// Makes an OAuth client, which then has a redirect URI.
    pub async fn create_oauth_client(&self, draft: &CreateOAuthClient) -> Result<OAuthClient, ClientError> {
        self.post("/oauth-clients", draft).await
    }

    /// One OAuth client, named by id or name.
    pub async fn read_oauth_client(&self, reference: &str) -> Result<OAuthClient, ClientError> {
        self.get(&path(["oauth-clients", reference])).await
    }

    /// Changes an OAuth client.
    pub async fn update_oauth_client(
        &self,
        reference: &str,
        change: &UpdateOAuthClient,
    ) -> Result<OAuthClient, ClientError> {
        self.patch(&path(["oauth-clients", reference]), change).await
    }

    /// Deletes an OAuth client that no connection needs.
    pub async fn delete_oauth_client(&self, reference: &str) -> Result<(), ClientError> {
        self.delete::<Success>(&path(["oauth-clients", reference])).await.map(drop)
    }

    /// Makes a link for a person who is to agree at the vendor.
    pub async fn create_authorization(
        &self,
        draft: &CreateAuthorization,
    ) -> Result<CreatedAuthorization, ClientError> {
        self.post("/authorizations", draft).await
    }

    /// How an authorization does.
    pub async fn read_authorization(&self, id: &str) -> Result<Authorization, ClientError> {
        self.get(&path(["authorizations", id])).await
    }

    /// Says that the account is the right person's, which makes the connection.
    pub async fn confirm_authorization(
        &self,
        id: &str,
        confirmation: &ConfirmAuthorization,
    ) -> Result<CreatedConnection, ClientError> {
        self.post(&path(["authorizations", id, "confirm"]), confirmation).await
    }

    /// The catalog.
    pub async fn list_providers(&self, wanted: &ProviderQuery) -> Result<Vec<Provider>, ClientError> {
        Ok(self.get::<Providers>(&query("/providers", wanted)?).await?.data)
    }

    /// One provider.
    pub async fn read_provider(&self, id: &str) -> Result<Provider, ClientError> {
        Ok(self.get::<ProviderAnswer>(&path(["providers", id])).await?.data)
    }

    /// The fields in a pasted text; none when it is not the vendor's.
    pub async fn read_pasted(&self, provider: &str, text: &str) -> Result<Pasted, ClientError> {
        self.post(&path(["providers", provider, "paste"]), &Paste { text: text.to_owned() }).await
    }

    /// All API keys.
    pub async fn list_api_keys(&self) -> Result<ApiKeys, ClientError> {
        self.get("/api-keys").await
    }

    /// Makes an API key; the answer shows it whole, this once.
    pub async fn create_api_key(&self, draft: &CreateApiKey) -> Result<CreatedApiKey, ClientError> {
        Ok(self.post::<CreatedApiKeyAnswer>("/api-keys", draft).await?.data)
    }

    /// The environment that is acted in.
    pub async fn read_environment(&self) -> Result<Environment, ClientError> {
        self.get("/environment").await
    }

    /// Changes what the administrators of the environment decided.
    pub async fn update_environment(&self, change: &UpdateEnvironment) -> Result<Environment, ClientError> {
        self.patch("/environment", change).await
    }

    /// Accepts a key of the compatible product.
    pub async fn import_api_key(&self, existing: &ImportApiKey) -> Result<ApiKey, ClientError> {
        Ok(self.post::<ApiKeyAnswer>("/imported-api-keys", existing).await?.data)
    }

    /// Revokes an API key, named by id or display name.
    pub async fn revoke_api_key(&self, reference: &str) -> Result<(), ClientError> {
        self.delete::<Success>(&path(["api-keys", reference])).await.map(drop)
    }

    /// One page of the log of calls.
    pub async fn list_activity(&self, wanted: &ActivityQuery) -> Result<Activity, ClientError> {
        self.get(&query("/activity", wanted)?).await
    }

    /// One page of the audit trail.
    pub async fn list_audit_events(&self, wanted: &PageQuery) -> Result<AuditEvents, ClientError> {
        self.get(&query("/audit", wanted)?).await
    }

    /// Walks along the whole audit trail.
    pub async fn verify_audit_events(&self) -> Result<AuditVerification, ClientError> {
        self.post("/audit/verify", &serde_json::json!({})).await
    }

    /// One page of jobs.
    pub async fn list_jobs(&self, wanted: &JobsQuery) -> Result<Jobs, ClientError> {
        self.get(&query("/jobs", wanted)?).await
    }

    /// One job.
    pub async fn read_job(&self, id: &str) -> Result<Job, ClientError> {
        self.get(&path(["jobs", id])).await
    }

    /// Begins a job anew that died or was cancelled.
    pub async fn retry_job(&self, id: &str) -> Result<Job, ClientError> {
        self.post(&path(["jobs", id, "retry"]), &serde_json::json!({})).await
    }

    /// Ends a job that is not finished.
    pub async fn cancel_job(&self, id: &str) -> Result<Job, ClientError> {
        self.post(&path(["jobs", id, "cancel"]), &serde_json::json!({})).await
    }

    /// The keys that seal secrets: which there are, never what they are.
    pub async fn read_keys(&self) -> Result<Keys, ClientError> {
        self.get("/keys").await
    }
}

fn of_connection(segments: &[&str], integration: Option<&str>) -> Result<String, ClientError> {
    let path = path(["connections"].iter().chain(segments).copied());
    query(&path, &parameters(integration))
}

fn parameters(integration: Option<&str>) -> impl Serialize {
    IntegrationOfConnection { provider_config_key: integration.map(str::to_owned) }
}
