//! The sockets of a service: plain, TLS and control.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::control::{Control, ControlApi};
use crate::emulator::EmulatorError;
use crate::http::{Listeners, Respond, TlsError, TlsIdentity};
use crate::world::World;

/// Where a service listens.
pub(crate) struct ListenAddresses {
    pub(crate) http: SocketAddr,
    pub(crate) https: Option<SocketAddr>,
    pub(crate) control: Option<SocketAddr>,
}

/// The open sockets of a service. Dropping them closes everything at once.
pub(crate) struct Servers {
    listeners: Listeners,
    pub(crate) http: SocketAddr,
    pub(crate) https: Option<SocketAddr>,
    pub(crate) control: Option<SocketAddr>,
    /// The authority of the TLS side, as a PEM certificate.
    pub(crate) authority_pem: Option<String>,
}

impl Servers {
    /// Listens on all the addresses. `identity` makes the certificates and runs only when TLS is asked for.
    pub(crate) async fn start(
        addresses: ListenAddresses,
        service: Arc<impl Respond>,
        world: &Arc<World>,
        identity: impl FnOnce() -> Result<TlsIdentity, TlsError>,
    ) -> Result<Self, EmulatorError> {
        let mut listeners = Listeners::new();
        let refused = |address| move |error| EmulatorError::Listen { address, error };
        let http = listeners
            .listen(addresses.http, None, Arc::clone(&service))
            .await
            .map_err(refused(addresses.http))?;
        let (mut https, mut authority_pem) = (None, None);
        if let Some(address) = addresses.https {
            let identity = identity()?;
            https = Some(
                listeners.listen(address, Some(identity.server), service).await.map_err(refused(address))?,
            );
            authority_pem = Some(identity.authority_pem);
        }
        let mut control = None;
        if let Some(address) = addresses.control {
            let responder = Arc::new(ControlApi::new(Control::new(Arc::clone(world))));
            control = Some(listeners.listen(address, None, responder).await.map_err(refused(address))?);
        }
        Ok(Self { listeners, http, https, control, authority_pem })
    }

    /// Stops listening and lets open requests finish for half a second.
    pub(crate) async fn stop(self) {
        self.listeners.stop().await;
    }
}
