//! Problems as answers: RFC 9457 members, the member `error` of the compatible API, and the members that vendors'
//! clients read.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderName, Response, StatusCode};
use serde_json::{Value, json};
use tombolo_platform::{Problem, ProblemKind};

/// Marks an answer that is ours and not the upstream's.
pub const TOMBOLO_ERROR: HeaderName = HeaderName::from_static("tombolo-error");

/// The answer for a problem.
pub fn answer(problem: &Problem, request_id: &str) -> Response<Bytes> {
    let status = problem.kind.status();
    if matches!(problem.kind, ProblemKind::Internal) {
        tracing::error!(request_id, code = problem.code, problem = %problem.what, "a request failed on our side");
    }
    let mut response = Response::new(Bytes::from(body(problem, request_id).to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(TOMBOLO_ERROR, HeaderValue::from_static(problem.code));
    if let Some(seconds) = problem.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The body for a problem.
pub fn body(problem: &Problem, request_id: &str) -> Value {
    let errors: Vec<Value> = problem
        .fields
        .iter()
        .map(|fault| {
            json!({
                "code": fault.code,
                "message": fault.message.en,
                "message_ja": fault.message.ja,
                "path": fault.field.split('.').collect::<Vec<_>>(),
            })
        })
        .collect();
    let message = format!("{}. {}", problem.what, problem.fix);
    let mut error = json!({ "code": problem.code, "message": message });
    if !errors.is_empty() {
        error["errors"] = Value::Array(errors);
    }
    json!({
        "type": format!("urn:tombolo:problem:{}", problem.code),
        "title": problem.what,
        "status": problem.kind.status(),
        "detail": problem.fix,
        "side": problem.side,
        "request_id": request_id,
        "code": problem.code,
        "id": request_id,
        "message": message,
        "error": error,
    })
}
