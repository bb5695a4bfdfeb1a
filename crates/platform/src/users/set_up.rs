//! The first administrator: whoever can read what the server printed.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;
use tombolo_store::{Change, NewSetUpToken, NewUser, Role, StoreError, Timestamp, User, UserChange, UserId};

use super::administration::{faults_of_person, name_or_login};
use super::{Browser, act_on, actor, password};
use crate::oauth::{hash, secret_text};
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

/// How long a token is good; a server prints a new one at each start.
const LIFE: Duration = Duration::from_hours(24);

/// What the first administrator types.
#[derive(Debug)]
pub struct FirstAdministrator {
    /// What they sign in with.
    pub login: String,
    /// What others see; the login when empty.
    pub display_name: String,
    /// Their password.
    pub password: SecretString,
}

impl Platform {
    /// Whether anybody signs in here, or did.
    pub async fn is_set_up(&self) -> Result<bool, Problem> {
        Ok(self.store.is_set_up().await?)
    }

    /// A token with which the first administrator is made, to be printed where only the operator reads; `None` when there
    /// is somebody already. Those of other servers on the same database stay good.
    pub async fn new_set_up_token(&self) -> Result<Option<SecretString>, Problem> {
        if self.is_set_up().await? {
            return Ok(None);
        }
        let token = secret_text(&*self.random)?;
        let new = NewSetUpToken { token_hash: hash(&token), expires_at: self.now().plus(LIFE) };
        self.commit(&[Change::User(UserChange::InsertSetUpToken(new))]).await?;
        Ok(Some(token.into()))
    }

    /// Makes the first administrator and signs them in. However many try at once, there is one.
    pub async fn set_up(
        &self,
        token: &SecretString,
        first: &FirstAdministrator,
        browser: &Browser,
    ) -> Result<(SecretString, User), Problem> {
        if self.is_set_up().await? {
            return Err(StoreError::SetUpAlready.into());
        }
        // Before a password is hashed, which takes long: only whoever has the token may ask for that.
        let token_hash = hash(token.expose_secret().trim());
        if !self.store.has_set_up_token(&token_hash, self.now()).await? {
            return Err(unknown_token());
        }
        let mut faults = faults_of_person(&first.login, &first.display_name);
        faults.extend(password::fault(&first.password, &first.login));
        if !faults.is_empty() {
            return Err(Problem::fields(faults));
        }
        let user = new_user(
            UserId::generate(self.now(), &*self.random).map_err(StoreError::from)?,
            first,
            self.now(),
        );
        let new = NewUser {
            id: user.id.clone(),
            login: user.login.clone(),
            display_name: user.display_name.clone(),
            role: user.role,
            password_hash: Some(self.passwords.hash(&first.password, &*self.random).await?),
            identity: None,
        };
        let (sign_in, new_sign_in) = self.new_sign_in(&user, user.version, browser)?;
        let changes = [
            Change::User(UserChange::SetUp(new, token_hash)),
            Change::User(UserChange::InsertSignIn(new_sign_in)),
            act_on(actor(&user), "installation.set_up", &user, Json::Null),
        ];
        match self.commit(&changes).await {
            Err(problem) if problem.kind == ProblemKind::NotFound => Err(unknown_token()),
            outcome => outcome.map(|_| (sign_in, user)),
        }
    }
}

/// The person as the database will have them.
fn new_user(id: UserId, first: &FirstAdministrator, created_at: Timestamp) -> User {
    User {
        id,
        login: first.login.trim().to_owned(),
        display_name: name_or_login(&first.display_name, &first.login),
        role: Role::Admin,
        has_password: true,
        identity: None,
        disabled_at: None,
        version: 1,
        created_at,
        seen_at: Some(created_at),
    }
}

fn unknown_token() -> Problem {
    let what = "This is not the set-up token that the server printed, or it is older than a day";
    let fix = "Copy it from the output of the server; a restart prints a new one.";
    Problem::new(ProblemKind::Forbidden, "unknown_set_up_token", what, fix)
}
