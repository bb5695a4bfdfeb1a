//! A server without a listener, for a program that holds the data directory itself: whoever runs it is the operator.

use std::sync::Arc;

use tokio::io::DuplexStream;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tombolo_platform::Platform;

use super::options::ServerError;
use super::thread::serve;
use crate::front::Front;
use crate::public_url::PublicUrl;
use crate::request_id::RequestIds;
use crate::routes::{Peer, RequestCounts, router};

/// Bytes that one end may be ahead of the other.
const BUFFER: usize = 64 * 1024;

/// A server that is spoken to inside of the process. Dropping it lets running requests end.
pub struct InProcess {
    front: Arc<Front>,
    control: Handle,
    stop: watch::Sender<bool>,
}

impl InProcess {
    /// Must be called on the control runtime, which serves everything. `public_url` is that of the server which usually
    /// runs here, if it is known: nobody is sent to it now, but redirect URIs begin with it.
    pub fn new(
        platform: &Arc<Platform>,
        process_id: u64,
        public_url: Option<&str>,
    ) -> Result<Self, ServerError> {
        let counts = RequestCounts::default();
        let public_url = PublicUrl::not_served(public_url)?;
        let front = Front {
            lane: platform.lane(),
            platform: Arc::clone(platform),
            ids: Arc::new(RequestIds::new(process_id)),
            router: router(Arc::clone(platform), public_url, (counts.clone(), None), 0),
            control: Handle::current(),
            requests: counts.of_one_thread(),
        };
        platform.keep_informed();
        Ok(Self { front: Arc::new(front), control: Handle::current(), stop: watch::Sender::new(false) })
    }

    /// A new connection, on which HTTP/1.1 is spoken as the operator.
    pub fn connect(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(BUFFER);
        self.control.spawn(serve(
            theirs,
            Arc::clone(&self.front),
            (Peer::Operator, None),
            self.stop.subscribe(),
        ));
        ours
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}
