//! The answer of a proxied call on its way to the caller.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Response;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tombolo_egress::{EgressError, ResponseBody};

use super::call::Place;
use crate::activity::Recording;

/// The upstream's answer, streaming.
pub type Answer = Response<AnswerBody>;

/// A body that passes the upstream's through, keeps the place in the host's queue until it has ended, and then
/// writes the call into the log.
pub struct AnswerBody {
    inner: ResponseBody,
    _place: Place,
    record: Recording,
}

impl AnswerBody {
    pub(crate) fn new(inner: ResponseBody, place: Place, record: Recording) -> Self {
        Self { inner, _place: place, record }
    }

    /// The whole body in memory, at most this many bytes of it; `None` when it is larger or does not come in time.
    pub async fn collect(mut self, bytes_max: usize, within: Duration) -> Option<Bytes> {
        let read = async {
            let mut whole = BytesMut::new();
            while let Some(frame) = self.frame().await {
                if let Ok(data) = frame.ok()?.into_data() {
                    if whole.len() + data.len() > bytes_max {
                        return None;
                    }
                    whole.extend_from_slice(&data);
                }
            }
            Some(whole.freeze())
        };
        tokio::time::timeout(within, read).await.ok().flatten()
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = EgressError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.record.bytes_down += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            Poll::Ready(Some(Err(error))) => self.record.ended(Some(error)),
            Poll::Ready(None) => self.record.ended(None),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        // A server stops asking once it has every byte that was announced.
        if self.inner.is_end_stream() {
            self.record.ended(None);
        }
    }
}
