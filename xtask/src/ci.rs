//! `cargo xtask ci`: everything that must hold before a change is merged.
//!
//! The project's own rules and the generated files are checked by tests. The steps share one target directory and one
//! profile, and the tests come before what is slow: clippy and the documentation then find what they need. A step that
//! fails does not hide those after it.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::checkout::Checkout;
use crate::command::{run as run_command, say};
use crate::test;

type Step = (&'static str, fn(&Checkout) -> Result<()>);

const STEPS: &[Step] = &[
    ("format", format),
    ("tests", |checkout| test::run(checkout, &[])),
    ("lints", lints),
    ("documentation", documentation),
];

/// Runs every step, then says how each ended.
pub(crate) fn run(checkout: &Checkout) -> Result<()> {
    let mut report = Vec::new();
    let mut failed = Vec::new();
    for (name, step) in STEPS {
        say(&format!("\n== {name}"));
        let started = Instant::now();
        let outcome = step(checkout);
        let verdict = if outcome.is_ok() { "passed" } else { "FAILED" };
        report.push(format!("{name:<16} {verdict} {:>5} s", started.elapsed().as_secs()));
        if let Err(error) = outcome {
            say(&format!("{name}: {error:#}"));
            failed.push(*name);
        }
    }
    println!("\n{}", report.join("\n"));
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn format(checkout: &Checkout) -> Result<()> {
    run_command(checkout.cargo().args(["fmt", "--all", "--check"]))
}

fn lints(checkout: &Checkout) -> Result<()> {
    run_command(checkout.cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--keep-going",
        "--",
        "-D",
        "warnings",
    ]))
}

fn documentation(checkout: &Checkout) -> Result<()> {
    let mut cargo = checkout.cargo();
    run_command(
        cargo.args(["doc", "--workspace", "--no-deps", "--keep-going"]).env("RUSTDOCFLAGS", "-Dwarnings"),
    )
}
