//! Tokens are renewed ahead of their end, by one process at a time, and none is lost.
//!
//! A renewal is a task of its own: a caller that goes away cancels nothing. Inside a process the callers of one connection
//! share it; across processes a lease in the database decides who renews, and whoever has it reads the row again first.
//! The new tokens are stored before anybody uses them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tombolo_auth::{Credentials, ExchangeFailure, Grant};
use tombolo_catalog::{AuthScheme, Flow, OAuth2, Provider};
use tombolo_egress::RouteOptions;
use tombolo_store::{
    ActorKind, Change, Connection, ConnectionHealth, ConnectionId, CredentialsReplacement, EnvironmentId,
    Health, Lease, Timestamp, TokenLife,
};

use super::callback::spread;
use super::exchange::{Client, Exchange, Unanswered, life_of};
use crate::access::Access;
use crate::clock::Clock;
use crate::connections::{all_settings, object_of, place_of, texts};
use crate::credentials::Place;
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind};
use crate::proxy::{Plan, route_options};

/// How long a renewal belongs to its process without a sign of life. Longer than a token endpoint may take to answer.
const LEASE: Duration = Duration::from_secs(90);
/// How often a process looks whether another one's renewal has ended.
const GLANCE: Duration = Duration::from_millis(100);
/// The first pause after a renewal that failed for the moment; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// For how long a failure is the answer to everybody who asks.
const FAILURE_KEPT: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(30);

type Outcome = Result<(), Problem>;

/// Where a lane has tokens renewed. Does not keep the platform alive.
#[derive(Clone)]
pub(crate) struct Renewer {
    platform: Weak<Platform>,
    clock: Arc<dyn Clock>,
}

impl Renewer {
    pub(crate) fn new(platform: &Arc<Platform>) -> Self {
        Self { platform: Arc::downgrade(platform), clock: Arc::clone(&platform.clock) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The plan of the same connection with newer tokens.
    pub(crate) async fn renewed(&self, plan: &Arc<Plan>) -> Result<Arc<Plan>, Problem> {
        let platform = self.platform.upgrade().ok_or_else(interrupted)?;
        // A draft has no row that new tokens could be written to.
        let Some(id) = plan.connection.clone() else { return Err(nothing_to_renew()) };
        let (environment, version) = (plan.environment.clone(), plan.sealed.place.version);
        let (renewing, connection) = (Arc::clone(&platform), id.clone());
        platform
            .on_control(async move {
                renewing.renew(&environment, &connection, version).await?;
                // Another process may have renewed, of which the kept plans here know nothing yet.
                renewing.directory.poll(&renewing.store).await?;
                Ok(())
            })
            .await?;
        platform.plan(&plan.environment, None, id.as_str()).await
    }
}

/// The renewals that run in this process.
#[derive(Default)]
pub(crate) struct Renewals(std::sync::Mutex<HashMap<ConnectionId, watch::Receiver<Option<Outcome>>>>);

impl Platform {
    /// Renews the credentials of a connection unless somebody has done so since they had this version. Returns when there
    /// are new ones, or says why there are none.
    pub(crate) async fn renew(
        self: &Arc<Self>,
        environment: &EnvironmentId,
        id: &ConnectionId,
        seen_version: u64,
    ) -> Outcome {
        let mut outcome = self.running_renewal(environment, id, seen_version);
        match outcome.wait_for(Option::is_some).await {
            Ok(ended) => ended.clone().unwrap_or(Ok(())),
            Err(_) => Err(interrupted()),
        }
    }

    /// The renewal that runs, or a new one in a task of its own.
    fn running_renewal(
        self: &Arc<Self>,
        environment: &EnvironmentId,
        id: &ConnectionId,
        seen_version: u64,
    ) -> watch::Receiver<Option<Outcome>> {
        let mut running = self.renewals.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outcome) = running.get(id) {
            return outcome.clone();
        }
        let (tell, outcome) = watch::channel(None);
        running.insert(id.clone(), outcome.clone());
        let (platform, environment, id) = (Arc::clone(self), environment.clone(), id.clone());
        self.spawn(async move {
            let ended = platform.renew_alone(&environment, &id, seen_version).await;
            let failed = ended.is_err();
            tell.send_replace(Some(ended));
            if failed {
                // Whoever comes right after a failure gets the same answer: the vendor is not hammered.
                tokio::time::sleep(FAILURE_KEPT).await;
            }
            let mut running = platform.renewals.0.lock().unwrap_or_else(PoisonError::into_inner);
            running.remove(&id);
        });
        outcome
    }

    /// The first token of an account that is a client itself; other credentials are complete as they were typed.
    pub(crate) async fn with_first_token(
        &self,
        id: &ConnectionId,
        provider: &Provider,
        scheme: &AuthScheme,
        config: &BTreeMap<String, String>,
        options: RouteOptions,
        typed: Credentials,
    ) -> Result<(Credentials, TokenLife), Problem> {
        let Some(oauth2) = scheme.oauth2().filter(|oauth2| oauth2.flow == Flow::ClientCredentials) else {
            return Ok((typed, TokenLife::default()));
        };
        let (now, scope) = (self.now(), scope_of(oauth2));
        let exchange = Exchange {
            provider,
            oauth2,
            config,
            hosts: &self.token_hosts(provider, oauth2, config)?,
            options,
            client: Client::Account(&typed),
            grant: Grant::ClientCredentials { scope: scope.as_deref() },
            previous: Some(&typed),
        };
        let tokens = self.exchange(exchange).await.map_err(Unanswered::into_problem)?;
        let life = life_of(oauth2, &tokens, now, spread(id));
        Ok((tokens.credentials, life))
    }

    /// The connection with credentials that are still good, as far as new ones can be had.
    pub(crate) async fn with_fresh_tokens(
        self: &Arc<Self>,
        connection: Connection,
    ) -> Result<Connection, Problem> {
        let is_over = connection.life.expires_at.is_some_and(|end| end <= self.now());
        if !is_over {
            return Ok(connection);
        }
        let (environment, id) = (&connection.environment_id, &connection.id);
        self.renew(environment, id, connection.sealed_version).await?;
        self.store.connection(environment, id).await?.ok_or_else(gone)
    }

    /// Renews what is due; called by the worker.
    pub(crate) async fn renew_due(self: &Arc<Self>, at_once: u32) -> Result<(), Problem> {
        for (environment, id) in self.store.connections_to_renew(self.now(), at_once).await? {
            let Some(connection) = self.store.connection(&environment, &id).await? else { continue };
            let platform = Arc::clone(self);
            self.spawn(async move {
                if let Err(problem) = platform.renew(&environment, &id, connection.sealed_version).await {
                    tracing::warn!(connection = %id, %problem, "tokens could not be renewed");
                }
            });
        }
        Ok(())
    }

    async fn renew_alone(
        self: &Arc<Self>,
        environment: &EnvironmentId,
        id: &ConnectionId,
        seen_version: u64,
    ) -> Outcome {
        let name = format!("renew:{id}");
        let owner = self.name.clone();
        loop {
            let connection = self.store.connection(environment, id).await?.ok_or_else(gone)?;
            if connection.sealed_version > seen_version {
                return Ok(());
            }
            if let Some(lease) = self.store.take_lease(&name, &owner, LEASE, self.now()).await? {
                // Again, because it may have been renewed between the look and the lease.
                let connection = self.store.connection(environment, id).await?.ok_or_else(gone)?;
                let is_done = connection.sealed_version > seen_version;
                let outcome = if is_done { Ok(()) } else { self.renew_under(&connection, &lease).await };
                self.store.release_lease(&lease).await?;
                return outcome;
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    async fn renew_under(self: &Arc<Self>, connection: &Connection, lease: &Lease) -> Outcome {
        match self.ask_anew(connection).await {
            Ok(replacement) => {
                let changes = [Change::RequireLease(lease.clone()), Change::ReplaceCredentials(replacement)];
                self.commit(&changes).await.map(drop)
            }
            Err(unanswered) => Err(self.note_failure(connection, unanswered).await),
        }
    }

    /// New credentials for a connection, sealed for its next version.
    async fn ask_anew(
        self: &Arc<Self>,
        connection: &Connection,
    ) -> Result<CredentialsReplacement, Unanswered> {
        let environment = &connection.environment_id;
        let sealed = connection.sealed.clone().ok_or_else(nothing_to_renew)?;
        let integration = self.store.integration_by_id(environment, &connection.integration_id).await;
        let integration = integration.map_err(Problem::from)?.ok_or_else(nothing_to_renew)?;
        let provider = self.provider_of(&integration)?;
        let oauth2 = super::authorization::oauth2_of(&provider, &connection.target.auth_scheme)?;
        let config = texts(&connection.target.config);
        let settings = all_settings(&provider, texts(&connection.settings), &config);
        let old = self.safe.stored(&self.store, place_of(connection), sealed).await?.open()?;
        let ours = match &connection.target.oauth_client {
            Some(id) => self.store.oauth_client(environment, id.as_str()).await.map_err(Problem::from)?,
            None => None,
        };
        let scope = scope_of(oauth2);
        let (client, grant) = match (oauth2.flow, &ours) {
            (Flow::AuthorizationCode, Some(client)) => (Client::Ours(client), Grant::RefreshToken),
            (Flow::AuthorizationCode, None) => return Err(nothing_to_renew().into()),
            (Flow::ClientCredentials, _) => {
                (Client::Account(&old), Grant::ClientCredentials { scope: scope.as_deref() })
            }
        };
        let now = self.now();
        let tokens = self
            .exchange(Exchange {
                provider: &provider,
                oauth2,
                config: &config,
                hosts: &connection.target.hosts,
                options: route_options(&settings)?,
                client,
                grant,
                previous: Some(&old),
            })
            .await?;
        let place = Place { version: connection.sealed_version + 1, ..place_of(connection) };
        let sealed = self.safe.seal(&self.store, place, &tokens.credentials).await?;
        Ok(CredentialsReplacement {
            environment_id: environment.clone(),
            id: connection.id.clone(),
            expected_sealed_version: connection.sealed_version,
            sealed: sealed.sealed,
            hosts: connection.target.hosts.clone(),
            life: life_of(oauth2, &tokens, now, spread(&connection.id)),
        })
    }

    /// A dead authorisation needs a person; anything else is tried again later, and a token that is still good goes on.
    async fn note_failure(self: &Arc<Self>, connection: &Connection, unanswered: Unanswered) -> Problem {
        let environment = connection.environment_id.clone();
        let dead = matches!(
            unanswered,
            Unanswered::Failure(ExchangeFailure::Dead { .. } | ExchangeFailure::Nothing)
        );
        let asked = match &unanswered {
            Unanswered::Failure(ExchangeFailure::Passing { retry_after, .. }) => *retry_after,
            _ => None,
        };
        let problem = unanswered.into_problem();
        let mut changes = Vec::new();
        if dead {
            let mut detail = connection.health_detail.clone();
            if !detail.is_object() {
                detail = json!({});
            }
            detail["renewal"] = json!({ "code": problem.code, "what": problem.what, "fix": problem.fix });
            changes.push(Change::RecordHealth(ConnectionHealth {
                environment_id: environment.clone(),
                id: connection.id.clone(),
                sealed_version: connection.sealed_version,
                health: Health::Refused,
                detail,
                tested_at: None,
                outdates: true,
            }));
            let access = Access::unrestricted(environment.clone(), ActorKind::System, "renewal");
            let detail = json!({ "code": problem.code });
            changes.extend(events(&access, "connection.refused", object_of(connection), detail, true));
            changes.push(Change::PostponeRenewal(environment, connection.id.clone(), None));
        } else {
            let pause = pause_after_failure(connection, self.now());
            let next = self.now().plus(asked.map_or(pause, |asked| asked.max(FIRST_PAUSE)));
            changes.push(Change::PostponeRenewal(environment, connection.id.clone(), Some(next)));
        }
        if let Err(problem) = self.commit(&changes).await {
            tracing::warn!(connection = %connection.id, %problem, "a failed renewal could not be noted");
        }
        problem
    }
}

/// As long again as it has not worked: the moment at which it was first tried follows from the life of the tokens, of which
/// a renewal never uses the first nine tenths.
fn pause_after_failure(connection: &Connection, now: Timestamp) -> Duration {
    let written = connection.updated_at;
    let first_tried = connection.life.expires_at.map(|end| written.plus(end.since(written) / 10 * 9));
    let failing_for = first_tried.map_or(FIRST_PAUSE, |first| now.since(first));
    failing_for.clamp(FIRST_PAUSE, LONGEST_PAUSE)
}

/// What a client asks for on its own behalf; `None` leaves it to the vendor.
fn scope_of(oauth2: &OAuth2) -> Option<String> {
    let scopes: Vec<&str> = oauth2.default_scopes().collect();
    (!scopes.is_empty()).then(|| scopes.join(&oauth2.scope_separator))
}

fn nothing_to_renew() -> Problem {
    let what = "The credentials of this connection cannot be renewed";
    Problem::new(ProblemKind::Unusable, "authorization_dead", what, "Link the account again.")
}

fn gone() -> Problem {
    Problem::not_found("unknown_connection", "The connection is gone")
}

fn interrupted() -> Problem {
    let what = "The renewal of the tokens was interrupted";
    Problem::new(ProblemKind::Unavailable, "renewal_interrupted", what, "Try again in a moment.")
        .retry_after(1)
}
