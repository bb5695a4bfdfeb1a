use std::fmt;
use std::hash::{Hash, Hasher};

use base64::Engine;
use http::HeaderValue;

use crate::origin::Origin;

/// An HTTP proxy server that opens tunnels with `CONNECT` (RFC 9110 §9.3.6).
///
/// Behind it the target's name is resolved by the proxy server, in its network and under its rules.
#[derive(Clone, Debug)]
pub struct ProxyServer {
    /// Where the proxy server listens.
    pub origin: Origin,
    /// For `Proxy-Authorization: Basic`.
    pub credentials: Option<ProxyCredentials>,
    /// Decides whether the address policy applies to the proxy server.
    pub chosen_by: ChosenBy,
}

/// User name and password for a proxy server.
///
/// Compared, so that nobody is given a tunnel that was opened with other credentials; never printed, and hashed
/// by the user name alone.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyCredentials {
    user: String,
    authorization: HeaderValue,
}

/// Who put an address into the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChosenBy {
    /// Trusted: may be a private address.
    Operator,
    /// Guarded like every other address.
    User,
}

impl ProxyCredentials {
    /// Prepares the header; any text is allowed (RFC 7617, UTF-8), except a colon in the user name,
    /// which would shift the password.
    pub fn new(user: &str, password: &str) -> Option<Self> {
        if user.contains(':') {
            return None;
        }
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        let mut authorization = HeaderValue::try_from(format!("Basic {encoded}"))
            .expect("Base64 consists of characters that a header may hold");
        authorization.set_sensitive(true);
        Some(Self { user: user.to_owned(), authorization })
    }

    pub(crate) fn authorization(&self) -> &HeaderValue {
        &self.authorization
    }
}

impl Hash for ProxyCredentials {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.user.hash(state);
    }
}

impl fmt::Debug for ProxyCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ProxyCredentials").finish_non_exhaustive()
    }
}
