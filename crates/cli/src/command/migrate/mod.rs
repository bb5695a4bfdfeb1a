//! `tombolo migrate`

mod credentials;
mod integrations;
mod nango;
mod progress;
mod report;
mod source;
mod wire;

use clap::Subcommand;

use super::GlobalOptions;
use crate::exit::Exit;
use crate::output::Output;

/// Bring connections along from another product.
#[derive(Debug, Subcommand)]
pub enum Migrate {
    /// Copy integrations and connections, with their credentials and ids, from a server of Nango.
    #[command(after_help = "Examples:
  tombolo migrate nango --from https://nango.example.com --key-from env:NANGO_SECRET_KEY --dry-run
  tombolo migrate nango --from http://nango.internal:3003 --private-address --key-from file:/run/secrets/nango
  tombolo migrate nango --from https://api.nango.dev --integration github --integration slack --keep-callback

A vendor may take a refresh token only once: from the moment that connections were copied, only one of the two servers may
renew tokens. Stop the other one. docs/switching.md goes through the whole switch.

A run that was interrupted is continued by running it again: what is here already is skipped.")]
    Nango(Box<nango::Nango>),
}

impl Migrate {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::Nango(command) => command.run(global, output).await,
        }
    }
}
