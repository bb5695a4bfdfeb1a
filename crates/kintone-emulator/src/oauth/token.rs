//! The token endpoint: an authorization code or a refresh token becomes an access token.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use http::header::{CACHE_CONTROL, PRAGMA};
use serde_json::json;

use super::client;
use super::error::TokenError;
use crate::browser::Visit;
use crate::http::{Answer, Form};
use crate::model::{ACCESS_TOKEN_SECONDS, NewTokens, OAuthClient, OAuthScope};

/// `POST /oauth2/token`.
pub(crate) fn token(visit: &Visit<'_>) -> Answer {
    match exchange(visit) {
        Ok(tokens) => not_stored(Answer::json(&described(&tokens))),
        Err(error) => error.answer(),
    }
}

/// What holds a token, or tells why there is none, is not to be kept anywhere.
pub(super) fn not_stored(answer: Answer) -> Answer {
    answer.with_header(CACHE_CONTROL, "no-store").with_header(PRAGMA, "no-cache")
}

fn exchange(visit: &Visit<'_>) -> Result<NewTokens, TokenError> {
    if visit.request.method != Method::POST {
        return Err(TokenError::wrong_method());
    }
    let form = Form::of_body(visit.request);
    if let Some(name) = form.repeated() {
        return Err(TokenError::new("invalid_request", format!("{name} is there more than once.")));
    }
    let client = client::authenticate(&visit.slot.read(), visit.request, &form)?;
    match form.get("grant_type") {
        Some("authorization_code") => by_code(visit, &form, &client),
        Some("refresh_token") => by_refresh_token(visit, &form, &client),
        Some(_) => Err(TokenError::new("unsupported_grant_type", "Use authorization_code or refresh_token.")),
        None => Err(TokenError::missing("grant_type")),
    }
}

fn by_code(visit: &Visit<'_>, form: &Form, client: &OAuthClient) -> Result<NewTokens, TokenError> {
    let code = form.get("code").ok_or_else(|| TokenError::missing("code"))?;
    let redirect_uri = form.get("redirect_uri").ok_or_else(|| TokenError::missing("redirect_uri"))?;
    let mut tenant = visit.slot.write();
    let kept = tenant.oauth_grants.take_code(code, &client.id, visit.now);
    let kept = kept.filter(|kept| client.is_enabled_for(&kept.grant.user)).ok_or_else(|| {
        TokenError::new(
            "invalid_grant",
            "The code is unknown, was used, has expired, or is another client's.",
        )
    })?;
    if kept.redirect_uri != redirect_uri {
        return Err(TokenError::new("invalid_grant", "The code was given for another redirect_uri."));
    }
    if let Some(challenge) = &kept.challenge
        && form.get("code_verifier").map(challenge_of).as_ref() != Some(challenge)
    {
        return Err(TokenError::new("invalid_grant", "The code_verifier does not fit the code_challenge."));
    }
    Ok(tenant.oauth_grants.begin(kept.grant, new_tokens(visit), visit.now))
}

fn by_refresh_token(visit: &Visit<'_>, form: &Form, client: &OAuthClient) -> Result<NewTokens, TokenError> {
    let token = form.get("refresh_token").ok_or_else(|| TokenError::missing("refresh_token"))?;
    let mut tenant = visit.slot.write();
    let tokens = tenant.oauth_grants.refresh(token, client, new_tokens(visit), visit.now);
    tokens.ok_or_else(|| {
        TokenError::new("invalid_grant", "The refresh token is unknown, was revoked, or is another client's.")
    })
}

/// An access token and a refresh token.
fn new_tokens(visit: &Visit<'_>) -> (String, String) {
    let identifiers = &visit.world.identifiers;
    (identifiers.token("emulatorAccessToken"), identifiers.token("emulatorRefreshToken"))
}

/// The challenge of a verifier by the method `S256` (RFC 7636, section 4.2).
fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

fn described(tokens: &NewTokens) -> serde_json::Value {
    let mut body = json!({
        "access_token": tokens.access,
        "token_type": "bearer",
        "expires_in": ACCESS_TOKEN_SECONDS,
        "scope": OAuthScope::join(&tokens.scopes),
    });
    if let Some(refresh) = &tokens.refresh {
        body["refresh_token"] = json!(refresh);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_the_one_of_the_standard() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge_of(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
