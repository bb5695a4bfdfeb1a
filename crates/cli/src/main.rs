#![doc = include_str!("../README.md")]

mod command;
mod configuration;
mod connect_api;
mod environment;
mod exit;
mod failure;
mod language;
mod logging;
mod output;

use std::process::ExitCode;

use clap::Parser as _;

use command::CommandLine;

// Calls are many small allocations; measured, this allocator takes about a tenth off a call's processor time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let line = CommandLine::parse();
    // Both TLS libraries' features could be enabled by a dependency; the choice is made here and nowhere else.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        eprintln!("error: another TLS provider was installed first; please report this");
        return ExitCode::from(70);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::from(71);
        }
    };
    let code = runtime.block_on(line.run());
    // Blocking work that hangs, such as a name look-up, must not hold the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    code
}
