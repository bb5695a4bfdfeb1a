//! A connect session from its making to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tombolo_store::{
    Actor, ActorKind, Change, ClientOwner, ConnectSession, ConnectSessionId, Connection, ConnectionUpdate,
    EndUser, Integration, NewConnectSession, Object, StoreError, Timestamp,
};

use super::check::tags_of;
use super::clients::{OAuthClientRight, owner_of};
use super::look::ConnectUi;
use crate::access::{Access, Scope};
use crate::connections::{Belonging, object_of};
use crate::oauth::{hash, secret_text};
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind, field};

/// How long a session is good.
const LIFE: Duration = Duration::from_mins(30);
/// How every token begins.
const PREFIX: &str = "tombolo_connect_session_";

/// What an embedder says about an account that is to be linked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectSessionDraft {
    /// The person whose account it is.
    pub end_user: Option<EndUser>,
    /// For finding the connection.
    pub tags: BTreeMap<String, String>,
    /// The keys of the integrations to choose from; all when empty.
    pub allowed_integrations: Vec<String>,
    /// What is filled in beforehand, by key of the integration.
    pub defaults: BTreeMap<String, IntegrationDefaults>,
    /// Where to read more, by key of the integration.
    pub guides: BTreeMap<String, String>,
    /// Where webhook events about the connection go instead of the environment's receivers.
    pub webhook_url: Option<String>,
    /// Where a browser that has linked an account in a window goes on to: one of the environment's.
    pub return_url: Option<String>,
    /// What the browser may do with OAuth clients.
    pub oauth_clients: OAuthClientRight,
}

/// What is filled in beforehand. The browser cannot change it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IntegrationDefaults {
    /// Fields and settings by name.
    pub fields: BTreeMap<String, String>,
    /// The OAuth scopes to ask for.
    pub scopes: Vec<String>,
    /// More parameters of the authorization request.
    pub authorization_parameters: BTreeMap<String, String>,
}

/// A session, and the token that is shown once.
pub struct CreatedConnectSession {
    /// Names it; not secret.
    pub id: ConnectSessionId,
    /// What the browser shows.
    pub token: SecretString,
    /// When it is no longer good.
    pub expires_at: Timestamp,
}

/// Which connection is linked again, and what changes about it at once.
#[derive(Debug, Clone, Default)]
pub struct Reconnected {
    /// The connection, by id or name.
    pub connection: String,
    /// The key of its integration.
    pub integration: String,
}

/// A browser that showed the token of a session.
#[derive(Clone)]
pub struct SessionAccess {
    /// The session.
    pub session: ConnectSession,
    /// What the embedder said.
    pub draft: ConnectSessionDraft,
    /// The right to list integrations, which is all that the token gives by itself.
    pub access: Access,
    /// The right to link, for the routes that do it.
    pub(super) linking: Access,
    /// The right to make and change OAuth clients of one's own, when the session gives it.
    pub(super) managing: Option<Access>,
    /// Whose those clients are.
    pub(super) owner: Option<ClientOwner>,
    /// What the redirect URIs of clients that are made in the session come from: known to whoever holds the token.
    pub(super) callback_seed: Vec<u8>,
}

impl Platform {
    /// Makes a session for a new connection.
    pub async fn create_connect_session(
        &self,
        access: &Access,
        mut draft: ConnectSessionDraft,
    ) -> Result<CreatedConnectSession, Problem> {
        access.require(Scope::CreateConnectSession)?;
        draft.tags = tags_of(&draft.tags, draft.end_user.as_ref())?;
        draft.oauth_clients.require_of(access, draft.end_user.as_ref())?;
        self.check_session(access, &draft).await?;
        self.insert_session(access, draft, None, Vec::new()).await
    }

    /// Makes a session in which an account of a connection is linked again. What the embedder says about the person, the
    /// tags and the receiver of webhook events takes effect at once.
    pub async fn create_reconnect_session(
        &self,
        access: &Access,
        of: &Reconnected,
        mut draft: ConnectSessionDraft,
    ) -> Result<CreatedConnectSession, Problem> {
        access.require(Scope::CreateConnectSession)?;
        let found = self.find_connection(&access.environment, Some(&of.integration), &of.connection).await;
        let (connection, integration) = found.map_err(|problem| match problem.kind {
            ProblemKind::NotFound => {
                let en = "There is no such connection of this integration.";
                Problem::fields(vec![field("connection_id", "custom", en, "この連携の接続がありません。")])
            }
            _ => problem,
        })?;
        draft.allowed_integrations = vec![integration.unique_key.clone()];
        let given = tags_of(&draft.tags, draft.end_user.as_ref())?;
        draft.tags = connection.tags.clone().into_iter().chain(given).collect();
        let user = draft.end_user.as_ref().or(connection.end_user.as_ref());
        draft.oauth_clients.require_of(access, user)?;
        self.check_session(access, &draft).await?;
        let changes = changes_at_once(access, &connection, &draft);
        // The pages name the person, so that nobody else goes on by mistake.
        draft.end_user = draft.end_user.or_else(|| connection.end_user.clone());
        self.insert_session(access, draft, Some(&connection), changes).await
    }

    async fn insert_session(
        &self,
        access: &Access,
        mut draft: ConnectSessionDraft,
        connection: Option<&Connection>,
        mut changes: Vec<Change>,
    ) -> Result<CreatedConnectSession, Problem> {
        let now = self.now();
        let id = ConnectSessionId::generate(now, &*self.random).map_err(StoreError::from)?;
        let sealed = self.seal_defaults(access, &id, &mut draft).await?;
        let token = format!("{PREFIX}{}", secret_text(&*self.random)?);
        let expires_at = now.plus(LIFE);
        changes.push(Change::InsertConnectSession(NewConnectSession {
            id: id.clone(),
            environment_id: access.environment.clone(),
            token_hash: hash(&token),
            draft: json!(draft),
            connection: connection.map(|connection| connection.id.clone()),
            sealed,
            expires_at,
        }));
        let object = Object { kind: "connect_session".into(), id: id.to_string(), label: label_of(&draft) };
        let detail = json!({
            "allowed_integrations": draft.allowed_integrations,
            "connection": connection.map(|connection| connection.id.as_str()),
            "end_user": draft.end_user.as_ref().map(|user| &user.id),
            "oauth_clients": draft.oauth_clients,
        });
        changes.extend(events(access, "connect_session.created", object, detail, false));
        self.commit(&changes).await?;
        Ok(CreatedConnectSession { id, token: token.into(), expires_at })
    }

    /// Whether every integration that the embedder names is there, and the receiver is an address.
    async fn check_session(&self, access: &Access, draft: &ConnectSessionDraft) -> Result<(), Problem> {
        let mut faults = Vec::new();
        let named = draft
            .allowed_integrations
            .iter()
            .enumerate()
            .map(|(position, key)| (format!("allowed_integrations.{position}"), key))
            .chain(draft.defaults.keys().map(|key| (format!("integrations_config_defaults.{key}"), key)))
            .chain(draft.guides.keys().map(|key| (format!("overrides.{key}"), key)));
        for (place, key) in named {
            let known = self.catalog.get(key).is_some()
                || self.store.integration(&access.environment, key).await?.is_some();
            if !known {
                faults.push(field(&place, "custom", "Integration does not exist", "連携がありません。"));
            }
        }
        if let Some(url) = &draft.webhook_url
            && self.check_webhook_url(url).is_err()
        {
            let en = "It is the https address of a server on the public network.";
            faults.push(field(
                "webhook_url_override",
                "format",
                en,
                "公開されたhttpsのURLを入力してください。",
            ));
        }
        if let Some(url) = &draft.return_url {
            let settings = self.environment_settings(&access.environment).await?;
            if settings.require_return_url(url, false).is_err() {
                let en = "It is, letter for letter, one of `return_urls` of the environment.";
                let ja = "環境の「return_urls」のいずれかと完全に一致するURLを指定してください。";
                faults.push(field("return_url", "custom", en, ja));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Problem::fields(faults)) }
    }

    /// Whether webhook events can be delivered to an address, as far as the address itself tells.
    pub(crate) fn check_webhook_url(&self, url: &str) -> Result<(), Problem> {
        self.egress.parse_url(url).map(drop).map_err(|refusal| {
            Problem::invalid(
                "address_refused",
                refusal.to_string(),
                "Give the https address of the receiver.",
            )
        })
    }

    /// The browser that shows a token, as long as its session is good.
    pub async fn session_access(self: &Arc<Self>, token: &str) -> Result<SessionAccess, Problem> {
        if !is_well_formed(token) {
            let what = "The token is not one of a connect session";
            return Err(refused("invalid_connect_session_token_format", what));
        }
        let found = self.store.connect_session_by_token(&hash(token), self.now()).await?;
        let session = found.ok_or_else(|| {
            refused("unknown_connect_session_token", "The connect session has ended, or there never was one")
        })?;
        let draft: ConnectSessionDraft = serde_json::from_value(session.draft.clone()).unwrap_or_default();
        let actor =
            Actor { kind: ActorKind::ConnectSession, id: session.id.to_string(), label: label_of(&draft) };
        let with = |scopes: &[Scope]| {
            let scopes = scopes.iter().map(|scope| scope.name().to_owned()).collect();
            Access::new(session.environment_id.clone(), actor.clone(), scopes)
        };
        let access = with(&[Scope::ListIntegrations]);
        let linking = with(&[Scope::CreateConnection, Scope::UpdateConnection]);
        let manages = draft.oauth_clients == OAuthClientRight::Manage;
        let managing = manages.then(|| with(&[Scope::CreateIntegration, Scope::UpdateIntegration]));
        let owner = self.owner_of_session(&session, &draft).await?;
        let callback_seed = hash(&format!("redirect URIs of {token}"));
        Ok(SessionAccess { session, draft, access, linking, managing, owner, callback_seed })
    }

    /// Whose OAuth clients those are that are made in a session. The person of a connection that is linked again is the one
    /// whom the connection belongs to, unless the embedder has said otherwise.
    async fn owner_of_session(
        &self,
        session: &ConnectSession,
        draft: &ConnectSessionDraft,
    ) -> Result<Option<ClientOwner>, Problem> {
        if draft.oauth_clients == OAuthClientRight::None || draft.end_user.is_some() {
            return Ok(owner_of(draft.end_user.as_ref()));
        }
        let Some(id) = &session.connection else { return Ok(None) };
        let connection = self.store.connection(&session.environment_id, id).await?;
        Ok(connection.and_then(|connection| owner_of(connection.end_user.as_ref())))
    }

    /// How the pages look that belong to a session.
    pub async fn look_of_session(&self, holder: &SessionAccess) -> Result<ConnectUi, Problem> {
        Ok(self.environment_settings(&holder.session.environment_id).await?.connect_ui)
    }

    /// Ends a session before its time.
    pub async fn end_connect_session(&self, holder: &SessionAccess) -> Result<(), Problem> {
        let session = &holder.session;
        let end = Change::EndConnectSession(session.environment_id.clone(), session.id.clone());
        self.commit(&[end]).await.map(drop)
    }

    /// The integrations that a session may link, with those of the catalog that nobody has used yet left out.
    pub async fn integrations_of_session(&self, holder: &SessionAccess) -> Result<Vec<Integration>, Problem> {
        let mut all = self.list_integrations(&holder.access).await?;
        all.retain(|integration| holder.allows(&integration.unique_key));
        Ok(all)
    }
}

impl SessionAccess {
    /// Whether the session may link an account through the integration with this key.
    pub fn allows(&self, key: &str) -> bool {
        let allowed = &self.draft.allowed_integrations;
        allowed.is_empty() || allowed.iter().any(|known| known == key)
    }

    /// Whether the embedder named this key.
    pub(super) fn names(&self, key: &str) -> bool {
        self.draft.allowed_integrations.iter().any(|known| known == key)
    }

    pub(super) fn require(&self, key: &str) -> Result<(), Problem> {
        if self.allows(key) {
            return Ok(());
        }
        let what = "The connect session is not for this integration";
        let fix = "Make a session that allows it.";
        Err(Problem::invalid("integration_not_allowed", what, fix))
    }

    pub(super) fn belonging(&self) -> Belonging {
        Belonging {
            end_user: self.draft.end_user.clone(),
            webhook_url: self.draft.webhook_url.clone(),
            session: Some(self.session.id.clone()),
        }
    }

    pub(super) fn defaults(&self, key: &str) -> IntegrationDefaults {
        self.draft.defaults.get(key).cloned().unwrap_or_default()
    }
}

fn changes_at_once(access: &Access, connection: &Connection, draft: &ConnectSessionDraft) -> Vec<Change> {
    let mut update =
        ConnectionUpdate::new(access.environment.clone(), connection.id.clone(), connection.version);
    update.tags = (draft.tags != connection.tags).then(|| draft.tags.clone());
    update.end_user = draft.end_user.clone().filter(|user| Some(user) != connection.end_user.as_ref());
    update.webhook_url =
        draft.webhook_url.clone().filter(|url| Some(url) != connection.webhook_url.as_ref()).map(Some);
    let detail = json!({
        "tags": update.tags.is_some(), "end_user": update.end_user.is_some(),
        "webhook_url": update.webhook_url.is_some(),
    });
    if update.tags.is_none() && update.end_user.is_none() && update.webhook_url.is_none() {
        return Vec::new();
    }
    let mut changes = vec![Change::UpdateConnection(update)];
    changes.extend(events(access, "connection.updated", object_of(connection), detail, true));
    changes
}

fn label_of(draft: &ConnectSessionDraft) -> String {
    let user = draft.end_user.as_ref();
    let best = user.map(|user| user.display_name.as_ref().or(user.email.as_ref()).unwrap_or(&user.id));
    best.cloned().unwrap_or_else(|| "connect session".to_owned())
}

fn is_well_formed(token: &str) -> bool {
    let secret = token.strip_prefix(PREFIX).unwrap_or_default();
    secret.len() == 43
        && secret.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_'))
}

fn refused(code: &'static str, what: &str) -> Problem {
    let fix = "Have the back end make a new connect session, and begin again.";
    Problem::new(ProblemKind::Unauthenticated, code, what, fix)
}
