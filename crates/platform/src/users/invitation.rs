//! Choosing a password under a link: after an invitation, or after one was forgotten.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;
use tombolo_store::{Change, User, UserChange, UserUpdate};

use super::administration::{fault_of_name, name_or_login};
use super::sign_in::forgotten;
use super::{Browser, act_on, actor, password};
use crate::oauth::hash;
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

/// What somebody types who came by a link.
#[derive(Debug)]
pub struct ChosenPassword {
    /// What others see of them; as it was when empty.
    pub display_name: String,
    /// The password.
    pub password: SecretString,
}

impl Platform {
    /// Whose link it is. Looking changes nothing.
    pub async fn look_at_password_link(&self, secret: &SecretString) -> Result<User, Problem> {
        let found = self.store.user_of_link(&hash(secret.expose_secret().trim()), self.now()).await?;
        found.ok_or_else(ended)
    }

    /// Takes the password, signs every other browser of the person out, and this one in.
    pub async fn choose_password(
        &self,
        secret: &SecretString,
        chosen: &ChosenPassword,
        browser: &Browser,
    ) -> Result<(SecretString, User), Problem> {
        let user = self.look_at_password_link(secret).await?;
        let mut faults: Vec<_> = fault_of_name(&chosen.display_name).into_iter().collect();
        faults.extend(password::fault(&chosen.password, &user.login));
        if !faults.is_empty() {
            return Err(Problem::fields(faults));
        }
        let update = UserUpdate {
            display_name: Some(name_or_login(&chosen.display_name, &user.display_name)),
            password_hash: Some(self.passwords.hash(&chosen.password, &*self.random).await?),
            ..UserUpdate::of(user.id.clone())
        };
        let (token, new_sign_in) = self.new_sign_in(&user, user.version + 1, browser)?;
        let changes = [
            Change::User(UserChange::TakeLink(hash(secret.expose_secret().trim()))),
            Change::User(UserChange::Update(update)),
            Change::User(UserChange::InsertSignIn(new_sign_in)),
            forgotten(&user.login),
            act_on(actor(&user), "user.password_chosen", &user, Json::Null),
        ];
        match self.commit(&changes).await {
            Err(problem) if matches!(problem.kind, ProblemKind::NotFound | ProblemKind::Conflict) => {
                Err(ended())
            }
            outcome => outcome.map(|_| (token, user)),
        }
    }
}

fn ended() -> Problem {
    let what = "This link is good no longer: it was used, replaced by a newer one, or is older than 7 days";
    let fix = "Ask whoever sent it for a new one.";
    Problem::new(ProblemKind::NotFound, "unknown_link", what, fix)
}
