//! A refusal, in the form of the service: code, status, message in the caller's language.

use http::{HeaderName, StatusCode};
use serde_json::{Map, Value as Json, json};

use super::message::message;
use crate::http::Answer;
use crate::identifiers::Identifiers;
use crate::model::Locale;
use crate::query::QueryError;

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) code: &'static str,
    pub(crate) status: StatusCode,
    /// A message that says more than the one of the code.
    pub(crate) message: Option<String>,
    /// Input name to messages, for `CB_VA01`.
    pub(crate) errors: Vec<(String, Vec<String>)>,
    /// For a bulk request: how many requests it has, and which of them failed.
    pub(crate) within: Option<(usize, usize)>,
}

impl ApiError {
    /// A refusal of this code and status.
    pub(crate) fn new(code: &'static str, status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        Self { code, status, message: None, errors: Vec::new(), within: None }
    }

    /// An input that is not what it should be.
    pub(crate) fn invalid(input: &str, reason: &str) -> Self {
        let mut error = Self::new("CB_VA01", 400);
        error.errors.push((input.to_owned(), vec![reason.to_owned()]));
        error
    }

    /// An input that is missing.
    pub(crate) fn required(input: &str) -> Self {
        Self::invalid(input, "Required field.")
    }

    /// A request that is not formed as the service demands: method, content type, path.
    pub(crate) fn illegal_request() -> Self {
        Self::new("CB_IL02", 400)
    }

    /// A body that is not a JSON object.
    pub(crate) fn invalid_json() -> Self {
        Self::new("CB_IJ01", 400)
    }

    /// No credential, or one that the endpoint does not take.
    pub(crate) fn login_needed() -> Self {
        Self::new("CB_AU01", 401)
    }

    /// The user, or the path, has no right to this.
    pub(crate) fn no_privilege() -> Self {
        Self::new("CB_NO02", 403)
    }

    /// The token has no right to this, or there is none for the app, or the endpoint takes no tokens.
    pub(crate) fn token_not_permitted() -> Self {
        Self::new("GAIA_NO01", 403)
    }

    /// There is no such app.
    pub(crate) fn app_not_found(id: u64) -> Self {
        Self::new("GAIA_AP01", 404)
            .with_message(format!("The app (ID: {id}) not found. The app may have been deleted."))
    }

    /// There is no such record.
    pub(crate) fn record_not_found(id: u64) -> Self {
        Self::new("GAIA_RE01", 404).with_message(format!("The specified record (ID: {id}) is not found."))
    }

    /// Somebody else changed the record in the meantime.
    pub(crate) fn revision_conflict(id: u64) -> Self {
        Self::new("GAIA_CO02", 409).with_message(format!(
            "The revision is not the latest. Someone may have updated the record (ID: {id}). Read it again."
        ))
    }

    /// The same, with a message that says more.
    pub(crate) fn with_message(mut self, message: String) -> Self {
        self.message = Some(message);
        self
    }

    /// The answer that carries it.
    pub(crate) fn answer(&self, locale: Locale, identifiers: &Identifiers) -> Answer {
        let mut body = Map::new();
        body.insert("code".to_owned(), json!(self.code));
        body.insert("id".to_owned(), json!(identifiers.error_id()));
        body.insert("message".to_owned(), json!(self.text(locale)));
        if !self.errors.is_empty() {
            let errors: Map<String, Json> = self
                .errors
                .iter()
                .map(|(input, messages)| (input.clone(), json!({"messages": messages})))
                .collect();
            body.insert("errors".to_owned(), Json::Object(errors));
        }
        let body = match self.within {
            None => Json::Object(body),
            Some((count, failed)) => {
                let mut results = vec![json!({}); count];
                if let Some(result) = results.get_mut(failed) {
                    *result = Json::Object(body);
                }
                json!({"results": results})
            }
        };
        Answer::json(&body)
            .with_status(self.status)
            .with_header(HeaderName::from_static("x-cybozu-error"), self.code)
    }

    /// The sentence that says what is wrong.
    pub(crate) fn text(&self, locale: Locale) -> String {
        match (&self.message, locale) {
            (Some(message), Locale::En) => message.clone(),
            _ => message(self.code, locale).to_owned(),
        }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        let mut refusal = Self::new(error.code, error.status).with_message(error.message);
        refusal.errors = error.errors;
        refusal
    }
}
