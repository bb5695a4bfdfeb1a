//! A database that was put back to an older state is noticed, and what it must not repeat is held back.
//!
//! Every process remembers beside the database how far it has come. If it has come less far later on, a backup was put in
//! its place: the vendor may have replaced refresh tokens since, and receivers may have got what is still to be sent.
//! Using an old refresh token ends the whole authorisation at a strict vendor, and if the database is a copy, also that of
//! the original. So nobody uses one before a person has said so.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tombolo_store::{ActorKind, Connection, EnvironmentId, HeldConnection, Object, Progress};

use crate::access::Access;
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind};

/// The file in the data directory.
const FILE: &str = "progress.json";
/// Connections that the log names.
const NAMED_MAX: usize = 20;

/// How far the database has come, as this machine knows it.
pub(crate) struct Memory {
    directory: PathBuf,
    known: Mutex<Option<Remembered>>,
    /// Set when there is a file that cannot be read: it tells nothing, not even that the database is another one's.
    is_unreadable: bool,
    /// Set when a write has failed: one warning is enough.
    fails: AtomicBool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    instance: String,
    home: Option<String>,
    restorations: u64,
    generations: BTreeMap<String, u64>,
}

impl Memory {
    pub(crate) fn in_directory(directory: PathBuf) -> Self {
        let read = fs::read_to_string(directory.join(FILE));
        let is_there = read.as_ref().is_ok_and(|text| !text.is_empty()) || directory.join(FILE).exists();
        let known: Option<Remembered> = read.ok().and_then(|text| serde_json::from_str(&text).ok());
        let is_unreadable = is_there && known.is_none();
        if is_unreadable {
            let directory = directory.display();
            tracing::warn!(%directory, "`{FILE}` cannot be read: whether a backup was restored is not known this time");
        }
        Self { directory, known: Mutex::new(known), is_unreadable, fails: AtomicBool::new(false) }
    }

    fn known(&self) -> Option<Remembered> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, progress: &Progress) {
        let generations =
            progress.generations.iter().map(|(id, generation)| (id.to_string(), *generation)).collect();
        let mut new = Remembered {
            instance: progress.instance.to_string(),
            home: progress.home.clone(),
            restorations: progress.restorations,
            generations,
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // What was committed since the progress was read is known already.
        if let Some(known) = known.as_ref().filter(|known| known.instance == new.instance) {
            for (environment, generation) in &mut new.generations {
                let before = known.generations.get(environment).copied().unwrap_or_default();
                *generation = before.max(*generation);
            }
        }
        if known.as_ref() != Some(&new) {
            self.write(known.insert(new));
        }
    }

    /// Notes higher generations.
    pub(crate) fn advance(&self, generations: &[(EnvironmentId, u64)]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = known.as_mut() else { return };
        let mut is_news = false;
        for (environment, generation) in generations {
            let before = known.generations.entry(environment.to_string()).or_default();
            is_news |= *generation > *before;
            *before = (*generation).max(*before);
        }
        if is_news {
            self.write(known);
        }
    }

    /// The file is there as a whole or not at all. It need not outlive a crash of the machine: then it remembers less.
    fn write(&self, known: &Remembered) {
        let written = || -> io::Result<()> {
            let new = self.directory.join(format!("{FILE}.{}", std::process::id()));
            fs::write(&new, serde_json::to_vec(known)?)?;
            fs::rename(new, self.directory.join(FILE))
        };
        // Commands that only look at a PostgreSQL leave no directory behind.
        if !self.directory.is_dir() {
            return;
        }
        if let Err(error) = written()
            && !self.fails.swap(true, Ordering::Relaxed)
        {
            let directory = self.directory.display();
            tracing::warn!(%error, %directory, "how far the database has come cannot be remembered");
        }
    }

    /// A place for the file, if there is none yet.
    fn make_room(&self) {
        if !self.directory.is_dir() {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            // What goes wrong shows when the file is written.
            let _ = builder.create(&self.directory);
        }
    }
}

impl Platform {
    /// Compares the database with what is remembered of it, and holds back what an older one must not repeat.
    pub(crate) async fn examine_progress(&self, moment: Moment) -> Result<(), Problem> {
        // Before the database is asked: what others commit meanwhile must not look as if it had been lost.
        let remembered = self.memory.known();
        let Some(mut progress) = self.store.progress().await? else { return Ok(()) };
        let place = self.store.database_place().await;
        let remembered = remembered.filter(|known| known.instance == progress.instance.as_str());
        let signs = Signs {
            moment,
            place: place.as_deref(),
            is_own_file: self.store.is_own_file(),
            is_memory_lost: self.memory.is_unreadable,
            went_back: self.directory.went_back(),
        };
        if let Some(restoration) = restoration(&progress, remembered.as_ref(), &signs) {
            self.hold_back(restoration).await?;
            progress = self.store.progress().await?.unwrap_or(progress);
        }
        let home = match (place, &progress.home) {
            (Some(place), _) => Some(place),
            (None, Some(home)) => Some(home.clone()),
            (None, None) if self.store.is_own_file() => Some(crate::oauth::secret_text(&*self.random)?),
            (None, None) => None,
        };
        if let Some(home) = home.as_ref().filter(|_| home != progress.home) {
            self.store.settle(home).await?;
            progress.home = Some(home.clone());
        }
        self.memory.replace(&progress);
        Ok(())
    }

    /// The same at run time, when the generations have gone back.
    pub(crate) async fn mind_restoration(&self) -> Result<(), Problem> {
        if !self.directory.went_back() {
            return Ok(());
        }
        let _turn = self.examining.lock().await;
        if self.directory.went_back() {
            self.examine_progress(Moment::Running).await?;
            self.directory.accept();
        }
        Ok(())
    }

    /// The same whether or not they have gone back. A standby that took over and lost nothing shall say where the database
    /// lives now, before a server that knows nothing starts beside it and takes it for a copy.
    pub(crate) async fn examine_again(&self) -> Result<(), Problem> {
        let _turn = self.examining.lock().await;
        let went_back = self.directory.went_back();
        self.examine_progress(Moment::Running).await?;
        if went_back {
            self.directory.accept();
        }
        Ok(())
    }

    /// Notes how far the database has come.
    pub(crate) fn remember_progress(&self) {
        if !self.directory.went_back() {
            self.memory.advance(&self.directory.generations());
        }
    }

    pub(crate) fn begin_to_remember(&self) {
        self.memory.make_room();
    }

    async fn hold_back(&self, restoration: u64) -> Result<(), Problem> {
        let Some(held) = self.store.hold_restored(restoration, self.now()).await? else { return Ok(()) };
        let names: Vec<&str> =
            held.connections.iter().map(|held| held.name.as_str()).take(NAMED_MAX).collect();
        tracing::error!(
            connections = held.connections.len(),
            deliveries = held.deliveries,
            names = names.join(", "),
            "this database is older than it was: a backup was put in its place, or it is a copy. Refresh tokens of these \
             connections are not used before each is tested (`tombolo connection test`), and webhook deliveries that were \
             waiting are not made by themselves. See docs/operating.md, \"Restoring a backup\""
        );
        for held in &held.connections {
            self.tell_of_held(held).await?;
        }
        Ok(())
    }

    async fn tell_of_held(&self, held: &HeldConnection) -> Result<(), Problem> {
        let access = Access::unrestricted(held.environment_id.clone(), ActorKind::System, "restoration");
        let object = Object { kind: "connection".into(), id: held.id.to_string(), label: held.name.clone() };
        let problem = restored();
        let why = json!({ "code": problem.code, "what": problem.what, "fix": problem.fix });
        let told = json!({ "to": "unverified", "why": why });
        self.commit(&events(&access, "connection.health_changed", object, told, true)).await.map(drop)
    }
}

/// When is looked: what is remembered may be long ago, or of just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Start,
    Running,
}

/// What tells of a restoration beside what is remembered.
struct Signs<'a> {
    moment: Moment,
    /// Where the database says that it lives.
    place: Option<&'a str>,
    /// Whether this process has the database to itself.
    is_own_file: bool,
    /// Whether there was something to remember by, and it cannot be read.
    is_memory_lost: bool,
    /// Whether a generation was seen to fall while this process ran.
    went_back: bool,
}

/// The number of the restoration that has to be dealt with, if the database is older than it was.
fn restoration(progress: &Progress, remembered: Option<&Remembered>, signs: &Signs<'_>) -> Option<u64> {
    let Signs { moment, place, is_own_file, is_memory_lost, went_back } = *signs;
    let Some(known) = remembered else {
        if is_memory_lost {
            return None;
        }
        let home = progress.home.as_deref()?;
        // A data directory that does not know its own database did not make it. A new server on a shared database knows
        // nothing either, but the database can say whether it is still where it was.
        let has_moved = is_own_file || place.is_some_and(|place| place != home);
        return has_moved.then_some(progress.restorations + 1);
    };
    if progress.restorations > known.restorations {
        // Another process has noticed it and dealt with it.
        return None;
    }
    let is_behind = known.generations.iter().any(|(environment, generation)| {
        let now = progress.generations.iter().find(|(id, _)| id.as_str() == environment);
        now.is_none_or(|(_, now)| now < generation)
    });
    let is_other_file = is_own_file && progress.home.is_some() && progress.home != known.home;
    // A database that has moved may have lost what came after the time that is remembered, unless nothing came.
    let has_moved = place.zip(progress.home.as_deref()).is_some_and(|(place, home)| place != home);
    let is_current =
        progress.generations.iter().all(|(id, now)| known.generations.get(id.as_str()) == Some(now));
    let may_be_older = moment == Moment::Start && has_moved && !is_current;
    let is_older =
        progress.restorations < known.restorations || went_back || is_behind || is_other_file || may_be_older;
    is_older.then_some(known.restorations + 1)
}

/// Why a refresh token is not used.
pub fn restored() -> Problem {
    let what = "The database was restored from a backup, and the vendor may have replaced this connection's refresh token \
                since";
    let fix = "Test the connection: that uses the refresh token and shows whether it is still good. If it is not, link the \
               account again.";
    Problem::new(ProblemKind::Unusable, "restored", what, fix)
}

/// The same for a connection to which it applies.
pub fn restored_problem(connection: &Connection) -> Option<Problem> {
    connection.restored_at.map(|_| restored())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(home: Option<&str>, restorations: u64, generation: u64) -> Progress {
        let environment: EnvironmentId = "env_01890a5dac96774bbcceb302099a8057".parse().expect("an id");
        Progress {
            instance: "ins_01890a5dac96774bbcceb302099a8057".parse().expect("an id"),
            home: home.map(str::to_owned),
            restorations,
            generations: [(environment, generation)].into(),
        }
    }

    #[test]
    fn an_older_database_is_told_from_a_younger_one() {
        let remembered = |home: &str, restorations, generation| {
            let progress = progress(Some(home), restorations, generation);
            let memory = Memory::in_directory(PathBuf::from("/nowhere"));
            memory.replace(&progress);
            memory.known()
        };
        for (name, remembered, now, place, is_own_file, expected) in [
            ("the first start", None, progress(None, 0, 1), None, true, None),
            ("a later start", remembered("a", 0, 5), progress(Some("a"), 0, 5), None, true, None),
            ("an old file", remembered("a", 0, 5), progress(Some("a"), 0, 4), None, true, Some(1)),
            ("another file", remembered("a", 0, 5), progress(Some("b"), 0, 9), None, true, Some(1)),
            ("a file alone", None, progress(Some("a"), 0, 5), None, true, Some(1)),
            (
                "an older state than the last restoration",
                remembered("a", 1, 5),
                progress(Some("a"), 0, 9),
                None,
                true,
                Some(2),
            ),
            ("a new server", None, progress(Some("x/1"), 0, 5), Some("x/1"), false, None),
            ("a new server on a copy", None, progress(Some("x/1"), 0, 5), Some("y/1"), false, Some(1)),
            ("a new server that cannot tell", None, progress(Some("x/1"), 0, 5), None, false, None),
            (
                "a standby that lost nothing",
                remembered("x/1", 0, 5),
                progress(Some("x/1"), 0, 5),
                Some("x/2"),
                false,
                None,
            ),
            (
                "a standby that lost something",
                remembered("x/1", 0, 5),
                progress(Some("x/1"), 0, 4),
                Some("x/2"),
                false,
                Some(1),
            ),
            (
                "a standby that may have lost something",
                remembered("x/1", 0, 5),
                progress(Some("x/1"), 0, 8),
                Some("x/2"),
                false,
                Some(1),
            ),
            (
                "dealt with by another server",
                remembered("x/1", 0, 5),
                progress(Some("x/1"), 1, 4),
                Some("x/1"),
                false,
                None,
            ),
        ] {
            let moment = Moment::Start;
            let signs = Signs { moment, place, is_own_file, is_memory_lost: false, went_back: false };
            assert_eq!(restoration(&now, remembered.as_ref(), &signs), expected, "{name}");
            if remembered.is_none() {
                let lost = Signs { is_memory_lost: true, ..signs };
                assert_eq!(restoration(&now, None, &lost), None, "{name}, with a file that cannot be read");
            }
            let seen = Signs { went_back: true, ..signs };
            let is_dealt_with = name.starts_with("dealt with");
            let found = restoration(&now, remembered.as_ref(), &seen).is_some();
            assert_eq!(found, remembered.is_some() && !is_dealt_with || expected.is_some(), "{name}, seen");
        }
    }

    #[test]
    fn a_running_server_knows_that_a_standby_lost_nothing_even_when_others_have_gone_on() {
        let memory = Memory::in_directory(PathBuf::from("/nowhere"));
        memory.replace(&progress(Some("x/1"), 0, 5));
        let signs = |moment| Signs {
            moment,
            place: Some("x/2"),
            is_own_file: false,
            is_memory_lost: false,
            went_back: false,
        };
        let found =
            |moment| restoration(&progress(Some("x/1"), 0, 8), memory.known().as_ref(), &signs(moment));
        assert_eq!((found(Moment::Running), found(Moment::Start)), (None, Some(1)));
    }

    #[test]
    fn what_was_committed_while_the_progress_was_read_stays_known() {
        let memory = Memory::in_directory(PathBuf::from("/nowhere"));
        memory.replace(&progress(Some("a"), 0, 7));
        memory.replace(&progress(Some("a"), 0, 6));
        let known = memory.known().expect("known");
        assert_eq!(known.generations.values().copied().collect::<Vec<_>>(), [7]);
    }
}
