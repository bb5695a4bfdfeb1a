//! API tokens of apps: `X-Cybozu-API-Token: one,two`.

use super::{Caller, TokenGrant};
use crate::api::ApiError;
use crate::model::Tenant;

/// Tokens that one request may carry.
const MAXIMUM_TOKENS: usize = 9;

/// Checks the tokens of a request. One that is unknown, or whose app was not updated since it was made, spoils
/// the whole request; so do two of the same app.
pub(crate) fn check(tenant: &Tenant, tokens: &[String]) -> Result<Caller, ApiError> {
    if tokens.len() > MAXIMUM_TOKENS {
        return Err(ApiError::new("GAIA_IA02", 400)
            .with_message(format!("A request carries at most {MAXIMUM_TOKENS} API tokens.")));
    }
    let mut grants: Vec<TokenGrant> = Vec::with_capacity(tokens.len());
    for wanted in tokens {
        let found = tenant.apps.values().find_map(|app| {
            let token = app.tokens.iter().find(|token| token.deployed && token.token == *wanted)?;
            Some(TokenGrant { app: app.id, permissions: token.permissions.clone() })
        });
        let grant = found.ok_or_else(|| ApiError::new("GAIA_IA02", 400))?;
        if grants.iter().any(|other| other.app == grant.app) {
            return Err(ApiError::new("GAIA_DA03", 400));
        }
        grants.push(grant);
    }
    Ok(Caller::Tokens(grants))
}
