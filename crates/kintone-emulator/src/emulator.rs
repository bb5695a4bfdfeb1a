//! Starting and stopping an emulator.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;

use crate::clock::{Clock, SystemClock};
use crate::control::{Control, ControlApi};
use crate::http::{Listeners, TlsError, TlsIdentity};
use crate::seed::{Seed, SeedError};
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
    listeners: Listeners,
    http: SocketAddr,
    https: Option<SocketAddr>,
    control: Option<SocketAddr>,
    authority_pem: Option<String>,
    world: Arc<World>,
}

impl Emulator {
    /// Starts an emulator on the present tokio runtime.
    pub async fn start(options: EmulatorOptions) -> Result<Self, EmulatorError> {
        let hosts: Vec<String> =
            options.seed.tenants.iter().flat_map(|tenant| tenant.hosts.iter().cloned()).collect();
        let world = Arc::new(World::new(options.seed, options.clock)?);
        let service = Arc::new(Service::new(Arc::clone(&world)));
        let mut listeners = Listeners::new();
        let refused = |address| move |error| EmulatorError::Listen { address, error };
        let http = listeners
            .listen(options.http_listen, None, Arc::clone(&service))
            .await
            .map_err(refused(options.http_listen))?;
        let (mut https, mut authority_pem) = (None, None);
        if let Some(address) = options.https_listen {
            let identity = TlsIdentity::generate(hosts)?;
            let tls = Some(TlsAcceptor::from(identity.server));
            https = Some(listeners.listen(address, tls, service).await.map_err(refused(address))?);
            authority_pem = Some(identity.authority_pem);
        }
        let mut control = None;
        if let Some(address) = options.control_listen {
            let responder = Arc::new(ControlApi::new(Control::new(Arc::clone(&world))));
            control = Some(listeners.listen(address, None, responder).await.map_err(refused(address))?);
        }
        Ok(Self { listeners, http, https, control, authority_pem, world })
    }

    /// Where the service listens over plain HTTP.
    pub fn http_address(&self) -> SocketAddr {
        self.http
    }

    /// Where the service listens over TLS.
    pub fn https_address(&self) -> Option<SocketAddr> {
        self.https
    }

    /// Where the control API listens.
    pub fn control_address(&self) -> Option<SocketAddr> {
        self.control
    }

    /// The authority that a client has to trust for [`Emulator::https_address`], as a PEM certificate.
    pub fn certificate_authority_pem(&self) -> Option<&str> {
        self.authority_pem.as_deref()
    }

    /// The same as the control API, without HTTP.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.world))
    }

    /// Stops listening and lets open requests finish for half a second.
    pub async fn shutdown(self) {
        self.listeners.stop().await;
    }
}
