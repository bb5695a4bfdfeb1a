//! The platform: its parts, and what they share.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tombolo_catalog::Catalog;
use tombolo_egress::{Egress, Pool, Probe};
use tombolo_store::{
    ActorKind, ApiKeyHash, ApiKeyText, Change, Committed, Connection, ConnectionId, EnvironmentId,
    Integration, NewAuditEvent, NewWebhookEvent, Object, Store, Timestamp,
};
use tombolo_vault::{KeyRing, Random};

use crate::access::Access;
use crate::activity::Recorder;
use crate::clock::Clock;
use crate::connect::Sockets;
use crate::credentials::Safe;
use crate::directory::{Caller, Directory, plan_name};
use crate::jobs::{HeldJobs, Housekeeping};
use crate::metrics::JobCounts;
use crate::notifications::Mailer;
use crate::oauth::{RenewalPatience, Renewals, Renewer};
use crate::problem::{Problem, ProblemKind};
use crate::proxy::{Governors, Lane, Plan, certified_prefix};
use crate::refusals::Refusals;
use crate::restoration::Memory;
use crate::users::{IdentityProvider, Passwords};
use crate::webhooks::EventType;

/// The environment that the first start makes.
pub const DEFAULT_ENVIRONMENT: &str = "default";

/// Forms that are read at the same time.
const FORMS_AT_ONCE: usize = 4;

/// How often is looked whether the database is where it was.
const EXAMINED_EVERY: Duration = Duration::from_mins(1);

/// How long a call waits for the database before it is refused: a database that hangs must not make callers hang.
const DATABASE_PATIENCE: Duration = Duration::from_secs(1);

/// The use cases of the product over their parts. Clones are cheap through [`Arc`].
pub struct Platform {
    pub(crate) store: Store,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) egress: Arc<Egress>,
    pub(crate) safe: Safe,
    pub(crate) directory: Directory,
    pub(crate) governors: Governors,
    pub(crate) renewals: Renewals,
    pub(crate) sockets: Sockets,
    /// Forms that are read at the same time: the file of a certificate may ask for much computing.
    pub(crate) forms: Semaphore,
    /// Hashes of passwords that are made at the same time.
    pub(crate) passwords: Passwords,
    /// Names this process to others that work on the same database.
    pub(crate) name: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) recorders: std::sync::Mutex<Vec<Recorder>>,
    /// Calls that take longer are kept with their details.
    pub(crate) slow_calls: Duration,
    pub(crate) job_counts: JobCounts,
    /// The jobs that this process works on.
    pub(crate) held_jobs: Arc<HeldJobs>,
    /// Connections to the receivers of webhooks; used on the control runtime alone.
    pub(crate) webhook_pool: Pool,
    /// How long a receiver of webhooks has for its answer.
    pub(crate) webhook_patience: Duration,
    pub(crate) renewal_patience: RenewalPatience,
    /// How far the database has come, as this machine knows it.
    pub(crate) memory: Memory,
    /// Held by whoever finds out whether the database was restored.
    pub(crate) examining: tokio::sync::Mutex<()>,
    /// The operator's mail server, if there is one.
    pub(crate) mailer: Option<Mailer>,
    /// With what people sign in beside passwords, if there is anything.
    pub(crate) identity_provider: Option<IdentityProvider>,
    /// How long what is kept, once the background work has begun.
    pub(crate) housekeeping: OnceLock<Housekeeping>,
    /// What links begin with, once it is known how browsers reach the server.
    pub(crate) public_url: OnceLock<String>,
    /// The runtime that owns the database; proxy threads hand their questions over to it.
    control: Handle,
}

/// What a platform is made of.
pub struct PlatformParts {
    /// The database, initialised.
    pub store: Store,
    /// The providers.
    pub catalog: Arc<Catalog>,
    /// The one way out.
    pub egress: Arc<Egress>,
    /// The master keys.
    pub ring: KeyRing,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub random: Arc<dyn Random>,
    /// Calls that take longer are kept with their details.
    pub slow_calls: Duration,
    /// How long a receiver of webhooks has for its answer.
    pub webhook_patience: Duration,
    /// How long a renewal of tokens may take.
    pub renewal_patience: RenewalPatience,
    /// Where it is remembered how far the database has come.
    pub data_directory: PathBuf,
    /// The operator's mail server, if there is one.
    pub mailer: Option<Mailer>,
    /// With what people sign in beside passwords, if there is anything.
    pub identity_provider: Option<IdentityProvider>,
}

impl Platform {
    /// Puts the parts together. Must be called on the runtime that is to own the database.
    pub fn new(parts: PlatformParts) -> Arc<Self> {
        let PlatformParts { store, catalog, egress, ring, clock, random, slow_calls, .. } = parts;
        Arc::new(Self {
            safe: Safe::new(ring, Arc::clone(&random)),
            directory: Directory::new(),
            governors: Governors::default(),
            renewals: Renewals::default(),
            sockets: Sockets::default(),
            forms: Semaphore::new(FORMS_AT_ONCE),
            passwords: Passwords::default(),
            name: format!("node-{:016x}", crate::clock::random_number().unwrap_or_default()),
            recorders: std::sync::Mutex::default(),
            job_counts: JobCounts::default(),
            held_jobs: Arc::default(),
            webhook_pool: egress.pool(),
            webhook_patience: parts.webhook_patience,
            renewal_patience: parts.renewal_patience,
            memory: Memory::in_directory(parts.data_directory),
            examining: tokio::sync::Mutex::default(),
            mailer: parts.mailer,
            identity_provider: parts.identity_provider,
            housekeeping: OnceLock::new(),
            public_url: OnceLock::new(),
            control: Handle::current(),
            slow_calls,
            store,
            catalog,
            egress,
            clock,
            random,
        })
    }

    /// Says how browsers reach the server: what links in messages begin with. The first word counts.
    pub fn reached_as(&self, public_url: &str) {
        // Another server over the same platform says the same, or is one of a test.
        let _ = self.public_url.set(public_url.trim_end_matches('/').to_owned());
    }

    /// The providers.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The one way out.
    pub fn egress(&self) -> &Arc<Egress> {
        &self.egress
    }

    /// The database, for reads that need no use case.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A lane for one runtime: its own connections to upstreams and its own place to leave calls for the log.
    pub fn lane(self: &Arc<Self>) -> Lane {
        let recorder = Recorder::new(Arc::clone(&self.clock), self.slow_calls);
        let mut recorders = self.recorders.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        recorders.push(recorder.clone());
        Lane {
            pool: self.egress.pool(),
            recorder,
            refusals: Refusals::new(self),
            renewer: Renewer::new(self),
        }
    }

    /// A client for connection tests.
    pub(crate) fn probe(&self) -> Probe {
        self.egress.probe()
    }

    /// Authenticates an API key. Unknown, mistyped, revoked and expired keys are one and the same refusal.
    pub async fn authenticate(self: &Arc<Self>, text: &str) -> Result<Access, Problem> {
        let presented = ApiKeyHash::of_presented(text);
        let kept = presented.as_ref().and_then(|(lookup, _)| self.directory.caller(lookup.as_str()));
        let known = match kept {
            Some(known) => known,
            None => self.read_caller(text).await?,
        };
        let now = self.clock.now();
        if presented.is_some_and(|(_, hash)| known.key.hash == hash) && known.key.is_usable(now) {
            self.note_use(&known, now);
            Ok(known.access.clone())
        } else {
            Err(Problem::unauthenticated("The API key is not valid"))
        }
    }

    /// The operator's own access to an environment, the default one unless another is named.
    pub async fn operator_access(self: &Arc<Self>, environment: Option<&str>) -> Result<Access, Problem> {
        let name = environment.unwrap_or(DEFAULT_ENVIRONMENT).to_owned();
        let platform = Arc::clone(self);
        self.on_control(async move {
            let found = platform.store.environment_named(&name).await?;
            let environment = found.ok_or_else(|| {
                Problem::not_found("unknown_environment", format!("There is no environment `{name}`"))
            })?;
            Ok(Access::unrestricted(environment.id, ActorKind::Operator, "operator"))
        })
        .await
    }

    async fn read_caller(self: &Arc<Self>, text: &str) -> Result<Arc<Caller>, Problem> {
        let text = text
            .parse::<ApiKeyText>()
            .map_err(|error| Problem::unauthenticated(&format!("The API key cannot be right: {error}")))?;
        let platform = Arc::clone(self);
        self.for_a_call(async move {
            let lookup = text.lookup();
            let turn = platform.directory.turn(lookup.as_str());
            let _turn = turn.lock().await;
            if let Some(caller) = platform.directory.caller(lookup.as_str()) {
                return Ok(caller);
            }
            platform.believe().await?;
            let unknown = || Problem::unauthenticated("The API key is not valid");
            let key = platform.store.api_key_by_lookup(text.lookup()).await?.ok_or_else(unknown)?;
            // Read again under the generation that is to be remembered; which environment's only the key tells.
            let reading = platform.directory.begin_reading(&key.environment_id);
            let key = platform.store.api_key_by_lookup(text.lookup()).await?.ok_or_else(unknown)?;
            let caller = Arc::new(Caller::new(key));
            platform.directory.keep_caller(reading, Arc::clone(&caller));
            Ok(caller)
        })
        .await
    }

    /// Notes once a day that a key is used. Nobody waits for it, and a database that cannot write refuses no call.
    fn note_use(self: &Arc<Self>, caller: &Caller, now: Timestamp) {
        if !caller.is_first_use_on(now.day()) {
            return;
        }
        let touch = Change::TouchApiKey(caller.key.environment_id.clone(), caller.key.id.clone());
        let platform = Arc::clone(self);
        self.spawn(async move {
            if let Err(problem) = platform.commit(&[touch]).await {
                tracing::warn!(%problem, "the use of an API key could not be noted");
            }
        });
    }

    /// The compiled connection that a reference (id or name) means, in an integration if one is given.
    pub async fn plan(
        self: &Arc<Self>,
        environment: &EnvironmentId,
        integration: Option<&str>,
        connection: &str,
    ) -> Result<Arc<Plan>, Problem> {
        let name = plan_name(environment, integration, connection);
        if let Some(plan) = self.directory.plan(&name) {
            return Ok(plan);
        }
        let platform = Arc::clone(self);
        let (environment, integration) = (environment.clone(), integration.map(str::to_owned));
        let connection = connection.to_owned();
        self.for_a_call(async move {
            let turn = platform.directory.turn(&name);
            let _turn = turn.lock().await;
            if let Some(plan) = platform.directory.plan(&name) {
                return Ok(plan);
            }
            platform.believe().await?;
            let reading = platform.directory.begin_reading(&environment);
            let (connection, integration) =
                platform.find_connection(&environment, integration.as_deref(), &connection).await?;
            let plan = Arc::new(platform.compile_stored(&connection, &integration).await?);
            // Another process may have changed the credentials.
            platform.close_certified(&environment, &connection.id, Some(&plan));
            Ok(platform.directory.keep_plan(reading, name, plan))
        })
        .await
    }

    /// The connection that a reference means.
    pub async fn find_connection(
        &self,
        environment: &EnvironmentId,
        integration: Option<&str>,
        reference: &str,
    ) -> Result<(Connection, Integration), Problem> {
        let wanted = match integration {
            None => None,
            Some(key) => Some(self.find_integration(environment, key).await?),
        };
        let mut found: Vec<Connection> = self
            .store
            .connections_called(environment, reference)
            .await?
            .into_iter()
            .filter(|connection| wanted.as_ref().is_none_or(|wanted| wanted.id == connection.integration_id))
            .collect();
        // An id means exactly one connection, even when it is another one's name.
        if let Some(position) = found.iter().position(|connection| connection.id.as_str() == reference) {
            found = vec![found.swap_remove(position)];
        }
        let connection = match (found.pop(), found.is_empty()) {
            (Some(connection), true) => connection,
            (None, _) => {
                return Err(Problem::not_found(
                    "unknown_connection",
                    format!("There is no connection `{reference}`"),
                ));
            }
            (Some(_), false) => {
                let what = format!("`{reference}` means several connections");
                let fix = "Say which integration is meant, or use the connection's id.";
                return Err(Problem::new(ProblemKind::Conflict, "ambiguous_connection", what, fix));
            }
        };
        let integration = if let Some(integration) = wanted {
            integration
        } else {
            let integration = self.store.integration_by_id(environment, &connection.integration_id).await?;
            integration.ok_or_else(|| Problem::not_found("unknown_integration", "The integration is gone"))?
        };
        Ok((connection, integration))
    }

    /// The integration with a key.
    pub async fn find_integration(
        &self,
        environment: &EnvironmentId,
        key: &str,
    ) -> Result<Integration, Problem> {
        let found = self.store.integration(environment, key).await?;
        found.ok_or_else(|| {
            Problem::not_found("unknown_provider_config", format!("There is no integration `{key}`"))
        })
    }

    /// Writes an act and makes its own caches notice.
    pub(crate) async fn commit(&self, changes: &[Change]) -> Result<Committed, Problem> {
        let committed = self.store.commit(changes, self.clock.now()).await?;
        self.directory.committed(&committed);
        if !committed.jobs.is_empty() || !committed.webhook_events.is_empty() || committed.redelivered > 0 {
            self.held_jobs.look();
        }
        for change in changes {
            let (environment, id) = match change {
                Change::DeleteConnection(environment, id) => (environment, id),
                Change::UpdateConnection(update) if update.target.is_some() => {
                    (&update.environment_id, &update.id)
                }
                Change::ReplaceCredentials(replacement) => (&replacement.environment_id, &replacement.id),
                _ => continue,
            };
            self.close_certified(environment, id, None);
        }
        Ok(committed)
    }

    /// Closes what is kept open towards the upstream of a connection with a client certificate of other credentials than
    /// the current ones.
    fn close_certified(&self, environment: &EnvironmentId, id: &ConnectionId, current: Option<&Plan>) {
        let current = current.map(|plan| plan.route().pool_key().partition());
        let of_connection = certified_prefix(environment, id.as_str());
        self.egress
            .evict(|key| key.partition().starts_with(&of_connection) && Some(key.partition()) != current);
    }

    /// Whether calls can be served at this moment: the database is open and answers, or did within the last second.
    pub async fn ready(&self) -> Result<(), Problem> {
        if self.store.is_closed() {
            return Err(database_silent());
        }
        self.believe().await
    }

    /// Makes sure that what is kept in memory may be believed.
    async fn believe(&self) -> Result<(), Problem> {
        Ok(self.directory.believe(&self.store).await?)
    }

    /// Runs a piece of work on the runtime that owns the database; it ends even when the caller goes away.
    pub(crate) async fn on_control<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        match self.control.spawn(work).await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::error!(%error, "a piece of work ended early");
                let fix = "See the log of the server, and report it.";
                Err(Problem::new(ProblemKind::Internal, "internal_error", "A piece of work ended early", fix))
            }
        }
    }

    /// Like [`Platform::on_control`], for what a proxied call or a monitor has to wait for: it is refused when the database
    /// stays silent.
    pub(crate) async fn for_a_call<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        self.on_control(async move {
            tokio::time::timeout(DATABASE_PATIENCE, work).await.unwrap_or_else(|_| Err(database_silent()))
        })
        .await
    }

    /// Runs a task on the runtime that owns the database.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.control.spawn(task);
    }

    /// Polls the generations twice a second until the database is closed or the runtime ends.
    pub fn keep_informed(self: &Arc<Self>) {
        let platform = Arc::clone(self);
        self.begin_to_remember();
        self.control.spawn(async move {
            let mut interval = tokio::time::interval(Duration::from_millis(500));
            interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut failing_since: Option<Instant> = None;
            let mut examined = Instant::now();
            loop {
                interval.tick().await;
                match platform.directory.poll(&platform.store).await {
                    Ok(()) => {
                        let is_back = failing_since.take().is_some();
                        if is_back {
                            tracing::info!("the database answers again");
                        }
                        // Another machine may have taken over for the database's.
                        let outcome = if is_back || examined.elapsed() >= EXAMINED_EVERY {
                            examined = Instant::now();
                            platform.examine_again().await
                        } else {
                            platform.mind_restoration().await
                        };
                        if let Err(problem) = outcome {
                            tracing::error!(%problem, "a restored database could not be looked through");
                        }
                        platform.remember_progress();
                    }
                    // The end of the program, which is no failure.
                    Err(_) if platform.store.is_closed() => return,
                    Err(error) => {
                        if failing_since.is_none() {
                            tracing::error!(%error, "the database does not answer; calls are refused until it does");
                            failing_since = Some(Instant::now());
                        }
                    }
                }
            }
        });
    }
}

fn database_silent() -> Problem {
    let what = "The database does not answer, so it cannot be told whether this call is still allowed";
    let fix = "Try again in a moment; if it lasts, check that the database runs and can be reached.";
    Problem::new(ProblemKind::Unavailable, "database_unavailable", what, fix).retry_after(1)
}

/// The audit event and the webhook event of one act.
pub(crate) fn events(
    access: &Access,
    action: &str,
    object: Object,
    detail: serde_json::Value,
    tell_embedders: bool,
) -> Vec<Change> {
    let mut changes = Vec::with_capacity(2);
    if tell_embedders {
        debug_assert!(EventType::named(action).is_some(), "`{action}` is missing in `webhooks::EventType`");
        let connection = if object.kind == "connection" { object.id.parse().ok() } else { None };
        changes.push(Change::AddWebhookEvent(NewWebhookEvent {
            environment_id: access.environment.clone(),
            event_type: action.to_owned(),
            payload: serde_json::json!({
                "object": { "kind": object.kind, "id": object.id, "name": object.label },
                "detail": detail,
            }),
            connection,
            only: None,
        }));
    }
    changes.push(Change::Audit(NewAuditEvent {
        environment_id: Some(access.environment.clone()),
        actor: access.actor.clone(),
        action: action.to_owned(),
        object,
        detail,
    }));
    changes
}
