//! `cargo xtask bench`: figures to look at. Speed is printed as ratios of one run, and nothing fails because it is slow;
//! promises that only show under load have to hold.

mod download;
mod load;
mod nginx;
mod process;
mod proxy;
mod refresh;
mod statistics;
mod subject;
mod table;
mod tombolo;
mod upstream;

use anyhow::Result;
use clap::Subcommand;

use crate::checkout::Checkout;

/// What can be measured.
#[derive(Subcommand)]
pub(crate) enum What {
    /// A proxied request, beside nginx doing the same and beside no proxy; then the same with a body of 100 MB.
    Proxy(proxy::Options),
    /// Tokens that end together at a strict vendor, under load and while processes are killed.
    Refresh(refresh::Options),
}

/// Runs a benchmark.
pub(crate) fn run(checkout: &Checkout, what: &What) -> Result<()> {
    match what {
        What::Proxy(options) => proxy::run(checkout, options),
        What::Refresh(options) => refresh::run(checkout, options),
    }
}
