//! The end of an authorization: somebody says whose account it is, and the connection is made or mended.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tombolo_catalog::Provider;
use tombolo_store::{
    Actor, ActorKind, Authorization, AuthorizationId, AuthorizationStage, AuthorizationStep, Change,
    Connection, ConnectionId, ConnectionUpdate, Health, IntegrationId, NewConnection, OAuthClient, Object,
    Target, Timestamp, TokenLife,
};
use tombolo_vault::Sealed;

use super::authorization::WaitingDraft;
use crate::access::{Access, Scope};
use crate::connect::SocketNews;
use crate::connections::{CreatedConnection, object_of};
use crate::credentials::{Place, Purpose};
use crate::health::{News, noted};
use crate::integrations::IntegrationDraft;
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind};

/// What is kept between the vendor's answer and the confirmation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Confirmable {
    pub(super) expires_at: Option<i64>,
    pub(super) renew_at: Option<i64>,
    #[serde(default)]
    pub(super) ends_at: Option<i64>,
    pub(super) tested_at: i64,
    pub(super) health_detail: Json,
    pub(super) config: BTreeMap<String, String>,
}

/// An authorization that is to become a connection, with everything that belongs to it.
struct Linkable<'a> {
    authorization: &'a Authorization,
    client: OAuthClient,
    provider: Arc<Provider>,
    draft: WaitingDraft,
    kept: Confirmable,
}

impl Platform {
    /// Makes the connection of an authorization, once: whoever made the link says that the account is of the person whom
    /// the link was for. `reference` is the id of the authorization or of the connection. An authorization for an end user
    /// asks for that user's id, as the embedder's back end knows it of whoever is signed in there: if the two differ,
    /// somebody has followed another one's link.
    pub async fn confirm_authorization(
        self: &Arc<Self>,
        access: &Access,
        reference: &str,
        end_user: Option<&str>,
    ) -> Result<CreatedConnection, Problem> {
        access.require_any(&[Scope::CreateConnection, Scope::CreateConnectSession])?;
        let authorization = self.to_confirm(access, reference).await?;
        let (_, _, draft) = self.parts_of(&authorization).await?;
        if let Some(expected) = self.expected_user(&authorization, &draft).await? {
            let given = end_user.ok_or_else(|| {
                let what =
                    "The account was linked for an end user, and nobody said for which one it is confirmed";
                Problem::invalid(
                    "end_user_needed",
                    what,
                    "Send `end_user_id` with your own id of the person.",
                )
            })?;
            if given != expected {
                let what = "The account was linked for another end user";
                let fix = "Refuse it: somebody has followed a link that was made for another person.";
                return Err(Problem::new(ProblemKind::Forbidden, "other_end_user", what, fix));
            }
        }
        self.link_authorization(access, &authorization).await?;
        let id = authorization.connection.as_str();
        let (connection, integration) = self.find_connection(&access.environment, None, id).await?;
        Ok(CreatedConnection { connection, integration, report: None })
    }

    /// The embedder's id of the person whom an authorization is for, wherever it was said.
    async fn expected_user(
        &self,
        authorization: &Authorization,
        draft: &WaitingDraft,
    ) -> Result<Option<String>, Problem> {
        let said = draft.end_user.as_ref().map(|user| user.id.clone());
        if let Some(said) = said.or_else(|| draft.tags.get("end_user_id").cloned()) {
            return Ok(Some(said));
        }
        if authorization.links_again.is_none() {
            return Ok(None);
        }
        let known = self.store.connection(&authorization.environment_id, &authorization.connection).await?;
        Ok(known.and_then(|connection| connection.end_user).map(|user| user.id))
    }

    /// Refuses what an authorization yielded: its tokens are forgotten, and there is no connection.
    pub async fn reject_authorization(&self, access: &Access, reference: &str) -> Result<(), Problem> {
        access.require_any(&[Scope::CreateConnection, Scope::CreateConnectSession])?;
        let authorization = self.to_confirm(access, reference).await?;
        let mut changes = vec![step(
            &authorization,
            AuthorizationStage::Failed,
            json!({
                "code": "rejected",
                "what": "The account was refused by whoever made the link",
                "fix": "Begin again from a link of your own.",
            }),
        )];
        let object = Object {
            kind: "authorization".into(),
            id: authorization.id.to_string(),
            label: authorization.connection.to_string(),
        };
        changes.extend(events(access, "authorization.rejected", object, Json::Null, false));
        match self.commit(&changes).await {
            Err(problem) if problem.code == "version_conflict" => Err(not_to_confirm()),
            outcome => outcome.map(drop),
        }
    }

    async fn to_confirm(&self, access: &Access, reference: &str) -> Result<Authorization, Problem> {
        let authorization = if let Ok(id) = reference.parse::<AuthorizationId>() {
            self.find_authorization(access, &id).await?
        } else {
            let id = reference.parse::<ConnectionId>().map_err(|_| not_to_confirm())?;
            let newest = self.store.authorization_of_connection(&access.environment, &id).await?;
            newest.ok_or_else(not_to_confirm)?
        };
        let waits = authorization.stage == AuthorizationStage::Unconfirmed;
        if waits && authorization.expires_at > self.now() { Ok(authorization) } else { Err(not_to_confirm()) }
    }

    /// Makes the connection of an authorization that nobody has to confirm.
    pub(super) async fn link_unconfirmed(
        self: &Arc<Self>,
        authorization: &Authorization,
    ) -> Result<(), Problem> {
        let environment = &authorization.environment_id;
        let (kind, id) = match &authorization.connect_session {
            Some(session) => (ActorKind::ConnectSession, session.to_string()),
            None => (ActorKind::System, authorization.id.to_string()),
        };
        let actor = Actor { kind, label: id.clone(), id };
        let scopes = [Scope::CreateConnection, Scope::UpdateConnection].map(|scope| scope.name().to_owned());
        let access = Access::new(environment.clone(), actor, scopes.into());
        let stored = self.find_authorization(&access, &authorization.id).await?;
        self.link_authorization(&access, &stored).await
    }

    async fn link_authorization(
        &self,
        access: &Access,
        authorization: &Authorization,
    ) -> Result<(), Problem> {
        let (client, provider, draft) = self.parts_of(authorization).await?;
        let kept = serde_json::from_value(authorization.outcome.clone()).map_err(|_| not_to_confirm())?;
        let mut linkable = Linkable { authorization, client, provider, draft, kept };
        let first = self.link(access, &linkable).await;
        let outcome = match first {
            // Another confirmation made the integration since it was looked for.
            Err(problem) if problem.code == "unique_key_taken" && linkable.draft.connection_id.is_none() => {
                self.link(access, &linkable).await
            }
            // Nobody chose the name of a connection that was made in a session.
            Err(problem) if problem.code == "name_taken" && authorization.connect_session.is_some() => {
                linkable.draft.name = format!("{} ({})", linkable.draft.name, authorization.connection);
                self.link(access, &linkable).await
            }
            outcome => outcome,
        };
        match outcome {
            Err(problem) if problem.code == "version_conflict" => Err(not_to_confirm()),
            outcome => outcome,
        }
    }

    /// The end of an authorization and the connection that it makes, in one act.
    async fn link(&self, access: &Access, linkable: &Linkable<'_>) -> Result<(), Problem> {
        let Linkable { authorization, provider, draft, .. } = linkable;
        // First, so that whoever confirms second is told just that.
        let linked = json!({ "connection": authorization.connection.as_str() });
        let mut changes = vec![step(authorization, AuthorizationStage::Linked, linked)];
        let detail = json!({
            "provider": provider.id, "integration": draft.integration, "auth_scheme": draft.auth_scheme,
            "authorization": authorization.id.as_str(),
        });
        if authorization.links_again.is_some() {
            let connection = self.stored(access, &authorization.connection).await?;
            changes.extend(self.mended(access, linkable, &connection).await?);
            changes.extend(events(access, "connection.reconnected", object_of(&connection), detail, true));
        } else {
            let (integration, made) = self.integration_of(access, provider, &draft.integration).await?;
            changes.extend(made);
            changes.push(Change::InsertConnection(linkable.new_connection(integration)));
            let object = Object {
                kind: "connection".into(),
                id: authorization.connection.to_string(),
                label: draft.name.clone(),
            };
            changes.extend(events(access, "connection.created", object, detail, true));
        }
        if !draft.is_confirmed {
            changes.extend(told(authorization, draft, false));
        }
        self.commit(&changes).await.map(drop)
    }

    /// The tokens in the place of the connection's credentials. Should those have been renewed since the authorization began,
    /// the tokens are sealed anew for the version that comes next.
    async fn mended(
        &self,
        access: &Access,
        linkable: &Linkable<'_>,
        connection: &Connection,
    ) -> Result<Vec<Change>, Problem> {
        let authorization = linkable.authorization;
        let sealed = authorization.sealed.clone().ok_or_else(not_to_confirm)?;
        let version = connection.sealed_version + 1;
        let sealed = self.sealed_for(authorization, sealed, version).await?;
        let mut update = ConnectionUpdate::new(
            connection.environment_id.clone(),
            connection.id.clone(),
            connection.version,
        );
        update.target = Some((linkable.target(), Some(sealed), linkable.life()));
        let news = News {
            health: Health::Active,
            detail: linkable.kept.health_detail.clone(),
            tested_at: Some(Timestamp::from_milliseconds(linkable.kept.tested_at)),
            next_test_at: None,
            sealed_version: version,
            outdates: true,
        };
        let mut changes = vec![Change::UpdateConnection(update)];
        changes.extend(noted(access, connection, news));
        Ok(changes)
    }

    async fn sealed_for(
        &self,
        authorization: &Authorization,
        sealed: Sealed,
        version: u64,
    ) -> Result<Sealed, Problem> {
        if authorization.sealed_version == version {
            return Ok(sealed);
        }
        let place = |version| Place {
            environment: authorization.environment_id.clone(),
            purpose: Purpose::Credentials,
            object: authorization.connection.to_string(),
            version,
            hosts: authorization.hosts.clone(),
        };
        let opened =
            self.safe.stored(&self.store, place(authorization.sealed_version), sealed).await?.open()?;
        Ok(self.safe.seal(&self.store, place(version), &opened).await?.sealed)
    }

    async fn integration_of(
        &self,
        access: &Access,
        provider: &Provider,
        key: &str,
    ) -> Result<(IntegrationId, Vec<Change>), Problem> {
        match self.store.integration(&access.environment, key).await? {
            Some(integration) => Ok((integration.id, Vec::new())),
            None => self.new_integration(access, provider, &IntegrationDraft::of_provider(provider)),
        }
    }
}

impl Linkable<'_> {
    fn target(&self) -> Target {
        Target {
            auth_scheme: self.draft.auth_scheme.clone(),
            config: json!(self.kept.config),
            gates: json!(self.draft.gates),
            hosts: self.authorization.hosts.clone(),
            oauth_client: Some(self.client.id.clone()),
            certificate_expires_at: self.draft.certificate_expires_at.map(Timestamp::from_milliseconds),
        }
    }

    fn life(&self) -> TokenLife {
        let at = Timestamp::from_milliseconds;
        TokenLife {
            expires_at: self.kept.expires_at.map(at),
            renew_at: self.kept.renew_at.map(at),
            ends_at: self.kept.ends_at.map(at),
        }
    }

    fn new_connection(&self, integration_id: IntegrationId) -> NewConnection {
        let draft = self.draft.clone();
        NewConnection {
            id: self.authorization.connection.clone(),
            environment_id: self.authorization.environment_id.clone(),
            integration_id,
            name: draft.name,
            connection_id: draft.connection_id,
            target: self.target(),
            sealed: self.authorization.sealed.clone(),
            life: self.life(),
            settings: json!(draft.settings),
            health: Health::Active,
            health_detail: self.kept.health_detail.clone(),
            last_tested_at: Some(Timestamp::from_milliseconds(self.kept.tested_at)),
            tags: draft.tags,
            metadata: draft.metadata,
            end_user: draft.end_user,
            webhook_url: draft.webhook_url,
        }
    }
}

fn step(authorization: &Authorization, stage: AuthorizationStage, outcome: Json) -> Change {
    Change::StepAuthorization(AuthorizationStep {
        environment_id: authorization.environment_id.clone(),
        id: authorization.id.clone(),
        from: &[AuthorizationStage::Unconfirmed],
        stage,
        started: None,
        sealed: None,
        outcome,
        expires_at: None,
    })
}

/// What the browser's socket is told of success.
pub(super) fn told(authorization: &Authorization, draft: &WaitingDraft, is_pending: bool) -> Option<Change> {
    let news = SocketNews::Success {
        provider_config_key: draft.integration.clone(),
        connection_id: draft.connection_id.clone().unwrap_or_else(|| authorization.connection.to_string()),
        is_pending,
    };
    Some(Platform::tell_socket(authorization.socket_hash.as_ref()?, &news))
}

/// What the browser's socket is told of failure.
pub(super) fn told_of_failure(authorization: &Authorization, problem: &Problem) -> Option<Change> {
    let asked = |name: &str| authorization.draft[name].as_str().unwrap_or_default().to_owned();
    let news = SocketNews::Error {
        provider_config_key: asked("integration"),
        connection_id: authorization.connection.to_string(),
        error_type: problem.popup_error_type().to_owned(),
        error_desc: problem.to_string(),
    };
    Some(Platform::tell_socket(authorization.socket_hash.as_ref()?, &news))
}

/// The end of the session that an authorization belongs to: it was for this one.
pub(super) fn ended_session(authorization: &Authorization) -> Option<Change> {
    let session = authorization.connect_session.clone()?;
    Some(Change::EndConnectSession(authorization.environment_id.clone(), session))
}

fn not_to_confirm() -> Problem {
    let what =
        "There is nothing to confirm: it was confirmed, it is too old, or the person has not come back yet";
    Problem::new(ProblemKind::Conflict, "nothing_to_confirm", what, "Look at the state of the authorization.")
}
