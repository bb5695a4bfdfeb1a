//! A receiver of webhooks that answers as it is told, and remembers what it got.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a receiver does with a delivery.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// Answers with a status, a header and a body.
    Answers(u16, Option<(&'static str, &'static str)>, &'static str),
    /// Reads the request and never answers.
    Hangs,
    /// Answers 200 after a while.
    Ponders(Duration),
    /// Reads the request and closes.
    Closes,
    /// Answers 200 and then sends without end.
    Floods,
    /// Answers 200 and then keeps the caller waiting for the body.
    Drips,
}

#[derive(Debug, Clone)]
pub struct Delivery {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Delivery {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

#[derive(Default)]
struct State {
    got: Vec<Delivery>,
    next: VecDeque<Behaviour>,
    usual: Option<Behaviour>,
}

#[derive(Clone)]
pub struct Receiver {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let receiver = Self { address: listener.local_addr().expect("bound"), state: Arc::default() };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(socket));
            }
        });
        receiver
    }

    /// The next deliveries meet these, one each, the others a plain 200 or what [`Receiver::usually`] says.
    pub fn then(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.state.lock().expect("not poisoned").next.extend(behaviours);
    }

    pub fn usually(&self, behaviour: Behaviour) {
        self.state.lock().expect("not poisoned").usual = Some(behaviour);
    }

    pub fn got(&self) -> Vec<Delivery> {
        self.state.lock().expect("not poisoned").got.clone()
    }

    pub fn forget(&self) {
        self.state.lock().expect("not poisoned").got.clear();
    }

    async fn serve(self, socket: TcpStream) {
        let answer = |request: Request<Incoming>| {
            let receiver = self.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.expect("a whole body").to_bytes();
                let path = head.uri.path_and_query().expect("a path").to_string();
                let behaviour = {
                    let mut state = receiver.state.lock().expect("not poisoned");
                    state.got.push(Delivery { path: path.clone(), headers: head.headers, body });
                    let next = state.next.pop_front().or_else(|| state.usual.clone());
                    // One of the receivers behind this address is always stuck.
                    if path.starts_with("/stuck") { Some(Behaviour::Hangs) } else { next }
                };
                behave(behaviour.unwrap_or(Behaviour::Answers(200, None, "ok"))).await
            }
        };
        // A behaviour that breaks the connection ends it here.
        let _ = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(socket), service_fn(answer))
            .await;
    }
}

/// An error closes the connection.
async fn behave(behaviour: Behaviour) -> Result<Response<TestBody>, std::io::Error> {
    match behaviour {
        Behaviour::Answers(status, header, body) => {
            let mut response = Response::builder().status(status);
            if let Some((name, value)) = header {
                response = response.header(name, value);
            }
            Ok(response
                .body(TestBody::Whole(Full::new(Bytes::from_static(body.as_bytes()))))
                .expect("an answer"))
        }
        Behaviour::Hangs => {
            std::future::pending::<()>().await;
            Err(std::io::Error::other("never"))
        }
        Behaviour::Ponders(time) => {
            tokio::time::sleep(time).await;
            Ok(Response::new(TestBody::Whole(Full::default())))
        }
        Behaviour::Closes => Err(std::io::Error::other("closed")),
        Behaviour::Floods => Ok(Response::new(TestBody::Endless)),
        Behaviour::Drips => Ok(Response::new(TestBody::Silent)),
    }
}

pub enum TestBody {
    Whole(Full<Bytes>),
    Endless,
    Silent,
}

impl http_body::Body for TestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(body) => std::pin::Pin::new(body).poll_frame(context),
            Self::Endless => {
                let data = Bytes::from_static(&[b'x'; 16 * 1024]);
                std::task::Poll::Ready(Some(Ok(http_body::Frame::data(data))))
            }
            Self::Silent => std::task::Poll::Pending,
        }
    }
}

/// Answers every request with something that is not HTTP. It waits for the request: what is said to one who speaks first
/// depends on who was faster.
pub async fn babbler() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut read = [0; 1024];
                let _ = socket.read(&mut read).await;
                let _ = socket.write_all(b"220 mail.example.com ESMTP\r\n").await;
                // Whoever closes first with something unread takes the other's words back: the caller does.
                while matches!(socket.read(&mut read).await, Ok(1..)) {}
            });
        }
    });
    address
}
