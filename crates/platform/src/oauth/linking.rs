//! The end of an authorization: the vendor's answer is exchanged, the account is tested, and the connection is made or
//! mended.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tokio::sync::oneshot;
use tombolo_auth::Credentials;
use tombolo_catalog::Provider;
use tombolo_store::{
    Actor, ActorKind, Authorization, AuthorizationStage, AuthorizationStep, Change, Connection,
    ConnectionUpdate, Health, IntegrationId, NewConnection, OAuthClient, Object, Target, Timestamp,
    TokenLife,
};

use super::agreement::{Agreement, Answer, Arrival};
use super::authorization::{of_gates, scheme_of};
use super::callback::spread;
use super::confirmation::not_to_confirm;
use super::draft::WaitingDraft;
use super::exchange::life_of;
use super::testing::TokensToTest;
use crate::access::{Access, Scope};
use crate::connect::SocketNews;
use crate::connection_test::TestReport;
use crate::connections::object_of;
use crate::credentials::{Place, SealedCredentials};
use crate::health::{News, health_detail, noted};
use crate::integrations::IntegrationDraft;
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind};

/// An authorization whose account has passed its test, with everything that belongs to it.
struct Linkable<'a> {
    authorization: &'a Authorization,
    client: OAuthClient,
    provider: Arc<Provider>,
    draft: WaitingDraft,
    /// The tokens.
    sealed: SealedCredentials,
    /// The configuration, with what the vendor's answers filled.
    config: BTreeMap<String, String>,
    life: TokenLife,
    tested_at: Timestamp,
    health_detail: Json,
}

impl Platform {
    /// Makes the connection of an authorization that nobody has to confirm.
    pub(super) async fn link_unconfirmed(
        self: &Arc<Self>,
        authorization: &Authorization,
        remembered: Credentials,
        answer: Answer,
    ) -> Result<Result<(), TestReport>, Problem> {
        let environment = &authorization.environment_id;
        let (kind, id) = match &authorization.connect_session {
            Some(session) => (ActorKind::ConnectSession, session.to_string()),
            None => (ActorKind::System, authorization.id.to_string()),
        };
        let actor = Actor { kind, label: id.clone(), id };
        let scopes = [Scope::CreateConnection, Scope::UpdateConnection].map(|scope| scope.name().to_owned());
        let access = Access::new(environment.clone(), actor, scopes.into());
        self.link_answered(&access, authorization, remembered, answer).await
    }

    /// Exchanges the vendor's answer, tests the account and makes the connection, in a task of its own: a code is good for
    /// one use, so whoever hangs up meanwhile cancels nothing.
    pub(super) async fn link_answered(
        self: &Arc<Self>,
        access: &Access,
        authorization: &Authorization,
        remembered: Credentials,
        answer: Answer,
    ) -> Result<Result<(), TestReport>, Problem> {
        let (done, outcome) = oneshot::channel();
        let (platform, access, authorization) = (Arc::clone(self), access.clone(), authorization.clone());
        self.spawn(async move {
            let linked = platform.exchange_and_link(&access, &authorization, &remembered, &answer).await;
            let _ = done.send(linked);
        });
        outcome.await.map_err(|_| {
            let what = "The server stopped before the account was linked";
            Problem::new(ProblemKind::Unavailable, "stopping", what, "Begin again.")
        })?
    }

    async fn exchange_and_link(
        self: &Arc<Self>,
        access: &Access,
        authorization: &Authorization,
        remembered: &Credentials,
        answer: &Answer,
    ) -> Result<Result<(), TestReport>, Problem> {
        let (client, provider, draft) = self.parts_of(authorization).await?;
        let scheme = scheme_of(&provider, &draft.auth_scheme)?;
        let of_gates = of_gates(remembered, &draft.gates).build();
        let agreement = Agreement {
            provider: &provider,
            scheme,
            client: &client,
            draft: &draft,
            public_url: &answer.public_url,
            of_gates: &of_gates,
        };
        let now = self.now();
        let Arrival { tokens, config, hosts } = self.arrive(&agreement, remembered, answer).await?;
        let to_test = TokensToTest {
            environment: &authorization.environment_id,
            connection: &authorization.connection,
            version: authorization.links_again.unwrap_or_default() + NewConnection::SEALED_VERSION,
            integration: &draft.integration,
            provider: &provider,
            auth_scheme: &draft.auth_scheme,
            settings: &draft.settings,
            config: &config,
            gates: &draft.gates,
            token_hosts: hosts,
            credentials: &tokens.credentials,
        };
        let (sealed, report) = self.tested_tokens(to_test).await?;
        if !report.available {
            return Ok(Err(report));
        }
        let life = life_of(scheme, &tokens, now, spread(&authorization.connection));
        let health_detail = health_detail(Some(&report));
        let linkable = Linkable {
            authorization,
            client,
            provider,
            draft,
            sealed,
            config,
            life,
            tested_at: now,
            health_detail,
        };
        self.link_tested(access, linkable).await.map(Ok)
    }

    async fn link_tested(&self, access: &Access, mut linkable: Linkable<'_>) -> Result<(), Problem> {
        let authorization = linkable.authorization;
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
        outcome.map_err(|problem| match problem.code {
            "version_conflict" => not_to_confirm(),
            // The store says so of the session alone.
            "not_found" if authorization.connect_session.is_some() => session_over(),
            _ => problem,
        })
    }

    /// The end of an authorization and the connection that it makes, in one act.
    async fn link(&self, access: &Access, linkable: &Linkable<'_>) -> Result<(), Problem> {
        let Linkable { authorization, provider, draft, .. } = linkable;
        // First, so that whoever confirms second is told just that.
        let linked = json!({ "connection": authorization.connection.as_str() });
        let mut changes = vec![step(authorization, linked)];
        // A session is for one account: the second one that comes of it is not linked.
        let session = authorization.connect_session.clone();
        let end = |session| Change::EndConnectSession(authorization.environment_id.clone(), session);
        changes.extend(session.map(end));
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
        changes.extend(told(authorization, draft, false, self.now()));
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
        let version = connection.sealed_version + 1;
        let sealed = self.sealed_for(&linkable.sealed, version).await?;
        let mut update = ConnectionUpdate::new(
            connection.environment_id.clone(),
            connection.id.clone(),
            connection.version,
        );
        update.target = Some((linkable.target(), Some(sealed.sealed), linkable.life));
        let news = News {
            health: Health::Active,
            detail: linkable.health_detail.clone(),
            tested_at: Some(linkable.tested_at),
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
        sealed: &SealedCredentials,
        version: u64,
    ) -> Result<SealedCredentials, Problem> {
        if sealed.place.version == version {
            return Ok(sealed.clone());
        }
        let place = Place { version, ..sealed.place.clone() };
        self.safe.seal(&self.store, place, &sealed.open()?).await
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
            config: json!(self.config),
            gates: json!(self.draft.gates),
            hosts: self.sealed.place.hosts.clone(),
            oauth_client: Some(self.client.id.clone()),
            certificate_expires_at: self.draft.certificate_expires_at.map(Timestamp::from_milliseconds),
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
            sealed: Some(self.sealed.sealed.clone()),
            life: self.life,
            settings: json!(draft.settings),
            health: Health::Active,
            health_detail: self.health_detail.clone(),
            last_tested_at: Some(self.tested_at),
            tags: draft.tags,
            metadata: draft.metadata,
            end_user: draft.end_user,
            webhook_url: draft.webhook_url,
        }
    }
}

fn step(authorization: &Authorization, outcome: Json) -> Change {
    Change::StepAuthorization(AuthorizationStep {
        environment_id: authorization.environment_id.clone(),
        id: authorization.id.clone(),
        from: &[AuthorizationStage::Answered],
        stage: AuthorizationStage::Linked,
        started: None,
        proof_hash: None,
        sealed: None,
        outcome,
        expires_at: None,
    })
}

/// What the browser's socket is told of success.
pub(super) fn told(
    authorization: &Authorization,
    draft: &WaitingDraft,
    is_pending: bool,
    due_at: Timestamp,
) -> Option<Change> {
    let news = SocketNews::Success {
        provider_config_key: draft.integration.clone(),
        connection_id: draft.connection_id.clone().unwrap_or_else(|| authorization.connection.to_string()),
        is_pending,
    };
    Some(Platform::tell_socket(authorization.socket_hash.as_ref()?, &news, due_at))
}

/// What the browser's socket is told of failure.
pub(super) fn told_of_failure(
    authorization: &Authorization,
    problem: &Problem,
    due_at: Timestamp,
) -> Option<Change> {
    let asked = |name: &str| authorization.draft[name].as_str().unwrap_or_default().to_owned();
    let news = SocketNews::Error {
        provider_config_key: asked("integration"),
        connection_id: authorization.connection.to_string(),
        error_type: problem.popup_error_type().to_owned(),
        error_desc: problem.to_string(),
    };
    Some(Platform::tell_socket(authorization.socket_hash.as_ref()?, &news, due_at))
}

fn session_over() -> Problem {
    let what = "The connect session has linked an account already, or it has ended";
    Problem::new(ProblemKind::Conflict, "session_over", what, "Make a new connect session.")
}
