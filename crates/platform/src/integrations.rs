//! Integrations: providers configured in an environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;
use tombolo_catalog::{AuthMode, AuthScheme, Provider};
use tombolo_store::{
    ActorKind, Change, Integration, IntegrationId, IntegrationUpdate, NewIntegration, OAuthClient,
    OAuthClientId, Object,
};

use crate::access::{Access, Scope};
use crate::oauth::{OAuthClientChange, OAuthClientDraft, refuse_other_config};
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind, field};

/// What an integration is made from.
#[derive(Default)]
pub struct IntegrationDraft {
    /// The provider's id.
    pub provider: String,
    /// Names it in the API.
    pub unique_key: String,
    /// What people see; the provider's name when absent.
    pub display_name: Option<String>,
    /// The auth schemes that connections may use; all when empty.
    pub auth_schemes: Vec<String>,
    /// The OAuth client through which its connections are authorised unless another one is named.
    pub oauth_client: ChosenClient,
}

/// The OAuth client of an integration.
#[derive(Default)]
pub enum ChosenClient {
    /// As it is; for a new integration, none.
    #[default]
    Unchanged,
    /// One that there is, by id or name.
    Known(String),
    /// One with these values: the integration's own changes, or one is made for it.
    Own(OwnClient),
}

/// The values of an OAuth client that belongs to an integration.
#[derive(Clone)]
pub struct OwnClient {
    /// What it is for; several of the compatible API's words mean a client of OAuth 2.0.
    pub mode: AuthMode,
    /// Its public id at the vendor.
    pub client_id: String,
    /// Its secret; the one that it has when absent.
    pub client_secret: Option<SecretString>,
    /// The scopes that are asked for; those that it has, or of the provider's file, when absent.
    pub scopes: Option<Vec<String>>,
    /// The fields that say where it is registered.
    pub config: BTreeMap<String, String>,
}

/// What may change about an integration; `None` keeps what is there.
#[derive(Default)]
pub struct IntegrationChange {
    /// Names it in the API.
    pub unique_key: Option<String>,
    /// What people see.
    pub display_name: Option<String>,
    /// The auth schemes that connections may use.
    pub auth_schemes: Option<Vec<String>>,
    /// The OAuth client through which its connections are authorised.
    pub oauth_client: ChosenClient,
}

impl Platform {
    /// Makes an integration.
    pub async fn create_integration(
        &self,
        access: &Access,
        draft: &IntegrationDraft,
    ) -> Result<Integration, Problem> {
        access.require(Scope::CreateIntegration)?;
        let provider = self.catalog.get(&draft.provider).cloned().ok_or_else(|| {
            let en = "There is no such provider. `tombolo provider list` shows them.";
            let ja = "このプロバイダーはありません。「tombolo provider list」で確認できます。";
            Problem::fields(vec![field("provider", "custom", en, ja)])
        })?;
        check_schemes(&provider, &draft.auth_schemes)?;
        let (client, mut changes) =
            self.client_of(access, &provider, &draft.unique_key, None, &draft.oauth_client).await?;
        let (_, made) = self.new_integration(access, &provider, draft)?;
        changes.extend(made.into_iter().map(|change| match change {
            Change::InsertIntegration(new) => {
                Change::InsertIntegration(NewIntegration { oauth_client: client.clone(), ..new })
            }
            other => other,
        }));
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
        let provider = self.provider_of(&integration)?;
        let known = integration.oauth_client.as_ref();
        let (client, mut changes) =
            self.client_of(access, &provider, key, known, &change.oauth_client).await?;
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
            oauth_client: client,
        };
        changes.push(Change::UpdateIntegration(update));
        changes.extend(events(access, "integration.updated", object_of(&integration), detail, false));
        self.commit(&changes).await?;
        self.find_integration(&access.environment, &new_key).await
    }

    /// The OAuth client that is meant, and what makes or changes it.
    async fn client_of(
        &self,
        access: &Access,
        provider: &Provider,
        key: &str,
        known: Option<&OAuthClientId>,
        chosen: &ChosenClient,
    ) -> Result<(Option<OAuthClientId>, Vec<Change>), Problem> {
        let own = match chosen {
            ChosenClient::Unchanged => return Ok((None, Vec::new())),
            ChosenClient::Known(reference) => {
                let client = self.find_oauth_client(access, reference).await?;
                if client.provider != provider.id {
                    let what =
                        format!("The OAuth client `{}` is not one of {}", client.name, provider.name.en);
                    return Err(Problem::invalid("other_oauth_client", what, "Choose another one."));
                }
                return Ok((Some(client.id), Vec::new()));
            }
            ChosenClient::Own(own) => own,
        };
        if let Some(id) = known {
            let client = self.find_oauth_client(access, id.as_str()).await?;
            let mode = provider.scheme(&client.auth_scheme).and_then(AuthScheme::client_mode);
            if mode != Some(own.mode) {
                return Err(other_credentials(provider, own.mode));
            }
            refuse_other_config(provider, &client, &own.config)?;
            self.refuse_shared(access, &client, key).await?;
            let change = OAuthClientChange {
                name: None,
                client_id: Some(own.client_id.clone()),
                client_secret: own.client_secret.clone(),
                scopes: own.scopes.clone(),
            };
            return Ok((None, self.change_of_client(access, &client, change).await?));
        }
        let scheme = provider.auth.iter().find(|scheme| scheme.client_mode() == Some(own.mode));
        let scheme = scheme.ok_or_else(|| other_credentials(provider, own.mode))?;
        let draft = OAuthClientDraft {
            provider: provider.id.clone(),
            auth_scheme: Some(scheme.id.clone()),
            name: self.name_for_client(access, key).await?,
            client_id: Some(own.client_id.clone()),
            client_secret: own.client_secret.clone(),
            config: own.config.clone(),
            scopes: own.scopes.clone().unwrap_or_default(),
            shared_callback: false,
        };
        let (id, changes) = self.new_oauth_client(access, &draft, None).await?;
        Ok((Some(id), changes))
    }

    /// A client that other integrations have as well is not changed through one of them: the others would not know.
    async fn refuse_shared(&self, access: &Access, client: &OAuthClient, key: &str) -> Result<(), Problem> {
        let all = self.store.integrations(&access.environment).await?;
        let sharing = all.iter().filter(|other| other.oauth_client.as_ref() == Some(&client.id));
        let others: Vec<&str> =
            sharing.map(|other| other.unique_key.as_str()).filter(|other| *other != key).collect();
        if others.is_empty() {
            return Ok(());
        }
        let what = format!("The OAuth client `{}` is also that of {}", client.name, others.join(", "));
        let fix = format!(
            "Change it for all of them at `/oauth-clients/{}`, or give this integration another one with `oauth_client`.",
            client.id
        );
        Err(Problem::new(ProblemKind::Conflict, "oauth_client_shared", what, fix))
    }

    /// The key of the integration, or that with a number when another client has the name.
    async fn name_for_client(&self, access: &Access, key: &str) -> Result<String, Problem> {
        let known = self.store.oauth_clients(&access.environment).await?;
        let is_free = |name: &str| known.iter().all(|client| !client.name.eq_ignore_ascii_case(name));
        let numbered = (2..).map(|number| format!("{key} ({number})"));
        let free = std::iter::once(key.to_owned()).chain(numbered).find(|name| is_free(name));
        Ok(free.unwrap_or_else(|| key.to_owned()))
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

    /// The integration with a key and its provider, for whoever links an account through it. A provider that has none yet gets
    /// one with its first connection: an API key that may make connections may do so; a person needs the right to make
    /// integrations, and asks for the provider otherwise.
    pub async fn integration_to_link(
        &self,
        access: &Access,
        key: &str,
    ) -> Result<(Option<Integration>, Arc<Provider>), Problem> {
        if let Some(integration) = self.store.integration(&access.environment, key).await? {
            let provider = self.provider_of(&integration)?;
            return Ok((Some(integration), provider));
        }
        let provider = self.known_provider(key)?;
        if access.actor.kind != ActorKind::User || access.has(Scope::CreateIntegration) {
            return Ok((None, provider));
        }
        let what = format!("{} is not enabled in this environment", provider.name.en);
        let fix = "Ask for it: whoever administers this server is shown what you ask for.";
        Err(Problem::new(ProblemKind::Forbidden, "provider_not_enabled", what, fix))
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
        Self { provider: provider.id.clone(), unique_key: provider.id.clone(), ..Self::default() }
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

fn other_credentials(provider: &Provider, given: AuthMode) -> Problem {
    let known: Vec<&str> =
        provider.auth.iter().filter_map(AuthScheme::client_mode).map(AuthMode::name).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let (en, ja) = (
        format!("{} takes no credentials of the type {}. It takes: {known}.", provider.name.en, given.name()),
        format!(
            "{}では種類「{}」の認証情報を使いません。使える種類: {known}",
            provider.name.ja,
            given.name()
        ),
    );
    Problem::fields(vec![field("credentials.type", "custom", &en, &ja)])
}

fn object_of(integration: &Integration) -> Object {
    Object {
        kind: "integration".into(),
        id: integration.id.to_string(),
        label: integration.unique_key.clone(),
    }
}
