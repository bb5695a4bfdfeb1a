//! Who calls: gates in front, then one credential by precedence, then what it permits.

mod bearer;
mod caller;
mod credential;
mod gates;
mod oauth;
mod password;
mod session;
mod tokens;

pub(crate) use caller::{Caller, TokenGrant};
pub(crate) use credential::{Credential, Scheme};
pub(crate) use gates::{opens, refuse_at_gate};
pub(crate) use password::{check_certificate, count_login, log_in};
pub(crate) use session::{REQUEST_TOKEN, SESSION_COOKIE, session_of};

use jiff::Timestamp;

use crate::api::{ApiError, Route};
use crate::model::{Locale, Tenant};

/// A credential that is not accepted.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) error: Box<ApiError>,
    /// The user whose password was wrong: the attempts are counted.
    pub(crate) wrong_password_of: Option<String>,
    /// Language of the user, when the user is known.
    pub(crate) locale: Locale,
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self { error: Box::new(error), wrong_password_of: None, locale: Locale::En }
    }
}

/// Checks a credential for an endpoint. The credential is the one that takes precedence: that it is wrong is not
/// made good by another one beside it.
pub(crate) fn authenticate(
    tenant: &Tenant,
    credential: Credential,
    route: &Route,
    certified_user: Option<&str>,
    now: Timestamp,
) -> Result<Caller, Refused> {
    let accepts = route.accepts;
    if accepts.is_empty() {
        return Ok(Caller::Nobody);
    }
    let scheme = credential.scheme().ok_or_else(ApiError::login_needed)?;
    match credential {
        Credential::Password(encoded) => {
            let caller = password::check(tenant, &encoded)?;
            if let Caller::User(user) = &caller {
                check_certificate(tenant, user, certified_user)?;
            }
            if accepts.contains(&scheme) { Ok(caller) } else { Err(ApiError::login_needed().into()) }
        }
        Credential::ApiTokens(tokens) => {
            let caller = tokens::check(tenant, &tokens)?;
            if accepts.contains(&scheme) {
                Ok(caller)
            } else if accepts.contains(&Scheme::UserApiToken) {
                Err(ApiError::login_needed().into())
            } else {
                Err(ApiError::token_not_permitted().into())
            }
        }
        Credential::UserApiToken(token) if accepts.contains(&scheme) => {
            Ok(bearer::check(tenant, &token, now)?)
        }
        Credential::OAuth(token) if !accepts.contains(&Scheme::UserApiToken) => {
            Ok(oauth::check(tenant, &token, route.scope(), now)?)
        }
        Credential::Session(session) if accepts.contains(&scheme) => {
            Ok(session::check(tenant, &session, now)?)
        }
        Credential::UserApiToken(_) | Credential::OAuth(_) | Credential::Session(_) | Credential::Nothing => {
            Err(ApiError::login_needed().into())
        }
    }
}
