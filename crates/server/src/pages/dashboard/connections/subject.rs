//! What the form of an account is about.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use http::StatusCode;
use http::request::Parts;
use tombolo_platform::catalog::Provider;
use tombolo_platform::store::{Connection, Integration, OAuthClientId};
use tombolo_platform::{Problem, Scope};

use crate::pages::dashboard::visitor::Visitor;
use crate::pages::form::known_values;
use crate::routes::Routes;

/// What the address of the form names.
pub(super) enum Asked {
    /// A new connection of the integration with this key, or of the provider that gets one with its first connection.
    New(String),
    /// The connection with this id.
    Again(String),
}

impl FromRequestParts<Routes> for Asked {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &Routes) -> Result<Self, StatusCode> {
        let path = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| StatusCode::NOT_FOUND)?;
        path.iter()
            .find_map(|(name, value)| match name {
                "integration" => Some(Self::New(value.to_owned())),
                "id" => Some(Self::Again(value.to_owned())),
                _ => None,
            })
            .ok_or(StatusCode::NOT_FOUND)
    }
}

/// The same, looked up.
pub(super) struct Subject {
    pub(super) key: String,
    pub(super) integration: Option<Integration>,
    pub(super) provider: Arc<Provider>,
    /// The connection that there is.
    pub(super) again: Option<Connection>,
}

impl Asked {
    /// Where the form is, below the environment.
    pub(super) fn path(&self) -> String {
        match self {
            Self::New(key) => format!("connections/new/{key}"),
            Self::Again(id) => format!("connections/{id}/account"),
        }
    }

    /// What is said on the page that comes next.
    pub(super) const fn done(&self) -> &'static str {
        match self {
            Self::New(_) => "created",
            Self::Again(_) => "linked-again",
        }
    }

    /// Looks it up for a visitor who may link it.
    pub(super) async fn subject(&self, visitor: &Visitor, routes: &Routes) -> Result<Subject, Problem> {
        let (platform, access) = (&routes.platform, visitor.access());
        match self {
            Self::New(key) => {
                access.require(Scope::CreateConnection)?;
                let (integration, provider) = platform.integration_to_link(access, key).await?;
                Ok(Subject { key: key.clone(), integration, provider, again: None })
            }
            Self::Again(id) => {
                access.require(Scope::UpdateConnection)?;
                let (connection, integration) = platform.read_connection(access, None, id).await?;
                Ok(Subject {
                    key: integration.unique_key.clone(),
                    provider: platform.provider_of(&integration)?,
                    integration: Some(integration),
                    again: Some(connection),
                })
            }
        }
    }
}

impl Subject {
    /// The OAuth client that is chosen beforehand: the connection's own, or the integration's.
    pub(super) fn oauth_client(&self) -> Option<OAuthClientId> {
        let own = self.again.as_ref().and_then(|connection| connection.target.oauth_client.clone());
        own.or_else(|| self.integration.as_ref()?.oauth_client.clone())
    }

    /// What the connection has that is no secret, as inputs show it; nothing for a new one.
    pub(super) fn known_values(&self) -> BTreeMap<String, Vec<String>> {
        let config = self.again.as_ref().map(|connection| connection.target.config.clone());
        let config = config.and_then(|config| serde_json::from_value(config).ok()).unwrap_or_default();
        known_values(&self.provider, &config)
    }

    /// The ids of the auth schemes that the integration allows.
    pub(super) fn schemes(&self) -> Vec<String> {
        let allowed = self.integration.as_ref().map_or(&[][..], |integration| &integration.auth_schemes);
        let schemes = self.provider.auth.iter().map(|scheme| scheme.id.clone());
        schemes.filter(|id| allowed.is_empty() || allowed.contains(id)).collect()
    }
}
