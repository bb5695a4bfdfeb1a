//! `cargo xtask bench refresh`: tokens are renewed exactly once and none is lost, under load and when processes are killed.
//!
//! Two processes of the product on one PostgreSQL, and a vendor that punishes what no vendor may see: a refresh token that
//! is used twice. Unlike the other benchmarks this one fails when a figure does not hold.

mod figures;
mod http;
mod installation;
mod postgres;
mod recovery;
mod rounds;
mod storm;
mod vendor;

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use self::figures::{Figures, show};
use self::installation::{AHEAD, Installation, LATE, MARGIN};
use self::vendor::Vendor;
use super::program::build;
use crate::checkout::Checkout;
use crate::command::say;
use crate::tools::program;

/// A token that is younger was not refused for its age, so nobody renews it for that.
const NEW_FOR: Duration = Duration::from_secs(61);
/// The shortest time between two ends unless somebody wants less.
const LIFE_MIN: Duration = Duration::from_secs(40);
/// The longest time from a kill to the answer of the other process.
const RECOVERY_MAX: Duration = Duration::from_secs(5);

/// How much of it.
#[derive(Args)]
pub(crate) struct Options {
    /// Connections whose tokens end together.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    connections: u32,
    /// How often they end.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Seconds between two ends; five times as long as the import took unless given, because a round has to fit in.
    #[arg(long, value_parser = clap::value_parser!(u64).range(15..=3600))]
    life: Option<u64>,
    /// Callers that come at once for one token.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    storm: u32,
    /// The cargo profile of the program.
    #[arg(long, default_value = "release")]
    profile: String,
}

/// Measures, prints, and fails when a figure does not hold.
pub(super) fn run(checkout: &Checkout, options: &Options) -> Result<()> {
    program::find_or_install("curl", "curl")?;
    let program = build(checkout, &options.profile)?;
    let vendor = Vendor::start()?;
    say("starting PostgreSQL and two processes");
    let mut installation = Installation::start(program, &vendor)?;

    let started = Instant::now();
    let accounts: Vec<(u32, bool)> = (0..options.connections).map(|family| (family, false)).collect();
    installation.import(&vendor, AHEAD, &accounts)?;
    let storm = options.connections;
    let killed = recovery::CASES.iter().map(|case| case.is_lenient);
    let late: Vec<(u32, bool)> = (storm..).zip(std::iter::once(false).chain(killed)).collect();
    installation.import(&vendor, LATE, &late)?;
    let took = started.elapsed();
    println!("{} connections imported in {:.1} s", accounts.len() + late.len(), seconds(took));
    let life = options.life.map_or((took * 5).max(LIFE_MIN), Duration::from_secs);
    say(&format!("waiting {} s, until no token is new", NEW_FOR.as_secs()));
    thread::sleep(NEW_FOR);

    let mut figures = Figures::default();
    let calls = measure_rounds(&installation, &vendor, options, life, &mut figures)?;
    measure_storms(&installation, &vendor, options, storm, &mut figures)?;
    let peaks: Vec<String> =
        installation.memory_peaks()?.iter().map(|peak| format!("{peak:.0} MiB")).collect();

    println!("\nwhole run up to here");
    show("calls", &calls.to_string());
    figures.check("invalid_grant", &vendor.invalid_grants().to_string(), "0", vendor.invalid_grants() == 0);
    figures.none("connections lost", &lost(&installation, &accounts)?);
    show("peak memory of each process", &peaks.join(", "));

    println!("\none process is killed (SIGKILL) in the middle of a refresh");
    for (case, (family, _)) in recovery::CASES.iter().zip(&late[1..]) {
        let found = case.run(&mut installation, &vendor, *family)?;
        let took = format!("{:.1} s", seconds(found.took));
        figures.check(case.name(), &took, "<= 5 s", found.took <= RECOVERY_MAX);
        if !found.is_right {
            figures.check("  the answer", &found.answer, "another one", false);
        }
        if found.held_leases != "0" {
            figures.check("  leases that are still held", &found.held_leases, "0", false);
        }
    }
    figures.verdict()
}

/// Lets all tokens end together, round by round, and says how many calls there were.
fn measure_rounds(
    installation: &Installation,
    vendor: &Vendor,
    options: &Options,
    life: Duration,
    figures: &mut Figures,
) -> Result<usize> {
    let connections = options.connections;
    // Some are renewed a quarter of the margin earlier, and somebody has to be there before.
    let ahead = Duration::from_secs(u64::from(MARGIN) * 5 / 4 + 2);
    let mut end = Instant::now();
    let mut calls = 0;
    for round in 1..=options.rounds {
        let is_last = round == options.rounds;
        vendor.give_tokens_until((!is_last).then_some(end + life));
        let how = if round == 1 {
            vendor.end(0..connections);
            "the vendor ends all tokens early"
        } else {
            thread::sleep(end.saturating_duration_since(Instant::now() + ahead));
            "all tokens end by the clock"
        };
        let found = rounds::run(installation, vendor, connections, end)?;
        end += life;
        if !is_last && Instant::now() + ahead > end {
            bail!("a round takes longer here than {} s: give more with --life", life.as_secs());
        }
        println!("\nround {round}: {how}; {} callers, {connections} connections", rounds::CALLERS);
        check_refreshes(figures, &found.seen.refreshes, connections);
        figures.none("callers refused", &found.refused);
        show("calls", &found.calls.to_string());
        show("from the first refresh to the last", &format!("{:.1} s", seconds(found.seen.took)));
        calls += found.calls;
    }
    Ok(calls)
}

/// Many callers for one token: first one that the vendor ended early, then its successor, which ends by the clock.
fn measure_storms(
    installation: &Installation,
    vendor: &Vendor,
    options: &Options,
    family: u32,
    figures: &mut Figures,
) -> Result<()> {
    let callers = options.storm as usize;
    let end = Instant::now() + Duration::from_secs(15);
    for (how, at, next_end) in
        [("that the vendor ended early", Instant::now(), Some(end)), ("that ended by the clock", end, None)]
    {
        if next_end.is_some() {
            vendor.end([family]);
        } else {
            thread::sleep(at.saturating_duration_since(Instant::now() + Duration::from_secs(3)));
        }
        vendor.give_tokens_until(next_end);
        vendor.take_seen();
        let found = storm::run(installation, vendor, callers, family, at)?;
        println!("\nstorm: {callers} callers at once for one token {how}");
        check_refreshes(figures, &found.seen.refreshes, 1);
        figures.none("callers refused", &found.refused);
        for percent in [50, 99] {
            let waited = found.percentile(percent).as_millis();
            show(&format!("p{percent} of the callers"), &format!("{waited} ms"));
        }
    }
    Ok(())
}

fn check_refreshes(figures: &mut Figures, refreshes: &HashMap<u32, u32>, expiries: u32) {
    let per_expiry = f64::from(refreshes.values().sum::<u32>()) / f64::from(expiries);
    let once = refreshes.len() == expiries as usize && refreshes.values().all(|count| *count == 1);
    figures.check("refreshes per expiry", &format!("{per_expiry:.3}"), "1.000", once);
}

/// The connections that cannot be called any more.
fn lost(installation: &Installation, accounts: &[(u32, bool)]) -> Result<Vec<String>> {
    let mut caller = installation.caller(0)?;
    let mut lost = Vec::new();
    for (family, _) in accounts {
        let (status, said) = caller.call(AHEAD, &family.to_string())?;
        if status != 200 {
            lost.push(format!("connection {family}: {status} {said}"));
        }
    }
    Ok(lost)
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
