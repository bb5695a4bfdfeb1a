use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use http::HeaderValue;
use http::uri::PathAndQuery;
use rustls::ClientConfig;
use rustls_pki_types::{CertificateDer, ServerName};
use url::Url;

use crate::address::AddressPolicy;
use crate::connect_to::{ConnectRule, ConnectTo};
use crate::origin::{Origin, OriginRules, Scheme};
use crate::pool::{Pool, PoolSettings, WeakPool};
use crate::pool_key::{Content, PoolKey};
use crate::probe::Probe;
use crate::proxy_server::ProxyServer;
use crate::refusal::Refusal;
use crate::resolve::Resolve;
use crate::route::{ProxyRoute, Route, RouteOptions, TlsRoute};
use crate::tls::{TlsError, TlsSettings};

/// The one way out: the operator's rules, and what is made under them.
pub struct Egress {
    pub(crate) settings: EgressSettings,
    pub(crate) resolver: Arc<dyn Resolve>,
    client_configs: Mutex<HashMap<TlsSettings, Weak<ClientConfig>>>,
    pools: Mutex<Vec<WeakPool>>,
}

/// The operator's rules. The default is the strict one.
#[derive(Clone, Debug, Default)]
pub struct EgressSettings {
    /// Which origins users may name.
    pub origins: OriginRules,
    /// Which addresses may be connected to.
    pub addresses: AddressPolicy,
    /// Hosts that are reached at another address.
    pub connect_to: ConnectTo,
    /// Authorities trusted everywhere, beside the public ones.
    pub extra_authorities: Vec<CertificateDer<'static>>,
    /// Sizes and times of the pools.
    pub pool: PoolSettings,
}

impl Egress {
    /// Sets the rules; they stay for the life of the value.
    pub fn new(settings: EgressSettings, resolver: Arc<dyn Resolve>) -> Arc<Self> {
        Arc::new(Self { settings, resolver, client_configs: Mutex::default(), pools: Mutex::default() })
    }

    /// [`Origin::parse_user_input`] under the operator's rules.
    pub fn parse_origin(&self, text: &str) -> Result<Origin, Refusal> {
        Origin::parse_user_input(text, &self.settings.origins)
    }

    /// [`Origin::parse_url`] under the operator's rules.
    pub fn parse_url(&self, text: &str) -> Result<(Origin, PathAndQuery), Refusal> {
        Origin::parse_url(text, &self.settings.origins)
    }

    /// The URL under which a browser reaches an origin that is connected to elsewhere.
    pub fn browser_address(&self, origin: &Origin) -> Option<&Url> {
        self.settings.connect_to.rule(origin)?.browser_address()
    }

    /// Prepares everything about reaching an origin. Does no input or output.
    pub fn route(&self, origin: Origin, options: RouteOptions) -> Result<Arc<Route>, TlsError> {
        let RouteOptions { tls, proxy, time_outs, partition } = options;
        let rule = self.settings.connect_to.rule(&origin);
        let tls = self.effective_tls(tls, rule);
        let fixed_address = rule.map(ConnectRule::address);
        let pool_key = PoolKey::new(Content {
            origin: origin.clone(),
            partition: partition.into(),
            tls: tls.clone(),
            proxy: proxy.as_ref().map(|server| (server.origin.clone(), server.credentials.clone())),
            address: fixed_address,
        });
        let host_header = HeaderValue::try_from(origin.authority()).map_err(|_| TlsError::ServerName)?;
        // Behind a proxy server the rule's address is not used, and nothing may cross the proxy in the clear.
        let without_tls = proxy.is_none() && rule.is_some_and(ConnectRule::is_without_tls);
        Ok(Arc::new(Route {
            tls: if without_tls { None } else { self.tls_route(&origin, &tls)? },
            proxy: proxy.map(|server| self.proxy_route(server)).transpose()?,
            origin,
            host_header,
            fixed_address,
            time_outs,
            pool_key,
        }))
    }

    /// A pool of kept-alive connections, for one runtime.
    pub fn pool(self: &Arc<Self>) -> Pool {
        let pool = Pool::new(Arc::clone(self));
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(WeakPool::is_alive);
        pools.push(pool.downgrade());
        pool
    }

    /// [`Pool::evict`] on the pools of all runtimes.
    pub fn evict(&self, matching: impl Fn(&PoolKey) -> bool) {
        let pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.iter().filter_map(WeakPool::upgrade).for_each(|pool| pool.evict(&matching));
    }

    /// A client for connection tests: staged, unpooled, never retrying.
    pub fn probe(self: &Arc<Self>) -> Probe {
        Probe::new(Arc::clone(self))
    }

    fn effective_tls(&self, mut tls: TlsSettings, rule: Option<&ConnectRule>) -> TlsSettings {
        tls.extra_authorities.extend_from_slice(&self.settings.extra_authorities);
        tls.extra_authorities.extend_from_slice(rule.map(ConnectRule::authorities).unwrap_or_default());
        tls
    }

    fn proxy_route(&self, server: ProxyServer) -> Result<ProxyRoute, TlsError> {
        let rule = self.settings.connect_to.rule(&server.origin);
        let tls = self.effective_tls(TlsSettings::default(), rule);
        Ok(ProxyRoute {
            tls: self.tls_route(&server.origin, &tls)?,
            fixed_address: rule.map(ConnectRule::address),
            server,
        })
    }

    fn tls_route(&self, origin: &Origin, tls: &TlsSettings) -> Result<Option<TlsRoute>, TlsError> {
        if origin.scheme() == Scheme::Http {
            return Ok(None);
        }
        let server_name = ServerName::try_from(origin.host().to_owned()).map_err(|_| TlsError::ServerName)?;
        let config = self.client_config(tls)?;
        Ok(Some(TlsRoute { server_name, config, with_identity: tls.identity.is_some() }))
    }

    /// Routes with equal settings share one configuration, and with it the sessions that can be resumed.
    fn client_config(&self, tls: &TlsSettings) -> Result<Arc<ClientConfig>, TlsError> {
        let mut known = self.client_configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = known.get(tls).and_then(Weak::upgrade) {
            return Ok(config);
        }
        let config = Arc::new(tls.client_config()?);
        known.retain(|_, config| config.strong_count() > 0);
        known.insert(tls.clone(), Arc::downgrade(&config));
        Ok(config)
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Egress").field("settings", &self.settings).finish_non_exhaustive()
    }
}
