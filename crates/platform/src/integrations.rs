//! Integrations: providers configured in an environment.

use std::sync::Arc;

use serde_json::json;
use tombolo_catalog::Provider;
use tombolo_store::{Change, Integration, IntegrationId, IntegrationUpdate, NewIntegration, Object};

use crate::access::{Access, Scope};
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind};

/// What an integration is made from.
#[derive(Debug, Clone)]
pub struct IntegrationDraft {
    /// The provider's id.
    pub provider: String,
    /// Names it in the API.
    pub unique_key: String,
    /// What people see; the provider's name when absent.
    pub display_name: Option<String>,
    /// The auth schemes that connections may use; all when empty.
    pub auth_schemes: Vec<String>,
}

/// What may change about an integration; `None` keeps what is there.
#[derive(Debug, Clone, Default)]
pub struct IntegrationChange {
    /// Names it in the API.
    pub unique_key: Option<String>,
    /// What people see.
    pub display_name: Option<String>,
    /// The auth schemes that connections may use.
    pub auth_schemes: Option<Vec<String>>,
}

impl Platform {
    /// Makes an integration.
    pub async fn create_integration(
        &self,
        access: &Access,
        draft: &IntegrationDraft,
    ) -> Result<Integration, Problem> {
        access.require(Scope::CreateIntegration)?;
        let provider = self.known_provider(&draft.provider)?;
        check_schemes(&provider, &draft.auth_schemes)?;
        let (_, changes) = self.new_integration(access, &provider, draft)?;
        self.commit(&changes).await?;
        self.find_integration(&access.environment, &draft.unique_key).await
    }

    /// Changes an integration.
    pub async fn update_integration(
        &self,
        access: &Access,
        key: &str,
        change: IntegrationChange,
    ) -> Result<Integration, Problem> {
        access.require(Scope::UpdateIntegration)?;
        let integration = self.find_integration(&access.environment, key).await?;
        if let Some(schemes) = &change.auth_schemes {
            check_schemes(&*self.provider_of(&integration)?, schemes)?;
        }
        let new_key = change.unique_key.clone().unwrap_or_else(|| key.to_owned());
        let detail = json!({ "unique_key": change.unique_key, "display_name": change.display_name, "auth_schemes": change.auth_schemes });
        let update = IntegrationUpdate {
            environment_id: access.environment.clone(),
            id: integration.id.clone(),
            expected_version: integration.version,
            unique_key: change.unique_key,
            display_name: change.display_name,
            auth_schemes: change.auth_schemes,
            defaults: None,
            oauth_client: None,
        };
        let mut changes = vec![Change::UpdateIntegration(update)];
        changes.extend(events(access, "integration.updated", object_of(&integration), detail, false));
        self.commit(&changes).await?;
        self.find_integration(&access.environment, &new_key).await
    }

    /// Deletes an integration that has no connections.
    pub async fn delete_integration(&self, access: &Access, key: &str) -> Result<(), Problem> {
        access.require(Scope::DeleteIntegration)?;
        let integration = self.find_integration(&access.environment, key).await?;
        let mut changes = vec![Change::DeleteIntegration(access.environment.clone(), integration.id.clone())];
        changes.extend(events(access, "integration.deleted", object_of(&integration), json!(null), false));
        self.commit(&changes).await.map(drop)
    }

    /// The provider of an integration.
    pub fn provider_of(&self, integration: &Integration) -> Result<Arc<Provider>, Problem> {
        self.catalog.get(&integration.provider).cloned().ok_or_else(|| {
            Problem::new(
                ProblemKind::Unusable,
                "provider_gone",
                format!("The provider `{}` is no longer in the catalog", integration.provider),
                "Ask the operator to put its file back.",
            )
        })
    }

    /// The provider that an integration key means when there is no integration of that key.
    pub(crate) fn known_provider(&self, id: &str) -> Result<Arc<Provider>, Problem> {
        self.catalog.get(id).cloned().ok_or_else(|| {
            Problem::new(
                ProblemKind::NotFound,
                "unknown_provider_config",
                format!("There is no integration and no provider `{id}`"),
                "`tombolo provider list` shows the providers.",
            )
        })
    }

    /// What makes an integration, for the act that needs it.
    pub(crate) fn new_integration(
        &self,
        access: &Access,
        provider: &Provider,
        draft: &IntegrationDraft,
    ) -> Result<(IntegrationId, Vec<Change>), Problem> {
        let id = IntegrationId::generate(self.now(), &*self.random).map_err(|error| {
            let fix = "Check the operating system's random number generator.";
            Problem::new(ProblemKind::Internal, "no_randomness", error.to_string(), fix)
        })?;
        let new = NewIntegration {
            id: id.clone(),
            environment_id: access.environment.clone(),
            unique_key: draft.unique_key.clone(),
            provider: provider.id.clone(),
            display_name: draft.display_name.clone().unwrap_or_else(|| provider.name.en.clone()),
            auth_schemes: draft.auth_schemes.clone(),
            defaults: json!({}),
            oauth_client: None,
        };
        let object =
            Object { kind: "integration".into(), id: id.to_string(), label: draft.unique_key.clone() };
        let detail = json!({ "provider": provider.id });
        let mut changes = vec![Change::InsertIntegration(new)];
        changes.extend(events(access, "integration.created", object, detail, false));
        Ok((id, changes))
    }
}

impl IntegrationDraft {
    /// The provider's own integration, which has its id for a key and allows every auth scheme.
    pub(crate) fn of_provider(provider: &Provider) -> Self {
        Self {
            provider: provider.id.clone(),
            unique_key: provider.id.clone(),
            display_name: None,
            auth_schemes: Vec::new(),
        }
    }
}

fn check_schemes(provider: &Provider, schemes: &[String]) -> Result<(), Problem> {
    match schemes.iter().find(|id| provider.scheme(id).is_none()) {
        None => Ok(()),
        Some(unknown) => {
            let known: Vec<&str> = provider.auth.iter().map(|scheme| scheme.id.as_str()).collect();
            let what = format!("{} has no auth scheme `{unknown}`", provider.name.en);
            Err(Problem::invalid("unknown_auth_scheme", what, format!("Choose among: {}.", known.join(", "))))
        }
    }
}

fn object_of(integration: &Integration) -> Object {
    Object {
        kind: "integration".into(),
        id: integration.id.to_string(),
        label: integration.unique_key.clone(),
    }
}
