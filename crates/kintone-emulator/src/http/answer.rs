//! An answer before it is sent.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value as Json;

use super::{AnswerBody, BodyFault};
use crate::limits::Running;

/// Status, headers and content of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) content: Bytes,
}

impl Answer {
    /// A JSON answer from bytes that are JSON already.
    pub(crate) fn json_bytes(content: impl Into<Bytes>) -> Self {
        Self::new(StatusCode::OK, "application/json;charset=utf-8", content)
    }

    /// A JSON answer.
    pub(crate) fn json(content: &Json) -> Self {
        Self::json_bytes(content.to_string())
    }

    /// A page, as the gates in front of the service and its maintenance answer.
    pub(crate) fn html(status: StatusCode, title: &str, text: &str) -> Self {
        let page = format!(
            "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>\n"
        );
        Self::new(status, "text/html;charset=utf-8", page)
    }

    /// Plain text.
    pub(crate) fn text(status: StatusCode, text: &str) -> Self {
        Self::new(status, "text/plain;charset=utf-8", text.to_owned())
    }

    /// The page that is shown during maintenance.
    pub(crate) fn maintenance() -> Self {
        Self::html(
            StatusCode::SERVICE_UNAVAILABLE,
            "Under maintenance",
            "The service is being maintained. Try again later.",
        )
    }

    /// The answer of the Basic gate.
    pub(crate) fn basic_gate() -> Self {
        Self::html(
            StatusCode::UNAUTHORIZED,
            "401 Unauthorized",
            "This site asks for a user name and password.",
        )
        .with_header(WWW_AUTHENTICATE, "Basic realm=\"cybozu.com\"")
    }

    /// An answer of this content type.
    pub(crate) fn new(status: StatusCode, content_type: &str, content: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), content: content.into() }.with_header(CONTENT_TYPE, content_type)
    }

    /// Adds a header; characters that a header cannot carry are left out.
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        let value: String = value.chars().filter(|character| (' '..='~').contains(character)).collect();
        if let Ok(value) = HeaderValue::from_str(&value) {
            self.headers.push((name, value));
        }
        self
    }

    /// The response to send. It counts as running until its last byte has been sent or dropped.
    pub(crate) fn into_response(
        self,
        fault: Option<BodyFault>,
        running: Option<Running>,
    ) -> http::Response<AnswerBody> {
        let mut response = http::Response::new(AnswerBody::new(self.content, fault, running));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }

    /// The same with another status.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}
