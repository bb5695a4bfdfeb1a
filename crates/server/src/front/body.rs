//! The bodies that this server sends, unboxed where it matters.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tombolo_platform::proxy::AnswerBody;

/// The body of an answer.
#[expect(
    clippy::large_enum_variant,
    reason = "a box would be an allocation for every call, and calls are most of what is served"
)]
pub enum ServerBody {
    /// An upstream's, streaming through.
    Answer(AnswerBody),
    /// One of the router's.
    Routed(axum::body::Body),
    /// In memory; empty once it has been sent.
    Full(Bytes),
}

impl ServerBody {
    /// A body in memory.
    pub(crate) fn full(bytes: Bytes) -> Self {
        Self::Full(bytes)
    }
}

impl Body for ServerBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Self::Answer(body) => Pin::new(body).poll_frame(context).map_err(Into::into),
            Self::Routed(body) => Pin::new(body).poll_frame(context).map_err(Into::into),
            Self::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Answer(body) => body.is_end_stream(),
            Self::Routed(body) => body.is_end_stream(),
            Self::Full(bytes) => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Answer(body) => body.size_hint(),
            Self::Routed(body) => body.size_hint(),
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}
