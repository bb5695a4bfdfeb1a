//! `tombolo emulator`

mod ready;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tombolo_kintone_emulator::model::BasicGate;
use tombolo_kintone_emulator::{
    AcceptedCredential, EmulatorOptions, Seed, Simulator, SimulatorOptions, SystemClock,
};
use tombolo_platform::catalog::{Catalog, Provider};
use tombolo_platform::start::{ProviderFileError, validate_provider};

use self::ready::{AcceptedForm, ConnectTo, Emulated, EmulatedTenant, Listening, Simulated};
use super::serve::stop_signal;
use crate::failure::Failure;
use crate::output::Output;

/// Run the Kintone emulator alone: tenants in memory, for tests and for people without an account. With --provider
/// play any other provider by its file.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tombolo emulator
  tombolo emulator --provider oomnitza
  tombolo emulator --provider providers/acme.yaml --field subdomain=north --listen-control 127.0.0.1:8081")]
pub struct Emulator {
    /// A provider to play instead: its file, or the id of a built-in one.
    #[arg(long, value_name = "FILE|ID", conflicts_with = "seed")]
    provider: Option<String>,
    /// Where it answers over plain HTTP; a tenant of Kintone as http://localhost:PORT/t/{tenant}.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where it answers over TLS, by the host names of the vendor.
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
    /// A configuration field of the account that is played, such as its subdomain.
    #[arg(long = "field", value_name = "NAME=VALUE", requires = "provider", value_parser = field)]
    fields: Vec<(String, String)>,
    /// A JSON file with the credentials to accept, [{"scheme": …, "fields": {…}}, …]; made up when absent.
    #[arg(long, value_name = "FILE", requires = "provider")]
    credentials: Option<PathBuf>,
    /// Put HTTP Basic in front, for providers that may have that gate.
    #[arg(long, requires = "provider")]
    basic_gate: bool,
}

impl Emulator {
    /// Runs until SIGINT or SIGTERM. Once it answers it says where; with `--json` that is one object on one line, so
    /// that whoever started it can read it while it runs.
    pub async fn run(self, output: Output) -> anyhow::Result<ExitCode> {
        match &self.provider {
            Some(provider) => self.simulate(find_provider(provider)?, output).await,
            None => self.emulate(output).await,
        }
    }

    async fn emulate(&self, output: Output) -> anyhow::Result<ExitCode> {
        let seed = match &self.seed {
            None => Seed::demo(),
            Some(path) => Seed::from_json(&read(path)?)?,
        };
        let emulator = tombolo_kintone_emulator::Emulator::start(EmulatorOptions {
            http_listen: self.listen,
            https_listen: self.listen_tls,
            control_listen: self.listen_control,
            seed,
            clock: Arc::new(SystemClock),
        })
        .await?;
        self.write_authority(emulator.certificate_authority_pem())?;
        let url = format!("http://localhost:{}", emulator.http_address().port());
        let tenants = emulator.control().tenants().into_iter();
        let emulated = Emulated {
            tenants: tenants.map(|name| EmulatedTenant { url: format!("{url}/t/{name}"), name }).collect(),
            listening: self.listening(emulator.https_address(), emulator.control_address()),
        };
        emulated.tell(output)?;
        stop_signal().await?;
        emulator.shutdown().await;
        Ok(ExitCode::SUCCESS)
    }

    async fn simulate(&self, provider: Arc<Provider>, output: Output) -> anyhow::Result<ExitCode> {
        let credentials: Vec<AcceptedCredential> = match &self.credentials {
            None => Vec::new(),
            Some(path) => serde_json::from_str(&read(path)?)
                .with_context(|| format!("{} is no list of credentials", path.display()))?,
        };
        let basic_gate = self.basic_gate.then(|| BasicGate {
            username: "simulated-gate".to_owned(),
            password: "simulated-gate-password".to_owned(),
        });
        let simulator = Simulator::start(SimulatorOptions {
            config: self.fields.iter().cloned().collect(),
            credentials,
            basic_gate,
            http_listen: self.listen,
            https_listen: self.listen_tls,
            control_listen: self.listen_control,
            ..SimulatorOptions::new(provider)
        })
        .await?;
        self.write_authority(simulator.certificate_authority_pem())?;
        self.describe(&simulator)?.tell(output)?;
        stop_signal().await?;
        simulator.shutdown().await;
        Ok(ExitCode::SUCCESS)
    }

    /// Where the simulator is, how a server is sent there, and what it accepts.
    fn describe(&self, simulator: &Simulator) -> anyhow::Result<Simulated> {
        let accepted = |credential: &AcceptedCredential| {
            let fields = simulator.form(credential)?;
            anyhow::Ok(AcceptedForm { scheme: credential.scheme.clone(), fields })
        };
        Ok(Simulated {
            provider: simulator.provider().id.clone(),
            url: simulator.local_base_url(),
            connect_to: self.connect_to(simulator),
            accepted: simulator.credentials().iter().map(accepted).collect::<Result<_, _>>()?,
            listening: self.listening(simulator.https_address(), simulator.control_address()),
        })
    }

    /// The entry of the setting `egress.connect_to`: over TLS when its authority was written to a file.
    fn connect_to(&self, simulator: &Simulator) -> ConnectTo {
        let (address, authority_file) = match (simulator.https_address(), &self.authority_file) {
            (Some(address), Some(file)) => (address, Some(file.clone())),
            _ => (simulator.http_address(), None),
        };
        let without_tls = authority_file.is_none();
        let host = simulator.host().to_owned();
        ConnectTo { host, address: reachable(address), without_tls, authority_file }
    }

    fn listening(&self, tls: Option<SocketAddr>, control: Option<SocketAddr>) -> Listening {
        let control = control.map(|address| format!("http://{address}"));
        Listening { tls, control, authority_file: self.authority_file.clone() }
    }

    fn write_authority(&self, pem: Option<&str>) -> anyhow::Result<()> {
        if let (Some(path), Some(pem)) = (&self.authority_file, pem) {
            std::fs::write(path, pem).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

/// The address to connect to when it is listened on: loopback for a socket that takes every address.
fn reachable(listening: SocketAddr) -> SocketAddr {
    match listening.ip() {
        ip if ip.is_unspecified() => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listening.port()),
        _ => listening,
    }
}

/// The provider of a file, or the built-in one of an id.
fn find_provider(named: &str) -> anyhow::Result<Arc<Provider>> {
    let catalog = Catalog::built_in().map_err(|faults| anyhow::anyhow!(lines(&faults)))?;
    let path = Path::new(named);
    let is_file = path.exists() || path.extension().is_some() || named.contains(std::path::MAIN_SEPARATOR);
    match catalog.get(named) {
        Some(provider) => Ok(Arc::clone(provider)),
        None if is_file => match validate_provider(path) {
            Ok(provider) => Ok(Arc::new(provider)),
            Err(ProviderFileError::Faults(faults)) => Err(Failure::usage(
                format!("The provider file has faults:\n{}", lines(&faults)),
                "Mend them and start again.",
            )
            .into()),
            Err(error) => Err(error.into()),
        },
        None => {
            let known: Vec<&str> = catalog.iter().map(|provider| provider.id.as_str()).collect();
            Err(Failure::usage(
                format!("There is no built-in provider `{named}`"),
                format!("Give a provider file, or one of: {}.", known.join(", ")),
            )
            .into())
        }
    }
}

fn lines(texts: &[impl ToString]) -> String {
    texts.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn field(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
