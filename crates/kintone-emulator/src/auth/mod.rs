//! Who calls: gates in front, then one credential by precedence, then what it permits.

mod bearer;
mod caller;
mod credential;
mod gates;
mod password;
mod tokens;

pub(crate) use caller::{Caller, TokenGrant};
pub(crate) use credential::{Credential, Scheme};
pub(crate) use gates::{opens, refuse_at_gate};

use jiff::Timestamp;

use crate::api::ApiError;
use crate::model::{Locale, Tenant};

/// Wrong passwords in a row after which an account is locked.
pub(crate) const WRONG_PASSWORDS_BEFORE_LOCK: u32 = 10;

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

/// Checks a credential for an endpoint that accepts these schemes. The credential is the one that takes
/// precedence: that it is wrong is not made good by another one beside it.
pub(crate) fn authenticate(
    tenant: &Tenant,
    credential: Credential,
    accepts: &[Scheme],
    now: Timestamp,
) -> Result<Caller, Refused> {
    if accepts.is_empty() {
        return Ok(Caller::Nobody);
    }
    let scheme = credential.scheme().ok_or_else(ApiError::login_needed)?;
    match credential {
        Credential::Password(encoded) => {
            let caller = password::check(tenant, &encoded)?;
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
        Credential::UserApiToken(_) | Credential::OAuth(_) | Credential::Session | Credential::Nothing => {
            Err(ApiError::login_needed().into())
        }
    }
}
