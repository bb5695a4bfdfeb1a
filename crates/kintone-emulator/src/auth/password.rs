//! Password authentication: `X-Cybozu-Authorization: base64(login name ":" password)`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Caller, Refused};
use crate::api::ApiError;
use crate::model::{Tenant, User, UserCondition};

/// Wrong passwords in a row after which an account is locked.
const WRONG_PASSWORDS_BEFORE_LOCK: u32 = 10;

/// Checks the header's value. The login name ends at the first colon; the password may hold more of them.
pub(crate) fn check(tenant: &Tenant, encoded: &str) -> Result<Caller, Refused> {
    let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.ok_or_else(wrong)?;
    let (code, password) = decoded.split_once(':').ok_or_else(wrong)?;
    let user = log_in(tenant, code, password)?;
    let error = match user.condition {
        UserCondition::TwoFactor => ApiError::new("CB_TW02", 401),
        UserCondition::NoService => ApiError::no_privilege(),
        _ => return Ok(Caller::User(user.clone())),
    };
    Err(Refused { error: Box::new(error), wrong_password_of: None, locale: user.locale })
}

/// The user of a login name and password, as a login page wants to know: a second factor and the right to use
/// the record service are not asked for.
pub(crate) fn log_in<'t>(tenant: &'t Tenant, code: &str, password: &str) -> Result<&'t User, Refused> {
    let user = tenant.user(code).ok_or_else(wrong)?;
    let refused =
        |error, wrong_password_of| Refused { error: Box::new(error), wrong_password_of, locale: user.locale };
    if user.condition == UserCondition::Locked {
        return Err(refused(ApiError::new("CB_US02", 401), None));
    }
    if user.password.as_deref() != Some(password) {
        return Err(refused(wrong(), Some(user.code.clone())));
    }
    match user.condition {
        UserCondition::PasswordExpired => Err(refused(ApiError::new("CB_PE01", 401), None)),
        UserCondition::MustChangePassword => Err(refused(ApiError::new("SLASH_PA02", 401), None)),
        _ => Ok(user),
    }
}

/// Counts a wrong password of this user, after ten of which the account is locked; a right one starts the count
/// anew.
pub(crate) fn count_login(tenant: &mut Tenant, code: &str, is_wrong: bool) {
    let Some(user) = tenant.users.iter_mut().find(|user| user.code == code) else { return };
    user.wrong_passwords = if is_wrong { user.wrong_passwords + 1 } else { 0 };
    if user.wrong_passwords >= WRONG_PASSWORDS_BEFORE_LOCK {
        user.condition = UserCondition::Locked;
    }
}

/// Refuses a user who comes with the client certificate of somebody else, unless the tenant allows that.
pub(crate) fn check_certificate(
    tenant: &Tenant,
    user: &User,
    certified_user: Option<&str>,
) -> Result<(), Refused> {
    if tenant.allows_certificate_of_another_user || certified_user.is_none_or(|code| code == user.code) {
        return Ok(());
    }
    let error = Box::new(ApiError::new("SLASH_IL06", 401));
    Err(Refused { error, wrong_password_of: None, locale: user.locale })
}

fn wrong() -> ApiError {
    ApiError::new("CB_WA01", 401)
}
