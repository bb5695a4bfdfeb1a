//! An account that a person links at the vendor, in a window that belongs to a connect session.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::ExposeSecret as _;
use serde_json::json;
use tombolo_catalog::AuthMode;

use super::session::SessionAccess;
use crate::oauth::{AuthorizationDraft, Beginning, hash};
use crate::platform::Platform;
use crate::problem::Problem;

/// What a browser asks for as it opens the window.
#[derive(Debug, Default)]
pub struct PopupRequest {
    /// Fields that are no credential.
    pub fields: BTreeMap<String, String>,
    /// The OAuth scopes to ask for; those of the session, the client or the provider's file when empty.
    pub scopes: Vec<String>,
    /// More parameters of the authorization request; an empty one takes a default away.
    pub authorization_parameters: BTreeMap<String, String>,
    /// The socket that waits for the outcome.
    pub socket: Option<String>,
}

/// Where the window goes.
pub enum Popup {
    /// Straight to the vendor: whoever made the session confirms whose account it is.
    Vendor(Beginning),
    /// To a page of ours that says whose account is linked for whom, because nobody confirms it afterwards. This is the
    /// last part of its address.
    Question(secrecy::SecretString),
}

impl Platform {
    /// Begins an authorization in a connect session.
    pub async fn begin_in_session(
        self: &Arc<Self>,
        holder: &SessionAccess,
        key: &str,
        request: PopupRequest,
        public_url: &str,
    ) -> Result<Popup, Problem> {
        holder.require(key)?;
        let chosen = self.chosen(&holder.linking, key).await?;
        let scheme = chosen.scheme(AuthMode::OAuth2)?;
        let again = self.connection_of_session(holder, &chosen).await?;
        let defaults = holder.defaults(key);
        let PopupRequest { mut fields, scopes, mut authorization_parameters, socket } = request;
        fields.extend(defaults.fields);
        authorization_parameters.extend(defaults.authorization_parameters);
        let belonging = holder.belonging();
        let name = match &again {
            Some(connection) => connection.name.clone(),
            None => self.name_for(&holder.linking, &chosen, &belonging).await?,
        };
        let draft = AuthorizationDraft {
            gate_fields: BTreeMap::new(),
            integration: key.to_owned(),
            name,
            connection_id: None,
            auth_scheme: Some(scheme.id.clone()),
            oauth_client: None,
            fields,
            settings: BTreeMap::new(),
            tags: holder.draft.tags.clone(),
            metadata: json!({}),
            scopes: if defaults.scopes.is_empty() { scopes } else { defaults.scopes },
            parameters: authorization_parameters,
            belonging,
            again: again.map(|connection| connection.id.to_string()),
            socket_hash: socket.as_deref().map(hash),
        };
        let started = self.start_authorization(&holder.linking, draft).await?;
        if started.is_confirmed_later {
            let secret = started.link_secret.expose_secret();
            return self.begin_authorization(secret, public_url).await.map(Popup::Vendor);
        }
        Ok(Popup::Question(started.link_secret))
    }
}
