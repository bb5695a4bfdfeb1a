use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Where a secret belongs. Opening needs exactly the binding that was given when sealing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding<'a> {
    /// Id of the environment.
    pub environment: &'a str,
    /// Id of the connection, or of whatever object owns the secret.
    pub object: &'a str,
    /// Name of the column, so that two secrets of one row cannot be swapped.
    pub column: &'a str,
    /// Grows with every secret that is written to the row, so that an older one cannot be put back beside a newer version.
    pub record_version: u64,
    /// The hosts that the secret may be sent to; empty for secrets that leave for no host.
    pub hosts: &'a HostSet,
}

impl Binding<'_> {
    /// Unambiguous bytes: a label, then every part with its length in front.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let parts = [self.environment, self.object, self.column];
        // Every call through a connection encodes its binding: the room is made once.
        let hosts: usize = self.hosts.0.iter().map(|host| 40 + host.host.len()).sum();
        let mut bytes = Vec::with_capacity(64 + parts.iter().map(|part| part.len()).sum::<usize>() + hosts);
        bytes.extend_from_slice(b"tombolo binding v1");
        for part in parts {
            append_text(&mut bytes, part);
        }
        bytes.extend_from_slice(&self.record_version.to_be_bytes());
        bytes.extend_from_slice(&(self.hosts.0.len() as u64).to_be_bytes());
        for host in &self.hosts.0 {
            append_text(&mut bytes, host.role.as_str());
            append_text(&mut bytes, &host.host);
            bytes.extend_from_slice(&host.port.to_be_bytes());
        }
        bytes
    }
}

pub(crate) fn append_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// The hosts that one secret is bound to, sorted, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct HostSet(BTreeSet<BoundHost>);

impl HostSet {
    /// Whether the secret may be sent to this host and port in this role. Upper and lower case are the same host.
    pub fn allows(&self, role: HostRole, host: &str, port: u16) -> bool {
        self.0
            .iter()
            .any(|bound| bound.role == role && bound.port == port && bound.host.eq_ignore_ascii_case(host))
    }

    /// The hosts in their stored order.
    pub fn iter(&self) -> impl Iterator<Item = &BoundHost> {
        self.0.iter()
    }

    /// Whether the secret is bound to no host at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<BoundHost> for HostSet {
    fn from_iter<I: IntoIterator<Item = BoundHost>>(hosts: I) -> Self {
        Self(hosts.into_iter().collect())
    }
}

/// One host and port, with the role in which a secret may be sent there. Prints as `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoundHost {
    role: HostRole,
    host: String,
    port: u16,
}

impl BoundHost {
    /// Takes a literal host name or address, without scheme, user, port or path; it is kept in lower case.
    /// An IPv6 address stands in brackets, as in a URL.
    pub fn new(role: HostRole, host: &str, port: u16) -> Result<Self, InvalidHost> {
        let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let valid = match inner {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty()
                    && host
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
            }
        };
        if !valid || port == 0 {
            return Err(InvalidHost(format!("{host}:{port}")));
        }
        Ok(Self { role, host: host.to_ascii_lowercase(), port })
    }

    /// The role in which the secret is sent there.
    pub const fn role(&self) -> HostRole {
        self.role
    }

    /// The host in lower case, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for BoundHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

/// Not a literal host and port.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is not a literal host and port; give a name such as acme.example.com, without scheme or path, and a port above 0"
)]
pub struct InvalidHost(String);

/// Why a secret is sent to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostRole {
    /// The provider's API.
    Api,
    /// The endpoint that exchanges or refreshes tokens.
    TokenEndpoint,
}

impl HostRole {
    /// The name that is stored and authenticated.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::TokenEndpoint => "token_endpoint",
        }
    }
}

impl FromStr for HostRole {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        [Self::Api, Self::TokenEndpoint]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| InvalidHost(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_literal_and_lower_case() {
        for good in ["acme.cybozu.com", "ACME.s.cybozu.com", "localhost", "127.0.0.1", "[::1]"] {
            assert_eq!(BoundHost::new(HostRole::Api, good, 443).unwrap().host(), good.to_ascii_lowercase());
        }
        for bad in
            ["", "https://a.b", "a b", "user@host", "a/b", "a:1", "[a]", "[::1", "ä.example", "a\0b", "a,b"]
        {
            assert!(BoundHost::new(HostRole::Api, bad, 443).is_err(), "{bad:?} must be refused");
        }
        assert!(BoundHost::new(HostRole::Api, "a.b", 0).is_err());
    }

    #[test]
    fn allows_only_what_is_bound() {
        let hosts = HostSet::from_iter([BoundHost::new(HostRole::Api, "a.example", 443).unwrap()]);

        assert!(hosts.allows(HostRole::Api, "A.example", 443));
        assert!(!hosts.allows(HostRole::Api, "a.example", 8443));
        assert!(!hosts.allows(HostRole::Api, "b.a.example", 443));
        assert!(!hosts.allows(HostRole::TokenEndpoint, "a.example", 443));
    }

    #[test]
    fn parts_that_join_to_the_same_text_encode_differently() {
        let hosts = HostSet::default();
        let encode = |environment, object, column| {
            Binding { environment, object, column, record_version: 0, hosts: &hosts }.encode()
        };

        assert_ne!(encode("ab", "c", "d"), encode("a", "bc", "d"));
        assert_ne!(encode("a", "b", "cd"), encode("a", "bc", "d"));
        assert_ne!(encode("", "a", "b"), encode("a", "", "b"));
    }
}
