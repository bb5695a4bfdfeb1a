//! Problems as answers: RFC 9457 members, the member `error` of the compatible API, and the members that vendors'
//! clients read.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, Response, StatusCode};
use tombolo_api::{self as api, ProblemError, ProblemField, TestReport};
use tombolo_platform::catalog::{self, FieldError};
use tombolo_platform::{Problem, ProblemKind};

/// Marks an answer that is ours and not the upstream's.
pub const TOMBOLO_ERROR: HeaderName = HeaderName::from_static("tombolo-error");

/// The answer for a problem.
pub fn answer(problem: &Problem, request_id: &str) -> Response<Bytes> {
    answer_with_report(problem, None, request_id)
}

/// The answer for a problem, with the connection test that it is about.
pub(crate) fn answer_with_report(
    problem: &Problem,
    report: Option<TestReport>,
    request_id: &str,
) -> Response<Bytes> {
    let status = problem.kind.status();
    if matches!(problem.kind, ProblemKind::Internal) {
        tracing::error!(request_id, code = problem.code, problem = %problem.what, "a request failed on our side");
    }
    let text = serde_json::to_vec(&body(problem, report, request_id)).unwrap_or_default();
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(TOMBOLO_ERROR, HeaderValue::from_static(problem.code));
    if problem.kind == ProblemKind::Unauthenticated {
        // RFC 9110 section 15.5.2 asks for it.
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = problem.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The body for a problem.
pub(crate) fn body(problem: &Problem, report: Option<TestReport>, request_id: &str) -> api::Problem {
    let field = |fault: &FieldError| ProblemField {
        code: fault.code.to_owned(),
        message: fault.message.en.clone(),
        message_ja: fault.message.ja.clone(),
        path: fault.field.split('.').map(str::to_owned).collect(),
    };
    let message = format!("{}. {}", problem.what, problem.fix);
    api::Problem {
        problem_type: format!("urn:tombolo:problem:{}", problem.code),
        title: problem.what.clone(),
        status: problem.kind.status(),
        detail: problem.fix.clone(),
        side: side(problem.side),
        request_id: request_id.to_owned(),
        code: problem.code.to_owned(),
        id: request_id.to_owned(),
        message: message.clone(),
        error: ProblemError {
            code: problem.code.to_owned(),
            message,
            errors: problem.fields.iter().map(field).collect(),
        },
        report,
    }
}

/// Whose side something is on, in the words of the API.
pub(crate) fn side(side: catalog::Side) -> api::Side {
    match side {
        catalog::Side::Input => api::Side::Input,
        catalog::Side::Vendor => api::Side::Vendor,
        catalog::Side::Network => api::Side::Network,
        catalog::Side::Tombolo => api::Side::Tombolo,
    }
}
