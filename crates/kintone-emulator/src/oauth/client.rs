//! How a client proves who it is: HTTP Basic, or id and secret in the body (RFC 6749, section 2.3.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use percent_encoding::percent_decode_str;

use super::error::TokenError;
use crate::http::{Form, Request};
use crate::model::{OAuthClient, Tenant};

/// The client of a token request, if it proves that it is one.
pub(super) fn authenticate(
    tenant: &Tenant,
    request: &Request,
    form: &Form,
) -> Result<OAuthClient, TokenError> {
    let in_body = (form.get("client_id"), form.get("client_secret"));
    let (id, secret) = match (request.header(AUTHORIZATION.as_str()), in_body) {
        (Some(_), (_, Some(_))) => {
            return Err(TokenError::new("invalid_request", "The client authenticates in two ways at once."));
        }
        (Some(header), (named, None)) => {
            let (id, secret) = of_basic(tenant, header).ok_or_else(TokenError::invalid_client)?;
            if named.is_some_and(|named| named != id) {
                return Err(TokenError::new("invalid_request", "Header and body name different clients."));
            }
            (id, secret)
        }
        (None, (Some(id), Some(secret))) => (id.to_owned(), secret.to_owned()),
        (None, _) => return Err(TokenError::invalid_client()),
    };
    let client = tenant.oauth_client(&id).filter(|client| client.secret == secret);
    client.cloned().ok_or_else(TokenError::invalid_client)
}

/// Id and secret of a Basic header. The standard wants both form-encoded in it; the vendor's guide does not, so they are
/// taken as they are if there is such a client.
fn of_basic(tenant: &Tenant, header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    if tenant.oauth_client(id).is_some_and(|client| client.secret == secret) {
        return Some((id.to_owned(), secret.to_owned()));
    }
    let plain = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    Some((plain(id), plain(secret)))
}
