use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::connection_test::{Side, TestReport};

/// The body of every answer that is ours and no success: the members of RFC 9457, and those of the compatible API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:tombolo:problem:` and the code.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// What happened.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What to do.
    pub detail: String,
    /// Whose side it is on.
    pub side: Side,
    /// Names the request in logs.
    pub request_id: String,
    /// A stable name for programs.
    pub code: String,
    /// The same as `request_id`, for clients of vendors that look for it.
    pub id: String,
    /// What happened and what to do.
    pub message: String,
    /// The same in the form of the compatible API.
    pub error: ProblemError,
    /// The test that failed, with the code `connection_test_failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<TestReport>,
}

/// A problem in the form of the compatible API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProblemError {
    /// A stable name for programs.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
    /// The members or fields that are wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemField>,
}

/// One member or field that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProblemField {
    /// A stable name for programs.
    pub code: String,
    /// What is wrong and what to type.
    pub message: String,
    /// The same in Japanese.
    pub message_ja: String,
    /// Where it stands.
    pub path: Vec<String>,
}
