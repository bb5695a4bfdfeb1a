//! Password authentication: `X-Cybozu-Authorization: base64(login name ":" password)`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Caller, Refused};
use crate::api::ApiError;
use crate::model::{Tenant, UserCondition};

/// Checks the header's value. The login name ends at the first colon; the password may hold more of them.
pub(crate) fn check(tenant: &Tenant, encoded: &str) -> Result<Caller, Refused> {
    let wrong = || ApiError::new("CB_WA01", 401);
    let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.ok_or_else(wrong)?;
    let (code, password) = decoded.split_once(':').ok_or_else(wrong)?;
    let user = tenant.user(code).ok_or_else(wrong)?;
    let refused =
        |error, wrong_password_of| Refused { error: Box::new(error), wrong_password_of, locale: user.locale };
    if user.condition == UserCondition::Locked {
        return Err(refused(ApiError::new("CB_US02", 401), None));
    }
    if user.password.as_deref() != Some(password) {
        return Err(refused(wrong(), Some(user.code.clone())));
    }
    let error = match user.condition {
        UserCondition::Normal | UserCondition::Locked => return Ok(Caller::User(user.clone())),
        UserCondition::TwoFactor => ApiError::new("CB_TW02", 401),
        UserCondition::PasswordExpired => ApiError::new("CB_PE01", 401),
        UserCondition::MustChangePassword => ApiError::new("SLASH_PA02", 401),
        UserCondition::NoService => ApiError::no_privilege(),
    };
    Err(refused(error, None))
}
