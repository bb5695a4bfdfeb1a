//! Why a query was refused, with the code, status and `errors` map that Kintone answers.

use std::fmt;

/// A refused query. `code` and `status` are those of the vendor's answer; `errors` maps an input name (always
/// `query` here) to its messages and is empty where the vendor sends no such map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct QueryError {
    /// The vendor's error code, such as `GAIA_IQ11`.
    pub code: &'static str,
    /// The HTTP status of the answer.
    pub status: u16,
    /// One English sentence: what is wrong and what to write instead.
    pub message: String,
    /// Input name to messages; only `CB_VA01` carries it.
    pub errors: Vec<(String, Vec<String>)>,
}

impl QueryError {
    /// A query that does not follow the grammar: `CB_VA01` with the reason under `errors.query`.
    pub(crate) fn syntax(reason: impl fmt::Display) -> Self {
        Self {
            code: "CB_VA01",
            status: 400,
            message: "Missing or invalid input.".to_owned(),
            errors: vec![("query".to_owned(), vec![format!("The query is not valid: {reason}.")])],
        }
    }

    /// A query that follows the grammar but not the app: a code of its own and no `errors` map.
    pub(crate) fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, status: 400, message: message.into(), errors: Vec::new() }
    }
}
