//! How a request reaches the server. The address is the operator's own, so it is excepted from the guard of the way out.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use http::header::{HOST, HeaderValue};
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::RequestBody;

/// How a request reaches the server; one connection for each.
#[derive(Clone)]
pub struct Transport(Way);

#[derive(Clone)]
enum Way {
    Url(Server),
    Socket(PathBuf),
    InProcess(Arc<dyn Fn() -> DuplexStream + Send + Sync>),
}

#[derive(Clone)]
struct Server {
    url: Url,
    host: String,
    port: u16,
    /// The path of the URL without its last slash: a server may stand below a prefix.
    prefix: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// The server could not be reached, or its answer did not arrive whole.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The URL cannot be used.
    #[error("`{url}` is not the URL of a server: {reason}; write one like http://127.0.0.1:3003")]
    Url {
        /// What was given.
        url: String,
        /// Why.
        reason: String,
    },
    /// A certificate authority cannot be read.
    #[error("the certificate authority cannot be read: {0}; give certificates in PEM")]
    Authority(String),
    /// Nobody listens there, or the way there is blocked.
    #[error("cannot reach the server at {address}: {source}; check that `tombolo serve` runs there")]
    Unreachable {
        /// Where.
        address: String,
        /// What the operating system or TLS said.
        source: io::Error,
    },
    /// The connection ended early.
    #[error("the connection to the server broke off: {0}; try again, and see the log of the server")]
    Interrupted(String),
}

impl Transport {
    /// Over HTTP or HTTPS, with the public authorities.
    pub fn url(url: &str) -> Result<Self, TransportError> {
        Self::url_with_authorities(url, &[])
    }

    /// Over HTTP or HTTPS, trusting the certificates of a PEM text as well.
    pub fn url_with_authorities(text: &str, authorities_pem: &[u8]) -> Result<Self, TransportError> {
        let refused = |reason: &dyn fmt::Display| TransportError::Url {
            url: text.to_owned(),
            reason: reason.to_string(),
        };
        let url = Url::parse(text).map_err(|error| refused(&error))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused(&"it holds a user name or password; give the API key apart"));
        }
        let host = match url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => return Err(refused(&"it names no host")),
        };
        let port = url.port_or_known_default().ok_or_else(|| refused(&"it names no port"))?;
        let tls = match url.scheme() {
            "http" => None,
            "https" => {
                let name = ServerName::try_from(host.clone()).map_err(|error| refused(&error))?;
                Some((connector(authorities_pem)?, name))
            }
            _ => return Err(refused(&"it begins neither with http:// nor with https://")),
        };
        let prefix = url.path().trim_end_matches('/').to_owned();
        Ok(Self(Way::Url(Server { url, host, port, prefix, tls })))
    }

    /// Over the operator's socket file in the data directory.
    pub fn socket(path: impl Into<PathBuf>) -> Self {
        Self(Way::Socket(path.into()))
    }

    /// To a server inside of this process, which gives a new connection on each call.
    pub fn in_process(connect: impl Fn() -> DuplexStream + Send + Sync + 'static) -> Self {
        Self(Way::InProcess(Arc::new(connect)))
    }

    /// Sends one request. Dropping the answer closes its connection.
    pub(super) async fn send(
        &self,
        mut request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, TransportError> {
        let (host, prefix) = match &self.0 {
            Way::Url(server) => (server.host_header(), server.prefix.as_str()),
            Way::Socket(_) | Way::InProcess(_) => ("localhost".to_owned(), ""),
        };
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let target = format!("{prefix}{target}");
        *request.uri_mut() = Uri::try_from(&target)
            .map_err(|error| TransportError::Url { url: target, reason: error.to_string() })?;
        let host = HeaderValue::try_from(&host)
            .map_err(|error| TransportError::Url { url: host, reason: error.to_string() })?;
        request.headers_mut().insert(HOST, host);
        match &self.0 {
            Way::Url(server) => {
                let unreachable =
                    |source| TransportError::Unreachable { address: server.url.to_string(), source };
                let socket = connect_tcp(&server.host, server.port).await.map_err(unreachable)?;
                match &server.tls {
                    None => exchange(socket, request).await,
                    Some((connector, name)) => {
                        let stream = connector.connect(name.clone(), socket).await.map_err(unreachable)?;
                        exchange(stream, request).await
                    }
                }
            }
            Way::Socket(path) => {
                let socket = UnixStream::connect(path).await.map_err(|source| {
                    TransportError::Unreachable { address: path.display().to_string(), source }
                })?;
                exchange(socket, request).await
            }
            Way::InProcess(connect) => exchange(connect(), request).await,
        }
    }
}

impl Server {
    fn host_header(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the operator's own API URL is excepted from the guard of the way out"
)]
async fn connect_tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let socket = TcpStream::connect((host, port)).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the operator's own API URL is excepted from the guard of the way out"
)]
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<RequestBody>,
) -> Result<Response<Incoming>, TransportError> {
    let interrupted = |error: hyper::Error| TransportError::Interrupted(error.to_string());
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(interrupted)?;
    // It ends with the answer's body; what goes wrong shows there.
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(interrupted)
}

fn connector(authorities_pem: &[u8]) -> Result<TlsConnector, TransportError> {
    let refused = |error: &dyn fmt::Display| TransportError::Authority(error.to_string());
    let mut roots: rustls::RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    for certificate in CertificateDer::pem_slice_iter(authorities_pem) {
        roots.add(certificate.map_err(|error| refused(&error))?).map_err(|error| refused(&error))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_checked_before_anything_is_sent() {
        for (url, expected) in [
            ("ftp://example.com", "begins neither"),
            ("http://user:MARKER@example.com", "user name or password"),
            ("127.0.0.1:3003", "relative URL"),
            ("unix:/run/x", "names no host"),
        ] {
            let error = Transport::url(url).err().expect("refused");
            assert!(error.to_string().contains(expected), "{url}: {error}");
        }
        for url in ["http://127.0.0.1:3003", "https://tombolo.example.com/below/", "http://[::1]:3003"] {
            assert!(Transport::url(url).is_ok(), "{url}");
        }
    }
}
