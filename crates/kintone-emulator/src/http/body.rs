//! The body of an answer, which may come slowly or break off when a fault asks for it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use crate::limits::Running;

/// How the bytes of an answer are disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFault {
    /// After half of the announced bytes the connection breaks.
    Reset,
    /// Pieces of this many bytes, with a pause before each.
    Slow {
        /// Bytes per piece.
        piece: usize,
        /// Pause before each piece.
        pause: Duration,
    },
}

/// The body of an answer. It counts as running until it has been sent or dropped.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    rest: Bytes,
    fault: Option<BodyFault>,
    /// How much may still be sent before the connection breaks.
    until_reset: usize,
    pause: Option<Pin<Box<Sleep>>>,
    _running: Option<Running>,
}

/// The connection breaks here because a fault says so.
#[derive(Debug, thiserror::Error)]
#[error("a fault was injected: the connection breaks off")]
pub(crate) struct Broken;

impl From<Infallible> for Broken {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl AnswerBody {
    pub(crate) fn new(content: Bytes, fault: Option<BodyFault>, running: Option<Running>) -> Self {
        let until_reset = content.len() / 2;
        Self { rest: content, fault, until_reset, pause: None, _running: running }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            return Poll::Ready(None);
        }
        match this.fault {
            None => Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut this.rest))))),
            Some(BodyFault::Reset) if this.until_reset == 0 => Poll::Ready(Some(Err(Broken))),
            Some(BodyFault::Reset) => {
                let sent = this.rest.split_to(std::mem::take(&mut this.until_reset));
                // Without a pause the error would overtake these bytes in the connection's buffer.
                this.fault = Some(BodyFault::Slow { piece: 0, pause: Duration::from_millis(20) });
                Poll::Ready(Some(Ok(Frame::data(sent))))
            }
            Some(BodyFault::Slow { piece, pause }) => {
                let sleep = this.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
                if sleep.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                this.pause = None;
                if piece == 0 {
                    return Poll::Ready(Some(Err(Broken)));
                }
                let sent = this.rest.split_to(piece.min(this.rest.len()));
                Poll::Ready(Some(Ok(Frame::data(sent))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
