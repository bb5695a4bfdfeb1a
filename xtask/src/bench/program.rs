//! The program that is measured.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::checkout::Checkout;

/// Builds `tombolo` with a profile and says where it is.
pub(super) fn build(checkout: &Checkout, profile: &str) -> Result<PathBuf> {
    let mut cargo = checkout.cargo();
    let status = cargo.args(["build", "--profile", profile, "-p", "tombolo"]).status();
    ensure!(status.context("cargo could not be started")?.success(), "the program could not be built");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout.root().join("target"), PathBuf::from);
    let directory = if profile == "dev" { "debug" } else { profile };
    Ok(target.join(directory).join("tombolo"))
}
