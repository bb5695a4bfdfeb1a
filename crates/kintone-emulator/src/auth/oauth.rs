//! Access tokens of OAuth clients: `Authorization: Bearer …`.

use jiff::Timestamp;

use super::Caller;
use crate::api::ApiError;
use crate::model::{OAuthScope, Tenant};

/// Checks an access token: who allowed it, and whether it may be used for this.
pub(crate) fn check(
    tenant: &Tenant,
    token: &str,
    needed: Option<OAuthScope>,
    now: Timestamp,
) -> Result<Caller, ApiError> {
    let invalid = || ApiError::new("CB_OA01", 401);
    let grant = tenant.oauth_grants.of_access_token(token, now).ok_or_else(invalid)?;
    let client = tenant.oauth_client(&grant.client).ok_or_else(invalid)?;
    let user = tenant.user(&grant.user).filter(|user| client.is_enabled_for(&user.code));
    let user = user.ok_or_else(invalid)?;
    // What OAuth cannot reach at all is refused like a missing credential.
    let needed = needed.ok_or_else(ApiError::login_needed)?;
    if !grant.scopes.contains(&needed) {
        return Err(ApiError::new("CB_OA01", 403)
            .with_message(format!("The access token lacks the scope {}.", needed.name())));
    }
    Caller::of_user(user)
}
