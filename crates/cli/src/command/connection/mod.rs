//! `tombolo connection`

mod ask;
mod change;
mod create;
mod draft;
mod given;
mod landing;
mod link;
mod list;
pub mod secret_source;
pub mod stages;

use clap::{Args, Subcommand};
use tombolo_api::Connection as Linked;
use tombolo_platform::catalog::Language;

use super::arguments::{Confirmation, moment, moment_or_dash, wire_name};
use super::{GlobalOptions, on_api};
use crate::connect_api::{Api, WhereNothingIs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, document, properties};
use stages::Stages;

/// One account's authorised access, under a name. Every command takes that name, the connection id or the id.
#[derive(Debug, Subcommand)]
pub enum Connection {
    /// List connections, newest first.
    List(list::List),
    /// Link an account: test it stage by stage, and store it when it can be used.
    Create(Box<create::Create>),
    /// Link an account at the vendor with a browser (OAuth).
    Link(Box<link::Link>),
    /// Confirm whose account was linked with a browser.
    Confirm(link::Confirm),
    /// Test a connection. Exits with 4 when it cannot be used.
    #[command(after_help = "Example:
  tombolo connection test \"Sales\"")]
    Test(Named),
    /// Show a connection with everything that is no secret.
    Show(Named),
    /// Change name, tags and settings, or give it other secrets or another address: tested first.
    Update(Box<change::Update>),
    /// Delete a connection; its secrets are gone at once.
    Delete(Delete),
}

/// One connection.
#[derive(Debug, Args)]
pub struct Named {
    /// The connection's name, connection id or id.
    connection: String,
    /// The integration that it is looked for in, when its name alone says too little.
    #[arg(long, value_name = "KEY")]
    integration: Option<String>,
}

/// What is deleted.
#[derive(Debug, Args)]
pub struct Delete {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Connection {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        let nothing = match self {
            Self::Create(_) => WhereNothingIs::Install,
            _ => WhereNothingIs::Refuse,
        };
        on_api(global, nothing, output, async |api| self.on(api, output).await).await
    }

    async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::List(list) => list.on(api, output).await,
            Self::Create(create) => create.on(api, output).await,
            Self::Link(link) => link.on(api, output).await,
            Self::Confirm(confirm) => confirm.on(api, output).await,
            Self::Test(named) => test(&named, api, output).await,
            Self::Show(Named { connection, integration }) => {
                let linked = api.read_connection(&connection, integration.as_deref()).await?;
                output.show(&linked, |linked| words(linked, output.language))?;
                Ok(Exit::Done)
            }
            Self::Update(update) => update.on(api, output).await,
            Self::Delete(Delete { named: Named { connection, integration }, confirmation }) => {
                // Asked for first, so that the question names what is really meant.
                let linked = api.read_connection(&connection, integration.as_deref()).await?;
                confirmation.ask(&format!("Delete the connection `{}` ({})?", linked.name, linked.id))?;
                let deleted = api.delete_connection(&linked.id, None).await?;
                let revokes = deleted.revokes_at_vendor;
                let answer = serde_json::json!({
                    "deleted": linked.id, "name": linked.name, "revokes_at_vendor": revokes,
                });
                let more = if revokes { "; its tokens are given back to the vendor" } else { "" };
                output.show(&answer, |_| format!("deleted `{}`{more}", linked.name))?;
                Ok(Exit::Done)
            }
        }
    }
}

async fn test(named: &Named, api: &Api, output: Output) -> anyhow::Result<Exit> {
    let Named { connection, integration } = named;
    let integration = integration.as_deref();
    let report = if output.json {
        let report = api.test_connection(connection, integration).await?;
        document(&report)?;
        report
    } else {
        let lines = api.watch_test_connection(connection, integration).await?;
        let stages = Stages::new(output);
        let report = stages.watch_test(lines).await?;
        stages.conclusion(&report)?;
        report
    };
    Ok(if report.available { Exit::Done } else { Exit::Refused })
}

/// A connection in words.
fn words(linked: &Linked, language: Language) -> String {
    let pairs = |map: &serde_json::Map<String, serde_json::Value>| {
        let pairs = map.iter().map(|(key, value)| match value.as_str() {
            Some(text) => format!("{key}={text}"),
            None => format!("{key}={value}"),
        });
        pairs.collect::<Vec<_>>().join(", ")
    };
    let tags: Vec<String> = linked.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut text = properties([
        ("name", linked.name.clone()),
        ("id", linked.id.clone()),
        ("connection id", linked.connection_id.clone()),
        ("provider", linked.provider.clone()),
        ("integration", linked.provider_config_key.clone()),
        ("auth scheme", linked.auth_scheme.clone()),
        ("gates", linked.gates.join(", ")),
        ("certificate until", linked.certificate_expires_at.map(moment).unwrap_or_default()),
        ("fields", pairs(&linked.config)),
        ("settings", pairs(&linked.settings)),
        ("tags", tags.join(", ")),
        ("hosts", linked.hosts.join(", ")),
        ("health", format!("{} since {}", wire_name(linked.health.status), moment(linked.health.since))),
        ("tested", moment_or_dash(linked.health.tested_at)),
        ("next try", moment_or_dash(linked.health.next_try_at)),
        ("ends", moment_or_dash(linked.health.ends_at)),
        ("created", moment(linked.created_at)),
        ("updated", moment(linked.updated_at)),
    ]);
    if let Some(failure) = &linked.health.failure {
        text.push_str("\n\n");
        text.push_str(&[failure.what.as_str(), failure.fix.as_str()].join(". "));
    }
    if let Some(verdict) = &linked.health.verdict {
        text.push_str("\n\n");
        text.push_str(&stages::verdict_in_words(verdict, language));
    }
    text
}

/// A problem that was told as the last line of a stream.
fn told(problem: tombolo_api::Problem) -> anyhow::Error {
    Failure::from(tombolo_api::client::ApiError::from(problem)).into()
}

/// The server ended a stream without its last line.
fn broke_off() -> anyhow::Error {
    let what = "the server's answer ended before its last line";
    Failure::new(Exit::Unavailable, "answer_ended", what, "Try again, and see the log of the server.").into()
}
