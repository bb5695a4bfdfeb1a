//! Keys that sign: PEM, JSON Web Keys (RFC 7517) and plain texts.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use tombolo_catalog::{JwtAlgorithm, KeyEncoding};
use zeroize::Zeroizing;

use crate::text::unhex;

/// A key cannot be used. What it is, nobody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is neither PEM nor a JSON Web Key, or of another kind than the signature needs.
    #[error("the private key cannot be read: paste the whole of it, from -----BEGIN to -----END-----")]
    Unreadable,
    /// It is protected by a password.
    #[error("the private key is protected by a password: export it without one")]
    Encrypted,
    /// Signing failed.
    #[error("the private key does not sign: it may be too short")]
    Unusable,
}

/// A private key in DER, erased on drop.
struct PrivateKey {
    kind: KeyKind,
    der: Zeroizing<Vec<u8>>,
}

enum KeyKind {
    /// PKCS #8, for any algorithm.
    Pkcs8,
    /// PKCS #1, RSA only.
    Pkcs1,
    /// SEC 1, elliptic curves only.
    Sec1,
}

/// Signs with a key that is written as `encoding` says where the algorithm is one of HMAC.
pub(crate) fn sign(
    algorithm: JwtAlgorithm,
    key: &str,
    encoding: KeyEncoding,
    message: &[u8],
) -> Result<Vec<u8>, KeyError> {
    match algorithm {
        JwtAlgorithm::HS256 => {
            let bytes = hmac_key(key, encoding).ok_or(KeyError::Unreadable)?;
            Ok(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &bytes), message).as_ref().to_vec())
        }
        JwtAlgorithm::RS256 => sign_rsa(key, &RSA_PKCS1_SHA256, message),
        JwtAlgorithm::PS256 => sign_rsa(key, &RSA_PSS_SHA256, message),
        JwtAlgorithm::ES256 => {
            let key = PrivateKey::read(key)?;
            let pair = match key.kind {
                KeyKind::Sec1 => {
                    EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &key.der)
                }
                KeyKind::Pkcs8 | KeyKind::Pkcs1 => {
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key.der)
                }
            };
            let pair = pair.map_err(|_| KeyError::Unreadable)?;
            let signature = pair.sign(&SystemRandom::new(), message).map_err(|_| KeyError::Unusable)?;
            Ok(signature.as_ref().to_vec())
        }
    }
}

/// Signs with an Ed25519 key: PEM, or base64 of its 32 bytes.
pub(crate) fn sign_ed25519(key: &str, message: &[u8]) -> Result<Vec<u8>, KeyError> {
    let pair = match PrivateKey::read(key) {
        Ok(key) => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&key.der),
        Err(KeyError::Unreadable) => {
            let seed = Zeroizing::new(STANDARD.decode(key.trim()).map_err(|_| KeyError::Unreadable)?);
            Ed25519KeyPair::from_seed_unchecked(&seed)
        }
        Err(other) => return Err(other),
    };
    Ok(pair.map_err(|_| KeyError::Unreadable)?.sign(message).as_ref().to_vec())
}

/// The public half of an RSA key, in DER (`SubjectPublicKeyInfo`).
pub(crate) fn public_key(key: &str) -> Result<Vec<u8>, KeyError> {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    let pair = PrivateKey::read(key)?.rsa()?;
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| KeyError::Unreadable)?;
    Ok(der.as_ref().to_vec())
}

/// The id that a JSON Web Key has.
pub(crate) fn key_id(key: &str) -> Option<String> {
    let key: Value = serde_json::from_str(key.trim()).ok()?;
    key.get("kid")?.as_str().map(str::to_owned)
}

fn sign_rsa(key: &str, padding: &'static dyn RsaEncoding, message: &[u8]) -> Result<Vec<u8>, KeyError> {
    let pair = PrivateKey::read(key)?.rsa()?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(padding, &SystemRandom::new(), message, &mut signature).map_err(|_| KeyError::Unusable)?;
    Ok(signature)
}

fn hmac_key(key: &str, encoding: KeyEncoding) -> Option<Zeroizing<Vec<u8>>> {
    Some(Zeroizing::new(match encoding {
        KeyEncoding::Utf8 => key.as_bytes().to_vec(),
        KeyEncoding::Hex => unhex(key)?,
        KeyEncoding::Base64 => STANDARD.decode(key.trim()).ok()?,
    }))
}

impl PrivateKey {
    fn read(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.starts_with('{') {
            return from_jwk(text).ok_or(KeyError::Unreadable);
        }
        // People paste keys through forms that turn line breaks into `\n`.
        let text = Zeroizing::new(text.replace("\\n", "\n"));
        let (_, rest) = text.split_once("-----BEGIN ").ok_or(KeyError::Unreadable)?;
        let (label, rest) = rest.split_once("-----").ok_or(KeyError::Unreadable)?;
        let (body, _) = rest.split_once("-----END ").ok_or(KeyError::Unreadable)?;
        let kind = match label {
            "PRIVATE KEY" => KeyKind::Pkcs8,
            "RSA PRIVATE KEY" => KeyKind::Pkcs1,
            "EC PRIVATE KEY" => KeyKind::Sec1,
            "ENCRYPTED PRIVATE KEY" => return Err(KeyError::Encrypted),
            _ => return Err(KeyError::Unreadable),
        };
        if body.contains("ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        let plain: Zeroizing<String> = Zeroizing::new(body.chars().filter(|c| !c.is_whitespace()).collect());
        let der = Zeroizing::new(STANDARD.decode(plain.as_bytes()).map_err(|_| KeyError::Unreadable)?);
        Ok(Self { kind, der })
    }

    fn rsa(&self) -> Result<RsaKeyPair, KeyError> {
        match self.kind {
            KeyKind::Pkcs1 => RsaKeyPair::from_der(&self.der),
            KeyKind::Pkcs8 | KeyKind::Sec1 => RsaKeyPair::from_pkcs8(&self.der),
        }
        .map_err(|_| KeyError::Unreadable)
    }
}

/// An RSA key in JSON as PKCS #1: a sequence of nine whole numbers (RFC 8017 §A.1.2).
fn from_jwk(text: &str) -> Option<PrivateKey> {
    let key: Value = serde_json::from_str(text).ok()?;
    let mut numbers = Zeroizing::new(integer(&[0]));
    for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(key.get(name)?.as_str()?).ok()?);
        numbers.extend(integer(&bytes));
    }
    Some(PrivateKey { kind: KeyKind::Pkcs1, der: Zeroizing::new(tagged(0x30, &numbers)) })
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len().saturating_sub(1));
    let mut content = Zeroizing::new(Vec::new());
    if bytes.get(start).is_some_and(|byte| byte & 0x80 != 0) {
        content.push(0);
    }
    content.extend_from_slice(&bytes[start..]);
    tagged(0x02, &content)
}

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let length = content.len().to_be_bytes();
    if content.len() < 128 {
        bytes.push(content.len() as u8);
    } else {
        let start = length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1);
        bytes.push(0x80 | (length.len() - start) as u8);
        bytes.extend_from_slice(&length[start..]);
    }
    bytes.extend_from_slice(content);
    bytes
}
