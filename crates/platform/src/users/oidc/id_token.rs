//! Whether an ID token says what it says (OIDC Core 1.0 §3.1.3.7). No input or output.

use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value as Json};

/// Most seconds that two clocks may be apart.
const LEEWAY: f64 = 60.0;
/// Longest name of a person that is taken (OIDC Core 1.0 §2).
const SUBJECT_MAX: usize = 255;
/// The signatures that are taken. None of them can be made with what everybody may know.
const ALGORITHMS: [Algorithm; 4] = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];

/// What the token has to say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    /// Seconds since 1970.
    pub(super) now: f64,
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenFault {
    /// It is signed with a key that is not among those that are known: there may be newer ones.
    UnknownKey,
    /// It ended already, or begins later.
    ClocksApart,
    /// Anything else, as a clause.
    Wrong(&'static str),
}

/// The claims of a token that is to be believed.
pub(super) fn verify(
    token: &str,
    keys: &[Jwk],
    expected: &Expected<'_>,
) -> Result<Map<String, Json>, TokenFault> {
    let claims = signed(token, keys)?;
    let text = |name: &str| claims.get(name).and_then(Json::as_str);
    let wrong = |what| Err(TokenFault::Wrong(what));
    if text("iss") != Some(expected.issuer) {
        return wrong("it comes from another issuer");
    }
    let (is_meant, several) = match claims.get("aud") {
        Some(Json::String(one)) => (one == expected.client_id, false),
        Some(Json::Array(all)) => (all.iter().any(|one| one == expected.client_id), all.len() > 1),
        _ => (false, false),
    };
    if !is_meant {
        return wrong("it is meant for another client");
    }
    match claims.get("azp") {
        Some(party) if party != expected.client_id => return wrong("it was made for another client"),
        None if several => {
            return wrong("it is meant for several clients and does not say for which it was made");
        }
        _ => {}
    }
    if text("nonce") != Some(expected.nonce) {
        return wrong("it belongs to another sign-in");
    }
    if !text("sub").is_some_and(|subject| !subject.is_empty() && subject.len() <= SUBJECT_MAX) {
        return wrong("it does not say whom it is about");
    }
    in_time(&claims, expected.now)?;
    Ok(claims)
}

/// The library looks at the system's clock, so this does it.
fn in_time(claims: &Map<String, Json>, now: f64) -> Result<(), TokenFault> {
    let moment = |name: &str| claims.get(name).and_then(Json::as_f64);
    let (Some(ends), Some(made)) = (moment("exp"), moment("iat")) else {
        return Err(TokenFault::Wrong("it does not say when it was made and when it ends"));
    };
    let begins = match claims.get("nbf") {
        None => made,
        Some(begins) => begins.as_f64().ok_or(TokenFault::Wrong("it does not say when it begins"))?.max(made),
    };
    if ends <= now - LEEWAY || begins > now + LEEWAY { Err(TokenFault::ClocksApart) } else { Ok(()) }
}

/// The claims, signed with one of the keys. The header chooses among keys and signatures that are taken, and nothing else.
fn signed(token: &str, keys: &[Jwk]) -> Result<Map<String, Json>, TokenFault> {
    let header = decode_header(token).map_err(|_| TokenFault::Wrong("it is no signed token"))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(TokenFault::Wrong("it is signed in a way that is not taken"));
    }
    if header.crit.is_some() {
        return Err(TokenFault::Wrong("it asks for an extension that is not known"));
    }
    let fits = |key: &&Jwk| {
        let common = &key.common;
        let is_named = header.kid.is_none() || common.key_id == header.kid;
        let is_for_this =
            common.key_algorithm.is_none_or(|algorithm| algorithm == KeyAlgorithm::from(header.alg));
        is_named && is_for_this && common.public_key_use != Some(PublicKeyUse::Encryption)
    };
    let mut validation = Validation::new(header.alg);
    validation.required_spec_claims.clear();
    // Looked at by `verify`: the library lets a token pass that says nothing about these.
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let mut is_known = false;
    for key in keys.iter().filter(fits) {
        let Ok(decoding) = DecodingKey::from_jwk(key) else { continue };
        if decoding.family() != header.alg.family() {
            continue;
        }
        is_known = true;
        if let Ok(decoded) = decode::<Map<String, Json>>(token, &decoding, &validation) {
            return Ok(decoded.claims);
        }
    }
    // A key without a name may have been replaced by another one.
    if is_known && header.kid.is_some() {
        return Err(TokenFault::Wrong("its signature is not the provider's"));
    }
    Err(TokenFault::UnknownKey)
}
