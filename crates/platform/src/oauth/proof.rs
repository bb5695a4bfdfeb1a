//! What proves in which browser an authorization was finished. Cookies do not: a link can be forwarded, and then the whole
//! way is gone by another person. The browser that finishes is given a secret, which reaches the embedder's back end only
//! through the embedder's own page in that browser, or through the hands of the person.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use secrecy::{ExposeSecret, SecretString};
use tombolo_auth::Credentials;
use tombolo_store::{Authorization, AuthorizationId, AuthorizationStage};
use tombolo_vault::Random;

use super::confirmation::not_to_confirm;
use super::{hash, secret_text};
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

/// The name under which a code is sealed beside the vendor's answer.
pub(super) const CODE: &str = "typed_code";
/// What codes are made of: no vowels, so that no words come about, and nothing that looks like a digit (RFC 8628 §6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// How long a code is: 34 bits.
const LENGTH: usize = 8;
/// How often a code may be typed.
const TRIES: u32 = 5;

/// How the browser that has finished passes on what proves it.
pub struct Handover {
    /// The authorization that it is about.
    pub authorization: AuthorizationId,
    /// The proof: single use, as long as the authorization waits for its confirmation.
    pub proof: SecretString,
    /// The origins whose pages may be told.
    pub origins: Vec<String>,
    /// Where the browser goes on to, with the proof.
    pub onward: Option<Onward>,
    /// A short form, for a person to type where the link was made.
    pub code: Option<SecretString>,
}

/// Where a browser goes on to.
pub enum Onward {
    /// A page of the embedder.
    Page(SecretString),
    /// A program that waits on the machine where the link was made, which need not be the browser's.
    Program(SecretString),
}

/// A new proof, and what is kept of it.
pub(super) fn new_proof(random: &dyn Random) -> Result<(SecretString, Vec<u8>), Problem> {
    let proof = secret_text(random)?;
    let kept = hash(&proof);
    Ok((proof.into(), kept))
}

/// A new code.
pub(super) fn new_code(random: &dyn Random) -> Result<SecretString, Problem> {
    let mut code = String::with_capacity(LENGTH);
    while code.len() < LENGTH {
        let mut bytes = [0; 32];
        random.fill(&mut bytes).map_err(|error| {
            let fix = "Check the operating system's random number generator.";
            Problem::new(ProblemKind::Internal, "no_randomness", error.to_string(), fix)
        })?;
        // 240 is the largest multiple of 20 in a byte: so every letter is as likely.
        let letters = bytes.iter().filter(|byte| **byte < 240);
        let letters = letters.filter_map(|byte| LETTERS.get(usize::from(byte % 20)).copied().map(char::from));
        code.extend(letters.take(LENGTH - code.len()));
    }
    Ok(code.into())
}

/// What was typed, as codes are written; `None` when it cannot be one.
fn as_code(typed: &str) -> Option<String> {
    let letters = typed.chars().filter(|character| !matches!(character, '-' | ' '));
    let letters: String = letters.map(|character| character.to_ascii_uppercase()).collect();
    let is_code = letters.len() == LENGTH && letters.bytes().all(|byte| LETTERS.contains(&byte));
    is_code.then_some(letters)
}

impl Platform {
    /// Refuses whoever does not show what the browser that finished was given. Codes can be tried a few times, and the last
    /// wrong one ends the authorization.
    pub(super) async fn require_proof(
        &self,
        authorization: &Authorization,
        sealed: &Credentials,
        shown: Option<&SecretString>,
    ) -> Result<(), Problem> {
        let shown = shown.map(ExposeSecret::expose_secret).ok_or_else(|| {
            let what = "Nobody showed what the browser that finished was given";
            let fix =
                "Send it as `proof`: it comes to your page as a message or as a parameter of the return URL.";
            Problem::invalid("proof_needed", what, fix)
        })?;
        let Some(code) = as_code(shown) else {
            let known = authorization.proof_hash.as_ref();
            let same = known.is_some_and(|known| verify_slices_are_equal(&hash(shown), known).is_ok());
            return if same { Ok(()) } else { Err(refused()) };
        };
        let Some(known) = sealed.value(CODE) else { return Err(refused()) };
        let (environment, id) = (&authorization.environment_id, &authorization.id);
        if !self.store.count_try(environment, id, TRIES, self.now()).await? {
            let now = self.store.authorization(environment, id).await?;
            if now.is_none_or(|now| now.stage != AuthorizationStage::Unconfirmed) {
                // Somebody else was quicker.
                return Err(not_to_confirm());
            }
            let problem = too_many();
            self.fail(authorization, AuthorizationStage::Unconfirmed, &problem).await;
            return Err(problem);
        }
        let same = verify_slices_are_equal(code.as_bytes(), known.as_bytes()).is_ok();
        if same { Ok(()) } else { Err(refused()) }
    }
}

fn refused() -> Problem {
    let what = "The proof is not what the browser that finished was given";
    let fix = "Refuse it unless the person typed it wrongly: somebody may have followed a link that was made for another person.";
    Problem::new(ProblemKind::Forbidden, "proof_refused", what, fix)
}

fn too_many() -> Problem {
    let what = "The code was typed wrongly too often";
    Problem::new(ProblemKind::Forbidden, "too_many_codes", what, "Begin again with a new link.")
}

#[cfg(test)]
mod tests {
    use tombolo_vault::SystemRandom;

    use super::*;

    #[test]
    fn codes_are_read_however_they_are_typed() {
        for (typed, code) in [
            ("BCDF-GHJK", Some("BCDFGHJK")),
            (" bcdf ghjk ", Some("BCDFGHJK")),
            ("BCDFGHJ", None),
            ("BCDFGHJA", None),
            ("BCDFGHJKL", None),
        ] {
            assert_eq!(as_code(typed).as_deref(), code, "{typed}");
        }
        let made = new_code(&SystemRandom).expect("randomness");
        assert_eq!(as_code(made.expose_secret()).as_deref(), Some(made.expose_secret()));
        let (proof, _) = new_proof(&SystemRandom).expect("randomness");
        assert_eq!(as_code(proof.expose_secret()), None);
    }
}
