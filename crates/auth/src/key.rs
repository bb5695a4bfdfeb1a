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

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    /// The claims of RFC 7515 §A.1 to §A.3, spaces and line breaks included, after the header of each.
    const CLAIMS: &str =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    fn signature(algorithm: JwtAlgorithm, key: &str, encoding: KeyEncoding, header: &str) -> String {
        let message = format!("{header}.{CLAIMS}");
        URL_SAFE_NO_PAD.encode(sign(algorithm, key, encoding, message.as_bytes()).expect("the key fits"))
    }

    #[test]
    fn hmac_signs_as_rfc_7515_a_1_does() {
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr/T+1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow==";
        let header = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
        let made = signature(JwtAlgorithm::HS256, key, KeyEncoding::Base64, header);
        assert_eq!(made, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    #[test]
    fn rsa_signs_as_rfc_7515_a_2_does() {
        let made = signature(JwtAlgorithm::RS256, RSA, KeyEncoding::Utf8, "eyJhbGciOiJSUzI1NiJ9");
        assert_eq!(
            made,
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb\
             F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383\
             LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy\
             wlVmtVrBp0igcN_IoypGlUPQGe77Rw"
        );
    }

    /// A signature over an elliptic curve is another one each time: both that of the standard and ours have to fit the
    /// standard's public key.
    #[test]
    fn an_elliptic_curve_signs_as_rfc_7515_a_3_does() {
        let part = |text| URL_SAFE_NO_PAD.decode(text).expect("base64url");
        let (x, y, d) = (
            part("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
            part("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
            part("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"),
        );
        let point = [&[4][..], &x, &y].concat();
        // RFC 5915 §3 with the curve prime256v1.
        let curve = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        let bits = tagged(0x03, &[&[0][..], &point].concat());
        let parts = [integer(&[1]), tagged(0x04, &d), tagged(0xa0, &curve), tagged(0xa1, &bits)];
        let der = STANDARD.encode(tagged(0x30, &parts.concat()));
        let pem = format!("-----BEGIN EC PRIVATE KEY-----\n{der}\n-----END EC PRIVATE KEY-----");
        let header = "eyJhbGciOiJFUzI1NiJ9";
        let ours = signature(JwtAlgorithm::ES256, &pem, KeyEncoding::Utf8, header);
        let standards =
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point);
        for signature in [ours.as_str(), standards] {
            let message = format!("{header}.{CLAIMS}");
            assert!(public.verify(message.as_bytes(), &part(signature)).is_ok(), "{signature}");
        }
    }

    /// The key of RFC 7515 §A.2.1.
    const RSA: &str = r#"{"kty":"RSA",
        "n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        "e":"AQAB",
        "d":"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
        "p":"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
        "q":"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
        "dp":"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
        "dq":"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
        "qi":"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U"}"#;
}
