//! Very many callers come at once for one connection whose token has ended.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::installation::{Installation, LATE};
use super::vendor::{Seen, Vendor};

/// A thread holds one caller and almost nothing else.
const STACK: usize = 128 * 1024;

/// What came of a storm.
pub(super) struct Storm {
    /// How long each caller waited, the shortest first.
    pub(super) waited: Vec<Duration>,
    /// What callers got that were not answered with 200.
    pub(super) refused: Vec<String>,
    /// What the vendor saw.
    pub(super) seen: Seen,
}

impl Storm {
    /// How long all but one in a hundred waited, and the like.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let place = (self.waited.len() * percent).div_ceil(100).saturating_sub(1);
        self.waited.get(place).copied().unwrap_or_default()
    }
}

/// Half of the callers come to each process, all at this moment.
pub(super) fn run(
    installation: &Installation,
    vendor: &Vendor,
    callers: usize,
    family: u32,
    at: Instant,
) -> Result<Storm> {
    let connected = Barrier::new(callers);
    let connected = &connected;
    let outcomes = thread::scope(|scope| -> Result<Vec<_>> {
        let spawned: Vec<_> = (0..callers)
            .map(|number| {
                let call = move || -> Result<(Duration, u16, String)> {
                    let caller = installation.caller(number % 2);
                    connected.wait();
                    thread::sleep(at.saturating_duration_since(Instant::now()));
                    let started = Instant::now();
                    let (status, said) = caller?.call(LATE, &family.to_string())?;
                    Ok((started.elapsed(), status, said))
                };
                thread::Builder::new().stack_size(STACK).spawn_scoped(scope, call)
            })
            .collect::<std::io::Result<_>>()
            .context("there is no room for so many callers")?;
        spawned
            .into_iter()
            .map(|caller| caller.join().unwrap_or_else(|_| bail!("a caller ended early")))
            .collect()
    })?;
    let mut waited: Vec<Duration> = outcomes.iter().map(|(waited, ..)| *waited).collect();
    waited.sort_unstable();
    let refused = outcomes.into_iter().filter(|(_, status, _)| *status != 200);
    let refused = refused.map(|(_, status, said)| format!("{status} {said}")).collect();
    Ok(Storm { waited, refused, seen: vendor.take_seen() })
}
