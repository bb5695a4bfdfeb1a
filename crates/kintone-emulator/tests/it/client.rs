//! A small HTTP client and a running emulator for each test.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value as Json;
use tokio::net::TcpStream;
use tombolo_kintone_emulator::{Control, Emulator, EmulatorOptions, Seed, SettableClock};

/// Tokens of the built-in seed.
pub const CUSTOMERS: &str = "demoTokenCustomersAll0000000000000000000";
pub const CUSTOMERS_VIEW: &str = "demoTokenCustomersView000000000000000000";
pub const CUSTOMERS_DRAFT: &str = "demoTokenCustomersDraft00000000000000000";
pub const ORDERS: &str = "demoTokenOrdersAll0000000000000000000000";
pub const PRODUCTS_VIEW: &str = "demoTokenProductsView0000000000000000000";
pub const MEASUREMENTS: &str = "demoTokenMeasurements0000000000000000000";

/// A running emulator with a clock that stands still.
pub struct Service {
    pub emulator: Emulator,
    pub control: Control,
    pub clock: Arc<SettableClock>,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A request in the making.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

pub async fn service() -> Service {
    service_with(Seed::demo()).await
}

pub async fn service_with(seed: Seed) -> Service {
    let clock = Arc::new(SettableClock::new("2025-11-20T10:15:30Z".parse().unwrap()));
    let options = EmulatorOptions { clock: clock.clone(), seed, ..EmulatorOptions::default() };
    let emulator = Emulator::start(options).await.unwrap();
    let control = emulator.control();
    Service { emulator, control, clock }
}

/// A GET of a path of the tenant `demo`, such as `/k/v1/app.json?id=1`.
pub fn get(path: &str) -> Request {
    request(Method::GET, path)
}

pub fn request(method: Method, path: &str) -> Request {
    let path = if path.starts_with("/t/") { path.to_owned() } else { format!("/t/demo{path}") };
    Request { method, path, headers: Vec::new(), body: Bytes::new() }
}

/// A request with a JSON body.
pub fn send(method: Method, path: &str, body: &Json) -> Request {
    let mut request = request(method, path).header("content-type", "application/json");
    request.body = Bytes::from(body.to_string());
    request
}

/// A POST of a form.
pub fn post_form(path: &str, fields: &[(&str, &str)]) -> Request {
    let mut request = request(Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.body = Bytes::from(form);
    request
}

/// Percent-encodes a query for use in an address.
pub fn encoded(query: &str) -> String {
    percent_encoding::utf8_percent_encode(query, percent_encoding::NON_ALPHANUMERIC).to_string()
}

impl Request {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn token(self, token: &str) -> Self {
        self.header("x-cybozu-api-token", token)
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn basic(self, username: &str, password: &str) -> Self {
        let encoded = STANDARD.encode(format!("{username}:{password}"));
        self.header("authorization", &format!("Basic {encoded}"))
    }

    pub fn user(self, code: &str, password: &str) -> Self {
        let encoded = STANDARD.encode(format!("{code}:{password}"));
        self.header("x-cybozu-authorization", &encoded)
    }

    /// As the administrator of the tenant `demo`.
    pub fn anna(self) -> Self {
        self.user("anna", "demo-password-anna")
    }

    /// Through the gate of the tenant `sample`.
    pub fn gate(self) -> Self {
        self.basic("gate", "sample-gate-password")
    }

    pub async fn to(&self, service: &Service) -> Reply {
        self.try_to(service).await.unwrap()
    }

    pub async fn try_to(&self, service: &Service) -> Result<Reply, hyper::Error> {
        self.try_at(service.emulator.http_address()).await
    }

    /// Sends the request; an error when the connection breaks.
    pub async fn try_at(&self, address: std::net::SocketAddr) -> Result<Reply, hyper::Error> {
        #[expect(clippy::disallowed_methods, reason = "the test is the client")]
        let stream = TcpStream::connect(address).await.unwrap();
        self.over(stream).await
    }

    pub async fn over<S>(&self, stream: S) -> Result<Reply, hyper::Error>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        #[expect(clippy::disallowed_methods, reason = "the test is the client")]
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let mut builder = http::Request::builder().method(self.method.clone()).uri(&self.path);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            builder = builder.header("host", "localhost");
        }
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        let request = builder.body(Full::new(self.body.clone())).unwrap();
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        driver.abort();
        Ok(Reply { status: parts.status, headers: parts.headers, body })
    }
}

impl Reply {
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status and code of a refusal, such as `400 CB_VA01`; status alone for anything else.
    pub fn outcome(&self) -> String {
        let body: Json = serde_json::from_slice(&self.body).unwrap_or_default();
        match body["code"].as_str() {
            Some(code) if !self.status.is_success() => {
                assert_eq!(self.header("x-cybozu-error"), Some(code), "the header repeats the code");
                format!("{} {code}", self.status.as_u16())
            }
            _ => self.status.as_u16().to_string(),
        }
    }
}
