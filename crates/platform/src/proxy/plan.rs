//! Everything about calling through one connection, compiled once and used for every call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::Method;
use http::header::HeaderName;
use serde::{Deserialize, Serialize};
use tombolo_auth::{Authenticator, Signing, Subject};
use tombolo_catalog::{AuthScheme, GateKind, PathRewrite, Provider, Unavailable};
use tombolo_egress::{ChosenBy, Egress, Origin, ProxyServer, Route, RouteOptions, TimeOuts, TlsSettings};
use tombolo_store::{ConnectionId, EnvironmentId, Timestamp};

use super::governor::{Governor, Governors};
use super::selection::Selection;
use crate::credentials::{Place, SealedCredentials};
use crate::moments::Moments;
use crate::problem::{Problem, ProblemKind};

/// For how long credentials count as new.
const NEW_FOR: Duration = Duration::from_mins(1);

/// A compiled connection, stored or only drafted for a test.
pub struct Plan {
    /// The environment it belongs to.
    pub environment: EnvironmentId,
    /// The stored connection; `None` for a draft.
    pub connection: Option<ConnectionId>,
    /// The connection's id in the API.
    pub connection_id: String,
    /// The integration's key.
    pub integration: String,
    /// The provider.
    pub provider: Arc<Provider>,
    /// The auth scheme's id.
    pub auth_scheme: String,
    /// The configuration that is no secret.
    pub config: BTreeMap<String, String>,
    pub(crate) route: Arc<Route>,
    origin: String,
    base_path: String,
    /// What stands for the upstream's origin in links for people, without a slash at the end.
    pub(crate) browser_origin: String,
    pub(crate) rewrite: Option<(PathRewrite, String)>,
    pub(crate) authenticator: Authenticator,
    moments: Moments,
    pub(crate) selection: Option<Selection>,
    /// The keys of the entries that may be sent when it cannot be seen which one is needed.
    pub(crate) healthy: Vec<String>,
    pub(crate) learned: Learned,
    pub(crate) gates: Vec<GateKind>,
    pub(crate) sealed: SealedCredentials,
    pub(crate) freshness: Freshness,
    pub(crate) owned_headers: Vec<HeaderName>,
    pub(crate) owned_parameters: Vec<String>,
    /// Of the upstream host, if its vendor limits the requests in flight.
    pub(crate) governor: Option<Arc<Governor>>,
    /// Of the connection, if it has a limit of its own.
    pub(crate) own_governor: Option<Arc<Governor>>,
    pub(crate) retries: u32,
    /// Whether repeated failures lock the account.
    pub(crate) locks_out: bool,
    /// Calls that the vendor does not offer to the auth scheme.
    pub(crate) unavailable: Vec<Unavailable>,
    /// Set when the vendor refused a credential that must not be tried again before it was tested.
    pub(crate) refused: AtomicBool,
}

/// What a plan is compiled from.
pub(crate) struct PlanSource {
    pub(crate) environment: EnvironmentId,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) connection_id: String,
    pub(crate) integration: String,
    pub(crate) provider: Arc<Provider>,
    pub(crate) auth_scheme: String,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) gates: Vec<GateKind>,
    pub(crate) learned: Learned,
    pub(crate) sealed: SealedCredentials,
    pub(crate) freshness: Freshness,
    pub(crate) refused: bool,
    pub(crate) moments: Moments,
}

/// How long the credentials of a plan are good, and whether new ones can be had.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Freshness {
    /// When they end.
    pub(crate) expires_at: Option<Timestamp>,
    /// When they were written; `None` when they cannot be renewed.
    pub(crate) renewable_since: Option<Timestamp>,
}

impl Freshness {
    /// Whether the vendor would refuse them.
    pub(crate) fn is_over(&self, now: impl FnOnce() -> Timestamp) -> bool {
        self.renewable_since.is_some() && self.expires_at.is_some_and(|end| end <= now())
    }

    /// Whether new ones can be had at all.
    pub(crate) fn is_renewable(&self) -> bool {
        self.renewable_since.is_some()
    }

    /// Whether it makes sense to ask for new ones after the vendor refused them. Those that are new were not refused for
    /// their age, and other new ones would be refused as well. Those of a process whose clock is ahead are of an unknown age.
    pub(crate) fn may_be_stale(&self, now: Timestamp) -> bool {
        let is_new = |written: Timestamp| now.since(written) < NEW_FOR && written.since(now) < NEW_FOR;
        self.renewable_since.is_some_and(|written| !is_new(written))
    }
}

/// What tests found out about a connection, kept beside its health.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learned {
    /// Entries that must go along when a key is written to.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub companions: BTreeMap<String, Vec<String>>,
    /// Entries that the vendor refused: one bad one would spoil every request that carries it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused_entries: Vec<String>,
}

impl Plan {
    pub(crate) fn compile(
        source: PlanSource,
        egress: &Egress,
        governors: &Governors,
    ) -> Result<Self, Problem> {
        let PlanSource { provider, config, settings, sealed, .. } = source;
        let base_url = base_url(&provider, &config, &source.gates)?;
        let (origin, base_path) = egress.parse_url(&base_url).map_err(|refusal| {
            Problem::invalid("address_refused", refusal.to_string(), "Check the address.")
        })?;
        if !sealed.allows(origin.host(), origin.port()) {
            return Err(not_bound(origin.host()));
        }
        let scheme = provider.scheme(&source.auth_scheme).ok_or_else(|| scheme_gone(&source.auth_scheme))?;
        let authenticator = Authenticator::compile(scheme, &source.gates, &config).map_err(|error| {
            Problem::invalid("provider_file", error.to_string(), "Mend the provider file.")
        })?;
        let entries = entry_keys(scheme, &config);
        let healthy = healthy(&entries, &source.learned);
        let selection = scheme.entries().filter(|_| entries.len() > 1).map(|declared| {
            // A companion that the vendor refuses would spoil the writes that it is to help.
            let mut companions = source.learned.companions.clone();
            for keys in companions.values_mut() {
                keys.retain(|key| healthy.contains(key));
            }
            Selection::compile(declared, entries, companions)
        });
        let concurrency = provider.limits.concurrency.as_ref();
        let governor = concurrency.map(|limit| governors.of_host(origin.host(), limit.start, limit.max));
        let own_governor = number(&settings, "max_concurrency").map(|limit| {
            let id = source.connection.as_ref().map_or(source.connection_id.as_str(), ConnectionId::as_str);
            governors.of_connection(id, limit)
        });
        let rewrite = provider
            .path_rewrite
            .as_ref()
            .and_then(|rewrite| Some((rewrite.clone(), rewrite.prefix(&config)?)));
        let browser_origin = egress
            .browser_address(&origin)
            .map_or_else(|| origin.to_string(), |address| address.as_str().trim_end_matches('/').to_owned());
        let origin_text = origin.to_string();
        let route = route(origin, &settings, &source.gates, &sealed, egress)?;
        Ok(Self {
            environment: source.environment,
            connection: source.connection,
            connection_id: source.connection_id,
            integration: source.integration,
            owned_headers: Authenticator::owned_headers(&provider),
            owned_parameters: Authenticator::owned_parameters(&provider),
            browser_origin,
            origin: origin_text,
            base_path: base_path.path().trim_end_matches('/').to_owned(),
            retries: number(&settings, "retries").unwrap_or(3),
            locks_out: scheme.locks_out,
            unavailable: scheme.unavailable.clone(),
            auth_scheme: source.auth_scheme,
            refused: AtomicBool::new(source.refused),
            learned: source.learned,
            gates: source.gates,
            provider,
            config,
            route,
            rewrite,
            authenticator,
            moments: source.moments,
            selection,
            healthy,
            sealed,
            freshness: source.freshness,
            governor,
            own_governor,
        })
    }

    /// The upstream host.
    pub fn host(&self) -> &str {
        self.route.origin().host()
    }

    /// The upstream's origin as a link writes it: `https://acme.example.com`, with a port that is not the usual one.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The path that every call begins with, without a slash at the end; mostly empty.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// What credentials are put onto: a request of this connection.
    pub(crate) fn signing<'a>(
        &'a self,
        (method, meant): (&'a Method, &'a Method),
        target: &'a str,
        body: &'a [u8],
    ) -> Result<Signing<'a>, Problem> {
        let moment = if self.authenticator.needs().moment { Some(self.moments.next()?) } else { None };
        Ok(Signing { subject: Subject { method, origin: &self.origin, target, body }, meant, moment })
    }

    /// The upstream's route, for probes.
    pub(crate) fn route(&self) -> &Arc<Route> {
        &self.route
    }

    /// Whether the credential must be tested before it is sent again.
    pub fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

/// The way to the upstream, with the client certificate if there is one: this is where its key is opened, because TLS needs
/// it for every handshake.
fn route(
    origin: Origin,
    settings: &BTreeMap<String, String>,
    gates: &[GateKind],
    sealed: &SealedCredentials,
    egress: &Egress,
) -> Result<Arc<Route>, Problem> {
    let mut options = route_options(settings)?;
    if gates.contains(&GateKind::ClientCertificate) {
        options.tls.identity = sealed.identity()?;
        options.partition = partition(sealed);
    }
    egress
        .route(origin, options)
        .map_err(|error| Problem::invalid("tls_settings", error.to_string(), "Check the certificates."))
}

/// What keeps the connections to the upstream that show a certificate apart from all others: whose it is, and which one.
fn partition(sealed: &SealedCredentials) -> String {
    let Place { environment, object, version, .. } = &sealed.place;
    format!("{}{version}", certified_prefix(environment, object))
}

/// How the partitions of a connection begin, whatever the version of its credentials.
pub(crate) fn certified_prefix(environment: &EnvironmentId, connection: &str) -> String {
    format!("{environment}/{connection}/")
}

fn not_bound(host: &str) -> Problem {
    let what = format!("The secret of this connection is not bound to {host}");
    let fix = "Reconnect the connection, so that its secret is typed again for this host.";
    Problem::new(ProblemKind::Unusable, "host_not_bound", what, fix)
}

fn scheme_gone(scheme: &str) -> Problem {
    let what = format!("The provider no longer has the auth scheme `{scheme}`");
    let fix = "Reconnect the connection with another auth scheme.";
    Problem::new(ProblemKind::Unusable, "auth_scheme_gone", what, fix)
}

/// The base URL of a configuration behind the gates that are used, or why there is none.
pub(crate) fn base_url(
    provider: &Provider,
    config: &BTreeMap<String, String>,
    gates: &[GateKind],
) -> Result<String, Problem> {
    provider.base_url(config, gates).map_err(|error| {
        let fix = "Check the fields that make up the address.";
        Problem::invalid("address_refused", format!("There is no valid address: {error}"), fix)
    })
}

/// The origin of a configuration under the operator's rules.
pub(crate) fn origin(
    egress: &Egress,
    provider: &Provider,
    config: &BTreeMap<String, String>,
    gates: &[GateKind],
) -> Result<Origin, Problem> {
    let url = base_url(provider, config, gates)?;
    let (origin, _) = egress
        .parse_url(&url)
        .map_err(|refusal| Problem::invalid("address_refused", refusal.to_string(), "Check the address."))?;
    Ok(origin)
}

/// The keys that the connection has an entry for: each value of the field that pairs with the secrets.
fn entry_keys(scheme: &AuthScheme, config: &BTreeMap<String, String>) -> Vec<String> {
    let list = scheme.entries().and_then(|entries| config.get(&entries.by));
    list.map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default()
}

fn healthy(entries: &[String], learned: &Learned) -> Vec<String> {
    entries.iter().filter(|key| !learned.refused_entries.contains(key)).cloned().collect()
}

fn number(settings: &BTreeMap<String, String>, key: &str) -> Option<u32> {
    settings.get(key).and_then(|value| value.parse().ok())
}

/// How the upstream is reached, as far as the settings say.
pub(crate) fn route_options(settings: &BTreeMap<String, String>) -> Result<RouteOptions, Problem> {
    let mut options = RouteOptions::default();
    if let Some(seconds) = number(settings, "timeout") {
        options.time_outs = TimeOuts { head: Duration::from_secs(seconds.into()), ..TimeOuts::default() };
    }
    if let Some(pem) = settings.get("private_ca") {
        let authorities = TlsSettings::authorities_from_pem(pem.as_bytes()).map_err(|error| {
            Problem::invalid("private_ca", error.to_string(), "Paste the PEM text of the certificate.")
        })?;
        options.tls.extra_authorities = authorities;
    }
    if let Some(address) = settings.get("proxy_server") {
        let origin = Origin::from_operator(&format!("http://{address}")).map_err(|refusal| {
            Problem::invalid("proxy_server", refusal.to_string(), "Write host:port of the proxy server.")
        })?;
        options.proxy = Some(ProxyServer { origin, credentials: None, chosen_by: ChosenBy::User });
    }
    Ok(options)
}
