//! What a route answers instead of what was asked for. It becomes a body where the request's id is known.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, HeaderValue};
use tombolo_api::TestReport;
use tombolo_platform::Problem;

use crate::problem;

/// A problem, and for a failed connection test its report.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(Box<Refused>);

#[derive(Debug, Clone)]
struct Refused {
    problem: Problem,
    report: Option<TestReport>,
}

impl Refusal {
    /// A failed connection test, told with its report.
    pub(crate) fn with_report(problem: Problem, report: TestReport) -> Self {
        Self(Box::new(Refused { problem, report: Some(report) }))
    }

    /// The body as it goes over the wire.
    pub(crate) fn body(&self, request_id: &str) -> serde_json::Value {
        let mut body = problem::body(&self.0.problem, request_id);
        if let Some(report) = &self.0.report {
            body["report"] = serde_json::json!(report);
        }
        body
    }

    /// The answer.
    pub(super) fn answer(&self, request_id: &str) -> Response {
        let mut response = problem::answer(&self.0.problem, request_id).map(axum::body::Body::from);
        if self.0.report.is_some() {
            let body = self.body(request_id).to_string();
            response.headers_mut().remove(CONTENT_LENGTH);
            *response.body_mut() = body.into();
        }
        if self.0.problem.kind == tombolo_platform::ProblemKind::Unauthenticated {
            // RFC 9110 section 15.5.2 asks for it.
            response.headers_mut().insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(Box::new(Refused { problem, report: None }))
    }
}

impl IntoResponse for Refusal {
    /// An empty answer that carries the refusal to the envelope, which writes its body.
    fn into_response(self) -> Response {
        let mut response = Response::default();
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        response.extensions_mut().insert(self);
        response
    }
}
