//! Passwords: which ones are taken, and how they are hashed and compared.

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;
use tombolo_catalog::FieldError;
use tombolo_vault::Random;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::problem::{Problem, ProblemKind, field};

/// Hashes that are made at the same time: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// Who may wait for one; further ones are sent away.
const WAITING_MAX: usize = 64;
/// Kibibytes, passes and lanes, after the first recommendation of OWASP's cheat sheet for Argon2id.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
const SALT_BYTES: usize = 16;
const CHARACTERS_MIN: usize = 12;
const CHARACTERS_MAX: usize = 256;
/// A password of fewer different characters is a pattern.
const DIFFERENT_MIN: usize = 5;

/// The most common passwords that are long enough, and what people make of this product's name. Compared without case,
/// spaces and marks.
const COMMON: &[&str] = &[
    "123456789012",
    "1234567890123",
    "12345678901234",
    "123456789012345",
    "1234567890123456",
    "12345678910111213",
    "123456789123",
    "1234567891234",
    "123456789123456789",
    "098765432109",
    "0987654321098",
    "111222333444",
    "112233445566",
    "1q2w3e4r5t6y",
    "1q2w3e4r5t6y7u",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc",
    "1qaz2wsx3edc4rfv",
    "abc123abc123",
    "abcd1234abcd",
    "abcdefghijkl",
    "abcdefghijklm",
    "abcdefghijklmnop",
    "abcdefghijklmnopqrstuvwxyz",
    "adminadmin12",
    "adminadmin123",
    "administrator",
    "administrator1",
    "administrator123",
    "asdfghjkl123",
    "asdfasdfasdf",
    "asdfghjklasdfghjkl",
    "changeme1234",
    "changemenow1",
    "correcthorsebatterystaple",
    "iloveyou1234",
    "iloveyou12345",
    "letmeinletmein",
    "letmein12345",
    "p4ssw0rdp4ssw0rd",
    "passw0rd1234",
    "passw0rdpassw0rd",
    "password1234",
    "password12345",
    "password123456",
    "password1password1",
    "password2024",
    "password2025",
    "password2026",
    "passwordpassword",
    "qazwsxedcrfv",
    "qwer1234qwer",
    "qwerasdfzxcv",
    "qwerty123456",
    "qwerty12345678",
    "qwertyqwerty",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiop1234567890",
    "qwertyuiopasdfghjkl",
    "qwertyuiopasdfghjklzxcvbnm",
    "thisismypassword",
    "tombolotombolo",
    "tombolo12345",
    "tombolo123456",
    "tombolopassword",
    "trustno1trustno1",
    "unknown12345",
    "welcome12345",
    "welcome123456",
    "welcomewelcome",
    "whatever1234",
    "zaq12wsxcde3",
    "zxcvbnm12345",
    "zxcvbnmasdfghjkl",
    "mypassword123",
    "mypassword1234",
    "superman1234",
    "football1234",
    "baseball1234",
    "princess1234",
    "sunshine1234",
    "computer1234",
    "internet1234",
];

/// Hashes passwords, a few at a time.
pub(crate) struct Passwords {
    running: Semaphore,
    waiting: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { running: Semaphore::new(AT_ONCE), waiting: Semaphore::new(AT_ONCE + WAITING_MAX) }
    }
}

impl Passwords {
    /// The hash of a password in its text form, with a new salt.
    pub(super) async fn hash(
        &self,
        password: &SecretString,
        random: &dyn Random,
    ) -> Result<SecretString, Problem> {
        let mut salt = [0; SALT_BYTES];
        random.fill(&mut salt).map_err(tombolo_store::StoreError::from)?;
        let password = normalised(password);
        let hash = self.alone(move || {
            let hash = argon2().hash_password_with_salt(password.as_bytes(), &salt).ok()?;
            Some(SecretString::from(hash.to_string()))
        });
        hash.await?.ok_or_else(|| broken("A password could not be hashed"))
    }

    /// Whether a password is the one that was hashed. Without a hash the same work is done for nothing, so that nobody
    /// learns by waiting whether there is one.
    pub(super) async fn matches(
        &self,
        password: &SecretString,
        hash: Option<SecretString>,
    ) -> Result<bool, Problem> {
        let password = normalised(password);
        self.alone(move || {
            if let Some(hash) = hash {
                return argon2().verify_password(password.as_bytes(), hash.expose_secret()).is_ok();
            }
            let nothing = argon2().hash_password_with_salt(password.as_bytes(), &[0; SALT_BYTES]);
            std::hint::black_box(nothing).is_err()
        })
        .await
    }

    /// Does the work away from the threads that serve.
    async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let _place = self.waiting.try_acquire().map_err(|_| {
            let what = "Too many people sign in at this moment";
            let problem = Problem::new(ProblemKind::Unavailable, "busy", what, "Try again in a moment.");
            problem.retry_after(2)
        })?;
        let _turn = self.running.acquire().await.map_err(|_| broken("The server is stopping"))?;
        tokio::task::spawn_blocking(work).await.map_err(|_| broken("A password could not be hashed"))
    }
}

fn argon2() -> Argon2<'static> {
    let (memory, passes, lanes) = COST;
    let params =
        Params::new(memory, passes, lanes, None).expect("these are within the bounds of the algorithm");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn broken(what: &str) -> Problem {
    Problem::new(ProblemKind::Internal, "internal_error", what, "Try again; the log of the server says more.")
}

/// The same password typed on another keyboard is the same: forms of compatibility are folded (NIST SP 800-63B §3.1.1.2).
fn normalised(password: &SecretString) -> Zeroizing<String> {
    Zeroizing::new(password.expose_secret().nfkc().collect())
}

/// What is wrong with a new password. Length and commonness count, and nothing has to be mixed in.
pub(super) fn fault(password: &SecretString, login: &str) -> Option<FieldError> {
    let password = normalised(password);
    let length = password.chars().count();
    if length < CHARACTERS_MIN {
        let (en, ja) = (
            "Use at least 12 characters. A few words in a row are easy to remember.",
            "12文字以上にしてください。いくつかの単語を並べると覚えやすくなります。",
        );
        return Some(field("password", "too_short", en, ja));
    }
    if length > CHARACTERS_MAX {
        let (en, ja) = ("Use at most 256 characters.", "256文字以内にしてください。");
        return Some(field("password", "too_long", en, ja));
    }
    let folded = folded(&password);
    let mut different: Vec<char> = folded.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < DIFFERENT_MIN || COMMON.contains(&folded.as_str()) || *folded == *self::folded(login)
    {
        let (en, ja) = (
            "This password is one of the first that others would try. Choose another one.",
            "推測されやすいパスワードです。別のパスワードを指定してください。",
        );
        return Some(field("password", "too_common", en, ja));
    }
    None
}

fn folded(text: &str) -> Zeroizing<String> {
    let lower = text.nfkc().flat_map(char::to_lowercase);
    Zeroizing::new(lower.filter(|character| character.is_alphanumeric()).collect())
}

#[cfg(test)]
mod tests {
    use tombolo_vault::testing::SeededRandom;

    use super::*;

    #[test]
    fn length_and_commonness_count() {
        for (password, expected) in [
            ("", Some("too_short")),
            ("Tr0ub4dor&3", Some("too_short")),
            ("correct horse battery staple", Some("too_common")),
            ("Password 1234", Some("too_common")),
            ("ｐａｓｓｗｏｒｄ１２３４", Some("too_common")),
            ("aaaaaaaaaaaaaaaaaaaa", Some("too_common")),
            ("121212121212", Some("too_common")),
            ("anna@example.com", Some("too_common")),
            ("only lower case", None),
            ("ひらがなだけでもだいじょうぶ", None),
            (&"long ".repeat(60), Some("too_long")),
        ] {
            let fault = fault(&password.into(), "Anna@Example.com");
            assert_eq!(fault.as_ref().map(|fault| fault.code), expected, "{password}");
        }
        let folded: Vec<String> = COMMON.iter().map(|common| folded(common).to_string()).collect();
        let as_compared = folded.iter().zip(COMMON).filter(|(folded, common)| folded != common);
        assert_eq!(as_compared.count(), 0);
        assert!(COMMON.iter().all(|common| common.chars().count() >= CHARACTERS_MIN));
    }

    #[tokio::test]
    async fn a_hash_fits_one_password_however_it_was_typed() {
        let passwords = Passwords::default();
        let hash = passwords.hash(&"ｶﾞｷﾞｸﾞ and Canary".into(), &SeededRandom::new(1)).await.expect("hashed");
        let text = hash.expose_secret().to_owned();
        assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
        for (password, expected) in [("ガギグ and Canary", true), ("ガギグ and canary", false), ("", false)]
        {
            let matches = passwords.matches(&password.into(), Some(text.clone().into())).await;
            assert_eq!(matches.expect("compared"), expected, "{password}");
        }
        assert!(!passwords.matches(&"anything".into(), None).await.expect("compared"));
        assert!(!passwords.matches(&"x".into(), Some("no hash".into())).await.expect("compared"));
    }
}
