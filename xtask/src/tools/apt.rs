//! Packages of Debian and its descendants.

use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use super::on_path;
use crate::command::{output, run, say};

/// Installs packages; the error of somebody who may not says what to type.
pub(crate) fn install(packages: &[&str], purpose: &str) -> Result<()> {
    let list = packages.join(" ");
    if on_path("apt-get").is_none() {
        bail!(
            "{purpose} is missing, and this machine has no apt-get: install what Debian calls {list}, then run this again"
        );
    }
    if output(Command::new("id").arg("-u"))?.trim() != "0" {
        bail!(
            "{purpose} is missing, and installing it needs root: run `sudo apt-get install {list}`, then this again"
        );
    }
    say(&format!("installing {purpose} with apt: {list}"));
    update_once()?;
    run(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages))
        .with_context(|| format!("{purpose} could not be installed"))
}

/// The lists of packages are fetched once in a run, and only when something is missing.
fn update_once() -> Result<()> {
    static UPDATED: OnceLock<()> = OnceLock::new();
    if UPDATED.get().is_none() {
        run(apt_get().args(["update", "--quiet"]))?;
        let _ = UPDATED.set(());
    }
    Ok(())
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}
