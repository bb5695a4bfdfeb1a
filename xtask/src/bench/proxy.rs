//! `cargo xtask bench proxy`.
//!
//! Every subject has one core to itself. The load generator and the upstream share the other, so that what is measured is
//! the subject as long as the other core is not the one that is full. The subjects take turns, round by round: figures
//! of one machine drift by a fifth within minutes, their ratios by less than a tenth.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use super::download;
use super::load::{self, Outcome};
use super::process::Usage;
use super::statistics::Sample;

use super::subject::{Running, Subject};
use super::table;
use super::upstream::{self, Upstream};
use crate::checkout::Checkout;
use crate::command::say;
use crate::tools::program;

/// How long to measure, and what.
#[derive(Args)]
pub(crate) struct Options {
    /// Seconds that one measurement takes.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=120))]
    seconds: u32,
    /// How often every subject is measured; the medians are printed.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
    /// Only these subjects.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Subject>,
    /// Speak TLS to the upstream, and verify its certificate.
    #[arg(long)]
    tls: bool,
    /// Leave the part with the large body out.
    #[arg(long)]
    small_only: bool,
}

/// Measures and prints.
pub(super) fn run(checkout: &Checkout, options: &Options) -> Result<()> {
    if std::thread::available_parallelism()?.get() < 2 {
        bail!("this needs two cores: one for the proxy, one for the upstream and the load generator");
    }
    let tools = Tools::find_or_install()?;
    let upstream = Upstream::start(&tools.nginx)?;
    let mut subjects = Vec::new();
    for subject in Subject::value_variants() {
        if options.only.is_empty() || options.only.contains(subject) {
            say(&format!("starting {}", subject.name()));
            subjects.push(subject.start(checkout, &tools.nginx, &upstream, options.tls)?);
        }
    }
    for running in &subjects {
        running.check()?;
    }

    let seconds = options.seconds;
    let small = |running: &Running, seconds| load::run(&tools.wrk, running, upstream::SMALL_PATH, seconds);
    let samples = measure(&subjects, options, small)?;
    let rounds = format!("medians of {} rounds of {seconds} s", options.rounds);
    println!("\n{} connections, answers of 1 KiB, {rounds}", load::CONNECTIONS);
    print!("{}", table::small(&names(&subjects), &samples));

    if !options.small_only {
        let samples = measure(&subjects, options, download::run)?;
        println!("\n{} connections, bodies of 100 MB, {rounds}", download::CONNECTIONS);
        print!("{}", table::large(&names(&subjects), &samples));
    }
    Ok(())
}

/// The programs of others that take part.
struct Tools {
    nginx: PathBuf,
    wrk: PathBuf,
}

impl Tools {
    fn find_or_install() -> Result<Self> {
        for helper in ["curl", "openssl"] {
            program::find_or_install(helper, helper)?;
        }
        Ok(Self {
            nginx: program::find_or_install("nginx", "nginx-light")?,
            wrk: program::find_or_install("wrk", "wrk")?,
        })
    }
}

fn names(subjects: &[Running]) -> Vec<&'static str> {
    subjects.iter().map(|running| running.subject.name()).collect()
}

/// One list of samples for each subject. The first, short turn of each warms connections and caches and is not counted,
/// but the memory that it takes is.
fn measure(
    subjects: &[Running],
    options: &Options,
    load: impl Fn(&Running, u32) -> Result<Outcome>,
) -> Result<Vec<Vec<Sample>>> {
    let mut resident_before = Vec::new();
    for running in subjects {
        running.process.forget_peak()?;
        resident_before.push(Usage::of(running.process.id())?.resident);
        load(running, 1)?;
    }
    let mut samples: Vec<Vec<Sample>> = subjects.iter().map(|_| Vec::new()).collect();
    for round in 1..=options.rounds {
        for ((running, samples), resident_before) in subjects.iter().zip(&mut samples).zip(&resident_before) {
            let before = Usage::of(running.process.id())?;
            let outcome = load(running, options.seconds)?;
            let after = Usage::of(running.process.id())?;
            let sample = Sample::new(&before, &after, *resident_before, &outcome);
            say(&format!(
                "round {round}: {:<20} {:>8.0} requests/s {:>6.0} MB/s",
                running.subject.name(),
                sample.requests_per_second,
                sample.bytes_per_second / 1e6
            ));
            samples.push(sample);
        }
    }
    Ok(samples)
}
