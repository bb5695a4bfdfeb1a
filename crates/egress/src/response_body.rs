use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};

use crate::error::{EgressError, EgressErrorKind};
use crate::failure::{self, place};
use crate::shelf::{Line, Shelf};

/// The body of an answer, streamed as it comes, neither decompressed nor changed.
///
/// When it has been read to its end the connection is kept for the next request. Dropping it earlier closes
/// the connection.
#[derive(Debug)]
pub struct ResponseBody {
    incoming: Incoming,
    line: Option<Line>,
    shelf: Arc<Shelf>,
    idle: Duration,
    silent: bool,
}

impl ResponseBody {
    pub(crate) fn new(incoming: Incoming, line: Line, shelf: Arc<Shelf>, idle: Duration) -> Self {
        let mut body = Self { incoming, line: Some(line), shelf, idle, silent: false };
        body.release_at_end();
        body
    }

    /// Reads the whole body into memory.
    ///
    /// At most `bytes_max` bytes are held, and it all takes at most `within`, however steadily it drips.
    pub async fn collect(mut self, bytes_max: usize, within: Duration) -> Result<Bytes, EgressError> {
        let shelf = Arc::clone(&self.shelf);
        let too_slow = || too_slow(&shelf);
        timeout(within, self.collect_unhurried(bytes_max)).await.map_err(|_| too_slow())?
    }

    async fn collect_unhurried(&mut self, bytes_max: usize) -> Result<Bytes, EgressError> {
        if self.incoming.size_hint().lower() > bytes_max as u64 {
            return Err(self.too_large(bytes_max));
        }
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(frame) = self.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            if first.len() + rest.len() + data.len() > bytes_max {
                return Err(self.too_large(bytes_max));
            }
            if first.is_empty() {
                first = data;
            } else {
                rest.extend_from_slice(&data);
            }
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let mut whole = BytesMut::with_capacity(first.len() + rest.len());
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&rest);
        Ok(whole.freeze())
    }

    fn too_large(&self, bytes_max: usize) -> EgressError {
        let what = format!("{} answered with more than {bytes_max} bytes", place(self.shelf.origin()));
        EgressError::new(EgressErrorKind::BodyTooLarge, what)
    }

    /// A server may not ask for the end once it has every byte, so the end is looked for after each piece.
    fn release_at_end(&mut self) {
        if self.incoming.is_end_stream() {
            self.release();
        }
    }

    fn release(&mut self) {
        if let Some(line) = self.line.take() {
            self.shelf.put(line);
        }
    }

    /// The clock is read once per silence, not once per piece.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<EgressError> {
        let Some(line) = &mut self.line else { return Poll::Pending };
        if !self.silent {
            self.silent = true;
            line.deadline.set(Instant::now() + self.idle);
        }
        line.deadline.poll_passed(context).map(|()| too_slow(&self.shelf))
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = EgressError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        match Pin::new(&mut self.incoming).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                self.silent = false;
                self.release_at_end();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                self.release();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                self.line = None;
                Poll::Ready(Some(Err(failure::of_body(&error, self.shelf.origin()))))
            }
            Poll::Pending => match self.poll_silence(context) {
                Poll::Ready(error) => {
                    self.line = None;
                    Poll::Ready(Some(Err(error)))
                }
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

fn too_slow(shelf: &Shelf) -> EgressError {
    let what = format!("{} stopped in the middle of the answer", place(shelf.origin()));
    EgressError::new(EgressErrorKind::BodyTimedOut, what)
}
