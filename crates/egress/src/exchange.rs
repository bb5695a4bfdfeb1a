//! One request and the head of its answer, on one connection.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use http::header::{CONTENT_LENGTH, HOST, HeaderValue, TRANSFER_ENCODING};
use http::{Method, Request, Response, Version};
use http_body::Body as _;
use tokio::time::Instant;

use crate::body::Body;
use crate::connect::Driver;
use crate::error::{EgressError, EgressErrorKind};
use crate::failure::{self, place};
use crate::response_body::ResponseBody;
use crate::route::Route;
use crate::shelf::{Line, Shelf};
use crate::timings::{Timings, micros};

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
pub(crate) fn prepare(route: &Route, mut request: Request<Body>) -> Result<Request<Body>, EgressError> {
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
    Ok(request)
}

/// Sends a prepared request. `driver` comes with a new connection, whose task starts here: after the request is
/// queued, so that an early end of the connection is told to this request and not lost.
pub(crate) async fn send(
    mut line: Line,
    driver: Option<Driver>,
    mut request: Request<Body>,
    route: &Route,
    shelf: &Arc<Shelf>,
    timings: &mut Timings,
) -> Result<Response<ResponseBody>, Failed> {
    let progress = request.body_mut().watch_progress();
    let start = Instant::now();
    line.deadline.set(start + route.time_outs.head);
    let mut answer = pin!(line.sender.try_send_request(request));
    if let Some(driver) = driver {
        tokio::spawn(async move {
            // What ends a connection is told to the request or body that is using it; between requests it is
            // nobody's concern.
            let _ = driver.await;
        });
    }
    let mut progress_seen = 0;
    let answered = std::future::poll_fn(|context| {
        loop {
            if let Poll::Ready(answered) = answer.as_mut().poll(context) {
                return Poll::Ready(Some(answered));
            }
            std::task::ready!(line.deadline.poll_passed(context));
            let progress = progress.as_ref().map_or(0, |progress| progress.load(Ordering::Relaxed));
            if progress == progress_seen {
                return Poll::Ready(None);
            }
            // An upload that is still moving may take as long as it likes.
            progress_seen = progress;
            line.deadline.set(Instant::now() + route.time_outs.head);
        }
    })
    .await;
    timings.first_byte = micros(start.elapsed());
    match answered {
        Some(Ok(response)) => Ok(response
            .map(|incoming| ResponseBody::new(incoming, line, Arc::clone(shelf), route.time_outs.body_idle))),
        Some(Err(mut failed)) => {
            let request = failed.take_message();
            let error = failure::of_head(&failed.into_error(), &route.origin, route.with_identity());
            Err(match request {
                Some(request) => Failed::NotSent { request: Box::new(request), error },
                None => Failed::Sent(error),
            })
        }
        None => {
            let what = format!("{} did not answer in time", place(&route.origin));
            Err(Failed::Sent(EgressError::new(EgressErrorKind::HeadTimedOut, what)))
        }
    }
}
