//! Asks a server that the operator names, under the operator's rules, with nothing started: for whoever brings data along
//! from another product.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use tombolo_egress::{
    Body, Egress, EgressError, EgressErrorKind, Origin, Retry, Route, RouteOptions, Scheme, TimeOuts,
};

use super::{StartError, StartOptions, egress_settings};

/// Largest answer that is read: a page of a thousand connections is far below.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// The other server may ask a vendor for a new token before it answers.
const PATIENCE: Duration = Duration::from_secs(90);
/// What a server of one's own is reached at. Link-local addresses are not among them: clouds keep secrets there.
const PRIVATE: [&str; 7] =
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "::1/128", "fc00::/7"];

/// A server that the operator named.
pub struct Outside {
    egress: Arc<Egress>,
    route: Arc<Route>,
    key: HeaderValue,
}

/// A complete answer.
pub struct OutsideAnswer {
    /// The status.
    pub status: StatusCode,
    /// The headers as they came.
    pub headers: HeaderMap,
    /// The body; it may hold secrets.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum OutsideError {
    /// The address cannot be used.
    #[error("{what}; {fix}")]
    Address {
        /// What is wrong with it.
        what: String,
        /// What to do.
        fix: &'static str,
    },
    /// The key cannot stand in a header.
    #[error("the key holds characters that no key has; copy it again")]
    Key,
    /// A setting does not fit.
    #[error(transparent)]
    Setting(#[from] StartError),
    /// The server was asked, and no whole answer came.
    #[error("{what}; {fix}")]
    Silence {
        /// What happened.
        what: String,
        /// What to do.
        fix: &'static str,
        /// Whether the trouble may pass.
        may_pass: bool,
    },
}

impl Outside {
    /// Prepares to ask. `private` says that the server may be in a private network and may speak plain `http`; without it
    /// only what the operator's rules let everybody reach is asked, over `https`.
    pub fn new(
        options: &StartOptions,
        url: &str,
        key: &SecretString,
        private: bool,
    ) -> Result<Self, OutsideError> {
        let fix = "write the address alone, such as https://nango.example.com";
        let address = |what: String| OutsideError::Address { what, fix };
        let origin = Origin::from_operator(url).map_err(|refusal| address(refusal.to_string()))?;
        if origin.scheme() == Scheme::Http && !private && !options.egress.allow_http {
            let fix = "use https, or say with --private-address that the server is in a network of your own";
            return Err(OutsideError::Address {
                what: "credentials would cross the network in clear text".into(),
                fix,
            });
        }
        let mut rules = options.egress.clone();
        if private {
            rules.allow_networks.extend(PRIVATE.map(str::to_owned));
        }
        let egress = Egress::new(egress_settings(&rules)?, Arc::clone(&options.resolver));
        let time_outs = TimeOuts { head: PATIENCE, ..TimeOuts::default() };
        let route = egress
            .route(origin, RouteOptions { time_outs, ..RouteOptions::default() })
            .map_err(|error| address(error.to_string()))?;
        let mut key = HeaderValue::try_from(format!("Bearer {}", key.expose_secret()))
            .map_err(|_| OutsideError::Key)?;
        key.set_sensitive(true);
        Ok(Self { egress, route, key })
    }

    /// Asks once; a redirect is an answer like any other. `target` is a path with its query, percent-encoded.
    pub async fn get(&self, target: &str) -> Result<OutsideAnswer, OutsideError> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = target.parse().map_err(|_| OutsideError::Address {
            what: "the request has no valid path".into(),
            fix: "report it",
        })?;
        request.headers_mut().insert(AUTHORIZATION, self.key.clone());
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        let answer = self.egress.probe().run(&self.route, request, ANSWER_BYTES, |_| {}).await;
        let answer = answer.map_err(|error| silence(&error))?;
        Ok(OutsideAnswer { status: answer.status, headers: answer.headers, body: answer.body })
    }
}

fn silence(error: &EgressError) -> OutsideError {
    let fix = match error.kind() {
        EgressErrorKind::AddressRefused => {
            "say with --private-address that the server is in a network of your own, or list the network in egress.allow_networks"
        }
        _ => error.fix(),
    };
    // Reading changes nothing, so it can be repeated whether it was sent or not.
    let may_pass = error.may_retry() != Retry::Never;
    OutsideError::Silence { what: error.what().to_owned(), fix, may_pass }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_egress::FixedResolver;

    #[tokio::test]
    async fn the_operators_rules_hold_for_a_server_that_the_operator_names() {
        let mut options = StartOptions::in_directory("unused".into());
        let resolver = FixedResolver::default()
            .with("inside.example.com", &["10.0.0.5".parse().expect("an address")])
            .with("metadata.example.com", &["169.254.169.254".parse().expect("an address")]);
        options.resolver = Arc::new(resolver);
        let key = SecretString::from("MARKER-key");
        for (url, private, expected) in [
            ("https://inside.example.com", false, "--private-address"),
            ("http://inside.example.com:3003", false, "clear text"),
            ("https://metadata.example.com", true, "169.254.169.254"),
            ("https://user:MARKER@inside.example.com", true, "write the address alone"),
            ("https://inside.example.com/path", true, "write the address alone"),
            ("inside", true, "write the address alone"),
        ] {
            let told = match Outside::new(&options, url, &key, private) {
                Err(error) => error.to_string(),
                Ok(outside) => {
                    outside.get("/").await.err().map_or_else(String::new, |error| error.to_string())
                }
            };
            assert!(told.contains(expected) && !told.contains("MARKER"), "{url}: {told}");
        }
    }
}
