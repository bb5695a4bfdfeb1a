//! The load of large bodies: several `curl` at the same time, on the core that the subject does not have.
//!
//! `wrk` reads 8 KiB at a time and would itself be what is measured.

use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::load::Outcome;
use super::subject::{OTHER_CORE, Running};
use super::upstream;
use crate::command::output;

/// Bodies that are fetched at the same time.
pub(super) const CONNECTIONS: u32 = 8;

/// Fetches the large body again and again for about that long: what has begun is fetched to its end.
pub(super) fn run(subject: &Running, seconds: u32) -> Result<Outcome> {
    let started = Instant::now();
    let deadline = Duration::from_secs(seconds.into());
    let transfers = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let fetch_until_deadline = || -> Result<()> {
            while started.elapsed() < deadline {
                let taken = fetch(subject)?;
                transfers.lock().map_err(|_| anyhow!("another transfer panicked"))?.push(taken);
            }
            Ok(())
        };
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(fetch_until_deadline)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| anyhow!("a transfer panicked"))?)
    })?;
    let duration = started.elapsed();
    let mut taken = transfers.into_inner().map_err(|_| anyhow!("a transfer panicked"))?;
    taken.sort_unstable();
    let at = |percent: usize| taken[(taken.len() - 1) * percent / 100];
    Ok(Outcome {
        requests: taken.len() as u64,
        duration,
        bytes: (taken.len() * upstream::LARGE_BYTES) as f64,
        median: at(50),
        percentile_99: at(99),
    })
}

/// Fetches the body once, checks that it is whole, and says how long it took.
fn fetch(subject: &Running) -> Result<Duration> {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &OTHER_CORE.to_string(), "curl", "--silent", "--fail", "--max-time", "120"]);
    command.args(["--output", "/dev/null", "--write-out", "%{size_download} %{time_total}"]);
    for header in &subject.headers {
        command.args(["--header", header]);
    }
    let text = output(command.arg(format!("{}{}", subject.base_url, upstream::LARGE_PATH)))?;
    let (size, taken) = text.split_once(' ').context("curl wrote something else than expected")?;
    if size.parse() != Ok(upstream::LARGE_BYTES) {
        bail!("{} sent {size} of {} bytes", subject.subject.name(), upstream::LARGE_BYTES);
    }
    Ok(Duration::from_secs_f64(taken.parse()?))
}
