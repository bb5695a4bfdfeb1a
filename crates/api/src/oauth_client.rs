use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A client that is registered with a vendor: people agree on the vendor's page that it may act for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OAuthClient {
    /// Names it for ever.
    pub id: String,
    /// What people call it; unique in its environment.
    pub name: String,
    /// The id of its provider.
    pub provider: String,
    /// The auth scheme that it is for.
    pub auth_scheme: String,
    /// Its public id at the vendor; empty until it is registered there.
    pub client_id: String,
    /// Whether there is a secret. The secret itself is write-only.
    pub has_secret: bool,
    /// The fields of the provider that say where it is registered; none when it is good for every account.
    pub config: BTreeMap<String, String>,
    /// The scopes that are asked for; those of the provider's file when empty.
    pub scopes: Vec<String>,
    /// What has to be registered with the vendor. `null` where nobody knows under which URL the server is reached:
    /// without a running server and without `server.public_url`.
    pub redirect_uri: Option<String>,
    /// Whether it has the redirect URI that all clients taken over from the compatible product share. That is weaker than
    /// one of its own: register a client anew when you can.
    pub shared_callback: bool,
    /// Who registered it in a connect session: nobody else chooses it there. `null` for one of the administrators.
    pub owner: Option<OAuthClientOwner>,
    /// Grows with every change.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Who registered an OAuth client in a connect session, as the embedder knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OAuthClientOwner {
    /// `organization`, for everybody of it, or `end_user`, for one person.
    pub kind: String,
    /// The embedder's id of it.
    pub id: String,
}

/// The environment's OAuth clients in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OAuthClients {
    /// All of them.
    pub oauth_clients: Vec<OAuthClient>,
}

/// What an OAuth client is made from.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOAuthClient {
    /// What people are to call it; unique in its environment.
    pub name: String,
    /// The id of the provider.
    pub provider: String,
    /// The auth scheme; the provider's first one that needs a client unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_scheme: Option<String>,
    /// Its public id at the vendor; may be given later, once it is registered there with the redirect URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Its secret; never shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(write_only)]
    pub client_secret: Option<String>,
    /// The fields of the provider that say where it is registered, such as `subdomain`.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// The scopes that are asked for; those of the provider's file unless given.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether it keeps the redirect URI `/oauth/callback` that it was registered with for another product. All such clients
    /// share it, which is weaker than one of its own.
    #[serde(default)]
    pub shared_callback: bool,
}

impl fmt::Debug for CreateOAuthClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            provider,
            auth_scheme,
            client_id,
            client_secret: _,
            config,
            scopes,
            shared_callback,
        } = self;
        formatter
            .debug_struct("CreateOAuthClient")
            .field("name", name)
            .field("provider", provider)
            .field("auth_scheme", auth_scheme)
            .field("client_id", client_id)
            .field("config", config)
            .field("scopes", scopes)
            .field("shared_callback", shared_callback)
            .finish_non_exhaustive()
    }
}

/// What changes about an OAuth client; what is left out stays.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateOAuthClient {
    /// What people are to call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its public id at the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Another secret; good at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(write_only)]
    pub client_secret: Option<String>,
    /// The scopes that are asked for; empty for those of the provider's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

impl fmt::Debug for UpdateOAuthClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, client_id, client_secret: _, scopes } = self;
        formatter
            .debug_struct("UpdateOAuthClient")
            .field("name", name)
            .field("client_id", client_id)
            .field("scopes", scopes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let secret = Some("MARKER".to_owned());
        let create = CreateOAuthClient { client_secret: secret.clone(), ..CreateOAuthClient::default() };
        let update = UpdateOAuthClient { client_secret: secret, ..UpdateOAuthClient::default() };
        assert!(!format!("{create:?} {update:?}").contains("MARKER"));
    }
}
