use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use thiserror::Error;

/// The body of a request, unboxed, with an exact size wherever the source has one.
#[derive(Debug)]
pub struct Body {
    kind: Kind,
    progress: Option<Arc<AtomicU64>>,
}

#[derive(Debug)]
enum Kind {
    Empty,
    Full(Bytes),
    Incoming(Incoming),
    /// What was read to look at it, then the rest.
    Peeked {
        read: Bytes,
        rest: Incoming,
    },
}

/// Why the body of a request could not be read to its end.
#[derive(Debug, Error)]
pub enum BodyError {
    /// The caller's connection failed.
    #[error("the caller's connection failed while it was sending the body")]
    Downstream(#[source] hyper::Error),
}

impl Body {
    /// No body.
    pub fn empty() -> Self {
        Kind::Empty.into()
    }

    /// A body that is in memory; it can be sent again.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() { Self::empty() } else { Kind::Full(bytes).into() }
    }

    /// The body of a request that we received, streamed through.
    pub fn incoming(body: Incoming) -> Self {
        if body.is_end_stream() { Self::empty() } else { Kind::Incoming(body).into() }
    }

    /// A received body of which the beginning was read already.
    pub fn peeked(read: Bytes, rest: Incoming) -> Self {
        if rest.is_end_stream() { Self::full(read) } else { Kind::Peeked { read, rest }.into() }
    }

    /// The bytes of a body that is in memory, so that it can be sent again or signed.
    pub fn in_memory(&self) -> Option<Bytes> {
        match &self.kind {
            Kind::Empty => Some(Bytes::new()),
            Kind::Full(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }

    /// A counter of the bytes taken so far, for bodies that may take longer than a response does.
    pub(crate) fn watch_progress(&mut self) -> Option<Arc<AtomicU64>> {
        match self.kind {
            Kind::Empty | Kind::Full(_) => None,
            _ => Some(Arc::clone(self.progress.get_or_insert_default())),
        }
    }
}

impl From<Kind> for Body {
    fn from(kind: Kind) -> Self {
        Self { kind, progress: None }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::full(bytes)
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = self.kind.poll_frame(context);
        if let (Some(progress), Poll::Ready(_)) = (&self.progress, &polled) {
            progress.fetch_add(1, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Full(bytes) => bytes.is_empty(),
            Kind::Incoming(body) => body.is_end_stream(),
            Kind::Peeked { read, rest } => read.is_empty() && rest.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Incoming(body) => body.size_hint(),
            Kind::Peeked { read, rest } => shifted(&rest.size_hint(), read.len() as u64),
        }
    }
}

impl Kind {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self {
            Self::Full(bytes) | Self::Peeked { read: bytes, .. } if !bytes.is_empty() => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes)))))
            }
            Self::Empty | Self::Full(_) => Poll::Ready(None),
            Self::Incoming(body) | Self::Peeked { rest: body, .. } => {
                Pin::new(body).poll_frame(context).map_err(BodyError::Downstream)
            }
        }
    }
}

fn shifted(hint: &SizeHint, by: u64) -> SizeHint {
    let mut shifted = SizeHint::new();
    shifted.set_lower(hint.lower().saturating_add(by));
    if let Some(upper) = hint.upper() {
        shifted.set_upper(upper.saturating_add(by));
    }
    shifted
}
