//! An account that a person links at the vendor, in a window that belongs to a connect session.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tombolo_auth::Typed;
use tombolo_store::{Authorization, AuthorizationId, AuthorizationStage, ConnectSession};

use super::account::{TypedAccount, refuse_routing_settings};
use super::form::{named, refuse_settings};
use super::held::refuse_secrets;
use super::session::SessionAccess;
use crate::connections::texts;
use crate::oauth::{AuthorizationDraft, hash};
use crate::platform::Platform;
use crate::preparation::split_settings;
use crate::problem::{Problem, ProblemKind};

/// Most windows of one session.
const WINDOWS_MAX: u64 = 50;

/// What a browser asks for as it opens the window.
#[derive(Default)]
pub struct PopupRequest {
    /// The id of the auth scheme; the first for which a person agrees at the vendor when absent.
    pub auth_scheme: Option<String>,
    /// What the connection is to be called; made up when absent.
    pub name: Option<String>,
    /// What opens the gates in front of the API, beside what was handed over.
    pub gate_fields: Typed,
    /// Settings that do not decide where requests go.
    pub settings: BTreeMap<String, String>,
    /// Fields that are no credential.
    pub fields: BTreeMap<String, String>,
    /// The OAuth scopes to ask for: some of those of the session, the client or the provider's file; all when empty.
    pub scopes: Vec<String>,
    /// More parameters of the authorization request; an empty one takes a default away.
    pub authorization_parameters: BTreeMap<String, String>,
    /// The socket that waits for the outcome.
    pub socket: Option<String>,
    /// The id of the OAuth client that was chosen; `None` for the one that is used by itself.
    pub oauth_client: Option<String>,
}

/// A window that may be opened now.
pub struct BegunWindow {
    /// The authorization that it is about.
    pub authorization: AuthorizationId,
    /// The last part of the address of the page that comes first.
    pub link_secret: SecretString,
}

/// How a window of a session does.
#[derive(Debug, PartialEq, Eq)]
pub enum WindowState {
    /// Nobody has come back from the vendor yet.
    Open,
    /// The person has agreed, and the embedder has to confirm that it was the right one.
    Waiting {
        /// Names the connection in the API, should it come about.
        connection_id: String,
    },
    /// The account is linked.
    Linked {
        /// Names the connection in the API.
        connection_id: String,
        /// What people call it.
        name: String,
    },
    /// It has come to nothing.
    Failed {
        /// Which kind of failure.
        code: String,
        /// What happened.
        what: String,
        /// What to do.
        fix: String,
    },
}

impl Platform {
    /// Begins an authorization in a connect session, and gives the address of the page that comes first.
    /// It says whom the account is linked for: the address of the window can be forwarded, and then it is somebody else who
    /// follows it, with an account of their own.
    pub async fn begin_in_session(
        self: &Arc<Self>,
        holder: &SessionAccess,
        key: &str,
        request: PopupRequest,
    ) -> Result<BegunWindow, Problem> {
        holder.require(key)?;
        let chosen = self.chosen_in(holder, key).await?;
        refuse_settings(&chosen.provider, &request.fields)?;
        refuse_routing_settings(&chosen.provider, &request.settings)?;
        let scheme = match request.auth_scheme.as_deref() {
            Some(id) => chosen.scheme_called(Some(id))?,
            None => chosen.scheme_with_person()?,
        };
        refuse_secrets(&chosen.provider, scheme, &request.fields)?;
        self.refuse_more_windows(holder).await?;
        let held = self.held(holder, key).await?;
        let again = self.connection_of_session(holder, &chosen).await?;
        let defaults = holder.defaults(key);
        let PopupRequest {
            mut fields,
            scopes,
            mut authorization_parameters,
            socket,
            mut gate_fields,
            oauth_client,
            ..
        } = request;
        fields = named(&chosen.provider, scheme, fields);
        let (of_account, filled_settings) =
            split_settings(&chosen.provider, named(&chosen.provider, scheme, defaults.fields.clone()));
        fields.extend(of_account);
        let mut settings = request.settings;
        settings.extend(filled_settings);
        let client = match &oauth_client {
            Some(id) => Some(self.client_chosen(holder, &chosen, scheme, id).await?),
            None => None,
        };
        // The account is where the client is registered, so whoever chose the client has chosen that.
        for (name, value) in client.as_ref().map(|client| texts(&client.config)).into_iter().flatten() {
            fields.entry(name).or_insert(value);
        }
        held.refuse_host_of_browser(&chosen.provider, scheme, &fields, &defaults.fields, again.as_ref())?;
        held.add_to(&mut gate_fields);
        authorization_parameters.extend(defaults.authorization_parameters);
        let belonging = holder.belonging();
        let connection_id = again.as_ref().map(|connection| connection.connection_id.clone());
        let name = match &again {
            Some(connection) => connection.name.clone(),
            None => self.chosen_name(holder, &chosen, request.name).await?,
        };
        let draft = AuthorizationDraft {
            gate_fields,
            integration: key.to_owned(),
            name,
            connection_id,
            auth_scheme: Some(scheme.id.clone()),
            oauth_client: client.map(|client| client.id.to_string()),
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
            by_user: None,
        };
        let started = self.start_authorization(&holder.linking, draft).await?;
        Ok(BegunWindow { authorization: started.authorization.id, link_secret: started.link_secret })
    }

    /// Begins an authorization with what somebody typed on a page of ours.
    pub async fn begin_account(
        self: &Arc<Self>,
        holder: &SessionAccess,
        key: &str,
        typed: TypedAccount,
    ) -> Result<BegunWindow, Problem> {
        holder.require(key)?;
        let chosen = self.chosen_in(holder, key).await?;
        let scheme = chosen.scheme_called(typed.auth_scheme.as_deref())?;
        let TypedAccount { name, mut fields, settings, other_account, oauth_client, .. } = typed;
        if let Some(id) = &oauth_client {
            let client = self.client_chosen(holder, &chosen, scheme, id).await?;
            for (name, value) in texts(&client.config) {
                fields.entry(name).or_insert_with(|| value.into());
            }
        }
        let again = self.connection_of_session(holder, &chosen).await?;
        if let Some(before) = again.filter(|_| !other_account) {
            self.require_same_account(&before, &chosen.provider, scheme, &fields).await?;
        }
        let of_gate = |name: &str| chosen.provider.gates.iter().any(|gate| gate.fields.get(name).is_some());
        let (gate_fields, fields): (Typed, Typed) = fields.into_iter().partition(|(name, _)| of_gate(name));
        let exposed = |(name, value): (String, SecretString)| (name, value.expose_secret().to_owned());
        let request = PopupRequest {
            auth_scheme: Some(scheme.id.clone()),
            name,
            gate_fields,
            settings,
            fields: fields.into_iter().map(exposed).collect(),
            oauth_client,
            ..PopupRequest::default()
        };
        self.begin_in_session(holder, key, request).await
    }

    /// How a window does that was opened in a session, for whoever holds the session's token. The token tells that also
    /// when the session has ended: it ends as the account is linked.
    pub async fn window_state(&self, token: &str, authorization: &str) -> Result<WindowState, Problem> {
        let found = self.store.connect_session_of_token(&hash(token)).await?;
        let session = found.ok_or_else(unknown_window)?;
        let id = authorization.parse::<AuthorizationId>().map_err(|_| unknown_window())?;
        let authorization = self.store.authorization(&session.environment_id, &id).await?;
        let authorization = authorization
            .filter(|known| known.connect_session.as_ref() == Some(&session.id))
            .ok_or_else(unknown_window)?;
        let is_over = authorization.expires_at <= self.now();
        Ok(match authorization.stage {
            AuthorizationStage::Linked => self.linked_by(&authorization).await?,
            AuthorizationStage::Failed => {
                let said = |name: &str| authorization.outcome[name].as_str().unwrap_or_default().to_owned();
                WindowState::Failed { code: said("code"), what: said("what"), fix: said("fix") }
            }
            // The person has gone on in another window, or on another device.
            _ if self.has_ended(&session, token).await? => self.linked_elsewhere(&session).await?,
            _ if is_over => WindowState::Failed {
                code: "window_over".to_owned(),
                what: "Too much time has passed since the window was opened".to_owned(),
                fix: "Open the window again.".to_owned(),
            },
            AuthorizationStage::Unconfirmed => {
                let known = authorization.draft["connection_id"].as_str().map(str::to_owned);
                let connection_id = known.unwrap_or_else(|| authorization.connection.to_string());
                WindowState::Waiting { connection_id }
            }
            AuthorizationStage::Waiting | AuthorizationStage::Started | AuthorizationStage::Answered => {
                WindowState::Open
            }
        })
    }

    async fn linked_by(&self, authorization: &Authorization) -> Result<WindowState, Problem> {
        let linked = self.store.connection(&authorization.environment_id, &authorization.connection).await?;
        let linked = linked.ok_or_else(unknown_window)?;
        Ok(WindowState::Linked { connection_id: linked.connection_id, name: linked.name })
    }

    /// What an ended session has come to: an account that was linked in another window, or with a secret that was typed.
    async fn linked_elsewhere(&self, session: &ConnectSession) -> Result<WindowState, Problem> {
        let other = self.store.linked_authorization_of_session(&session.environment_id, &session.id).await?;
        match other {
            Some(other) => self.linked_by(&other).await,
            None => Ok(WindowState::Failed {
                code: "session_over".to_owned(),
                what: "The session has ended: an account was linked with it elsewhere".to_owned(),
                fix: "Go back to where you came from.".to_owned(),
            }),
        }
    }

    /// Whether a session has linked its account. What it began in time goes on after its own time is over.
    async fn has_ended(&self, session: &ConnectSession, token: &str) -> Result<bool, Problem> {
        let good = self.store.connect_session_by_token(&hash(token), session.created_at).await?;
        Ok(good.is_none())
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

fn unknown_window() -> Problem {
    Problem::not_found("unknown_authorization", "The session has opened no such window")
}
