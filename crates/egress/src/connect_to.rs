use std::net::SocketAddr;

use rustls_pki_types::CertificateDer;
use thiserror::Error;
use url::Url;

use crate::origin::Origin;

/// The operator's map from hosts to socket addresses, like curl's `--connect-to`.
///
/// A rule changes where the connection goes and nothing else: SNI, verification, `Host` and every rule about
/// hosts stay. The one exception has to be asked for: [`ConnectRule::without_tls`], on loopback only. Since the operator wrote it, the address may be any, loopback included.
#[derive(Clone, Debug, Default)]
pub struct ConnectTo {
    rules: Vec<ConnectRule>,
}

/// One line of [`ConnectTo`].
#[derive(Clone, Debug)]
pub struct ConnectRule {
    host: String,
    port: Option<u16>,
    address: SocketAddr,
    authorities: Vec<CertificateDer<'static>>,
    browser_address: Option<Url>,
    without_tls: bool,
}

/// Why a rule cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ConnectRuleError {
    /// The left side.
    #[error("{0:?} is not a host or host:port")]
    Host(String),
    /// The right side.
    #[error("{0:?} is not an address with a port, such as 127.0.0.1:8443")]
    Address(String),
    /// TLS may only be left out on the way to this machine itself.
    #[error("{0} is not a loopback address, so TLS cannot be left out on the way to it")]
    NotLoopback(SocketAddr),
}

impl ConnectTo {
    /// The first rule that fits wins.
    pub fn new(rules: Vec<ConnectRule>) -> Self {
        Self { rules }
    }

    /// The rule for an origin, if there is one.
    pub fn rule(&self, origin: &Origin) -> Option<&ConnectRule> {
        self.rules
            .iter()
            .find(|rule| rule.host == origin.host() && rule.port.is_none_or(|port| port == origin.port()))
    }
}

impl ConnectRule {
    /// Reads `host` or `host:port` and the socket address that stands for it.
    pub fn parse(host: &str, address: &str) -> Result<Self, ConnectRuleError> {
        let not_a_host = || ConnectRuleError::Host(host.to_owned());
        let (name, port) = match host.rsplit_once(':') {
            None => (host, None),
            Some((name, port)) => (name, Some(port.parse().map_err(|_| not_a_host())?)),
        };
        if name.is_empty() || name.contains([':', '/', '@']) || !name.is_ascii() {
            return Err(not_a_host());
        }
        Ok(Self {
            host: name.to_ascii_lowercase(),
            port,
            address: address.parse().map_err(|_| ConnectRuleError::Address(address.to_owned()))?,
            authorities: Vec::new(),
            browser_address: None,
            without_tls: false,
        })
    }

    /// Speaks plain HTTP to the address, which must be a loopback one: something there, such as a sidecar, adds TLS.
    pub fn without_tls(mut self) -> Result<Self, ConnectRuleError> {
        if !self.address.ip().is_loopback() {
            return Err(ConnectRuleError::NotLoopback(self.address));
        }
        self.without_tls = true;
        Ok(self)
    }

    pub(crate) fn is_without_tls(&self) -> bool {
        self.without_tls
    }

    /// Trusts further authorities on connections of this rule.
    #[must_use]
    pub fn with_authorities(mut self, authorities: Vec<CertificateDer<'static>>) -> Self {
        self.authorities = authorities;
        self
    }

    /// The URL under which a browser finds what stands for the host.
    #[must_use]
    pub fn with_browser_address(mut self, address: Url) -> Self {
        self.browser_address = Some(address);
        self
    }

    /// Where connections go.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Authorities that are trusted on this rule's connections only.
    pub fn authorities(&self) -> &[CertificateDer<'static>] {
        &self.authorities
    }

    /// What stands for the host in links and redirects.
    pub fn browser_address(&self) -> Option<&Url> {
        self.browser_address.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectRule, ConnectTo};
    use crate::origin::{Origin, OriginRules};

    #[test]
    fn the_first_rule_that_fits_wins() {
        let rules = ConnectTo::new(vec![
            ConnectRule::parse("Demo.kintone.com:8443", "127.0.0.1:1").unwrap(),
            ConnectRule::parse("demo.kintone.com", "127.0.0.1:2").unwrap(),
            ConnectRule::parse("demo.kintone.com", "127.0.0.1:3").unwrap(),
        ]);
        let port = |url: &str| {
            let allowed = OriginRules { extra_ports: vec![8443], ..OriginRules::default() };
            rules.rule(&Origin::parse_user_input(url, &allowed).unwrap()).map(|rule| rule.address().port())
        };
        assert_eq!(port("https://demo.kintone.com:8443"), Some(1));
        assert_eq!(port("https://demo.kintone.com"), Some(2));
        assert_eq!(port("https://xdemo.kintone.com"), None);
        assert_eq!(port("https://demo.kintone.com.example"), None);
    }

    #[test]
    fn broken_rules_are_named() {
        for host in ["", ":443", "host:port", "host:70000", "a:b:443", "https://host", "user@host"] {
            assert!(ConnectRule::parse(host, "127.0.0.1:1").is_err(), "{host}");
        }
        let error = ConnectRule::parse("host", "127.0.0.1").unwrap_err();
        assert_eq!(error.to_string(), "\"127.0.0.1\" is not an address with a port, such as 127.0.0.1:8443");
    }
}
