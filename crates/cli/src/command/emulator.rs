//! `tombolo emulator`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tombolo_kintone_emulator::{EmulatorOptions, Seed, SystemClock};

use super::serve::stop_signal;

/// Run the Kintone emulator alone: tenants in memory, for tests and for people without an account.
#[derive(Debug, Args)]
pub struct Emulator {
    /// Where tenants answer over plain HTTP, as http://localhost:PORT/t/{tenant}.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where tenants answer over TLS, by their host names.
    #[arg(long, value_name = "ADDRESS")]
    listen_tls: Option<SocketAddr>,
    /// Where the control API answers: faults, clock, tokens, and the log of what arrived.
    #[arg(long, value_name = "ADDRESS")]
    listen_control: Option<SocketAddr>,
    /// A file to write the certificate authority of the TLS side to.
    #[arg(long, value_name = "FILE")]
    authority_file: Option<PathBuf>,
    /// A JSON file with tenants; the built-in ones when absent.
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
}

impl Emulator {
    /// Runs until SIGINT or SIGTERM.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let seed = match &self.seed {
            None => Seed::demo(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                Seed::from_json(&text)?
            }
        };
        let emulator = tombolo_kintone_emulator::Emulator::start(EmulatorOptions {
            http_listen: self.listen,
            https_listen: self.listen_tls,
            control_listen: self.listen_control,
            seed,
            clock: Arc::new(SystemClock),
        })
        .await?;
        if let (Some(path), Some(pem)) = (&self.authority_file, emulator.certificate_authority_pem()) {
            std::fs::write(path, pem).with_context(|| format!("cannot write {}", path.display()))?;
        }
        for tenant in emulator.control().tenants() {
            println!("http://localhost:{}/t/{tenant}", emulator.http_address().port());
        }
        if let Some(address) = emulator.https_address() {
            eprintln!("TLS on {address}");
        }
        if let Some(address) = emulator.control_address() {
            eprintln!("control API on http://{address}");
        }
        stop_signal().await?;
        emulator.shutdown().await;
        Ok(ExitCode::SUCCESS)
    }
}
