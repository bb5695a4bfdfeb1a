//! Signing in and out.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value as Json, json};
use tombolo_store::{AttemptBound, Change, SignIn, User, UserChange};
use unicode_normalization::UnicodeNormalization as _;

use super::{ATTEMPT_WINDOW, Browser, SIGN_IN_IDLE, SignedInUser, act_on, actor};
use crate::oauth::hash;
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

/// How often may be tried in a window: as one login from one address, as one login from anywhere, and from one address.
const OF_LOGIN_AND_ADDRESS: u32 = 10;
const OF_LOGIN: u32 = 30;
const OF_ADDRESS: u32 = 100;

/// Longer than any login name and password that is taken.
const TEXT_MAX: usize = 2048;
/// That somebody is still there is noted this often.
const NOTED_EVERY: Duration = Duration::from_hours(1);

impl Platform {
    /// Signs a person in and gives the text for the browser. Unknown logins, wrong passwords, people who are disabled or
    /// have no password, and too many attempts are one and the same refusal, with the same work behind it.
    pub async fn sign_in(
        &self,
        login: &str,
        password: &SecretString,
        browser: &Browser,
    ) -> Result<(SecretString, User), Problem> {
        if !self.has_password_sign_in() {
            return Err(passwords_off());
        }
        if login.len() > TEXT_MAX || password.expose_secret().len() > TEXT_MAX {
            return Err(refused());
        }
        let bounds = bounds(login, browser.address);
        let is_within = self.store.count_attempt(&bounds, ATTEMPT_WINDOW, self.now()).await?;
        let (user, stored) = match self.store.user_to_sign_in(login).await? {
            Some((user, stored)) => (Some(user), stored),
            None => (None, None),
        };
        let matches = self.passwords.matches(password, stored).await?;
        let user = user.filter(|user| is_within && matches && user.disabled_at.is_none());
        let Some(user) = user else {
            // Neither the login, which may be a password in the wrong field, nor whether there is one.
            tracing::info!(address = ?browser.address, is_within, "somebody could not sign in");
            return Err(refused());
        };
        let (token, new) = self.new_sign_in(&user, user.version, browser)?;
        let detail = json!({ "browser": new.browser });
        let mut changes = vec![Change::User(UserChange::InsertSignIn(new))];
        changes.extend(forgiven(bounds, browser.address));
        changes.push(act_on(actor(&user), "user.signed_in", &user, detail));
        match self.commit(&changes).await {
            // Somebody changed the person while the password was compared.
            Err(problem) if problem.code == "version_conflict" => Err(refused()),
            outcome => outcome.map(|_| (token, user)),
        }
    }

    /// Compares the password of somebody who is signed in, within the same bounds.
    pub(super) async fn is_own_password(
        &self,
        user: &User,
        password: &SecretString,
        browser: &Browser,
    ) -> Result<bool, Problem> {
        let bounds = bounds(&user.login, browser.address);
        let is_within = self.store.count_attempt(&bounds, ATTEMPT_WINDOW, self.now()).await?;
        let stored = self.store.user_to_sign_in(&user.login).await?.and_then(|(_, stored)| stored);
        Ok(self.passwords.matches(password, stored).await? && is_within)
    }

    /// Who shows this text, if anybody does who may still be signed in.
    pub async fn signed_in_user(self: &Arc<Self>, token: &str) -> Result<Option<SignedInUser>, Problem> {
        if token.len() > TEXT_MAX {
            return Ok(None);
        }
        let now = self.now();
        let Some((sign_in, user)) = self.store.sign_in(&hash(token), SIGN_IN_IDLE, now).await? else {
            return Ok(None);
        };
        if sign_in.used_at.plus(NOTED_EVERY) <= now {
            let touch = Change::User(UserChange::TouchSignIn(sign_in.id.clone()));
            let platform = Arc::clone(self);
            // Nobody waits for it, and a database that cannot write signs nobody out.
            self.spawn(async move {
                if let Err(problem) = platform.commit(&[touch]).await {
                    tracing::warn!(%problem, "the use of a sign-in could not be noted");
                }
            });
        }
        Ok(Some(SignedInUser { user, sign_in }))
    }

    /// Signs the browser out.
    pub async fn sign_out(&self, signed_in: &SignedInUser) -> Result<(), Problem> {
        match self.end_sign_in(signed_in, signed_in.sign_in.id.as_str()).await {
            Err(problem) if problem.kind == ProblemKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    /// What the person is signed in with, newest first.
    pub async fn own_sign_ins(&self, signed_in: &SignedInUser) -> Result<Vec<SignIn>, Problem> {
        Ok(self.store.sign_ins(&signed_in.user.id, SIGN_IN_IDLE, self.now()).await?)
    }

    /// Signs one of the person's browsers out.
    pub async fn end_sign_in(&self, signed_in: &SignedInUser, id: &str) -> Result<(), Problem> {
        let unknown = || Problem::not_found("unknown_sign_in", "This sign-in has ended already");
        let (user, id) = (&signed_in.user, id.parse().map_err(|_| unknown())?);
        let end = Change::User(UserChange::EndSignIn(user.id.clone(), id));
        let event = act_on(actor(user), "user.signed_out", user, Json::Null);
        match self.commit(&[end, event]).await {
            Err(problem) if problem.kind == ProblemKind::NotFound => Err(unknown()),
            outcome => outcome.map(drop),
        }
    }
}

/// What counts an attempt. An address of this machine is that of a front, behind which everybody is.
fn bounds(login: &str, address: Option<IpAddr>) -> Vec<AttemptBound> {
    let login = login.trim().nfkc().collect::<String>().to_lowercase();
    let bound = |subject: String, most| AttemptBound { subject_hash: hash(&subject), most };
    let mut bounds = vec![bound(format!("login {login}"), OF_LOGIN)];
    if let Some(network) = address.and_then(network) {
        bounds.push(bound(format!("login {login} address {network}"), OF_LOGIN_AND_ADDRESS));
        bounds.push(bound(format!("address {network}"), OF_ADDRESS));
    }
    bounds
}

/// The address, or for IPv6 the network that one customer of a provider has.
pub(super) fn network(address: IpAddr) -> Option<String> {
    match address.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V4(address) => Some(address.to_string()),
        IpAddr::V6(address) => Some(
            address.segments()[..4].iter().fold(String::new(), |text, part| text + &format!("{part:x}:")),
        ),
    }
}

/// Whoever got in has their attempts forgotten, and the address has this one taken back: others come from it as well.
fn forgiven(bounds: Vec<AttemptBound>, address: Option<IpAddr>) -> Vec<Change> {
    let mut subjects: Vec<Vec<u8>> = bounds.into_iter().map(|bound| bound.subject_hash).collect();
    let shared = if address.and_then(network).is_some() { subjects.pop() } else { None };
    let forget = Change::User(UserChange::ForgetAttempts(subjects));
    let take_back = shared.map(|subject| Change::User(UserChange::TakeBackAttempt(subject)));
    std::iter::once(forget).chain(take_back).collect()
}

/// What forgets how often was tried to sign in as somebody, from anywhere.
pub(super) fn forgotten(login: &str) -> Change {
    let subjects = bounds(login, None).into_iter().map(|bound| bound.subject_hash).collect();
    Change::User(UserChange::ForgetAttempts(subjects))
}

fn passwords_off() -> Problem {
    let what = "Nobody signs in here with a password";
    let fix = "Sign in with the identity provider, or open a link that an administrator made for you.";
    Problem::new(ProblemKind::Forbidden, "passwords_off", what, fix)
}

fn refused() -> Problem {
    let what = "The login name or the password is not right, or it was tried too often";
    let fix =
        "Check both. After many attempts wait a quarter of an hour, or ask an administrator for a link.";
    Problem::new(ProblemKind::Unauthenticated, "sign_in_refused", what, fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_customer_count_together() {
        let network = |text: &str| network(text.parse().expect("an address"));
        for (address, expected) in [
            ("192.0.2.7", Some("192.0.2.7")),
            ("::ffff:192.0.2.7", Some("192.0.2.7")),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1:2:")),
            ("2001:db8:1:2::1", Some("2001:db8:1:2:")),
            ("127.0.0.1", None),
            ("::1", None),
            ("::ffff:127.0.0.1", None),
        ] {
            assert_eq!(network(address).as_deref(), expected, "{address}");
        }
        assert_eq!(bounds("Ａnna ", None), bounds("anna", None));
    }
}
