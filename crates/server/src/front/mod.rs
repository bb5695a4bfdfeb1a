//! The first look at a request: calls through connections are served here, on the thread that holds the socket;
//! everything else goes to the router on the control runtime.

mod body;
mod drop_in;
mod proxy;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use http::header::{AUTHORIZATION, HeaderMap};
use http::{HeaderName, HeaderValue, Request, Response};
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tombolo_platform::proxy::Lane;
use tombolo_platform::{Platform, Problem, ProblemKind};
use tower::ServiceExt as _;

pub use body::ServerBody;

use crate::listen::Place;
use crate::problem;
use crate::request_id::RequestIds;
use crate::routes::{Counted, KeptPlace, Peer, RequestId, Requests};

const REQUEST_ID: HeaderName = HeaderName::from_static("tombolo-request-id");

/// What serves the requests of one thread.
pub(crate) struct Front {
    pub(crate) platform: Arc<Platform>,
    pub(crate) lane: Lane,
    pub(crate) ids: Arc<RequestIds>,
    pub(crate) router: axum::Router,
    pub(crate) control: Handle,
    pub(crate) requests: Arc<Requests>,
}

impl Front {
    /// Serves one request.
    pub(crate) async fn serve(
        self: Arc<Self>,
        peer: Peer,
        place: Option<Arc<Place>>,
        request: Request<Incoming>,
    ) -> Result<Response<ServerBody>, Infallible> {
        let started = Instant::now();
        let id = self.ids.next();
        let path = request.uri().path();
        let (counted, answer) = if path.starts_with("/proxy/") {
            (Counted::Proxy, proxy::call(&self, &peer, request, &id, started).await)
        } else if path.starts_with("/c/") {
            (Counted::DropIn, drop_in::call(&self, &peer, request, &id, started).await)
        } else {
            (Counted::Api, self.route(peer, place, request, &id).await)
        };
        let mut response =
            answer.unwrap_or_else(|problem| problem::answer(&problem, &id).map(ServerBody::full));
        self.requests.count(counted, response.status());
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        Ok(response)
    }

    /// Hands a request to the router; it is served to its end there, even when the caller goes away.
    async fn route(
        &self,
        peer: Peer,
        place: Option<Arc<Place>>,
        request: Request<Incoming>,
        id: &str,
    ) -> Result<Response<ServerBody>, Problem> {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(KeptPlace(place));
        request.extensions_mut().insert(RequestId(id.into()));
        let answer = self.control.spawn(self.router.clone().oneshot(request)).await;
        match answer {
            Ok(Ok(response)) => Ok(response.map(ServerBody::Routed)),
            Ok(Err(never)) => match never {},
            Err(error) => {
                tracing::error!(%error, request_id = id, "a handler ended early");
                let fix = "Report it with the request id; the log of the server says more.";
                let what = "This server made a mistake";
                Err(Problem::new(ProblemKind::Internal, "internal_error", what, fix))
            }
        }
    }
}

/// The API key of an `Authorization: Bearer` header. The compatible API takes a key without the word as well.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?.trim();
    match text.split_once(' ') {
        Some((word, key)) => word.eq_ignore_ascii_case("bearer").then_some(key.trim()),
        None => (!text.is_empty()).then_some(text),
    }
}
