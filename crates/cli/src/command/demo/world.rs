//! What the demo runs: an emulator, a server that reaches it under the vendor's own host names, and a caller's key.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use tombolo_api::client::{ApiClient, Transport};
use tombolo_api::{CreateApiKey, CreatedApiKey};
use tombolo_kintone_emulator::{Emulator, EmulatorOptions};
use tombolo_platform::Housekeeping;
use tombolo_platform::start::{ConnectToOption, StartOptions, Started, start};
use tombolo_server::{Server, ServerOptions};

use crate::command::serve::{OPERATOR_SOCKET, process_id, tell_set_up};

/// The hosts of the emulated tenants.
const HOSTS: [&str; 2] = ["demo.kintone.com", "sample.cybozu.com"];

/// Everything that runs.
pub struct World {
    pub emulator: Emulator,
    pub url: String,
    pub key: CreatedApiKey,
    pub client: ApiClient,
    pub data_directory: PathBuf,
    server: Server,
    started: Started,
    /// Removed when the demo ends.
    _temporary: Option<tempfile::TempDir>,
}

impl World {
    pub async fn start(data_directory: Option<PathBuf>) -> anyhow::Result<Self> {
        let temporary = match &data_directory {
            Some(_) => None,
            None => Some(tempfile::tempdir().context("cannot make a temporary directory")?),
        };
        let data_directory = match (data_directory, &temporary) {
            (Some(path), _) => path,
            (None, Some(temporary)) => temporary.path().join("data"),
            (None, None) => PathBuf::from("tombolo-demo"),
        };
        let emulator = Emulator::start(EmulatorOptions::default()).await?;
        let started = start(options(&data_directory, &emulator)?).await?;
        let socket = data_directory.join(OPERATOR_SOCKET);
        let server = Server::start(
            std::sync::Arc::clone(&started.platform),
            ServerOptions {
                listen: ([127, 0, 0, 1], 0).into(),
                proxy_threads: 1,
                connections_max: 1000,
                requests_per_minute: 0,
                drain: Duration::from_secs(5),
                process_id: process_id()?,
                tls: None,
                public_url: None,
                operator_socket: Some(socket.clone()),
            },
        )?;
        started.platform.work(Housekeeping { activity: Duration::from_hours(24), verify_every: None });
        let operator = ApiClient::new(Transport::socket(socket));
        let key = operator
            .create_api_key(&CreateApiKey { display_name: "demo".to_owned(), ..CreateApiKey::default() })
            .await?;
        let url = format!("http://localhost:{}", server.address().port());
        let client = ApiClient::new(Transport::url(&url)?).with_key(key.secret.clone().into());
        Ok(Self { emulator, url, key, client, data_directory, server, started, _temporary: temporary })
    }

    /// Says what runs where.
    pub fn introduce(&self) {
        let emulator = format!("http://localhost:{}/t/", self.emulator.http_address().port());
        println!("Tombolo demo: an emulated Kintone with two tenants, and a server that links them\n");
        println!("  server     {}", self.url);
        println!("  kintone    {emulator}demo    (demo.kintone.com)");
        println!("             {emulator}sample  (sample.cybozu.com, behind Basic authentication)");
        println!("  data       {}", self.data_directory.display());
    }

    /// Says where the first administrator is made, unless an earlier demo in the same directory has one.
    pub async fn invite(&self) -> anyhow::Result<()> {
        tell_set_up(&self.server).await
    }

    pub async fn stop(self) {
        self.server.stop().await;
        self.started.platform.store().close().await;
        self.emulator.shutdown().await;
    }
}

fn options(data_directory: &Path, emulator: &Emulator) -> anyhow::Result<StartOptions> {
    let address = emulator.https_address().context("the emulator has no TLS side")?;
    let browser = format!("http://localhost:{}", emulator.http_address().port());
    let mut options = StartOptions::in_directory(data_directory.to_owned());
    options.egress.connect_to = HOSTS
        .map(|host| ConnectToOption {
            host: host.to_owned(),
            address,
            authority: emulator.certificate_authority_pem().map(str::to_owned),
            browser_address: Some(format!("{browser}/t/{}", host.split('.').next().unwrap_or(host))),
            without_tls: false,
        })
        .to_vec();
    Ok(options)
}
