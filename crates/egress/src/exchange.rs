//! One request and the head of its answer, on one connection.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Poll, ready};

use http::header::{CONTENT_LENGTH, HOST, HeaderValue, TRANSFER_ENCODING};
use http::{Method, Request, Response, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use tokio::time::Instant;

use crate::body::Body;
use crate::connect::Driver;
use crate::error::{EgressError, EgressErrorKind};
use crate::failure::{self, place};
use crate::response_body::ResponseBody;
use crate::route::Route;
use crate::shelf::{Line, Shelf};
use crate::timings::{Timings, micros};

/// What a connection makes of a request: the head, or the request back if it was not written.
type Answer = Result<Response<Incoming>, TrySendError<Request<Body>>>;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Not a byte was written; the request is still whole.
    NotSent { request: Box<Request<Body>>, error: EgressError },
    /// Something may have reached the upstream.
    Sent(EgressError),
}

impl Failed {
    pub(crate) fn into_error(self) -> EgressError {
        match self {
            Self::NotSent { error, .. } | Self::Sent(error) => error,
        }
    }
}

/// Gives the request the headers that frame it, so that nothing the caller wrote can make two requests of it.
pub(crate) fn prepare(route: &Route, request: &mut Request<Body>) -> Result<(), EgressError> {
    if request.uri().authority().is_some() || request.uri().path().is_empty() {
        let what = "the request names a host in its URI, where only a path may stand".to_owned();
        return Err(EgressError::new(EgressErrorKind::InvalidRequest, what));
    }
    if request.method() == Method::CONNECT {
        let what = "the method CONNECT is not for requests through this server".to_owned();
        return Err(EgressError::new(EgressErrorKind::InvalidRequest, what));
    }
    *request.version_mut() = Version::HTTP_11;
    let expects_length = request.body().is_end_stream()
        && matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    let headers = request.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.remove(TRANSFER_ENCODING);
    if expects_length {
        // RFC 9110 §8.6; many servers answer 411 without it.
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    headers.insert(HOST, route.host_header.clone());
    Ok(())
}

/// Watches over one request from the moment before it is sent until the head of the answer is there.
pub(crate) struct Watch {
    start: Instant,
    progress: Option<Arc<AtomicU64>>,
}

impl Watch {
    pub(crate) fn start(request: &mut Request<Body>, line: &mut Line, route: &Route) -> Self {
        let start = Instant::now();
        line.deadline.set(start + route.time_outs.head);
        Self { start, progress: request.body_mut().watch_progress() }
    }

    /// Waits for the head. Takes what it needs by reference, because a request is large and each move of it
    /// through the state of a future is a copy.
    pub(crate) async fn head(
        &self,
        mut answer: Pin<&mut impl Future<Output = Answer>>,
        line: &mut Line,
        route: &Route,
        timings: &mut Timings,
    ) -> Result<Response<Incoming>, Failed> {
        let mut progress_seen = 0;
        let answered = std::future::poll_fn(|context| {
            loop {
                if let Poll::Ready(answered) = answer.as_mut().poll(context) {
                    return Poll::Ready(Some(answered));
                }
                ready!(line.deadline.poll_passed(context));
                let progress = self.progress.as_ref().map_or(0, |progress| progress.load(Ordering::Relaxed));
                if progress == progress_seen {
                    return Poll::Ready(None);
                }
                // An upload that is still moving may take as long as it likes.
                progress_seen = progress;
                line.deadline.set(Instant::now() + route.time_outs.head);
            }
        })
        .await;
        timings.first_byte = micros(self.start.elapsed());
        match answered {
            Some(Ok(response)) => Ok(response),
            Some(Err(failed)) => Err(failed_to_send(failed, route)),
            None => {
                let what = format!("{} did not answer in time", place(&route.origin));
                Err(Failed::Sent(EgressError::new(EgressErrorKind::HeadTimedOut, what)))
            }
        }
    }
}

/// Sends a prepared request on a connection. `driver` comes with a new one, and its task starts here: after the
/// request is queued, so that an early end of the connection is told to this request and not lost.
pub(crate) async fn send(
    mut line: Line,
    driver: Option<Driver>,
    mut request: Request<Body>,
    route: &Route,
    shelf: &Arc<Shelf>,
    timings: &mut Timings,
) -> Result<Response<ResponseBody>, Failed> {
    let watch = Watch::start(&mut request, &mut line, route);
    let answer = pin!(line.sender.try_send_request(request));
    if let Some(driver) = driver {
        tokio::spawn(async move {
            // What ends a connection is told to the request or body that is using it; between requests it is
            // nobody's concern.
            let _ = driver.await;
        });
    }
    let response = watch.head(answer, &mut line, route, timings).await?;
    Ok(response
        .map(|incoming| ResponseBody::new(incoming, line, Arc::clone(shelf), route.time_outs.body_idle)))
}

#[cold]
fn failed_to_send(mut failed: TrySendError<Request<Body>>, route: &Route) -> Failed {
    let request = failed.take_message();
    let error = failure::of_head(&failed.into_error(), &route.origin, route.with_identity());
    match request {
        Some(request) => Failed::NotSent { request: Box::new(request), error },
        None => Failed::Sent(error),
    }
}
