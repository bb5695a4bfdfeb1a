use std::fmt;
use std::num::NonZeroU32;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::{hmac, pbkdf2};
use secrecy::zeroize::Zeroizing;
use tombolo_vault::{Random, RandomnessUnavailable};

/// PostgreSQL's own default. The key behind it has 256 random bits, so more rounds would only cost time.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("4096 is not zero");

/// What a server keeps to check a SCRAM-SHA-256 login without the password (RFC 5802, section 3; RFC 7677).
#[derive(Clone, PartialEq, Eq)]
pub struct ScramVerifier {
    /// Sent to the client.
    pub salt: Vec<u8>,
    /// Sent to the client.
    pub iterations: u32,
    /// Checks the client's proof.
    pub stored_key: [u8; 32],
    /// Signs the server's answer.
    pub server_key: [u8; 32],
}

impl ScramVerifier {
    /// A verifier with a new random salt. The password is ASCII, so that its preparation (`SASLprep`) changes nothing.
    pub(crate) fn generate(password: &str, random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        let mut salt = vec![0; 16];
        random.fill(&mut salt)?;
        Ok(Self::derive(password, salt, ITERATIONS))
    }

    fn derive(password: &str, salt: Vec<u8>, iterations: NonZeroU32) -> Self {
        let mut salted_password = Zeroizing::new([0; 32]);
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(algorithm, iterations, &salt, password.as_bytes(), salted_password.as_mut_slice());
        let salted_password = hmac::Key::new(hmac::HMAC_SHA256, salted_password.as_slice());
        let client_key = hmac::sign(&salted_password, b"Client Key");
        let server_key = hmac::sign(&salted_password, b"Server Key");
        Self {
            salt,
            iterations: iterations.get(),
            stored_key: to_array(digest(&SHA256, client_key.as_ref()).as_ref()),
            server_key: to_array(server_key.as_ref()),
        }
    }
}

/// SHA-256 and HMAC-SHA-256 both give 32 bytes.
fn to_array(bytes: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    array.copy_from_slice(bytes);
    array
}

impl fmt::Debug for ScramVerifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ScramVerifier").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// The exchange of RFC 7677, section 3: user "user", password "pencil".
    #[test]
    fn the_published_exchange_verifies() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = ScramVerifier::derive("pencil", salt, ITERATIONS);
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
                       r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
                       c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

        let proof = STANDARD.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        let signature =
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &verifier.stored_key), message.as_bytes());
        let client_key: Vec<u8> = proof.iter().zip(signature.as_ref()).map(|(one, two)| one ^ two).collect();
        assert_eq!(digest(&SHA256, &client_key).as_ref(), verifier.stored_key);

        let answer = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &verifier.server_key), message.as_bytes());
        assert_eq!(STANDARD.encode(answer.as_ref()), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }
}
