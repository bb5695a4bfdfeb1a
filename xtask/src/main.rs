#![doc = include_str!("../README.md")]

mod bench;
mod checkout;
mod ci;
mod command;
mod generate;
mod screenshots;
mod test;
mod tidy;
mod tools;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use checkout::Checkout;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Find or install what the tests need, then run them all.
    Test {
        /// Passed on to `cargo test`, such as `-p tombolo-store` or `-- --nocapture`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Everything that must hold before a change is merged.
    Ci,
    /// Check style and structure.
    Tidy,
    /// Write the generated files that are checked in.
    Generate,
    /// Write a picture of every page in every state, in both languages, light and dark, wide and narrow.
    Screenshots {
        /// Only the pages whose name has one of these texts in it, such as `connect` or `oauth-end`.
        pages: Vec<String>,
    },
    /// Measure.
    Bench {
        #[command(subcommand)]
        what: bench::What,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let checkout = Checkout::find()?;
    match task {
        Task::Test { arguments } => test::run(&checkout, &arguments),
        Task::Ci => ci::run(&checkout),
        Task::Tidy => tidy::run(&checkout),
        Task::Generate => generate::run(&checkout),
        Task::Screenshots { pages } => screenshots::run(&checkout, &pages),
        Task::Bench { what } => bench::run(&checkout, &what),
    }
}
