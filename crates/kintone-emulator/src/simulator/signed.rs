//! Signatures that a simulator checks: tokens that the account signs, OAuth 1.0a, and that of Amazon Web Services.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value as Json;
use tombolo_catalog::{Jwt, JwtAlgorithm, KeyEncoding, OAuth1, OAuth1Signature};

use super::expected::{Expected, hex};
use super::sample_keys::{EC_PUBLIC, RSA_PUBLIC};
use crate::http::Request;

/// Whether a token is signed by the account and claims what the provider file says.
pub(super) fn is_signed_token(jwt: &Jwt, token: &str, expected: &Expected<'_>) -> bool {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { return false };
    let json =
        |part: &str| -> Option<Json> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok() };
    let (Some(header_json), Some(claims_json)) = (json(header), json(claims)) else { return false };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    let message = format!("{header}.{claims}");
    let public = |key: &str| STANDARD.decode(key).unwrap_or_default();
    let is_signed = match jwt.algorithm {
        JwtAlgorithm::RS256 => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public(RSA_PUBLIC))
            .verify(message.as_bytes(), &signature)
            .is_ok(),
        JwtAlgorithm::PS256 => UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public(RSA_PUBLIC))
            .verify(message.as_bytes(), &signature)
            .is_ok(),
        JwtAlgorithm::ES256 => {
            // The point stands at the end of the DER.
            let der = public(EC_PUBLIC);
            let (_, point) = der.split_at(der.len().saturating_sub(65));
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(message.as_bytes(), &signature)
                .is_ok()
        }
        JwtAlgorithm::HS256 => {
            let key = expected.text(&jwt.key).unwrap_or_default();
            let key = match jwt.key_encoding {
                KeyEncoding::Utf8 => key.into_bytes(),
                KeyEncoding::Base64 => STANDARD.decode(key).unwrap_or_default(),
                KeyEncoding::Hex => {
                    let digits: Vec<u8> = key.bytes().collect();
                    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
                    digits.chunks(2).filter_map(byte).collect()
                }
            };
            hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), message.as_bytes(), &signature).is_ok()
        }
    };
    let lives =
        claims_json["exp"].as_i64().zip(claims_json["iat"].as_i64()).is_some_and(|(end, start)| end > start);
    is_signed
        && lives
        && header_json["alg"] == jwt.algorithm.name()
        && expected.is_document(&jwt.header, &header_json)
        && expected.is_document(&jwt.claims, &claims_json)
}

/// Who signs by OAuth 1.0a.
pub(super) struct Signer<'a> {
    pub(super) consumer_key: &'a str,
    pub(super) consumer_secret: &'a str,
    pub(super) token: &'a str,
    pub(super) token_secret: &'a str,
}

/// The parameters of a header `Authorization: OAuth …`.
pub(super) fn oauth1_parameters(request: &Request) -> Option<BTreeMap<String, String>> {
    let text = request.header("authorization")?.strip_prefix("OAuth ")?;
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = text.split(',').filter_map(|pair| pair.trim().split_once('='));
    Some(pairs.map(|(name, value)| (decode(name), decode(value.trim_matches('"')))).collect())
}

/// Whether a request is signed as RFC 5849 says, by this client and token.
pub(super) fn is_signed_by(
    oauth1: &OAuth1,
    signer: &Signer<'_>,
    given: &BTreeMap<String, String>,
    request: &Request,
) -> bool {
    let has = |name: &str, value: &str| given.get(name).map_or(value.is_empty(), |given| given == value);
    let Some(signature) = given.get("oauth_signature") else { return false };
    let key = format!("{}&{}", percent(signer.consumer_secret), percent(signer.token_secret));
    let wanted = match oauth1.signature {
        OAuth1Signature::Plaintext => key,
        OAuth1Signature::HmacSha1 => {
            mac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key, &base_text(given, request))
        }
        OAuth1Signature::HmacSha256 => mac(hmac::HMAC_SHA256, &key, &base_text(given, request)),
    };
    has("oauth_consumer_key", signer.consumer_key)
        && has("oauth_token", signer.token)
        && has("oauth_signature_method", oauth1.signature.name())
        && wanted == *signature
}

fn mac(algorithm: hmac::Algorithm, key: &str, text: &str) -> String {
    STANDARD.encode(hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), text.as_bytes()))
}

fn base_text(given: &BTreeMap<String, String>, request: &Request) -> String {
    let own = given.iter().filter(|(name, _)| !matches!(name.as_str(), "realm" | "oauth_signature"));
    let mut all: Vec<(String, String)> = own.map(|(name, value)| (percent(name), percent(value))).collect();
    let is_form = request.header("content-type").is_some_and(|kind| kind.contains("x-www-form-urlencoded"));
    let texts = [request.query.as_bytes(), if is_form { &request.body } else { &[] }];
    for text in texts {
        all.extend(url::form_urlencoded::parse(text).map(|(name, value)| (percent(&name), percent(&value))));
    }
    all.sort();
    let all: Vec<String> = all.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    // The simulator may be reached over plain HTTP; what was signed is the vendor's own address.
    let address = format!("https://{}{}", request.host().unwrap_or_default(), request.path);
    format!("{}&{}&{}", request.method.as_str(), percent(&address), percent(&all.join("&")))
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// The key of an account of Amazon Web Services, and what it is good for.
pub(super) struct AwsKey<'a> {
    pub(super) id: &'a str,
    pub(super) secret: &'a str,
    /// Set for the keys of a role.
    pub(super) session: Option<&'a str>,
    pub(super) service: &'a str,
}

/// Whether a request is signed by a key (Signature Version 4); the headers that were signed are those that it names.
pub(super) fn is_signed_by_aws(key: &AwsKey<'_>, request: &Request) -> bool {
    let found = || -> Option<bool> {
        let text = request.header("authorization")?.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let parts: BTreeMap<&str, &str> =
            text.split(',').filter_map(|part| part.trim().split_once('=')).collect();
        let credential: Vec<&str> = parts.get("Credential")?.split('/').collect();
        let [id, day, region, service, end] = credential.as_slice() else { return None };
        let date = request.header("x-amz-date")?;
        let names: Vec<&str> = parts.get("SignedHeaders")?.split(';').collect();
        let lines = names.iter().fold(String::new(), |text, name| {
            text + name + ":" + request.header(name).unwrap_or_default().trim() + "\n"
        });
        let path = if *service == "s3" {
            request.path.clone()
        } else {
            request.path.split('/').map(percent).collect::<Vec<_>>().join("/")
        };
        let mut pairs: Vec<String> = url::form_urlencoded::parse(request.query.as_bytes())
            .map(|(name, value)| format!("{}={}", percent(&name), percent(&value)))
            .collect();
        pairs.sort();
        let body = hex(digest(&SHA256, &request.body).as_ref());
        let whole =
            [request.method.as_str(), &path, &pairs.join("&"), &lines, &names.join(";"), &body].join("\n");
        let scope = format!("{day}/{region}/{service}/{end}");
        let text =
            format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(digest(&SHA256, whole.as_bytes()).as_ref()));
        let sign = |key: &[u8], text: &str| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
        };
        let signing = [day, region, service, end]
            .iter()
            .fold(format!("AWS4{}", key.secret).into_bytes(), |key, part| sign(&key, part));
        let is_known =
            *id == key.id && *service == key.service && date.starts_with(day) && names.contains(&"host");
        let has_session = request.header("x-amz-security-token") == key.session;
        Some(is_known && has_session && hex(&sign(&signing, &text)) == *parts.get("Signature")?)
    };
    found().unwrap_or(false)
}
