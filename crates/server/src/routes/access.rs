//! Who is asking.

use std::net::SocketAddr;
use std::sync::Arc;

use http::HeaderMap;
use tombolo_platform::{Access, Platform, Problem};

use crate::listen::Place;

/// Who holds the other end of a socket.
#[derive(Debug, Clone)]
pub enum Peer {
    /// Somebody on the network, who has to show an API key.
    Network(SocketAddr),
    /// Whoever may open the operator's socket in the data directory.
    Operator,
}

/// The place that the socket of the request has among all; `None` for the operator's.
#[derive(Clone)]
pub(crate) struct KeptPlace(
    #[expect(dead_code, reason = "it is kept for what happens when the last one is dropped")]
    pub(crate)  Option<Arc<Place>>,
);

/// The request's id.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// The header with which the operator names an environment.
const ENVIRONMENT: &str = "tombolo-environment";

impl Peer {
    /// Authenticates a caller: by key, or as the operator, who may name an environment.
    pub(crate) async fn access(
        &self,
        platform: &Arc<Platform>,
        key: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<Access, Problem> {
        match (self, key) {
            (_, Some(key)) => platform.authenticate(key).await,
            (Self::Operator, None) => {
                let name = headers.get(ENVIRONMENT).and_then(|value| value.to_str().ok());
                platform.operator_access(name).await
            }
            (Self::Network(_), None) => Err(Problem::unauthenticated("The request carries no API key")),
        }
    }
}
