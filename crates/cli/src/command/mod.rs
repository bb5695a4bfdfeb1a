//! The commands. Each is a file; what it does goes through the API.

mod activity;
mod api_key;
mod arguments;
mod audit;
mod completions;
mod connection;
mod demo;
mod doctor;
mod emulator;
mod environment;
mod integration;
mod job;
mod key;
mod migrate;
mod notification;
mod oauth_client;
mod openapi;
mod provider;
mod provider_import;
mod request;
pub mod serve;
mod user;
mod version;
mod webhook;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::connect_api::{Api, WhereNothingIs};
use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::output::Output;

/// Link an account once, prove that it works, then call it.
#[derive(Debug, Parser)]
#[command(
    name = "tombolo",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = exit::TABLE
)]
pub struct CommandLine {
    #[command(flatten)]
    global: GlobalOptions,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct GlobalOptions {
    /// A configuration file; config.default.toml shows every setting.
    #[arg(long, global = true, env = "TOMBOLO_CONFIG", hide_env_values = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data directory; the one of the configuration unless given.
    #[arg(long, global = true, value_name = "DIRECTORY")]
    pub data_dir: Option<PathBuf>,
    /// The server to talk to, with the API key in `TOMBOLO_API_KEY`; the data directory's own unless given.
    #[arg(long, global = true, env = "TOMBOLO_URL", hide_env_values = true, value_name = "URL")]
    pub url: Option<String>,
    /// The environment to act in; an API key has its own.
    #[arg(long, global = true, env = "TOMBOLO_ENVIRONMENT", hide_env_values = true, value_name = "NAME")]
    pub environment: Option<String>,
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything on this machine with sample data, and say what to try.
    Demo(demo::Demo),
    /// Run the server.
    Serve(serve::Serve),
    /// Find out what stands in the way: clock, key, database, names, TLS, reach.
    Doctor(doctor::Doctor),
    /// Look at what can be linked, and check provider files.
    #[command(subcommand)]
    Provider(provider::Provider),
    /// Configure providers.
    #[command(subcommand)]
    Integration(integration::Integration),
    /// Look after what is registered with vendors, so that people can link accounts in a browser.
    #[command(subcommand, name = "oauth-client")]
    OAuthClient(oauth_client::OAuthClient),
    /// Link accounts, test them, and look after them.
    #[command(subcommand)]
    Connection(connection::Connection),
    /// Bring connections along from another product.
    #[command(subcommand)]
    Migrate(migrate::Migrate),
    /// Make one call through a connection.
    Request(request::Request),
    /// See the calls that were made.
    Activity(activity::Activity),
    /// Make, list and revoke the keys with which programs call the API.
    #[command(subcommand)]
    ApiKey(api_key::ApiKey),
    /// Invite people who sign in to the dashboard, and look after what they may do.
    #[command(subcommand)]
    User(user::User),
    /// See and change what the administrators of an environment decided.
    #[command(subcommand)]
    Environment(environment::Environment),
    /// See who did what, and prove that the record is whole.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Look after where events are posted to, and see what arrives there.
    #[command(subcommand)]
    Webhook(webhook::Webhook),
    /// Look after who is told how connections do, by mail or in a chat.
    #[command(subcommand)]
    Notification(notification::Notification),
    /// See the work that runs by itself, try again what failed, and end what should not run.
    #[command(subcommand)]
    Job(job::Job),
    /// See the master key, and make one.
    #[command(subcommand)]
    Key(key::Key),
    /// Run the Kintone emulator alone.
    Emulator(emulator::Emulator),
    /// Print the OpenAPI document of the REST API.
    Openapi(openapi::Openapi),
    /// Print a completion script for a shell.
    Completions(completions::Completions),
    /// Print the version.
    Version(version::Version),
}

impl CommandLine {
    /// Runs the command and tells what went wrong.
    pub async fn run(self) -> ExitCode {
        let output = Output::new(self.global.json);
        match self.command.run(&self.global, output).await {
            Ok(code) => code,
            Err(error) => match Failure::of(&error) {
                Some(failure) => {
                    failure.tell(output.json, output.language);
                    failure.exit.into()
                }
                None => Exit::Done.into(),
            },
        }
    }
}

impl Command {
    async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<ExitCode> {
        let exit = match self {
            Self::Demo(demo) => return demo.run(output).await,
            Self::Serve(serve) => return serve.run(global).await,
            Self::Emulator(emulator) => return emulator.run(output).await,
            Self::Doctor(command) => command.run(global, output).await,
            Self::Provider(command) => command.run(global, output).await,
            Self::Integration(command) => command.run(global, output).await,
            Self::OAuthClient(command) => command.run(global, output).await,
            Self::Connection(command) => command.run(global, output).await,
            Self::Migrate(command) => command.run(global, output).await,
            Self::Request(command) => command.run(global, output).await,
            Self::Activity(command) => command.run(global, output).await,
            Self::ApiKey(command) => command.run(global, output).await,
            Self::User(command) => command.run(global, output).await,
            Self::Environment(command) => command.run(global, output).await,
            Self::Audit(command) => command.run(global, output).await,
            Self::Webhook(command) => command.run(global, output).await,
            Self::Notification(command) => command.run(global, output).await,
            Self::Job(command) => command.run(global, output).await,
            Self::Key(command) => command.run(global, output).await,
            Self::Openapi(_) => openapi::print(),
            Self::Completions(command) => command.run(),
            Self::Version(_) => version::print(output),
        };
        exit.map(ExitCode::from)
    }
}

/// Does something through the API, and leaves the data directory in order whatever came of it.
async fn on_api(
    global: &GlobalOptions,
    nothing: WhereNothingIs,
    output: Output,
    work: impl AsyncFnOnce(&Api) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let api = Api::connect(global, nothing, output).await?;
    let outcome = work(&api).await;
    api.finish().await;
    outcome
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::CommandLine::command().debug_assert();
    }
}
