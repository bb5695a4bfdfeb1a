use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use tombolo_auth::{Credentials, CredentialsBuilder};
use tombolo_vault::{Random, RandomnessUnavailable};
use zeroize::Zeroizing;

/// The secret that a webhook's deliveries are signed with: `whsec_` and 32 random bytes in base64, as the Standard Webhooks
/// specification writes it. It can neither be printed nor serialised.
pub struct WebhookSecret(SecretString);

/// Names of the sealed values.
pub(super) const SECRET: &str = "secret";
pub(super) const PREVIOUS: &str = "previous";

const PREFIX: &str = "whsec_";

impl WebhookSecret {
    /// A new secret.
    pub(super) fn generate(random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(&mut *bytes)?;
        Ok(Self(format!("{PREFIX}{}", STANDARD.encode(*bytes)).into()))
    }

    /// The text, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What is sealed: this secret, and the one before it if that one still signs.
    pub(super) fn with_previous(&self, previous: Option<&str>) -> Credentials {
        let builder = CredentialsBuilder::new().value(SECRET, self.expose());
        match previous {
            Some(previous) => builder.value(PREVIOUS, previous).build(),
            None => builder.build(),
        }
    }
}

/// Signs deliveries. Holds the keys, so it lives only while deliveries are made.
pub(super) struct Signer {
    keys: Vec<hmac::Key>,
    compatible: hmac::Key,
}

/// The headers that prove where a delivery comes from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signatures {
    /// `webhook-signature` (Standard Webhooks): one signature for each secret that is good, separated by blanks.
    pub(super) standard: String,
    /// `X-Nango-Hmac-Sha256`: the body alone, so it protects from nothing that is sent again.
    pub(super) compatible: String,
}

impl Signer {
    /// `None` if the secrets are none of ours.
    pub(super) fn new(secrets: &Credentials, previous_too: bool) -> Option<Self> {
        let present = secrets.value(SECRET)?;
        let previous = secrets.value(PREVIOUS).filter(|_| previous_too);
        let keys = [Some(present), previous].into_iter().flatten().map(key).collect::<Option<Vec<_>>>()?;
        Some(Self { keys, compatible: hmac::Key::new(hmac::HMAC_SHA256, present.as_bytes()) })
    }

    /// Signs a body. `seconds` is the moment of the attempt, which receivers compare with their clock.
    pub(super) fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> Signatures {
        let standard = self.keys.iter().map(|key| {
            let mut context = hmac::Context::with_key(key);
            for part in [id.as_bytes(), b".", seconds.to_string().as_bytes(), b".", body] {
                context.update(part);
            }
            format!("v1,{}", STANDARD.encode(context.sign()))
        });
        let compatible = hmac::sign(&self.compatible, body);
        Signatures {
            standard: standard.collect::<Vec<_>>().join(" "),
            compatible: in_hex(compatible.as_ref()),
        }
    }
}

fn in_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn key(secret: &str) -> Option<hmac::Key> {
    let bytes = Zeroizing::new(STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?);
    Some(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

#[cfg(test)]
mod tests {
    use tombolo_vault::testing::SeededRandom;

    use super::*;

    fn sealed(secret: &str, previous: Option<&str>) -> Credentials {
        WebhookSecret(secret.into()).with_previous(previous)
    }

    /// The vectors of the specification's own libraries.
    #[test]
    fn signatures_are_those_of_the_specification() {
        for (secret, id, seconds, body, expected) in [
            (
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                r#"{"test": 2432232314}"#,
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
            (
                "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
                "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
                1_649_367_553,
                r#"{"email":"test@example.com","username":"test_user"}"#,
                "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
            ),
        ] {
            let signer = Signer::new(&sealed(secret, None), true).expect("a secret");
            assert_eq!(signer.sign(id, seconds, body.as_bytes()).standard, expected);
        }
    }

    #[test]
    fn the_previous_secret_signs_beside_the_present_one_while_it_is_good() {
        let (one, two) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        let alone = |secret| Signer::new(&sealed(secret, None), true).expect("a secret").sign("m", 1, b"{}");
        let both = Signer::new(&sealed(two, Some(one)), true).expect("secrets").sign("m", 1, b"{}");
        assert_eq!(both.standard, format!("{} {}", alone(two).standard, alone(one).standard));
        assert_eq!(both.compatible, alone(two).compatible, "that header has room for one");
        let later = Signer::new(&sealed(two, Some(one)), false).expect("secrets").sign("m", 1, b"{}");
        assert_eq!(later, alone(two));
    }

    #[test]
    fn new_secrets_are_as_long_as_the_specification_asks() {
        let secret = WebhookSecret::generate(&SeededRandom::new(1)).expect("randomness");
        let bytes =
            STANDARD.decode(secret.expose().strip_prefix("whsec_").expect("the prefix")).expect("base64");
        assert_eq!(bytes.len(), 32);
        assert!(Signer::new(&secret.with_previous(None), true).is_some());
    }
}
