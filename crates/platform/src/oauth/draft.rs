//! What somebody gives to have an account linked by a person, and what is kept of it while that person is on the way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tombolo_auth::Typed;
use tombolo_catalog::{GateKind, Provider};
use tombolo_store::{Connection, EndUser, UserId};

use crate::connections::{Belonging, texts};
use crate::environments::EnvironmentSettings;
use crate::preparation::split_settings;
use crate::problem::Problem;

/// What somebody gave to have an account linked by a person.
pub struct AuthorizationDraft {
    /// The integration's key, or the provider's id.
    pub integration: String,
    /// What people will call the connection.
    pub name: String,
    /// Names it in the API; its id when absent.
    pub connection_id: Option<String>,
    /// The auth scheme; the provider's first one that needs a browser when absent.
    pub auth_scheme: Option<String>,
    /// The OAuth client, by id or name; the only one that fits when absent.
    pub oauth_client: Option<String>,
    /// Fields of the configuration, none of them secret.
    pub fields: BTreeMap<String, String>,
    /// Fields of gates, such as a client certificate.
    pub gate_fields: Typed,
    /// Extra settings.
    pub settings: BTreeMap<String, String>,
    /// For finding it.
    pub tags: BTreeMap<String, String>,
    /// The embedder's own data.
    pub metadata: Json,
    /// The scopes to ask for; those of the client or of the provider's file when empty.
    pub scopes: Vec<String>,
    /// What a browser would do with: some of those scopes; all when empty.
    pub narrowed_to: Vec<String>,
    /// More parameters of the authorization request; an empty one takes a default away.
    pub parameters: BTreeMap<String, String>,
    /// Whom the connection belongs to.
    pub belonging: Belonging,
    /// Where the browser that finishes goes on to; `None` leaves it on our page.
    pub return_url: Option<String>,
    /// The id of the connection that is linked again; `None` for a new one.
    pub again: Option<String>,
    /// The hash of the socket that waits for the outcome.
    pub socket_hash: Option<Vec<u8>>,
    /// Whether it was begun from the link of a message: then it is confirmed whatever the environment decided, and the
    /// environment's recipients are told that somebody has to.
    pub from_message: bool,
    /// The person who is signed in to the dashboard and links an account there; then `return_url` is the dashboard's own page.
    pub by_user: Option<UserId>,
}

impl AuthorizationDraft {
    /// The account of a connection that is linked again as it is: nothing is typed.
    pub(crate) fn again(connection: Connection, integration: String) -> Self {
        Self {
            integration,
            again: Some(connection.id.to_string()),
            name: connection.name,
            connection_id: Some(connection.connection_id),
            auth_scheme: Some(connection.target.auth_scheme),
            oauth_client: None,
            fields: BTreeMap::new(),
            gate_fields: BTreeMap::new(),
            settings: BTreeMap::new(),
            tags: connection.tags,
            metadata: json!({}),
            scopes: Vec::new(),
            narrowed_to: Vec::new(),
            parameters: BTreeMap::new(),
            belonging: Belonging {
                end_user: connection.end_user,
                webhook_url: connection.webhook_url,
                session: None,
            },
            return_url: None,
            socket_hash: None,
            from_message: false,
            by_user: None,
        }
    }

    /// What is no secret of a connection stays as it is, unless it is typed again.
    pub(super) fn over(mut self, connection: &Connection, provider: &Provider) -> Self {
        let (mut fields, mut settings) = split_settings(provider, texts(&connection.target.config));
        settings.extend(texts(&connection.settings));
        fields.extend(self.fields);
        settings.extend(self.settings);
        (self.fields, self.settings) = (fields, settings);
        self
    }

    /// Refuses an address that a browser may not go on to, and an account that nobody could confirm. An account of somebody
    /// who is signed in here comes back to a page of ours, which they confirm it on.
    pub(super) fn require_way_back(
        &self,
        environment: &EnvironmentSettings,
        again: Option<&Connection>,
    ) -> Result<(), Problem> {
        if self.by_user.is_some() {
            return Ok(());
        }
        let of_session = self.belonging.session.is_some();
        if let Some(url) = &self.return_url {
            environment.require_return_url(url, !of_session)?;
        }
        if !environment.confirm_authorizations {
            return Ok(());
        }
        let is_known = self.belonging.end_user.is_some()
            || self.tags.contains_key("end_user_id")
            || again.is_some_and(|connection| connection.end_user.is_some());
        environment.require_confirmable(self.return_url.as_deref(), of_session, is_known)
    }
}

/// A draft as it waits for the person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WaitingDraft {
    pub(super) integration: String,
    pub(super) name: String,
    pub(super) connection_id: Option<String>,
    pub(super) auth_scheme: String,
    pub(super) config: BTreeMap<String, String>,
    /// The gates that the connection comes through; what opens them is sealed.
    #[serde(default)]
    pub(super) gates: Vec<GateKind>,
    /// When the client certificate ends, in milliseconds since 1970.
    #[serde(default)]
    pub(super) certificate_expires_at: Option<i64>,
    /// The settings that do not decide where requests go.
    pub(super) settings: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) metadata: Json,
    pub(super) scopes: Vec<String>,
    #[serde(default)]
    pub(super) parameters: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) end_user: Option<EndUser>,
    #[serde(default)]
    pub(super) webhook_url: Option<String>,
    #[serde(default)]
    pub(super) return_url: Option<String>,
    /// Whether somebody confirms whose account it is before the connection is made.
    #[serde(default = "yes")]
    pub(super) is_confirmed: bool,
    /// Whether it was begun from the link of a message.
    #[serde(default)]
    pub(super) from_message: bool,
    /// The person who is signed in to the dashboard and links an account there: nobody else confirms it.
    #[serde(default)]
    pub(super) by_user: Option<String>,
}

impl WaitingDraft {
    /// Where the browser goes on to, unless a program waits there.
    pub(super) fn page(&self, environment: &EnvironmentSettings) -> Option<&str> {
        self.return_url.as_deref().filter(|url| self.by_user.is_some() || !environment.is_for_program(url))
    }

    /// Whether the browser goes on to a program that waits on its machine.
    pub(super) fn is_for_program(&self, environment: &EnvironmentSettings) -> bool {
        self.return_url.is_some() && self.page(environment).is_none()
    }
}

const fn yes() -> bool {
    true
}
