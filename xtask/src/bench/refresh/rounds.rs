//! All tokens end in the same moment while callers use them, through both processes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::installation::{AHEAD, Installation};
use super::vendor::{Seen, Vendor};

/// Callers at the same time.
pub(super) const CALLERS: usize = 64;
/// How often a connection is called in a row, so that several callers of both processes meet at each.
const IN_A_ROW: usize = 4;
/// The longest that a round may take.
const PATIENCE: Duration = Duration::from_mins(4);

/// What came of a round.
pub(super) struct Round {
    /// Calls that were answered.
    pub(super) calls: usize,
    /// What callers got that were not answered with 200.
    pub(super) refused: Vec<String>,
    /// What the vendor saw.
    pub(super) seen: Seen,
}

/// Calls all connections over and over until each has been refreshed after `end`, and once more.
pub(super) fn run(
    installation: &Installation,
    vendor: &Vendor,
    connections: u32,
    end: Instant,
) -> Result<Round> {
    let (next, last) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    let refused = Mutex::new(Vec::new());
    let refuse = |what: String| refused.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    let call = || -> Result<()> {
        let mut callers = [installation.caller(0)?, installation.caller(1)?];
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= last.load(Ordering::Relaxed) {
                return Ok(());
            }
            let connection = number / IN_A_ROW % connections as usize;
            let (status, said) = callers[number % 2].call(AHEAD, &connection.to_string())?;
            if status != 200 {
                refuse(format!("connection {connection}: {status} {said}"));
            }
        }
    };
    let is_complete = thread::scope(|scope| -> Result<bool> {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(call)).collect();
        let deadline = Instant::now() + PATIENCE;
        let is_done = || Instant::now() > end && vendor.refreshed() >= connections as usize;
        while !is_done()
            && Instant::now() < deadline
            && !callers.iter().any(thread::ScopedJoinHandle::is_finished)
        {
            thread::sleep(Duration::from_millis(5));
        }
        let once_more = next.load(Ordering::Relaxed) + connections as usize * IN_A_ROW;
        last.store(once_more, Ordering::Relaxed);
        for caller in callers {
            caller.join().unwrap_or_else(|_| bail!("a caller ended early"))?;
        }
        Ok(is_done())
    })?;
    if !is_complete {
        bail!(
            "after {} s only {} of {connections} connections are refreshed",
            PATIENCE.as_secs(),
            vendor.refreshed()
        );
    }
    let refused = refused.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Round { calls: last.into_inner(), refused, seen: vendor.take_seen() })
}
