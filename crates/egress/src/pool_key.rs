use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::origin::Origin;
use crate::tls::TlsSettings;

/// What two requests must have in common to share a connection. Holds nothing secret.
///
/// Cheap to clone, and hashed once when it is made.
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
    pub(crate) proxy: Option<(Origin, Box<str>)>,
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
