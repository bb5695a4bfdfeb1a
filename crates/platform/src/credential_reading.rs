//! Access tokens, read back by whoever was given just that right.

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;
use tombolo_catalog::{AuthMode, OAuth2};
use tombolo_store::{Connection, Integration, Timestamp};

use crate::access::{Access, Scope};
use crate::connections::{object_of, place_of};
use crate::platform::{Platform, events};
use crate::problem::Problem;

/// What of a connection's credentials can be read back: a token that ends by itself, and nothing else.
pub struct ReadCredentials {
    /// The kind of credential.
    pub mode: AuthMode,
    /// The access token, if the connection has one.
    pub access_token: Option<SecretString>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

impl Platform {
    /// A connection with its access token, renewed if it has ended or if `renew` says so. Keys, passwords, refresh tokens
    /// and the secrets of clients are never read back. The audit trail keeps who has read.
    pub async fn read_credentials(
        self: &Arc<Self>,
        access: &Access,
        integration: Option<&str>,
        reference: &str,
        renew: bool,
    ) -> Result<(Connection, Integration, ReadCredentials), Problem> {
        access.require(Scope::ReadConnection)?;
        access.require(Scope::ReadCredentials)?;
        let (connection, integration) =
            self.find_connection(&access.environment, integration, reference).await?;
        let provider = self.provider_of(&integration)?;
        let scheme = provider.scheme(&connection.target.auth_scheme);
        let mode = scheme.map_or(AuthMode::ApiKey, tombolo_catalog::AuthScheme::auth_mode);
        if scheme.is_none_or(|scheme| scheme.oauth2().is_none()) {
            let read = ReadCredentials { mode, access_token: None, expires_at: None };
            return Ok((connection, integration, read));
        }
        if renew {
            self.renew(&connection.environment_id, &connection.id, connection.sealed_version).await?;
        }
        let connection = self.stored(access, &connection.id).await?;
        let connection = self.with_fresh_tokens(connection).await?;
        let access_token = match connection.sealed.clone() {
            None => None,
            Some(sealed) => {
                let opened = self.safe.stored(&self.store, place_of(&connection), sealed).await?.open()?;
                opened.value(OAuth2::ACCESS_TOKEN).map(SecretString::from)
            }
        };
        let detail = json!({ "auth_scheme": connection.target.auth_scheme, "renewed": renew });
        self.commit(&events(access, "connection.credentials_read", object_of(&connection), detail, false))
            .await?;
        let read = ReadCredentials { mode, access_token, expires_at: connection.life.expires_at };
        Ok((connection, integration, read))
    }
}
