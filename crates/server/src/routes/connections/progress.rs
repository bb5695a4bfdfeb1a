//! Work that tells what it does while it does it: one JSON object per line, the last one its outcome.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tombolo_platform::{Problem, ProblemKind, TestEvent};

use super::wire;
use crate::routes::access::RequestId;
use crate::routes::refusal::Refusal;

const LINES: &str = "application/x-ndjson";

/// Where work leaves what it does.
pub(super) type Events = mpsc::UnboundedSender<TestEvent>;

/// Whether the caller wants to see the work go on.
pub(super) fn wants_lines(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case(LINES)
    })
}

/// Starts the work and answers with its lines. Work that fails before it tells anything is refused as usual; a later
/// failure is the last line. The work goes on to its end when the caller goes away.
pub(super) async fn lines<Outcome, Working>(
    id: RequestId,
    work: impl FnOnce(Events) -> Working,
) -> Result<Response, Refusal>
where
    Outcome: Serialize + Send + 'static,
    Working: Future<Output = Result<Outcome, Refusal>> + Send + 'static,
{
    let (events, mut told) = mpsc::unbounded_channel();
    let working = tokio::spawn(work(events));
    // The work drops its end when it is done, so nothing told at all means that there is an outcome already.
    let Some(first) = told.recv().await else {
        let outcome = ended(working).await?;
        return Ok(answer(Body::from(line(&outcome))));
    };
    let first = stream::iter([line(&wire::progress(&first))]);
    let further = stream::unfold(told, async |mut told| {
        let event = told.recv().await?;
        Some((line(&wire::progress(&event)), told))
    });
    let last = stream::once(async move {
        match ended(working).await {
            Ok(outcome) => line(&outcome),
            Err(refusal) => line(&json!({ "type": "problem", "problem": refusal.body(&id.0) })),
        }
    });
    Ok(answer(Body::from_stream(first.chain(further).chain(last).map(Ok::<_, Infallible>))))
}

fn answer(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(LINES));
    // Servers in front of us must pass each line on as it comes.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn ended<Outcome>(working: JoinHandle<Result<Outcome, Refusal>>) -> Result<Outcome, Refusal> {
    working.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a test ended early");
        let fix = "Report it with the request id; the log of the server says more.";
        let what = "This server made a mistake";
        Err(Problem::new(ProblemKind::Internal, "internal_error", what, fix).into())
    })
}

fn line(value: &impl Serialize) -> Bytes {
    let mut text = serde_json::to_string(value).unwrap_or_else(|error| {
        // Wire types are plain data, so this is a mistake of ours that the caller should see.
        json!({ "type": "problem", "problem": { "title": error.to_string() } }).to_string()
    });
    text.push('\n');
    text.into()
}
