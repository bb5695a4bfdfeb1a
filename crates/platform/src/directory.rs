//! What every call needs, kept in memory: API keys and compiled connections. Only sealed bytes are kept.
//!
//! An entry is used while two things hold: its environment has the generation that the entry was read under, and the
//! database has confirmed the generations within the last second. Otherwise the rows are read again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use tombolo_store::{Actor, ActorKind, ApiKey, Committed, EnvironmentId, Store, StoreError};

use crate::access::Access;
use crate::proxy::Plan;

/// How long the generations may be believed without the database confirming them.
const BELIEVED_FOR: Duration = Duration::from_secs(1);
/// Most entries of one kind; beyond, all are forgotten and read again as they are needed.
const ENTRIES_MAX: usize = 100_000;

/// Turns that are remembered before those that nobody holds are forgotten.
const TURNS_MAX: usize = 1000;

/// Everything kept in memory.
pub(crate) struct Directory {
    start: Instant,
    /// Milliseconds after `start` until which the generations are believed.
    believed_until: AtomicU64,
    generations: RwLock<HashMap<EnvironmentId, Arc<AtomicU64>>>,
    /// Set when an environment has a lower generation than before: somebody has put the database back to an older state.
    went_back: AtomicBool,
    /// Held by whoever asks the database because nothing may be believed: one asks, the others wait for the answer.
    asking: tokio::sync::Mutex<()>,
    callers: RwLock<HashMap<String, Kept<Caller>>>,
    plans: RwLock<HashMap<String, Kept<Plan>>>,
    turns: Mutex<HashMap<String, Weak<Turn>>>,
}

/// Held by whoever reads an entry that is not kept: one reads, and the others find what it has kept. Without it, everybody
/// who calls through a connection would read its rows at once when they have changed.
pub(crate) type Turn = tokio::sync::Mutex<()>;

/// An API key and what it opens.
pub(crate) struct Caller {
    pub(crate) key: ApiKey,
    pub(crate) access: Access,
    /// The day on which the key was last used, as far as it is noted or about to be.
    used_on: AtomicI64,
}

impl Caller {
    pub(crate) fn new(key: ApiKey) -> Self {
        let actor =
            Actor { kind: ActorKind::ApiKey, id: key.id.to_string(), label: key.display_name.clone() };
        let access = Access::new(key.environment_id.clone(), actor, key.scopes.clone());
        let used_on = AtomicI64::new(key.last_used_day.unwrap_or(i64::MIN));
        Self { key, access, used_on }
    }

    /// Whether nobody has noted a use of the key on this day; true once a day.
    pub(crate) fn is_first_use_on(&self, day: i64) -> bool {
        self.used_on.load(Ordering::Relaxed) < day && self.used_on.fetch_max(day, Ordering::Relaxed) < day
    }
}

/// A value and the generation that it was read under.
struct Kept<T> {
    value: Arc<T>,
    read_under: u64,
    generation: Arc<AtomicU64>,
}

/// The generation of an environment, taken before its rows are read.
pub(crate) struct Reading {
    read_under: u64,
    generation: Arc<AtomicU64>,
}

impl<T> Kept<T> {
    fn is_current(&self) -> bool {
        self.generation.load(Ordering::Acquire) == self.read_under
    }
}

impl Directory {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            believed_until: AtomicU64::new(0),
            generations: RwLock::default(),
            went_back: AtomicBool::new(false),
            asking: tokio::sync::Mutex::default(),
            callers: RwLock::default(),
            plans: RwLock::default(),
            turns: Mutex::default(),
        }
    }

    /// The turn to read what is kept under a name.
    pub(crate) fn turn(&self, name: &str) -> Arc<Turn> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(name).and_then(Weak::upgrade) {
            return turn;
        }
        if turns.len() >= TURNS_MAX {
            turns.retain(|_, turn| turn.strong_count() > 0);
        }
        let turn = Arc::default();
        turns.insert(name.to_owned(), Arc::downgrade(&turn));
        turn
    }

    /// Reads the generations if they are too old to be believed.
    pub(crate) async fn believe(&self, store: &Store) -> Result<(), StoreError> {
        if self.is_believed() {
            return Ok(());
        }
        let _asking = self.asking.lock().await;
        if self.is_believed() { Ok(()) } else { self.poll(store).await }
    }

    /// Reads the generations, unless somebody has begun to do so since this was called.
    pub(crate) async fn poll_now(&self, store: &Store) -> Result<(), StoreError> {
        let called = self.start.elapsed();
        let _asking = self.asking.lock().await;
        let until = Duration::from_millis(self.believed_until.load(Ordering::Acquire));
        if until.saturating_sub(BELIEVED_FOR) > called { Ok(()) } else { self.poll(store).await }
    }

    /// Reads the generations; called every half second. Gives up after a second.
    pub(crate) async fn poll(&self, store: &Store) -> Result<(), StoreError> {
        let before: HashMap<EnvironmentId, u64> = self.generations().into_iter().collect();
        let asked = self.start.elapsed();
        let silent = |_| StoreError::Unavailable { reason: "it does not answer".to_owned() };
        let generations = tokio::time::timeout(BELIEVED_FOR, store.generations()).await.map_err(silent)??;
        for (environment, generation) in generations {
            if before.get(&environment).is_some_and(|before| generation < *before) {
                self.went_back.store(true, Ordering::Release);
                self.generation(&environment).store(generation, Ordering::Release);
            }
            self.learn(&environment, generation);
        }
        let until = u64::try_from((asked + BELIEVED_FOR).as_millis()).unwrap_or(u64::MAX);
        self.believed_until.fetch_max(until, Ordering::AcqRel);
        Ok(())
    }

    /// Whether the database was found to be older than it was, and nobody has dealt with it yet.
    pub(crate) fn went_back(&self) -> bool {
        self.went_back.load(Ordering::Acquire)
    }

    /// The older state is dealt with.
    pub(crate) fn accept(&self) {
        self.went_back.store(false, Ordering::Release);
    }

    /// The generation of every environment, as far as they are known.
    pub(crate) fn generations(&self) -> Vec<(EnvironmentId, u64)> {
        let known = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(id, generation)| (id.clone(), generation.load(Ordering::Acquire))).collect()
    }

    /// Takes over what an own commit changed, without waiting for the next poll.
    pub(crate) fn committed(&self, committed: &Committed) {
        for (environment, generation) in &committed.generations {
            self.learn(environment, *generation);
        }
    }

    /// Whether what is kept may be used at this moment.
    pub(crate) fn is_believed(&self) -> bool {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        now < self.believed_until.load(Ordering::Acquire)
    }

    /// To be taken before rows of an environment are read that are to be kept.
    pub(crate) fn begin_reading(&self, environment: &EnvironmentId) -> Reading {
        let generation = self.generation(environment);
        Reading { read_under: generation.load(Ordering::Acquire), generation }
    }

    pub(crate) fn caller(&self, lookup: &str) -> Option<Arc<Caller>> {
        let callers = self.callers.read().unwrap_or_else(PoisonError::into_inner);
        let kept = callers.get(lookup)?;
        (self.is_believed() && kept.is_current()).then(|| Arc::clone(&kept.value))
    }

    pub(crate) fn keep_caller(&self, reading: Reading, caller: Arc<Caller>) {
        keep(&self.callers, caller.key.lookup.clone(), reading, caller);
    }

    pub(crate) fn plan(&self, name: &str) -> Option<Arc<Plan>> {
        let plans = self.plans.read().unwrap_or_else(PoisonError::into_inner);
        let kept = plans.get(name)?;
        (self.is_believed() && kept.is_current()).then(|| Arc::clone(&kept.value))
    }

    /// Keeps a plan, unless another call was quicker: then that one's is used by both, so that what one call learns
    /// about the connection the others know.
    pub(crate) fn keep_plan(&self, reading: Reading, name: String, plan: Arc<Plan>) -> Arc<Plan> {
        let mut plans = self.plans.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = plans.get(&name).filter(|kept| kept.is_current()) {
            return Arc::clone(&kept.value);
        }
        if plans.len() >= ENTRIES_MAX {
            plans.clear();
        }
        let Reading { read_under, generation } = reading;
        plans.insert(name, Kept { value: Arc::clone(&plan), read_under, generation });
        plan
    }

    fn learn(&self, environment: &EnvironmentId, generation: u64) {
        self.generation(environment).fetch_max(generation, Ordering::AcqRel);
    }

    fn generation(&self, environment: &EnvironmentId) -> Arc<AtomicU64> {
        let known = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(generation) = known.get(environment) {
            return Arc::clone(generation);
        }
        drop(known);
        let mut known = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(environment.clone()).or_default())
    }
}

fn keep<T>(entries: &RwLock<HashMap<String, Kept<T>>>, name: String, reading: Reading, value: Arc<T>) {
    let Reading { read_under, generation } = reading;
    let mut entries = entries.write().unwrap_or_else(PoisonError::into_inner);
    if entries.len() >= ENTRIES_MAX {
        entries.clear();
    }
    entries.insert(name, Kept { value, read_under, generation });
}

/// The name under which a plan is kept.
pub(crate) fn plan_name(environment: &EnvironmentId, integration: Option<&str>, connection: &str) -> String {
    let integration = integration.unwrap_or("\u{1}");
    let mut name =
        String::with_capacity(environment.as_str().len() + integration.len() + connection.len() + 2);
    name.push_str(environment.as_str());
    name.push('\0');
    name.push_str(integration);
    name.push('\0');
    name.push_str(connection);
    name
}
