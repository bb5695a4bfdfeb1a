//! What the manifests of the checkout declare: the part of `cargo metadata` that the rules need.

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::checkout::Checkout;
use crate::command::output;

/// The answer of `cargo metadata`, format 1, for the packages of the checkout alone.
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
}

#[derive(Deserialize, Clone)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) dependencies: Vec<Dependency>,
}

#[derive(Deserialize, Clone)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) kind: Option<DependencyKind>,
}

/// What a dependency is for; a normal one has no kind.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum DependencyKind {
    Dev,
    Build,
}

impl Metadata {
    /// Asks cargo.
    pub(super) fn read(checkout: &Checkout) -> Result<Self> {
        let mut cargo = checkout.cargo();
        let text = output(cargo.args(["metadata", "--format-version", "1", "--no-deps"]))?;
        serde_json::from_str(&text).context("cargo metadata wrote something else than expected")
    }
}
