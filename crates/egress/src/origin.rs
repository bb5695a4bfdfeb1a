use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::uri::PathAndQuery;
use url::{Host, Url};

use crate::refusal::Refusal;

/// Scheme, host and port that requests go to (RFC 6454 §4).
///
/// The host is lower-case ASCII; IPv6 literals stand without brackets. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: Arc<str>,
    port: u16,
}

/// What an [`Origin`] is reached with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Unprotected HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

/// Which origins the operator lets users choose.
///
/// The default is the strict one: `https`, port 443, host names only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginRules {
    /// Accept `http://` (with port 80 and the listed ports).
    pub allow_http: bool,
    /// Ports beside the scheme's own.
    pub extra_ports: Vec<u16>,
    /// Accept numeric addresses; the [`crate::AddressPolicy`] still applies to them.
    pub allow_ip_literals: bool,
}

impl Origin {
    /// Parses a bare origin such as `https://acme.cybozu.com` or `https://acme.cybozu.com/`.
    ///
    /// Refuses everything that two parsers could read differently: the authority must be spelled
    /// exactly as the WHATWG parser writes it back.
    pub fn parse_user_input(text: &str, rules: &OriginRules) -> Result<Self, Refusal> {
        let (origin, path) = Self::parse_url(text, rules)?;
        if path != "/" || text.contains(['?', '#']) {
            return Err(Refusal::NotAnOrigin);
        }
        Ok(origin)
    }

    /// Parses a full URL, such as a token endpoint, into its origin and what follows it.
    ///
    /// The same rules as for [`Origin::parse_user_input`]; a fragment is dropped.
    pub fn parse_url(text: &str, rules: &OriginRules) -> Result<(Self, PathAndQuery), Refusal> {
        refuse_forbidden_characters(text)?;
        let (scheme, authority) = split_authority(text)?;
        if scheme == Scheme::Http && !rules.allow_http {
            return Err(Refusal::PlainHttp);
        }
        if authority.contains('@') {
            return Err(Refusal::UserInformation);
        }
        let url = Url::parse(text).map_err(|error| match error {
            url::ParseError::EmptyHost => Refusal::EmptyHost,
            other => Refusal::NotAUrl { reason: other.to_string() },
        })?;
        let origin = Self::from_parsed(&url, scheme)?;
        origin.refuse_other_spelling(authority)?;
        origin.refuse_by_rules(rules)?;
        let path = url[url::Position::BeforePath..url::Position::AfterQuery]
            .parse()
            .map_err(|_| Refusal::ForbiddenCharacter)?;
        Ok((origin, path))
    }

    /// An origin out of the operator's own configuration: any port, `http` and numeric hosts are fine.
    pub fn from_operator(text: &str) -> Result<Self, Refusal> {
        let rules = OriginRules { allow_http: true, extra_ports: Vec::new(), allow_ip_literals: true };
        match Self::parse_user_input(text, &rules) {
            Err(Refusal::Port { port }) => {
                Self::parse_user_input(text, &OriginRules { extra_ports: vec![port], ..rules })
            }
            other => other,
        }
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host name, or the numeric address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, whether it was written or implied.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host as it stands in a URL or a `Host` header, with the port unless it is the scheme's own.
    pub fn authority(&self) -> String {
        let host = self.bracketed_host();
        if self.port == self.scheme.default_port() { host } else { format!("{host}:{}", self.port) }
    }

    /// The numeric address, if the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// The host with brackets around an IPv6 literal.
    pub(crate) fn bracketed_host(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.to_string() }
    }

    fn from_parsed(url: &Url, scheme: Scheme) -> Result<Self, Refusal> {
        let host = match url.host() {
            None | Some(Host::Domain("")) => return Err(Refusal::EmptyHost),
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
        };
        let port = url.port_or_known_default().ok_or(Refusal::Scheme)?;
        Ok(Self { scheme, host: host.into(), port })
    }

    /// Compares the authority as typed with the one that the parser understood.
    ///
    /// This single comparison catches decimal, octal, hexadecimal and short addresses, percent-encodings,
    /// full-width digits and every other form that depends on who reads it.
    fn refuse_other_spelling(&self, authority: &str) -> Result<(), Refusal> {
        let (typed_host, typed_port) = split_port(authority);
        if !typed_host.is_ascii() {
            return Err(if self.ip().is_some() {
                Refusal::IpLiteral
            } else {
                Refusal::NotAscii { ascii: self.host.to_string() }
            });
        }
        if typed_host.contains('%') {
            return Err(Refusal::Host { reason: "it is percent-encoded; write it plainly" });
        }
        if self.ip().is_none() && typed_host.ends_with('.') {
            return Err(Refusal::TrailingDot);
        }
        if !typed_host.eq_ignore_ascii_case(&self.bracketed_host()) {
            return Err(if self.ip().is_some() {
                Refusal::IpLiteral
            } else {
                Refusal::Host { reason: "it can be read in more than one way; write it plainly" }
            });
        }
        match typed_port {
            Some(port) if port != self.port.to_string() => {
                Err(Refusal::Host { reason: "the port is not a plain number" })
            }
            _ => Ok(()),
        }
    }

    fn refuse_by_rules(&self, rules: &OriginRules) -> Result<(), Refusal> {
        if self.ip().is_some() {
            if !rules.allow_ip_literals {
                return Err(Refusal::IpLiteral);
            }
        } else {
            refuse_malformed_name(&self.host)?;
        }
        if self.port != self.scheme.default_port() && !rules.extra_ports.contains(&self.port) {
            return Err(Refusal::Port { port: self.port });
        }
        Ok(())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme.name(), self.authority())
    }
}

impl Scheme {
    /// The port that is implied where none is written.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// The scheme as written in a URL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The WHATWG parser strips or reinterprets these silently, so they go before it sees them.
fn refuse_forbidden_characters(text: &str) -> Result<(), Refusal> {
    let forbidden =
        |character: char| character.is_control() || character.is_whitespace() || character == '\\';
    if text.is_empty() {
        return Err(Refusal::NotAUrl { reason: "it is empty".to_owned() });
    }
    if text.contains(forbidden) { Err(Refusal::ForbiddenCharacter) } else { Ok(()) }
}

/// The scheme and the raw text between `://` and the path, query or fragment.
fn split_authority(text: &str) -> Result<(Scheme, &str), Refusal> {
    let (scheme, rest) = text
        .split_once("://")
        .ok_or_else(|| Refusal::NotAUrl { reason: "it does not start with https://".to_owned() })?;
    let scheme = if scheme.eq_ignore_ascii_case("https") {
        Scheme::Https
    } else if scheme.eq_ignore_ascii_case("http") {
        Scheme::Http
    } else {
        return Err(Refusal::Scheme);
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() { Err(Refusal::EmptyHost) } else { Ok((scheme, authority)) }
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// Host names as DNS carries them: labels of letters, digits, hyphens and underscores (RFC 1035 §2.3.4 for
/// the lengths; underscores because some services use them).
fn refuse_malformed_name(host: &str) -> Result<(), Refusal> {
    let refuse = |reason| Err(Refusal::Host { reason });
    if host.len() > 253 {
        return refuse("it is longer than 253 characters");
    }
    for label in host.split('.') {
        if label.is_empty() {
            return refuse("it has an empty part between two dots");
        }
        if label.len() > 63 {
            return refuse("a part of it is longer than 63 characters");
        }
        if !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            return refuse("it may hold letters, digits, hyphens and dots only");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Origin, OriginRules};

    fn parse(text: &str) -> Result<String, String> {
        Origin::parse_user_input(text, &OriginRules::default())
            .map(|origin| origin.to_string())
            .map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn plain_origins_pass_in_one_spelling() {
        for text in [
            "https://acme.cybozu.com",
            "https://acme.cybozu.com/",
            "HTTPS://ACME.Cybozu.com",
            "https://acme.cybozu.com:443",
        ] {
            assert_eq!(parse(text).as_deref(), Ok("https://acme.cybozu.com"), "{text}");
        }
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        let cases = [
            ("", "this is not a URL (it is empty); write it like https://example.cybozu.com"),
            (
                "acme.cybozu.com",
                "this is not a URL (it does not start with https://); write it like https://example.cybozu.com",
            ),
            (
                "https://acme.cybozu.com ",
                "the URL holds a blank, line break, backslash or control character; remove it",
            ),
            (
                "http://acme.cybozu.com",
                "the URL starts with http://, which sends the credentials unprotected; use https://",
            ),
            ("ftp://acme.cybozu.com", "the URL must start with https://"),
            (
                "https://me:secret-marker@acme.cybozu.com",
                "the URL carries a user name or password before the host; put them into their own fields",
            ),
            (
                "https://acme.cybozu.com:8443",
                "port 8443 is not allowed; use 443, or ask the operator to allow this port",
            ),
            ("https://", "the URL has no host; write it like https://example.cybozu.com"),
            ("https://acme.cybozu.com.", "the host ends in a dot; remove the dot"),
            ("https://2130706433", "the host is an IP address; use the host name of the service"),
            (
                "https://bücher.example",
                "the host is not written in ASCII; if it is right, write it as xn--bcher-kva.example",
            ),
            (
                "https://acme%2ecybozu.com",
                "the host is not a plain host name: it is percent-encoded; write it plainly",
            ),
            ("https://acme..com", "the host is not a plain host name: it has an empty part between two dots"),
            (
                "https://acme.cybozu.com/k/1/",
                "only the scheme and the host are wanted here; remove everything after the host",
            ),
            (
                "https://acme.cybozu.com?a",
                "only the scheme and the host are wanted here; remove everything after the host",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_url_is_split_into_origin_and_path() {
        let rules = OriginRules { extra_ports: vec![8443], ..OriginRules::default() };
        let (origin, path) =
            Origin::parse_url("https://acme.test:8443/oauth2/token?x=%20y#part", &rules).unwrap();
        assert_eq!((origin.authority().as_str(), path.as_str()), ("acme.test:8443", "/oauth2/token?x=%20y"));
    }

    #[test]
    fn the_operator_may_write_any_port_and_address() {
        for text in ["http://10.0.0.5:3128", "https://proxy.internal:8443", "http://[fd00::1]:3128"] {
            assert_eq!(Origin::from_operator(text).unwrap().to_string(), text);
        }
        assert!(Origin::from_operator("https://user@proxy.internal").is_err());
    }
}
