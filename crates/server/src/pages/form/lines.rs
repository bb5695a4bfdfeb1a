//! Work on an account as a form's script follows it: one JSON object per line, each as soon as it is known.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::HeaderMap;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tombolo_platform::{Problem, TestEvent, TestReport};

use super::{Posted, StageView, conclusion, input_names, rights};
use crate::pages::connect::{error_type, problem_in_words};
use crate::pages::shell::Shell;

/// The media type of the lines.
pub(crate) const LINES: &str = "application/x-ndjson";

/// Whether a script asks, and not a form without one.
pub(crate) fn wants_lines(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.starts_with(LINES))
}

/// Does work and tells it; the work's own result is the last line. It goes on to its end when the browser goes away.
pub(crate) fn lines<F>(shell: Shell, work: impl FnOnce(Watch) -> F) -> Response
where
    F: Future<Output = Value> + Send + 'static,
{
    let (sender, told) = mpsc::unbounded_channel::<Value>();
    let events = sender.clone();
    let work = work(Box::new(move |event| drop(events.send(told_of(&shell, &event)))));
    tokio::spawn(async move {
        let _ = sender.send(work.await);
    });
    let body = stream::unfold(told, async |mut told| {
        let line = told.recv().await?;
        Some((Ok::<_, Infallible>(Bytes::from(format!("{line}\n"))), told))
    });
    let mut response = Body::from_stream(body.boxed()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(LINES));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What a test tells its events to.
pub(crate) type Watch = Box<dyn FnMut(TestEvent) + Send>;

/// The line of a test that has ended; `account` says whose account it was, where that is known.
pub(crate) fn told_report(shell: &Shell, report: &TestReport, account: Option<&str>) -> Value {
    json!({
        "type": "report",
        "available": report.available,
        "conclusion": conclusion(shell, report),
        "rights": rights(shell, report),
        "account": account,
        "fix": report.verdict().map(|verdict| shell.of(&verdict.fix)),
        "message": report.verdict().map(|verdict| shell.of(&verdict.says)),
    })
}

/// The line of what went wrong, with the inputs that are at fault.
pub(crate) fn told_problem(shell: &Shell, posted: &Posted, problem: &Problem) -> Value {
    let (what, fix) = problem_in_words(shell, problem);
    let fields = input_names(posted, &problem.fields);
    let fields: Vec<Value> = fields
        .into_iter()
        .map(|(input, error)| json!({ "input": input, "message": shell.of(&error.message), "code": error.code }))
        .collect();
    json!({ "type": "problem", "errorType": error_type(problem), "what": what, "fix": fix, "fields": fields })
}

fn told_of(shell: &Shell, event: &TestEvent) -> Value {
    match event {
        TestEvent::Started { name, subject, .. } => {
            let name = shell.of(name);
            let name =
                subject.as_ref().map_or_else(|| name.to_owned(), |subject| format!("{name} ({subject})"));
            json!({ "type": "started", "name": name })
        }
        TestEvent::Ended(stage) => json!({ "type": "stage", "stage": StageView::new(shell, stage) }),
    }
}
