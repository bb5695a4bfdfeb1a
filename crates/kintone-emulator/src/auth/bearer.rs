//! Tokens of the User API: `Authorization: Bearer cy.s.api1.….….…`.

use jiff::Timestamp;

use super::Caller;
use crate::api::ApiError;
use crate::model::Tenant;

/// Checks a token of the User API; one that has expired is as good as none.
pub(crate) fn check(tenant: &Tenant, token: &str, now: Timestamp) -> Result<Caller, ApiError> {
    tenant
        .user_api_tokens
        .iter()
        .find(|known| known.token == token && known.expires_at > now)
        .map(|known| Caller::UserApi(known.scope))
        .ok_or_else(ApiError::login_needed)
}
