//! `cargo xtask bench`: figures to look at. Speed is printed as ratios of one run, and nothing fails because it is slow;
//! what is promised of pages, and what only shows under load, has to hold.

mod download;
mod load;
mod nginx;
mod pages;
mod process;
mod program;
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
    /// Each page: time on the server, bytes of HTML, CSS and script, against what is promised.
    Pages(pages::Options),
    /// Tokens that end together at a strict vendor, under load and while processes are killed.
    Refresh(refresh::Options),
}

/// Runs a benchmark.
pub(crate) fn run(checkout: &Checkout, what: &What) -> Result<()> {
    match what {
        What::Proxy(options) => proxy::run(checkout, options),
        What::Pages(options) => pages::run(checkout, options),
        What::Refresh(options) => refresh::run(checkout, options),
    }
}
