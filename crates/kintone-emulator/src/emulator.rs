//! Starting and stopping an emulator.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;

use crate::clock::{Clock, SystemClock};
use crate::control::Control;
use crate::http::{ClientAuthority, TlsError, TlsIdentity};
use crate::seed::{Seed, SeedError};
use crate::servers::{ListenAddresses, Servers};
use crate::service::Service;
use crate::world::World;

/// Where an emulator listens and what it holds.
pub struct EmulatorOptions {
    /// Address of the service over plain HTTP; port 0 takes a free one.
    pub http_listen: SocketAddr,
    /// Address of the service over TLS; `None` for none.
    pub https_listen: Option<SocketAddr>,
    /// Address of the control API; `None` for none.
    pub control_listen: Option<SocketAddr>,
    /// The tenants at the start.
    pub seed: Seed,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

impl Default for EmulatorOptions {
    /// Free ports on loopback for all three, the built-in seed, the machine's clock.
    fn default() -> Self {
        let free = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        Self {
            http_listen: free,
            https_listen: Some(free),
            control_listen: Some(free),
            seed: Seed::demo(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// An emulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// The seed is not valid.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The certificates could not be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}; choose another address, or port 0 for a free one")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// Why it is refused.
        error: std::io::Error,
    },
}

/// A running emulator. Dropping it closes everything at once; [`Emulator::shutdown`] lets requests finish.
pub struct Emulator {
    servers: Servers,
    world: Arc<World>,
}

impl Emulator {
    /// Starts an emulator on the present tokio runtime.
    pub async fn start(options: EmulatorOptions) -> Result<Self, EmulatorError> {
        let hosts: Vec<String> =
            options.seed.tenants.iter().flat_map(|tenant| tenant.hosts.iter().cloned()).collect();
        let mut world = World::new(options.seed, options.clock)?;
        let clients = Arc::new(ClientAuthority::generate()?);
        world.client_authority = Some(Arc::clone(&clients));
        let world = Arc::new(world);
        let service = Arc::new(Service::new(Arc::clone(&world)));
        let addresses = ListenAddresses {
            http: options.http_listen,
            https: options.https_listen,
            control: options.control_listen,
        };
        let clock = Arc::new(ClockOfCertificates(Arc::clone(&world)));
        let identity = || TlsIdentity::generate(&hosts, &clients, clock);
        let servers = Servers::start(addresses, service, &world, identity).await?;
        Ok(Self { servers, world })
    }

    /// Where the service listens over plain HTTP.
    pub fn http_address(&self) -> SocketAddr {
        self.servers.http
    }

    /// Where the service listens over TLS.
    pub fn https_address(&self) -> Option<SocketAddr> {
        self.servers.https
    }

    /// Where the control API listens.
    pub fn control_address(&self) -> Option<SocketAddr> {
        self.servers.control
    }

    /// The authority that a client has to trust for [`Emulator::https_address`], as a PEM certificate.
    pub fn certificate_authority_pem(&self) -> Option<&str> {
        self.servers.authority_pem.as_deref()
    }

    /// The same as the control API, without HTTP.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.world))
    }

    /// Stops listening and lets open requests finish for half a second.
    pub async fn shutdown(self) {
        self.servers.stop().await;
    }
}

/// The service's clock decides whether a client certificate is valid.
struct ClockOfCertificates(Arc<World>);

impl TimeProvider for ClockOfCertificates {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl fmt::Debug for ClockOfCertificates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClockOfCertificates").finish_non_exhaustive()
    }
}
