//! The listener: one acceptor, N proxy threads, one control runtime.

pub(crate) mod accept;
mod in_process;
mod operator;
mod options;
mod thread;

use std::net::SocketAddr;
use std::sync::Arc;

use secrecy::ExposeSecret as _;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tombolo_platform::{Platform, Problem};

pub use in_process::InProcess;
pub use options::{ServerError, ServerOptions, Tls};

use crate::front::Front;
use crate::public_url::PublicUrl;
use crate::request_id::RequestIds;
use crate::routes::{RequestCounts, SET_UP, router};
pub(crate) use thread::Place;
use thread::ProxyThread;

/// A running server.
pub struct Server {
    platform: Arc<Platform>,
    address: SocketAddr,
    public_url: PublicUrl,
    stop: watch::Sender<bool>,
    acceptors: Vec<JoinHandle<()>>,
    threads: Vec<ProxyThread>,
}

impl Server {
    /// Binds and starts. Must be called on the control runtime, which serves everything but calls.
    pub fn start(platform: Arc<Platform>, options: ServerOptions) -> Result<Self, ServerError> {
        let ids = Arc::new(RequestIds::new(options.process_id));
        let tls = options.tls.as_ref().map(Tls::acceptor).transpose()?;
        let listener = accept::bind(options.listen)?;
        let address = listener.local_addr().map_err(|source| ServerError::bind(options.listen, source))?;
        let (stop, stopped) = watch::channel(false);
        let counts = RequestCounts::default();
        let public_url = PublicUrl::served(&options.public_url.unwrap_or_else(|| {
            let scheme = if tls.is_some() { "https" } else { "http" };
            format!("{scheme}://localhost:{}", address.port())
        }))?;
        platform.reached_as(public_url.known().unwrap_or_default());
        let places = accept::Places::new(options.connections_max);
        let shared = (counts.clone(), Some(places.clone()));
        let router = router(Arc::clone(&platform), public_url.clone(), shared, options.requests_per_minute);
        let front = || {
            Arc::new(Front {
                lane: platform.lane(),
                platform: Arc::clone(&platform),
                ids: Arc::clone(&ids),
                router: router.clone(),
                control: Handle::current(),
                requests: counts.of_one_thread(),
            })
        };
        let threads = (0..options.proxy_threads.max(1))
            .map(|number| ProxyThread::start(number, front(), tls.clone(), stopped.clone(), options.drain))
            .collect::<Result<Vec<_>, _>>()?;
        let mut acceptors = vec![tokio::spawn(accept::run(
            listener,
            threads.iter().map(ProxyThread::inbox).collect(),
            places,
            stopped.clone(),
        ))];
        if let Some(path) = options.operator_socket {
            acceptors.push(operator::start(path, front(), stopped, options.drain)?);
        }
        platform.keep_informed();
        platform.write_activity();
        Ok(Self { platform, address, public_url, stop, acceptors, threads })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address under which the first administrator is made, while there is nobody who signs in; to be printed where
    /// only the operator reads. What makes it good stands in its fragment, which browsers send to nobody, so that no front
    /// logs it.
    pub async fn set_up_address(&self) -> Result<Option<String>, Problem> {
        let token = self.platform.new_set_up_token().await?;
        let base = self.public_url.known().unwrap_or_default();
        Ok(token.map(|token| format!("{base}{SET_UP}#{}", token.expose_secret())))
    }

    /// Accepts nothing any more, lets running requests end within the drain time, ends the threads, and writes what they
    /// left for the log of calls.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for acceptor in self.acceptors {
            // An acceptor that panicked has nothing left to end.
            let _ = acceptor.await;
        }
        let joined =
            tokio::task::spawn_blocking(move || self.threads.into_iter().for_each(ProxyThread::join));
        let _ = joined.await;
        self.platform.flush_activity().await;
    }
}
