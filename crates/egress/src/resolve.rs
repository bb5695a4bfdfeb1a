use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use thiserror::Error;

/// Turns a host name into addresses. The addresses are checked by the caller, never here.
pub trait Resolve: Send + Sync {
    /// Every address of `host`, in the order of preference, with `port` filled in.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> ResolveFuture<'a>;
}

/// What [`Resolve::resolve`] answers in time.
pub type ResolveFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<SocketAddr>, ResolveError>> + Send + 'a>>;

/// Why a name has no addresses.
#[derive(Debug, Error)]
pub enum ResolveError {
    /// The name system answered that there is no such name, or no address for it.
    #[error("the name does not exist")]
    NotFound,
    /// No answer was had.
    #[error("the name system failed: {0}")]
    Failed(String),
}

/// The resolver of the operating system (`getaddrinfo` on a blocking thread).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

/// A table of names, for tests and for closed networks: every other name does not exist.
#[derive(Clone, Debug, Default)]
pub struct FixedResolver {
    addresses: HashMap<String, Vec<IpAddr>>,
}

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> ResolveFuture<'a> {
        Box::pin(async move {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that resolves names")]
            let found = tokio::net::lookup_host((host, port)).await.map_err(|error| from_system(&error))?;
            Ok(found.collect())
        })
    }
}

impl FixedResolver {
    /// Adds a name with its addresses.
    #[must_use]
    pub fn with(mut self, host: &str, addresses: &[IpAddr]) -> Self {
        self.addresses.insert(host.to_owned(), addresses.to_vec());
        self
    }
}

impl Resolve for FixedResolver {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> ResolveFuture<'a> {
        let found = self.addresses.get(host).ok_or(ResolveError::NotFound);
        let found = found.map(|list| list.iter().map(|address| SocketAddr::new(*address, port)).collect());
        Box::pin(std::future::ready(found))
    }
}

/// The standard library gives the code of `getaddrinfo` only as its text, so the text has to decide.
fn from_system(error: &io::Error) -> ResolveError {
    // glibc, musl and macOS, in this order, for EAI_NONAME and EAI_NODATA.
    const NOT_FOUND: [&str; 5] = [
        "Name or service not known",
        "No address associated with hostname",
        "Name does not resolve",
        "Name has no usable address",
        "nodename nor servname provided",
    ];
    let text = error.to_string();
    if NOT_FOUND.iter().any(|phrase| text.contains(phrase)) {
        ResolveError::NotFound
    } else {
        ResolveError::Failed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Resolve, ResolveError, SystemResolver};

    #[tokio::test]
    async fn the_system_knows_this_machine_and_nothing_invalid() {
        let found = SystemResolver.resolve("localhost", 80).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback()));
        // RFC 6761 §6.4 reserves the name. Without a name server the system cannot know that.
        let missing = SystemResolver.resolve("no-such-host.invalid", 80).await.unwrap_err();
        assert!(matches!(missing, ResolveError::NotFound | ResolveError::Failed(_)), "{missing}");
    }
}
