use std::convert::Infallible;
use std::future::pending;
use std::sync::Mutex;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::sync::oneshot;
use tombolo_egress::Body;

/// A caller that sends the body of its request piece by piece. It goes away when dropped, in the middle of the body or not.
pub struct Upload {
    caller: DuplexStream,
    announced: bool,
}

/// A body as a server receives it, and the caller that sends it; `length` is what the caller announces.
pub async fn upload(length: Option<usize>) -> (Upload, Body) {
    let (mut caller, server) = tokio::io::duplex(1 << 16);
    let framing = match length {
        Some(length) => format!("Content-Length: {length}"),
        None => "Transfer-Encoding: chunked".to_owned(),
    };
    let head = format!("POST / HTTP/1.1\r\nHost: tombolo.test\r\n{framing}\r\n\r\n");
    caller.write_all(head.as_bytes()).await.unwrap();
    let (hand_over, received) = oneshot::channel();
    let hand_over = Mutex::new(Some(hand_over));
    tokio::spawn(async move {
        let service = service_fn(move |request: Request<Incoming>| {
            let hand_over = hand_over.lock().unwrap().take().expect("the caller sends one request");
            hand_over.send(request.into_body()).ok();
            // The caller never gets an answer: these tests are about what it sends.
            pending::<Result<Response<Empty<Bytes>>, Infallible>>()
        });
        http1::Builder::new().serve_connection(TokioIo::new(server), service).await.ok();
    });
    let body = Body::incoming(received.await.unwrap());
    (Upload { caller, announced: length.is_some() }, body)
}

impl Upload {
    /// Sends the next piece, waiting while nobody reads. Nothing happens when the server has gone away.
    pub async fn send(&mut self, piece: &[u8]) {
        if !self.announced {
            self.caller.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await.ok();
        }
        self.caller.write_all(piece).await.ok();
        if !self.announced {
            self.caller.write_all(b"\r\n").await.ok();
        }
    }

    /// Says that the body ends here, which only a body of unannounced length needs, and stays connected.
    pub async fn end(&mut self) {
        if !self.announced {
            self.caller.write_all(b"0\r\n\r\n").await.ok();
        }
    }
}
