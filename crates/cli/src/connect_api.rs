//! The way to the API. Commands speak nothing else: over HTTP when a URL is given, over the operator's socket when a
//! server runs on the data directory, otherwise inside of this process, which then holds the directory's lock.

use std::ops::Deref;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use secrecy::SecretString;
use tempfile::TempDir;
use tombolo_api::client::{ApiClient, Transport};
use tombolo_platform::start::{StartOptions, Started, start};
use tombolo_server::InProcess;

use crate::command::GlobalOptions;
use crate::command::serve::{OPERATOR_SOCKET, process_id};
use crate::configuration::{Configuration, LogSection};
use crate::environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::language;
use crate::logging;
use crate::output::{Output, say};

/// What to do where nothing was ever installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhereNothingIs {
    /// Say so: looking at nothing helps nobody, and the directory is probably the wrong one.
    Refuse,
    /// Make an installation, as `tombolo serve` would.
    Install,
    /// Use one that is gone afterwards: what is asked for is part of the program.
    Borrow,
}

/// A client, and what has to stay for as long as it is used.
pub struct Api {
    client: ApiClient,
    installation: Option<Installation>,
}

/// An installation inside of this process.
struct Installation {
    started: Started,
    server: Arc<InProcess>,
    _borrowed: Option<TempDir>,
}

impl Deref for Api {
    type Target = ApiClient;
    fn deref(&self) -> &ApiClient {
        &self.client
    }
}

impl Api {
    /// Finds the way.
    pub async fn connect(
        global: &GlobalOptions,
        nothing: WhereNothingIs,
        output: Output,
    ) -> anyhow::Result<Self> {
        let key = environment::text("TOMBOLO_API_KEY")?.filter(|key| !key.is_empty());
        let (mut client, installation) = match &global.url {
            Some(url) => (ApiClient::new(Transport::url(url)?), None),
            None => Self::of_data_directory(global, nothing).await?,
        };
        if let Some(key) = key {
            client = client.with_key(SecretString::from(key));
        }
        if let Some(environment) = &global.environment {
            client = client.with_environment(environment);
        }
        let client = client.with_language(language::tag(output.language));
        Ok(Self { client, installation })
    }

    /// Writes what the calls left to the log, and closes the database. To be called whatever happened.
    pub async fn finish(self) {
        let Some(Installation { started, server, _borrowed }) = self.installation else { return };
        drop(self.client);
        drop(server);
        started.platform.flush_activity().await;
        started.platform.store().close().await;
    }

    async fn of_data_directory(
        global: &GlobalOptions,
        nothing: WhereNothingIs,
    ) -> anyhow::Result<(ApiClient, Option<Installation>)> {
        let configuration = global.configuration()?;
        let mut options = configuration.start_options(master_key())?;
        if options.postgres.is_none() {
            if let Some(socket) = running_server(&options.data_directory) {
                return Ok((ApiClient::new(Transport::socket(socket)), None));
            }
            if !has_installation(&options.data_directory) && nothing == WhereNothingIs::Refuse {
                return Err(nothing_there(&options.data_directory).into());
            }
        }
        let borrow = options.postgres.is_none()
            && nothing == WhereNothingIs::Borrow
            && !has_installation(&options.data_directory);
        let borrowed = if borrow {
            let directory = tempfile::tempdir().context("cannot make a temporary directory")?;
            options = StartOptions { data_directory: directory.path().join("data"), ..options };
            Some(directory)
        } else {
            None
        };
        // What fails inside of the process is told by the command; only what nobody waits for is logged.
        logging::start(&LogSection { filter: "error".to_owned(), format: configuration.log.format })?;
        let started = start(options).await?;
        if let (Some(path), None) = (&started.new_master_key, &borrowed) {
            say(format_args!(
                "a new master key was made: {}. Back it up now, apart from the database: without it no secret can be read again",
                path.display()
            ));
        }
        let public_url = Some(configuration.server.public_url.as_str()).filter(|url| !url.is_empty());
        let server = Arc::new(InProcess::new(&started.platform, process_id()?, public_url)?);
        let connect = Arc::clone(&server);
        let client = ApiClient::new(Transport::in_process(move || connect.connect()));
        Ok((client, Some(Installation { started, server, _borrowed: borrowed })))
    }
}

/// The master key that the environment holds. One that is not UTF-8 was refused with the configuration.
pub fn master_key() -> Option<SecretString> {
    std::env::var("TOMBOLO_MASTER_KEY").ok().map(SecretString::from)
}

/// The socket of the server that runs on a data directory. A file that nobody listens on was left over by a server
/// that was killed.
pub fn running_server(data_directory: &Path) -> Option<PathBuf> {
    let socket = data_directory.join(OPERATOR_SOCKET);
    UnixStream::connect(&socket).is_ok().then_some(socket)
}

/// Whether a data directory was ever used.
pub fn has_installation(data_directory: &Path) -> bool {
    data_directory.join("tombolo.db").exists()
}

/// Nothing was ever installed in a data directory.
pub fn nothing_there(data_directory: &Path) -> Failure {
    let what = format!("there is nothing in the data directory {}", data_directory.display());
    let fix = "Start a server with `tombolo serve`, or say where it is: --data-dir DIRECTORY, or --url URL with the key in TOMBOLO_API_KEY.";
    Failure::new(Exit::Unavailable, "nothing_installed", what, fix)
}

impl GlobalOptions {
    /// The configuration that counts for this command.
    pub fn configuration(&self) -> anyhow::Result<Configuration> {
        let mut configuration = Configuration::read(self.config.as_deref(), std::env::vars_os())?;
        if let Some(directory) = &self.data_dir {
            configuration.data_dir.clone_from(directory);
        }
        Ok(configuration)
    }
}
