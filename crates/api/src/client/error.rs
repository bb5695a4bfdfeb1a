use http::{Response, StatusCode};
use hyper::body::Incoming;

use super::transport::TransportError;
use super::whole;
use crate::connection_test::{Side, TestReport};
use crate::problem::{Problem, ProblemField};

/// Why a request has no answer of the wanted kind.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server answered with a problem.
    #[error(transparent)]
    Api(#[from] Box<ApiError>),
    /// The server could not be reached, or its answer did not arrive whole.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The answer is not what the route promises.
    #[error("the server's answer cannot be read: {0}; check that server and client have the same version")]
    Unreadable(String),
    /// The request cannot be sent at all.
    #[error("{0}")]
    Request(String),
}

impl ClientError {
    /// The problem that the server answered with, if it did.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            Self::Transport(_) | Self::Unreadable(_) | Self::Request(_) => None,
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
    pub(super) fn unreadable(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<ApiError> for ClientError {
    fn from(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }
}

/// A problem that the server answered with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}. {fix}")]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// A stable name for programs.
    pub code: String,
    /// What happened, one sentence without a full stop.
    pub message: String,
    /// What to do, one sentence.
    pub fix: String,
    /// Whose side it is on.
    pub side: Side,
    /// The members or fields that are wrong.
    pub fields: Vec<ProblemField>,
    /// Names the request in the logs of the server.
    pub request_id: String,
    /// The failed test, when `code` is `connection_test_failed`.
    pub report: Option<TestReport>,
}

/// The code of an answer that is not of our server, such as that of a proxy in front of it.
const UNEXPECTED_ANSWER: &str = "unexpected_answer";

impl ApiError {
    /// Reads an answer that is no success, to its end. One that is not of our server still says what came.
    pub async fn of_answer(answer: Response<Incoming>) -> Result<Self, TransportError> {
        let status = answer.status();
        Ok(Self::read(status, &whole(answer.into_body()).await?))
    }

    /// Whether something else than our server answered.
    pub fn is_of_another_server(&self) -> bool {
        self.code == UNEXPECTED_ANSWER
    }

    fn read(status: StatusCode, body: &[u8]) -> Self {
        match serde_json::from_slice::<Problem>(body) {
            Ok(problem) => Self { status: status.as_u16(), ..Self::from(problem) },
            Err(_) => Self {
                status: status.as_u16(),
                code: UNEXPECTED_ANSWER.to_owned(),
                message: format!("The server answered {status}, and not in the way of this API"),
                fix: "Check that the URL is that of Tombolo, and what stands in front of it.".to_owned(),
                side: Side::Network,
                fields: Vec::new(),
                request_id: String::new(),
                report: None,
            },
        }
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self {
            status: problem.status,
            code: problem.code,
            message: problem.title,
            fix: problem.detail,
            side: problem.side,
            fields: problem.error.errors,
            request_id: problem.request_id,
            report: problem.report,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_another_server_is_told_as_such() {
        let error = ApiError::read(StatusCode::BAD_GATEWAY, b"<html>nginx</html>");
        assert_eq!((error.status, error.is_of_another_server()), (502, true));
        assert!(error.to_string().contains("502 Bad Gateway"), "{error}");
    }
}
