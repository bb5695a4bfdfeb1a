use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::origin::Origin;
use crate::proxy_server::ProxyCredentials;
use crate::tls::TlsSettings;

/// What two requests must have in common to share a connection.
///
/// Nothing secret can be read out of it: client certificates stand for their keys, and the credentials of a proxy
/// server are compared but never shown. Cheap to clone, and hashed once when it is made.
#[derive(Clone)]
pub struct PoolKey(Arc<Parts>);

struct Parts {
    hash: u64,
    content: Content,
}

/// The parts that are compared.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Content {
    pub(crate) origin: Origin,
    pub(crate) partition: Box<str>,
    pub(crate) tls: TlsSettings,
    pub(crate) proxy: Option<(Origin, Option<ProxyCredentials>)>,
    pub(crate) address: Option<SocketAddr>,
}

impl PoolKey {
    pub(crate) fn new(content: Content) -> Self {
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        Self(Arc::new(Parts { hash: hasher.finish(), content }))
    }

    /// Where the connections go.
    pub fn origin(&self) -> &Origin {
        &self.0.content.origin
    }

    /// The label that the route was made with, see [`crate::RouteOptions::partition`].
    pub fn partition(&self) -> &str {
        &self.0.content.partition
    }

    /// Whether a client certificate is presented on the connections.
    pub fn has_identity(&self) -> bool {
        self.0.content.tls.identity.is_some()
    }
}

impl PartialEq for PoolKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.hash == other.0.hash && self.0.content == other.0.content)
    }
}

impl Eq for PoolKey {}

impl Hash for PoolKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl fmt::Debug for PoolKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PoolKey")
            .field("origin", &format_args!("{}", self.origin()))
            .field("partition", &self.partition())
            .field("has_identity", &self.has_identity())
            .finish_non_exhaustive()
    }
}

/// Takes the hash that a [`PoolKey`] carries as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CarriedHash(u64);

impl Hasher for CarriedHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only reached by keys other than `PoolKey`; correct for them too, if not well spread.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::KeyPair;
    use rustls_pki_types::PrivateKeyDer;

    use crate::egress::{Egress, EgressSettings};
    use crate::origin::Origin;
    use crate::pool_key::PoolKey;
    use crate::proxy_server::{ChosenBy, ProxyCredentials, ProxyServer};
    use crate::resolve::FixedResolver;
    use crate::route::RouteOptions;
    use crate::tls::{ClientIdentity, TlsSettings};

    fn key(origin: &str, options: RouteOptions) -> PoolKey {
        let egress = Egress::new(EgressSettings::default(), Arc::new(FixedResolver::default()));
        egress.route(Origin::from_operator(origin).unwrap(), options).unwrap().pool_key().clone()
    }

    fn identity(key: &KeyPair) -> TlsSettings {
        let params = rcgen::CertificateParams::new(vec!["us.test".to_owned()]).unwrap();
        let chain = vec![params.self_signed(key).unwrap().der().clone()];
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let identity = Some(Arc::new(ClientIdentity::new(chain, key).unwrap()));
        TlsSettings { identity, ..TlsSettings::default() }
    }

    fn through(proxy: &str, user: &str, password: &str) -> RouteOptions {
        let server = ProxyServer {
            origin: Origin::from_operator(proxy).unwrap(),
            credentials: ProxyCredentials::new(user, password),
            chosen_by: ChosenBy::User,
        };
        RouteOptions { proxy: Some(server), ..RouteOptions::default() }
    }

    #[test]
    fn every_part_of_a_route_keeps_its_connections_apart() {
        let plain = RouteOptions::default;
        let labelled = RouteOptions { partition: "1".to_owned(), ..plain() };
        let with = |tls| RouteOptions { tls, ..plain() };
        let (first, second) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let keys = [
            key("https://a.test", plain()),
            key("https://a.test:444", plain()),
            key("http://a.test", plain()),
            key("https://b.test", plain()),
            key("https://a.test", labelled),
            key("https://a.test", with(identity(&first))),
            key("https://a.test", with(identity(&second))),
            key("https://a.test", through("http://p.test:1", "user", "password")),
            key("https://a.test", through("http://p.test:2", "user", "password")),
            key("https://a.test", through("http://p.test:1", "other", "password")),
            key("https://a.test", through("http://p.test:1", "user", "other password")),
        ];
        for (index, one) in keys.iter().enumerate() {
            for (other_index, other) in keys.iter().enumerate() {
                assert_eq!(one == other, index == other_index, "{one:?} {other:?}");
                // Equality has to hold up even if two hashes meet.
                assert_eq!(one.0.content == other.0.content, index == other_index);
            }
        }
        assert!(keys[0] == key("https://a.test", plain()));
        assert!(keys[5].has_identity() && !keys[0].has_identity());
    }

    #[test]
    fn debug_output_holds_no_credentials() {
        let text =
            format!("{:?}", key("https://a.test", through("http://p.test:1", "user-marker", "word-marker")));
        assert_eq!(text, "PoolKey { origin: https://a.test, partition: \"\", has_identity: false, .. }");
    }
}
