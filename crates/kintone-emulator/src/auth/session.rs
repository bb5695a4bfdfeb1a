//! Browser sessions: a cookie, the header that says it was sent on purpose, and a token for changes.

use http::Method;
use http::header::COOKIE;
use jiff::Timestamp;

use super::Caller;
use crate::api::ApiError;
use crate::http::{Request, form_field};
use crate::model::{Session, Tenant, User};

/// Name of the session's cookie.
pub(crate) const SESSION_COOKIE: &str = "JSESSIONID";
/// The parameter that repeats the session's request token.
pub(crate) const REQUEST_TOKEN: &str = "__REQUEST_TOKEN__";

/// A session's cookie and what has to come with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionCredential {
    id: String,
    /// Whether `X-Requested-With` is there: other sites cannot make a browser send it.
    on_purpose: bool,
    /// Whether the request needs the session's request token.
    changes: bool,
    request_token: Option<String>,
}

impl SessionCredential {
    /// Finds the session's cookie.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        let changes = request.effective_method() != Method::GET;
        Some(Self {
            id: session_cookie(request)?,
            on_purpose: request.header("x-requested-with").is_some_and(|value| !value.is_empty()),
            changes,
            request_token: if changes { request_token(request) } else { None },
        })
    }
}

/// Who is logged in with a request's cookie.
pub(crate) fn session_of<'t>(
    tenant: &'t Tenant,
    request: &Request,
    now: Timestamp,
) -> Option<(&'t User, &'t Session)> {
    let session = tenant.sessions.get(&session_cookie(request)?, now)?;
    Some((tenant.user(&session.user)?, session))
}

/// Checks a session for a call of the API.
pub(crate) fn check(
    tenant: &Tenant,
    credential: &SessionCredential,
    now: Timestamp,
) -> Result<Caller, ApiError> {
    let session = tenant.sessions.get(&credential.id, now).ok_or_else(ApiError::login_needed)?;
    let user = tenant.user(&session.user).ok_or_else(ApiError::login_needed)?;
    if !credential.on_purpose {
        return Err(ApiError::new("CB_JH01", 400));
    }
    if credential.changes && credential.request_token.as_ref() != Some(&session.request_token) {
        return Err(ApiError::new("CB_CS01", 400));
    }
    Caller::of_user(user)
}

fn session_cookie(request: &Request) -> Option<String> {
    let cookies = request.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION_COOKIE).map(|(_, value)| value.to_owned())
}

/// The request token of a request: in its query string, or in its body as JSON, form or upload.
fn request_token(request: &Request) -> Option<String> {
    let named = |pairs: &[u8]| {
        let mut pairs = url::form_urlencoded::parse(pairs);
        pairs.find(|(name, _)| name == REQUEST_TOKEN).map(|(_, value)| value.into_owned())
    };
    named(request.query.as_bytes()).or_else(|| match request.media_type()?.as_str() {
        "application/json" => {
            let body: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
            body.get(REQUEST_TOKEN)?.as_str().map(str::to_owned)
        }
        "application/x-www-form-urlencoded" => named(&request.body),
        "multipart/form-data" => form_field(request.header("content-type")?, &request.body, REQUEST_TOKEN),
        _ => None,
    })
}
