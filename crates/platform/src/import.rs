//! Connections that are taken over with their credentials.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use tombolo_store::Connection;

use crate::access::{Access, Scope};
use crate::connect::{Chosen, GivenCredentials, merged, tags_of, test_failed};
use crate::connections::{Belonging, ConnectionDraft, CreatedConnection, check_name};
use crate::oauth::ImportedTokens;
use crate::platform::Platform;
use crate::problem::Problem;
use crate::reconnect::Reconnection;

/// A connection that is taken over.
pub struct ConnectionImport {
    /// The key of an integration, or the id of a provider.
    pub integration: String,
    /// What people will call it; made up from what is known when absent.
    pub name: Option<String>,
    /// Names it in the API; its id when absent. A connection that has it already gets the credentials.
    pub connection_id: Option<String>,
    /// The credentials.
    pub credentials: ImportedCredentials,
    /// Fields and settings that are no credential.
    pub config: BTreeMap<String, String>,
    /// For finding it.
    pub tags: BTreeMap<String, String>,
    /// The embedder's own data.
    pub metadata: Json,
    /// Whom it belongs to.
    pub belonging: Belonging,
}

/// What is taken over.
pub enum ImportedCredentials {
    /// What a form would ask for.
    Given(GivenCredentials),
    /// What a vendor gave for a person's account.
    Tokens(ImportedTokens),
}

impl Platform {
    /// Takes a connection over: tests it, and stores nothing when it cannot be used. A connection of the same integration
    /// with the same connection id keeps its name, tags and data and gets the credentials.
    pub async fn import_connection(
        self: &Arc<Self>,
        access: &Access,
        mut import: ConnectionImport,
    ) -> Result<CreatedConnection, Problem> {
        access.require(Scope::CreateConnection)?;
        if let Some(name) = &import.name {
            check_name(name)?;
        }
        if let Some(url) = &import.belonging.webhook_url {
            self.check_webhook_url(url)?;
        }
        import.tags = tags_of(&import.tags, import.belonging.end_user.as_ref())?;
        let chosen = self.chosen(access, &import.integration).await?;
        let existing = self.with_the_same_id(access, &chosen, &import).await?;
        if existing.is_some() {
            access.require(Scope::UpdateConnection)?;
        }
        let tokens = match &import.credentials {
            ImportedCredentials::Tokens(tokens) => tokens.clone(),
            ImportedCredentials::Given(_) => {
                return Box::pin(self.import_given(access, import, &chosen, existing)).await;
            }
        };
        // In a task of its own: a caller that goes away must not take tokens along that were exchanged for it.
        let (platform, access) = (Arc::clone(self), access.clone());
        let work = async move {
            Box::pin(platform.import_tokens(&access, &import, &chosen, &tokens, existing.as_ref())).await
        };
        self.on_control(work).await
    }

    async fn import_given(
        self: &Arc<Self>,
        access: &Access,
        import: ConnectionImport,
        chosen: &Chosen,
        existing: Option<Connection>,
    ) -> Result<CreatedConnection, Problem> {
        let ImportedCredentials::Given(given) = import.credentials else {
            return Err(Problem::invalid("invalid_body", "There are no credentials", "Send `credentials`."));
        };
        let scheme = chosen.scheme(given.mode)?;
        let (fields, settings) = merged(&chosen.provider, scheme, given, import.config, &BTreeMap::new());
        let outcome = if let Some(connection) = existing {
            let typed = Reconnection {
                auth_scheme: Some(scheme.id.clone()),
                fields,
                settings,
                name: None,
                tags: None,
                metadata: None,
                test: true,
                session: None,
            };
            self.reconnect(access, None, connection.id.as_str(), typed, &mut |_| {}).await?
        } else {
            let name = match import.name {
                Some(name) => name,
                None => self.name_for(access, chosen, &import.belonging).await?,
            };
            let draft = ConnectionDraft {
                integration: chosen.key.clone(),
                name,
                connection_id: import.connection_id,
                auth_scheme: Some(scheme.id.clone()),
                fields,
                settings,
                tags: import.tags,
                metadata: import.metadata,
                belonging: import.belonging,
            };
            self.create_connection(access, &draft, true, &mut |_| {}).await?
        };
        outcome.map_err(|report| test_failed(&report))
    }

    pub(crate) async fn with_the_same_id(
        &self,
        access: &Access,
        chosen: &Chosen,
        import: &ConnectionImport,
    ) -> Result<Option<Connection>, Problem> {
        let (Some(integration), Some(id)) = (&chosen.integration, &import.connection_id) else {
            return Ok(None);
        };
        Ok(self.store.connection_of_integration(&access.environment, &integration.id, id).await?)
    }
}
