//! A refusal of the token endpoint (RFC 6749, section 5.2).

use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use serde_json::json;

use super::token::not_stored;
use crate::http::Answer;

/// Why the token endpoint refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenError {
    pub(crate) error: &'static str,
    description: String,
    status: StatusCode,
}

impl TokenError {
    /// The request itself is at fault: `invalid_request`, `invalid_grant`, ….
    pub(crate) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { error, description: description.into(), status: StatusCode::BAD_REQUEST }
    }

    /// A parameter is missing.
    pub(crate) fn missing(parameter: &str) -> Self {
        Self::new("invalid_request", format!("The parameter {parameter} is missing."))
    }

    /// The client is unknown, or its secret is wrong.
    pub(crate) fn invalid_client() -> Self {
        let refused = Self::new("invalid_client", "The client is unknown or its secret is wrong.");
        Self { status: StatusCode::UNAUTHORIZED, ..refused }
    }

    /// The endpoint takes POST alone.
    pub(crate) fn wrong_method() -> Self {
        let refused = Self::new("invalid_request", "Send the request with POST.");
        Self { status: StatusCode::METHOD_NOT_ALLOWED, ..refused }
    }

    /// The answer that carries it.
    pub(crate) fn answer(&self) -> Answer {
        let body = json!({"error": self.error, "error_description": self.description});
        let answer = not_stored(Answer::json(&body).with_status(self.status));
        if self.status == StatusCode::UNAUTHORIZED {
            answer.with_header(WWW_AUTHENTICATE, "Basic realm=\"oauth2\"")
        } else {
            answer
        }
    }
}
