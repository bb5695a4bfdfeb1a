//! What a route answers instead of what was asked for. It becomes a body where the request's id is known.

use axum::response::{IntoResponse, Response};
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
    pub(crate) fn body(&self, request_id: &str) -> tombolo_api::Problem {
        problem::body(&self.0.problem, self.0.report.clone(), request_id)
    }

    /// The answer.
    pub(super) fn answer(&self, request_id: &str) -> Response {
        let report = self.0.report.clone();
        problem::answer_with_report(&self.0.problem, report, request_id).map(axum::body::Body::from)
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
