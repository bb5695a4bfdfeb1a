//! Tokens are renewed ahead of their end, by one process at a time, and none is lost.
//!
//! A renewal is a task of its own: a caller that goes away cancels nothing. Inside a process the callers of one connection
//! share it; across processes a lease in the database decides who renews, and whoever has it reads the row again first.
//! That a renewal is under way is written down before the vendor is asked, and the new tokens are stored before anybody
//! uses them.

mod attempt;
mod failure;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};
use tombolo_store::{Connection, ConnectionId, EnvironmentId, Timestamp};

use crate::clock::Clock;
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};
use crate::proxy::Plan;
use crate::restoration::restored;

/// For how long a failure is the answer to everybody who asks, without a look into the database.
const FAILURE_KEPT: Duration = Duration::from_secs(1);
/// Renewals that one process begins by itself at a time; those that callers wait for come on top.
const AT_ONCE: usize = 64;

/// Renewals that write to the database at a time, of the eight connections that a process has for such work.
const WRITERS: usize = 3;

type Outcome = Result<(), Problem>;

/// How long a renewal may take.
#[derive(Debug, Clone, Copy)]
pub struct RenewalPatience {
    /// For a caller, who is told then; the renewal goes on without it.
    pub caller: Duration,
    /// For the vendor. Long, because an answer that nobody waits for may hold the only good token.
    pub vendor: Duration,
}

impl Default for RenewalPatience {
    fn default() -> Self {
        Self { caller: Duration::from_secs(30), vendor: Duration::from_mins(2) }
    }
}

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
        platform.on_control(async move { renewing.renew(&environment, &connection, version).await }).await?;
        platform.plan(&plan.environment, None, id.as_str()).await
    }

    /// The plan of the same connection, if somebody has renewed its tokens in the meantime: a vendor may end the old access
    /// token with that, and then it is refused however young it is.
    pub(crate) async fn replaced(&self, plan: &Arc<Plan>) -> Result<Option<Arc<Plan>>, Problem> {
        let platform = self.platform.upgrade().ok_or_else(interrupted)?;
        let Some(id) = &plan.connection else { return Ok(None) };
        let (looking, connection) = (Arc::clone(&platform), id.clone());
        // Looked at before the generations: a renewal that is under way is noted before the vendor is asked, and the note is
        // removed with the commit of the new tokens, so that one of the two shows it.
        let is_under_way = platform
            .on_control(async move {
                let known = looking.store.renewal(&connection).await?;
                looking.directory.poll_now(&looking.store).await?;
                Ok(known.is_some_and(|known| known.retry_at.is_none()))
            })
            .await?;
        let newest = platform.plan(&plan.environment, None, id.as_str()).await?;
        if newest.sealed.place.version > plan.sealed.place.version {
            return Ok(Some(newest));
        }
        if is_under_way { self.renewed(plan).await.map(Some) } else { Ok(None) }
    }
}

/// The renewals that run in this process.
pub(crate) struct Renewals {
    running: Mutex<HashMap<ConnectionId, watch::Receiver<Option<Outcome>>>>,
    /// Set when the process is about to end: no further renewal begins.
    closing: AtomicBool,
    /// The right to write about a renewal. Most of such a write is waiting for those of other renewals, and whoever waits
    /// holds a connection to the database that calls and signs of life need.
    writers: Semaphore,
}

impl Default for Renewals {
    fn default() -> Self {
        Self { running: Mutex::default(), closing: AtomicBool::new(false), writers: Semaphore::new(WRITERS) }
    }
}

impl Renewals {
    /// How many have no outcome yet.
    fn under_way(&self) -> usize {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.values().filter(|outcome| outcome.borrow().is_none()).count()
    }
}

/// Takes a renewal off the list however its task ends: callers must not wait for one that is gone.
struct Listed {
    platform: Arc<Platform>,
    id: ConnectionId,
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut running = self.platform.renewals.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.id);
    }
}

impl Platform {
    /// Renews the credentials of a connection unless somebody has done so since they had this version. Returns when there
    /// are new ones, or says why there are none.
    pub(crate) async fn renew(
        self: &Arc<Self>,
        environment: &EnvironmentId,
        id: &ConnectionId,
        seen_version: u64,
    ) -> Outcome {
        let mut outcome = self.running_renewal(environment, id, seen_version)?;
        match tokio::time::timeout(self.renewal_patience.caller, outcome.wait_for(Option::is_some)).await {
            Ok(Ok(ended)) => ended.clone().unwrap_or(Ok(())),
            Ok(Err(_)) => Err(interrupted()),
            Err(_) => Err(too_slow()),
        }
    }

    /// The renewal that runs, or a new one in a task of its own.
    fn running_renewal(
        self: &Arc<Self>,
        environment: &EnvironmentId,
        id: &ConnectionId,
        seen_version: u64,
    ) -> Result<watch::Receiver<Option<Outcome>>, Problem> {
        let mut running = self.renewals.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outcome) = running.get(id) {
            return Ok(outcome.clone());
        }
        if self.renewals.closing.load(Ordering::Relaxed) {
            return Err(interrupted());
        }
        let (tell, outcome) = watch::channel(None);
        running.insert(id.clone(), outcome.clone());
        let listed = Listed { platform: Arc::clone(self), id: id.clone() };
        let environment = environment.clone();
        self.spawn(async move {
            let platform = &listed.platform;
            let mut ended = platform.renew_alone(&environment, &listed.id, seen_version).await;
            if ended.is_ok() {
                // Another process may have renewed, of which the kept plans here know nothing yet.
                ended = platform.directory.poll(&platform.store).await.map_err(Problem::from);
            }
            // One that only a person can undo is no answer any more as soon as that is done.
            let failed = ended.as_ref().is_err_and(|problem| problem.code != restored().code);
            tell.send_replace(Some(ended));
            if failed {
                // Whoever comes right after a failure gets the same answer.
                tokio::time::sleep(FAILURE_KEPT).await;
            }
        });
        Ok(outcome)
    }

    /// Lets no further renewal begin and waits for those that run, at most this long: until it is stored, a new refresh
    /// token exists nowhere but in this process.
    pub async fn finish_renewals(&self, patience: Duration) {
        self.renewals.closing.store(true, Ordering::Relaxed);
        let started = Instant::now();
        while self.renewals.under_way() > 0 {
            if started.elapsed() >= patience {
                tracing::warn!(
                    renewals = self.renewals.under_way(),
                    "the server stops in the middle of renewals; their connections may have to be linked again"
                );
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
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
    pub(crate) async fn renew_due(self: &Arc<Self>) -> Result<(), Problem> {
        let room = AT_ONCE.saturating_sub(self.renewals.under_way());
        if room == 0 {
            return Ok(());
        }
        for (environment, id, version) in self.store.connections_to_renew(self.now(), room as u32).await? {
            let platform = Arc::clone(self);
            self.spawn(async move {
                if let Err(problem) = platform.renew(&environment, &id, version).await {
                    tracing::warn!(connection = %id, %problem, "tokens could not be renewed");
                }
            });
        }
        Ok(())
    }
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

fn too_slow() -> Problem {
    let what = "The vendor takes long to renew the tokens; the renewal goes on";
    Problem::new(ProblemKind::UpstreamTimeout, "token_unavailable", what, "Try again in a moment.")
        .retry_after(5)
}
