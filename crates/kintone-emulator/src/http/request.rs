//! A request that has arrived completely.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, Method};
use rustls_pki_types::CertificateDer;

/// A request with its whole body.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Path as it was sent.
    pub(crate) path: String,
    /// Query string as it was sent, without the `?`.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The other end of the connection. What `X-Forwarded-For` says is not trusted.
    pub(crate) peer: SocketAddr,
    /// The client certificate that the handshake accepted.
    pub(crate) certificate: Option<CertificateDer<'static>>,
}

impl Request {
    /// A header as text; `None` when it is missing or no text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The host that was asked for, in lower case and without the port.
    pub(crate) fn host(&self) -> Option<String> {
        let host = self.header(HOST.as_str())?;
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        Some(name.to_ascii_lowercase())
    }

    /// The media type of the body, in lower case and without its parameters.
    pub(crate) fn media_type(&self) -> Option<String> {
        let whole = self.header(CONTENT_TYPE.as_str())?;
        Some(whole.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// The method that is meant: the overriding one for a POST that carries it.
    pub(crate) fn effective_method(&self) -> Method {
        if self.method != Method::POST {
            return self.method.clone();
        }
        let other = self.header("x-http-method-override").map(str::to_ascii_uppercase);
        other.and_then(|name| Method::from_bytes(name.as_bytes()).ok()).unwrap_or(Method::POST)
    }
}
