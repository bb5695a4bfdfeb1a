//! `cargo xtask test`: finds or installs what the tests need, then runs them all.

pub(crate) mod environment;
mod summary;

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;
use crate::command::say;
use summary::Summary;

/// Runs the tests. The error says how many failed; cargo's own lines have passed through by then.
pub(crate) fn run(checkout: &Checkout, arguments: &[OsString]) -> Result<()> {
    let environment = environment::prepare(checkout)?;
    let mut command = checkout.cargo();
    command.arg("test");
    if !names_a_package(arguments) {
        command.arg("--workspace");
    }
    if !arguments.iter().any(|argument| argument == "--no-fail-fast") {
        command.arg("--no-fail-fast");
    }
    command.args(arguments).envs(environment).stdin(Stdio::null()).stdout(Stdio::piped());

    let started = Instant::now();
    let mut child = command.spawn().context("cargo could not be started")?;
    let lines = BufReader::new(child.stdout.take().context("standard output was asked for")?);
    let mut summary = Summary::default();
    let mut out = std::io::stdout();
    for line in lines.split(b'\n') {
        let line = line?;
        summary.read(&String::from_utf8_lossy(&line));
        out.write_all(&line)?;
        out.write_all(b"\n")?;
    }
    let status = child.wait()?;
    writeln!(out, "{summary} in {} s", started.elapsed().as_secs())?;
    if !status.success() {
        bail!("the tests failed ({status})");
    }
    if summary.binaries == 0 {
        bail!("no test ran");
    }
    say("all tests passed");
    Ok(())
}

/// With a package named, cargo would still take the whole workspace if it were told so.
fn names_a_package(arguments: &[OsString]) -> bool {
    arguments
        .iter()
        .map(|argument| argument.to_string_lossy())
        .take_while(|argument| argument != "--")
        .any(|argument| argument.starts_with("-p") || argument.starts_with("--package"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_package_is_noticed() {
        for (arguments, expected) in [
            (vec!["-p", "tombolo-store"], true),
            (vec!["--package=tombolo-store"], true),
            (vec!["name_of_a_test"], false),
            (vec!["--", "-p"], false),
        ] {
            let given: Vec<OsString> = arguments.iter().map(Into::into).collect();
            assert_eq!(names_a_package(&given), expected, "{arguments:?}");
        }
    }
}
