//! `tombolo openapi`

use clap::Args;

use crate::exit::Exit;
use crate::output::line;

/// Print the OpenAPI document of the REST API.
#[derive(Debug, Args)]
pub struct Openapi;

/// Prints it as `docs/openapi.json` holds it.
pub fn print() -> anyhow::Result<Exit> {
    line(tombolo_server::openapi().trim_end())?;
    Ok(Exit::Done)
}
