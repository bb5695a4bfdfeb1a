//! An account that a person links at the vendor, in a window that belongs to a connect session.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;
use tombolo_auth::Typed;

use super::form::{named, refuse_settings};
use super::held::refuse_secrets;
use super::session::SessionAccess;
use crate::oauth::{AuthorizationDraft, hash};
use crate::platform::Platform;
use crate::preparation::split_settings;
use crate::problem::{Problem, ProblemKind};

/// Most windows of one session.
const WINDOWS_MAX: u64 = 50;

/// What a browser asks for as it opens the window.
#[derive(Debug, Default)]
pub struct PopupRequest {
    /// Fields that are no credential.
    pub fields: BTreeMap<String, String>,
    /// The OAuth scopes to ask for: some of those of the session, the client or the provider's file; all when empty.
    pub scopes: Vec<String>,
    /// More parameters of the authorization request; an empty one takes a default away.
    pub authorization_parameters: BTreeMap<String, String>,
    /// The socket that waits for the outcome.
    pub socket: Option<String>,
}

impl Platform {
    /// Begins an authorization in a connect session, and gives the last part of the address of the page that comes first.
    /// It says whom the account is linked for: the address of the window can be forwarded, and then it is somebody else who
    /// follows it, with an account of their own.
    pub async fn begin_in_session(
        self: &Arc<Self>,
        holder: &SessionAccess,
        key: &str,
        request: PopupRequest,
    ) -> Result<SecretString, Problem> {
        holder.require(key)?;
        let chosen = self.chosen_in(holder, key).await?;
        refuse_settings(&chosen.provider, &request.fields)?;
        let scheme = chosen.scheme_with_person()?;
        refuse_secrets(&chosen.provider, scheme, &request.fields)?;
        self.refuse_more_windows(holder).await?;
        let held = self.held(holder, key).await?;
        let again = self.connection_of_session(holder, &chosen).await?;
        let defaults = holder.defaults(key);
        let PopupRequest { mut fields, scopes, mut authorization_parameters, socket } = request;
        fields = named(&chosen.provider, scheme, fields);
        let (of_account, settings) =
            split_settings(&chosen.provider, named(&chosen.provider, scheme, defaults.fields.clone()));
        fields.extend(of_account);
        held.refuse_host_of_browser(&chosen.provider, scheme, &fields, &defaults.fields, again.as_ref())?;
        let mut gate_fields = Typed::new();
        held.add_to(&mut gate_fields);
        authorization_parameters.extend(defaults.authorization_parameters);
        let belonging = holder.belonging();
        let connection_id = again.as_ref().map(|connection| connection.connection_id.clone());
        let name = match &again {
            Some(connection) => connection.name.clone(),
            None => self.name_for(&holder.linking, &chosen, &belonging).await?,
        };
        let draft = AuthorizationDraft {
            gate_fields,
            integration: key.to_owned(),
            name,
            connection_id,
            auth_scheme: Some(scheme.id.clone()),
            oauth_client: None,
            fields,
            settings,
            tags: holder.draft.tags.clone(),
            metadata: json!({}),
            scopes: defaults.scopes,
            narrowed_to: scopes,
            parameters: authorization_parameters,
            belonging,
            return_url: holder.draft.return_url.clone(),
            again: again.map(|connection| connection.id.to_string()),
            socket_hash: socket.as_deref().map(hash),
            from_message: false,
        };
        Ok(self.start_authorization(&holder.linking, draft).await?.link_secret)
    }

    /// A person who tries again opens a window more; a session is not there to open any number of them.
    async fn refuse_more_windows(&self, holder: &SessionAccess) -> Result<(), Problem> {
        let session = &holder.session;
        let opened = self.store.authorizations_of_session(&session.environment_id, &session.id).await?;
        if opened < WINDOWS_MAX {
            return Ok(());
        }
        let what =
            format!("The connect session has opened {WINDOWS_MAX} windows, and nobody finished in one");
        let fix = "Have the back end make a new connect session, and begin again.";
        Err(Problem::new(ProblemKind::TooMany, "too_many_windows", what, fix))
    }
}
