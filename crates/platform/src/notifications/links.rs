//! The links of messages: what whoever opens one sees, and what the button does.

use std::sync::Arc;
use std::time::Duration;

use tombolo_catalog::{Language, Provider};
use tombolo_store::{
    Actor, ActorKind, AuthorizationStage, Change, Connection, Health, Integration, NewReconnectLink,
    NotificationChange, ReconnectLink,
};

use super::recipients::code_of;
use crate::access::{Access, Scope};
use crate::connections::gates_of;
use crate::oauth::{AuthorizationDraft, Beginning, LinkAbout, hash, secret_text};
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

/// How long a link of a message is good.
const LIFE: Duration = Duration::from_hours(7 * 24);

/// What a link of a message is about.
pub enum ReconnectAbout {
    /// The person agrees at the vendor.
    Browser(LinkAbout),
    /// The credentials have to be typed by whoever administers the connection.
    ByHand {
        /// What the connection is called.
        name: String,
        /// The provider.
        provider: Arc<Provider>,
        /// What types them.
        command: String,
    },
}

/// A link that is good, and what it mends.
struct Opened {
    link: ReconnectLink,
    connection: Connection,
    integration: Integration,
    provider: Arc<Provider>,
}

impl Platform {
    /// A link under which the account of a connection can be linked again, and what makes it. Of the link only the hash is
    /// kept. `None` while nobody knows how browsers reach the server.
    pub(super) fn new_reconnect_link(
        &self,
        connection: &Connection,
        language: Language,
    ) -> Result<Option<(String, Change)>, Problem> {
        let Some(public_url) = self.public_url.get() else { return Ok(None) };
        let secret = secret_text(&*self.random)?;
        let change = Change::Notification(NotificationChange::InsertLink(NewReconnectLink {
            environment_id: connection.environment_id.clone(),
            connection: connection.id.clone(),
            link_hash: hash(&secret),
            expires_at: self.now().plus(LIFE),
        }));
        let language = code_of(language);
        Ok(Some((format!("{public_url}/reconnect/{secret}?language={language}"), change)))
    }

    /// What a link of a message is about. Looking changes nothing: whatever looks through mail may look as well.
    pub async fn look_at_reconnect_link(&self, secret: &str) -> Result<ReconnectAbout, Problem> {
        let opened = self.open_reconnect_link(secret).await?;
        let (name, provider) = (opened.connection.name.clone(), Arc::clone(&opened.provider));
        if opened.is_for_browsers() {
            let end_user = opened.connection.end_user;
            return Ok(ReconnectAbout::Browser(LinkAbout {
                name,
                provider,
                end_user,
                is_confirmed_later: true,
            }));
        }
        let command = format!("tombolo connection update {}", opened.connection.id);
        Ok(ReconnectAbout::ByHand { name, provider, command })
    }

    /// A person goes on from a link of a message: the authorization is made now, and only this browser can finish it. It is
    /// confirmed in any case, because a message can be forwarded. Going on again begins anew until one came to an end.
    pub async fn begin_reconnecting(
        self: &Arc<Self>,
        secret: &str,
        public_url: &str,
    ) -> Result<Beginning, Problem> {
        let opened = self.open_reconnect_link(secret).await?;
        if !opened.is_for_browsers() {
            let what = "This account is not linked with a browser";
            let fix = "Ask whoever administers the connection to type its credentials again.";
            return Err(Problem::new(ProblemKind::Unusable, "typed_by_hand", what, fix));
        }
        let Opened { link, connection, integration, .. } = opened;
        let id = connection.id.to_string();
        let actor = Actor { kind: ActorKind::System, id: "reconnect_link".to_owned(), label: id.clone() };
        let scopes = [Scope::CreateConnection, Scope::UpdateConnection].map(|scope| scope.name().to_owned());
        let access = Access::new(link.environment_id, actor, scopes.into());
        let draft = AuthorizationDraft {
            from_message: true,
            ..AuthorizationDraft::again(connection, integration.unique_key)
        };
        let started = self.start_authorization(&access, draft).await?;
        let begin = Change::Notification(NotificationChange::BeginFromLink {
            link_hash: hash(secret),
            expected: link.authorization,
            authorization: started.authorization.id,
        });
        match self.commit(&[begin]).await {
            // Somebody pressed the button twice; the first one counts.
            Err(problem) if problem.code == "version_conflict" => Err(link_over()),
            outcome => outcome.map(drop),
        }?;
        let secret = secrecy::ExposeSecret::expose_secret(&started.link_secret);
        self.begin_authorization(secret, public_url).await
    }

    async fn open_reconnect_link(&self, secret: &str) -> Result<Opened, Problem> {
        let now = self.now();
        let link = self.store.reconnect_link(&hash(secret), now).await?.ok_or_else(link_over)?;
        let connection = self.store.connection(&link.environment_id, &link.connection).await?;
        let connection = connection.ok_or_else(link_over)?;
        if let Some(id) = &link.authorization
            && let Some(begun) = self.store.authorization(&link.environment_id, id).await?
        {
            match begun.stage {
                AuthorizationStage::Linked => return Err(link_over()),
                AuthorizationStage::Answered | AuthorizationStage::Unconfirmed if begun.expires_at > now => {
                    let what = "The account was linked from this link, and waits for its confirmation";
                    let fix = "Wait until whoever sent the message has confirmed it.";
                    return Err(Problem::new(ProblemKind::Conflict, "waits_for_confirmation", what, fix));
                }
                _ => {}
            }
        }
        if connection.health == Health::Active {
            let what = "The connection works: there is nothing to mend";
            return Err(Problem::new(ProblemKind::Conflict, "nothing_to_mend", what, "Close this page."));
        }
        let integration =
            self.store.integration_by_id(&link.environment_id, &connection.integration_id).await?;
        let integration = integration.ok_or_else(link_over)?;
        let provider = self.provider_of(&integration)?;
        Ok(Opened { link, connection, integration, provider })
    }
}

impl Opened {
    /// What opens a gate is typed anew with the account, and there is no form for it here.
    fn is_for_browsers(&self) -> bool {
        let scheme = self.provider.scheme(&self.connection.target.auth_scheme);
        scheme.is_some_and(tombolo_catalog::AuthScheme::needs_browser)
            && gates_of(&self.connection).is_empty()
    }
}

fn link_over() -> Problem {
    let what = "This link is not good any more: it was used, or it is too old";
    Problem::new(ProblemKind::NotFound, "link_over", what, "Ask for a new link.")
}
