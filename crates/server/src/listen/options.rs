//! What a server is started with.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// What a server is started with.
pub struct ServerOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Threads that hold the callers' sockets and make the calls.
    pub proxy_threads: usize,
    /// Most sockets at the same time; further callers wait in the backlog.
    pub connections_max: usize,
    /// Most requests a minute of one key to the API itself; 0 for no bound.
    pub requests_per_minute: u32,
    /// How long running requests may take to end when the server stops.
    pub drain: Duration,
    /// Random bits that make request ids of this process differ from others'.
    pub process_id: u64,
    /// Certificate and key, for callers without a TLS front of their own.
    pub tls: Option<Tls>,
    /// The URL under which callers and browsers reach the server; that of the listener on this machine when absent.
    pub public_url: Option<String>,
    /// The socket file for the operator's own commands; whoever may open it is the operator.
    pub operator_socket: Option<PathBuf>,
}

/// Certificate and key of the server, in PEM.
pub struct Tls {
    /// The chain, the server's own certificate first.
    pub certificates: Vec<u8>,
    /// The private key.
    pub key: Vec<u8>,
}

/// The server could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}; choose another address with --listen, or stop what uses it"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operator's socket file cannot be made.
    #[error("cannot make the socket {path}: {source}; check the permissions of the data directory")]
    Socket {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Certificate or key cannot be used.
    #[error("the TLS certificate or key cannot be used: {0}; give a PEM chain and its PEM key")]
    Tls(String),
    /// Nobody can be sent to the public URL.
    #[error(
        "the public URL `{url}` is no address of a server; give https:// or http://, a host, and perhaps a path"
    )]
    PublicUrl {
        /// What was given.
        url: String,
    },
    /// A thread could not be started.
    #[error("cannot start a thread: {0}; check the limits of this user")]
    Thread(io::Error),
}

impl ServerError {
    pub(super) fn bind(address: SocketAddr, source: io::Error) -> Self {
        Self::Bind { address, source }
    }
}

impl Tls {
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, ServerError> {
        let refused = |error: &dyn std::fmt::Display| ServerError::Tls(error.to_string());
        let chain = CertificateDer::pem_slice_iter(&self.certificates)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| refused(&error))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| refused(&error))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| refused(&error))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| refused(&error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}
