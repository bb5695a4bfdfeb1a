//! The commands. Each is a file; what it does goes through the API.

mod demo;
mod emulator;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Link an account of a SaaS API once, prove that it works, then call it.
#[derive(Debug, Parser)]
#[command(name = "tombolo", version, propagate_version = true, arg_required_else_help = true)]
pub struct CommandLine {
    /// A configuration file; config.default.toml shows every setting.
    #[arg(long, global = true, env = "TOMBOLO_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything on this machine with sample data, and say what to try.
    Demo(demo::Demo),
    /// Run the server.
    Serve(serve::Serve),
    /// Run the Kintone emulator alone.
    Emulator(emulator::Emulator),
}

impl CommandLine {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Demo(demo) => demo.run().await,
            Command::Serve(serve) => serve.run(self.config.as_deref()).await,
            Command::Emulator(emulator) => emulator.run().await,
        }
    }
}

/// Tells a failure on stderr and gives its exit code.
pub fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}
