//! `ANY /proxy/{path}`: the connection is named by headers.

use std::borrow::Cow;
use std::time::Instant;

use http::header::HeaderMap;
use http::{HeaderName, Request, Response};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use tombolo_platform::proxy::{Call, CallBody, send};
use tombolo_platform::{Problem, Scope};

use super::{Front, ServerBody, bearer};
use crate::routes::Peer;

const CONNECTION_ID: HeaderName = HeaderName::from_static("connection-id");
const PROVIDER_CONFIG_KEY: HeaderName = HeaderName::from_static("provider-config-key");

/// The prefix that is not part of the upstream's path; the slash after it is.
const PREFIX: &str = "/proxy";

pub(super) async fn call(
    front: &Front,
    peer: &Peer,
    request: Request<Incoming>,
    id: &str,
    started: Instant,
) -> Result<Response<ServerBody>, Problem> {
    let (head, body) = request.into_parts();
    let access = peer.access(&front.platform, bearer(&head.headers), &head.headers).await?;
    access.require(Scope::Proxy)?;
    let connection = named(&head.headers, &CONNECTION_ID)?.ok_or_else(|| {
        let fix = "Send the header `Connection-Id` with the connection's id or name.";
        Problem::invalid("invalid_headers", "The request does not say which connection it is for", fix)
    })?;
    let integration = named(&head.headers, &PROVIDER_CONFIG_KEY)?;
    let plan = front.platform.plan(&access.environment, integration.as_deref(), &connection).await;
    let plan = match (plan, head.headers.get(&CONNECTION_ID).and_then(|value| value.to_str().ok())) {
        // An id that somebody gave it may look percent-encoded, and clients of the compatible API send it as it is.
        (Err(problem), Some(id)) if problem.code == "unknown_connection" && id != connection => {
            front.platform.plan(&access.environment, integration.as_deref(), id).await?
        }
        (plan, _) => plan?,
    };
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let call = Call {
        method: head.method,
        target: &target[PREFIX.len()..],
        headers: head.headers,
        body: CallBody::Incoming(body),
        caller: Some(access),
        request_id: id,
        started,
    };
    Ok(send(&front.lane, &plan, call).await?.map(ServerBody::Answer))
}

/// A header that names something; names in other scripts are percent-encoded.
fn named<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<Cow<'a, str>>, Problem> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let unreadable = || {
        let fix = "Percent-encode characters outside of ASCII as UTF-8.";
        Problem::invalid("invalid_headers", format!("The header `{name}` cannot be read"), fix)
    };
    let text = value.to_str().map_err(|_| unreadable())?;
    if text.is_empty() {
        return Ok(None);
    }
    if !text.contains('%') {
        return Ok(Some(Cow::Borrowed(text)));
    }
    percent_decode_str(text).decode_utf8().map(Some).map_err(|_| unreadable())
}
