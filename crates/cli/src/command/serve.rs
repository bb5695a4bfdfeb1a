//! `tombolo serve`

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tombolo_platform::start::{Started, start};
use tombolo_server::Server;

use super::GlobalOptions;
use crate::connect_api::master_key;
use crate::logging;

/// The name of the operator's socket in the data directory.
pub const OPERATOR_SOCKET: &str = "operator.sock";

/// Run the server.
#[derive(Debug, Args)]
pub struct Serve {
    /// The address that callers reach, such as 127.0.0.1:3003.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// `sqlite:DIRECTORY` or `postgres://…`; a URL with a password belongs into `TOMBOLO_DATABASE_URL`.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The URL under which callers reach the server.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

impl Serve {
    /// Serves until SIGINT or SIGTERM.
    pub async fn run(self, global: &GlobalOptions) -> anyhow::Result<ExitCode> {
        let mut configuration = global.configuration()?;
        if let Some(listen) = self.listen {
            configuration.server.listen = listen;
        }
        if let Some(database) = self.database {
            configuration.database.url = database.into();
        }
        if let Some(url) = self.public_url {
            configuration.server.public_url = url;
        }
        logging::start(&configuration.log)?;
        let Started { platform, directory, new_master_key } =
            start(configuration.start_options(master_key())?).await?;
        if let Some(path) = new_master_key {
            tracing::warn!(
                "a new master key was made: {}. Back it up now, apart from the database: without it no secret can be read again",
                path.display()
            );
        }
        let mut options = configuration.server_options(process_id()?)?;
        options.operator_socket = directory.as_ref().map(|directory| directory.path().join(OPERATOR_SOCKET));
        let server = Server::start(Arc::clone(&platform), options)?;
        platform.work(configuration.housekeeping());
        let public_url = &configuration.server.public_url;
        if public_url.is_empty() {
            tracing::info!("listening on {}", server.address());
        } else {
            tracing::info!("listening on {}, reached as {public_url}", server.address());
        }
        tell_set_up(&server).await?;
        stop_signal().await?;
        tracing::info!("stopping");
        server.stop().await;
        tokio::join!(
            platform.finish_renewals(configuration.drain()),
            platform.stop_working(configuration.drain())
        );
        platform.store().close().await;
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints where the first administrator is made, while there is nobody. Past the log, which others may read and keep.
pub async fn tell_set_up(server: &Server) -> anyhow::Result<()> {
    if let Some(address) = server.set_up_address().await? {
        eprintln!(
            "Nobody signs in to the dashboard yet. Make the first administrator within 24 hours:\n\n    {address}\n"
        );
    }
    Ok(())
}

/// Random bits that make request ids of this process differ from others'.
pub fn process_id() -> anyhow::Result<u64> {
    Ok(tombolo_platform::random_number()?)
}

/// Waits until the process is asked to stop.
pub async fn stop_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
