//! A simulator that plays any provider file: it takes the credential where the file says, answers the requests of
//! the connection test so that they pass, and echoes every other call.

mod accepted;
mod account;
mod error;
mod expected;
mod logins;
mod refusal;
mod sample;
mod sample_keys;
mod service;
mod signed;
mod stages;
mod token;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tombolo_catalog::{GateKind, Provider};

pub use self::accepted::AcceptedCredential;
pub use self::error::SimulatorError;
use self::service::SimulatedService;
use crate::clock::{Clock, SystemClock};
use crate::control::Control;
use crate::emulator::EmulatorError;
use crate::http::TlsIdentity;
use crate::limits::RunningCounter;
use crate::model::BasicGate;
use crate::seed::Seed;
use crate::servers::{ListenAddresses, Servers};
use crate::world::World;

/// What a simulator plays and where it listens.
pub struct SimulatorOptions {
    /// The provider that is played.
    pub provider: Arc<Provider>,
    /// Configuration fields of the sample account; what is missing is filled with defaults and examples.
    pub config: BTreeMap<String, String>,
    /// The credentials that are accepted; when empty one is made for each auth scheme, the same ones on each start.
    pub credentials: Vec<AcceptedCredential>,
    /// HTTP Basic in front of everything, for providers that have that gate.
    pub basic_gate: Option<BasicGate>,
    /// Address of the service over plain HTTP; port 0 takes a free one.
    pub http_listen: SocketAddr,
    /// Address of the service over TLS; `None` for none.
    pub https_listen: Option<SocketAddr>,
    /// Address of the control API; `None` for none.
    pub control_listen: Option<SocketAddr>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

impl SimulatorOptions {
    /// Free ports on loopback for all three, credentials of its own, no gate, the machine's clock.
    pub fn new(provider: Arc<Provider>) -> Self {
        let free = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        Self {
            provider,
            config: BTreeMap::new(),
            credentials: Vec::new(),
            basic_gate: None,
            http_listen: free,
            https_listen: Some(free),
            control_listen: Some(free),
            clock: Arc::new(SystemClock),
        }
    }
}

/// A running simulator. Dropping it closes everything at once; [`Simulator::shutdown`] lets requests finish.
pub struct Simulator {
    servers: Servers,
    world: Arc<World>,
    provider: Arc<Provider>,
    config: BTreeMap<String, String>,
    /// The configuration with what the vendor's answers fill.
    known: BTreeMap<String, String>,
    credentials: Vec<AcceptedCredential>,
    basic_gate: Option<BasicGate>,
    base_url: String,
}

impl Simulator {
    /// Starts a simulator on the present tokio runtime.
    pub async fn start(options: SimulatorOptions) -> Result<Self, SimulatorError> {
        let provider = options.provider;
        if options.basic_gate.is_some() && !provider.gates.iter().any(|gate| gate.kind == GateKind::HttpBasic)
        {
            return Err(SimulatorError::NoGate);
        }
        let credentials = if options.credentials.is_empty() {
            provider
                .auth
                .iter()
                .map(|scheme| AcceptedCredential::generate(&provider, scheme))
                .collect::<Result<_, _>>()?
        } else {
            options.credentials
        };
        for credential in &credentials {
            credential.check(&provider)?;
        }
        let config = account::config(&provider, options.config)?;
        let known = account::with_answers(&provider, &config);
        let base_url = provider.base_url(&known, &[]).map_err(|reason| SimulatorError::BaseUrl { reason })?;
        // A world without tenants: what counts here are its clock, faults and log.
        let world = World::new(Seed { tenants: Vec::new() }, options.clock).map_err(EmulatorError::from)?;
        let world = Arc::new(world);
        let service = SimulatedService {
            provider: Arc::clone(&provider),
            accepted: credentials.clone(),
            config: known.clone(),
            basic_gate: options.basic_gate.clone(),
            world: Arc::clone(&world),
            running: RunningCounter::default(),
        };
        let addresses = ListenAddresses {
            http: options.http_listen,
            https: options.https_listen,
            control: options.control_listen,
        };
        let played = Arc::clone(&provider);
        let knows_host = move |host: &str| played.hosts.iter().any(|pattern| pattern.matches(host));
        let servers =
            Servers::start(addresses, Arc::new(service), &world, || TlsIdentity::on_demand(knows_host))
                .await?;
        let basic_gate = options.basic_gate;
        Ok(Self { servers, world, provider, config, known, credentials, basic_gate, base_url })
    }

    /// Where the service listens over plain HTTP.
    pub fn http_address(&self) -> SocketAddr {
        self.servers.http
    }

    /// Where the service listens over TLS, with a certificate for every host that the provider file allows.
    pub fn https_address(&self) -> Option<SocketAddr> {
        self.servers.https
    }

    /// Where the control API listens: faults, the clock, and the log of what arrived.
    pub fn control_address(&self) -> Option<SocketAddr> {
        self.servers.control
    }

    /// The authority that a client has to trust for [`Simulator::https_address`], as a PEM certificate.
    pub fn certificate_authority_pem(&self) -> Option<&str> {
        self.servers.authority_pem.as_deref()
    }

    /// The same as the control API, without HTTP. The calls about tenants find none; in a fault the provider's id
    /// stands for the tenant.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.world))
    }

    /// The provider that is played.
    pub fn provider(&self) -> &Arc<Provider> {
        &self.provider
    }

    /// The base URL of the sample account at the real vendor, such as `https://acme.example.com/v2`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The host of the sample account, which `egress.connect_to` is to send to [`Simulator::https_address`].
    pub fn host(&self) -> &str {
        let rest = self.base_url.trim_start_matches("https://");
        rest.split(['/', ':']).next().unwrap_or_default()
    }

    /// Every host of the sample account: that of the API, and those where people agree and tokens are given out.
    pub fn hosts(&self) -> Vec<String> {
        let mut hosts = vec![self.host().to_owned()];
        let of_schemes = self.provider.auth.iter().flat_map(|scheme| {
            let pages = scheme.authorization_url().into_iter();
            scheme.token_urls().into_iter().chain(pages)
        });
        for url in of_schemes.filter_map(|url| self.provider.url(url, &self.known, &[]).ok()) {
            let rest = url.trim_start_matches("https://");
            hosts.push(rest.split(['/', ':', '?']).next().unwrap_or_default().to_owned());
        }
        hosts.sort();
        hosts.dedup();
        hosts
    }

    /// The base URL of the sample account over plain HTTP, such as `http://localhost:8080/v2`.
    pub fn local_base_url(&self) -> String {
        let rest = self.base_url.trim_start_matches("https://");
        let path = rest.find('/').map_or("", |start| &rest[start..]);
        format!("http://localhost:{}{path}", self.http_address().port())
    }

    /// The credentials that are accepted.
    pub fn credentials(&self) -> &[AcceptedCredential] {
        &self.credentials
    }

    /// What a person types to link the sample account by an accepted credential: configuration, credential and,
    /// behind a gate, what it asks for.
    pub fn form(&self, credential: &AcceptedCredential) -> Result<BTreeMap<String, String>, SimulatorError> {
        account::form(&self.provider, &self.config, credential, self.basic_gate.as_ref())
    }

    /// Stops listening and lets open requests finish for half a second.
    pub async fn shutdown(self) {
        self.servers.stop().await;
    }
}
