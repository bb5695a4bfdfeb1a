//! `tombolo openapi`

use clap::Args;

use crate::exit::Exit;
use crate::output::Output;

/// Print the OpenAPI document of the REST API.
#[derive(Debug, Args)]
pub struct Openapi;

impl Openapi {
    pub fn run(self, output: Output) -> anyhow::Result<Exit> {
        output.line(tombolo_server::openapi().trim_end())?;
        Ok(Exit::Done)
    }
}
