use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;

use crate::origin::Origin;
use crate::pool_key::PoolKey;
use crate::proxy_server::ProxyServer;
use crate::tls::TlsSettings;

/// Everything about reaching one origin, prepared once and used for many requests.
///
/// Made by [`crate::Egress::route`].
pub struct Route {
    pub(crate) origin: Origin,
    pub(crate) host_header: HeaderValue,
    pub(crate) tls: Option<TlsRoute>,
    pub(crate) proxy: Option<ProxyRoute>,
    pub(crate) fixed_address: Option<SocketAddr>,
    pub(crate) time_outs: TimeOuts,
    pub(crate) pool_key: PoolKey,
}

/// TLS towards one host, ready to use.
#[derive(Clone)]
pub(crate) struct TlsRoute {
    pub(crate) server_name: ServerName<'static>,
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) with_identity: bool,
}

/// The proxy server on the way, ready to use.
pub(crate) struct ProxyRoute {
    pub(crate) server: ProxyServer,
    pub(crate) tls: Option<TlsRoute>,
    pub(crate) fixed_address: Option<SocketAddr>,
}

/// What a caller may choose about a route.
#[derive(Clone, Debug, Default)]
pub struct RouteOptions {
    /// Client certificate and private authorities.
    pub tls: TlsSettings,
    /// A proxy server to go through.
    pub proxy: Option<ProxyServer>,
    /// How long to wait for what.
    pub time_outs: TimeOuts,
    /// Connections are shared only between routes with the same label. Empty where sharing is harmless; routes
    /// with a client certificate name environment, connection and version here, so that they can be evicted.
    /// Shows in debug output, so nothing secret belongs into it.
    pub partition: String,
}

/// How long each step may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOuts {
    /// Name resolution and TCP connect, each.
    pub connect: Duration,
    /// TLS handshake.
    pub tls: Duration,
    /// From the last progress of the request until the head of the answer.
    pub head: Duration,
    /// Silence in the middle of the body of the answer.
    pub body_idle: Duration,
}

impl Route {
    /// Where requests go.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What its connections are shared by.
    pub fn pool_key(&self) -> &PoolKey {
        &self.pool_key
    }

    /// How long each step may take.
    pub fn time_outs(&self) -> &TimeOuts {
        &self.time_outs
    }

    pub(crate) fn with_identity(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.with_identity)
    }
}

/// Leaves out certificates, keys and credentials.
impl fmt::Debug for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Route").field("pool_key", &self.pool_key).finish_non_exhaustive()
    }
}

impl Default for TimeOuts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            tls: Duration::from_secs(10),
            head: Duration::from_mins(1),
            body_idle: Duration::from_mins(1),
        }
    }
}
