//! A simulator that plays any provider file: it takes the credential where the file says, answers the requests of
//! the connection test so that they pass, and echoes every other call.

mod accepted;
mod refusal;
mod sample;
mod service;
mod stages;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tombolo_catalog::{BaseUrlError, GateKind, Provider};

pub use self::accepted::AcceptedCredential;
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

/// A simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The listeners cannot start.
    #[error(transparent)]
    Start(#[from] EmulatorError),
    /// No value was found that a field accepts.
    #[error(
        "no value was found that the field `{field}` of {of} accepts; give one, or an `example` in the provider file"
    )]
    NoSample {
        /// The auth scheme, or the configuration.
        of: String,
        /// The field.
        field: String,
    },
    /// A given credential does not fit the provider file.
    #[error(
        "the credential for `{scheme}` cannot be accepted: {reason}; give what the provider's form takes"
    )]
    Credential {
        /// The auth scheme.
        scheme: String,
        /// What is wrong.
        reason: String,
    },
    /// A given configuration field does not fit the provider file.
    #[error("the field `{field}` cannot be taken: {reason}; give what the provider's form takes")]
    Config {
        /// The field.
        field: String,
        /// What is wrong.
        reason: String,
    },
    /// The provider file knows no such gate.
    #[error(
        "the provider file has no gate of the type http_basic; leave the gate out, or declare it in the file"
    )]
    NoGate,
    /// The sample account has no address.
    #[error("the configuration gives no address of the provider's: {reason}; give other values")]
    BaseUrl {
        /// Why not.
        reason: BaseUrlError,
    },
}

impl SimulatorError {
    fn no_sample(scheme: &str, field: &str) -> Self {
        Self::NoSample { of: format!("the auth scheme `{scheme}`"), field: field.to_owned() }
    }
}

/// A running simulator. Dropping it closes everything at once; [`Simulator::shutdown`] lets requests finish.
pub struct Simulator {
    servers: Servers,
    world: Arc<World>,
    provider: Arc<Provider>,
    config: BTreeMap<String, String>,
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
        let config = sample_config(&provider, options.config)?;
        let base_url = provider.base_url(&config).map_err(|reason| SimulatorError::BaseUrl { reason })?;
        // A world without tenants: what counts here are its clock, faults and log.
        let world = World::new(Seed { tenants: Vec::new() }, options.clock).map_err(EmulatorError::from)?;
        let world = Arc::new(world);
        let service = SimulatedService {
            provider: Arc::clone(&provider),
            accepted: credentials.clone(),
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
        Ok(Self { servers, world, provider, config, credentials, basic_gate, base_url })
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
        let mut form = self.config.clone();
        form.extend(credential.fields.clone());
        let entries = self.provider.scheme(&credential.scheme).and_then(|scheme| scheme.entries());
        for (name, field) in self.provider.config.iter() {
            let keys = match entries {
                Some(entries) if entries.by == name => {
                    let secret = credential.fields.keys().map(|field| credential.keys(field).count());
                    secret.max().unwrap_or(1)
                }
                _ if self.provider.test.iter().any(|stage| stage.for_each.as_deref() == Some(name)) => 1,
                _ => continue,
            };
            // One value that is given stays; several keys need as many.
            if form.get(name).is_none_or(|given| given.split(',').count() != keys) {
                let items = accepted::items(field, keys).ok_or_else(|| no_config_sample(name))?;
                form.insert(name.to_owned(), items);
            }
        }
        if let Some(gate) = &self.basic_gate {
            form.insert("basic_username".to_owned(), gate.username.clone());
            form.insert("basic_password".to_owned(), gate.password.clone());
        }
        Ok(form)
    }

    /// Stops listening and lets open requests finish for half a second.
    pub async fn shutdown(self) {
        self.servers.stop().await;
    }
}

fn no_config_sample(field: &str) -> SimulatorError {
    SimulatorError::NoSample { of: "the configuration".to_owned(), field: field.to_owned() }
}

/// The given fields, checked, and a typical value for every other that has to be filled in.
fn sample_config(
    provider: &Provider,
    mut config: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, SimulatorError> {
    for (name, value) in &config {
        let refuse = |reason| SimulatorError::Config { field: name.clone(), reason };
        let field = provider.config.get(name);
        let field = field.ok_or_else(|| refuse("the provider file has no such field".to_owned()))?;
        field.accept(name, value).map_err(|fault| refuse(fault.to_string()))?;
    }
    for (name, field) in provider.config.iter().filter(|(_, field)| !field.optional) {
        if !config.contains_key(name) {
            config.insert(name.to_owned(), sample::typical(field).ok_or_else(|| no_config_sample(name))?);
        }
    }
    Ok(config)
}
