//! `tombolo version`

use clap::Args;
use serde_json::json;

use crate::exit::Exit;
use crate::output::Output;

/// Print the version.
#[derive(Debug, Args)]
pub struct Version;

/// Prints it.
pub fn print(output: Output) -> anyhow::Result<Exit> {
    let version = env!("CARGO_PKG_VERSION");
    output.show(&json!({ "version": version }), |_| format!("tombolo {version}"))?;
    Ok(Exit::Done)
}
