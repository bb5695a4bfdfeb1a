//! What people change about themselves.

use secrecy::SecretString;
use serde_json::Value as Json;
use tombolo_store::{Change, UserChange, UserUpdate};

use super::administration::{fault_of_name, name_or_login};
use super::sign_in::forgotten;
use super::{Browser, SignedInUser, act_on, actor, password};
use crate::platform::Platform;
use crate::problem::{Problem, field};

impl Platform {
    /// Changes the person's password, signs all their browsers out, and this one in again: the text is for it.
    pub async fn change_own_password(
        &self,
        signed_in: &SignedInUser,
        current: &SecretString,
        new: &SecretString,
        browser: &Browser,
    ) -> Result<SecretString, Problem> {
        let user = &signed_in.user;
        if let Some(fault) = password::fault(new, &user.login) {
            return Err(Problem::fields(vec![fault]));
        }
        if !self.is_own_password(user, current, browser).await? {
            let (en, ja) = (
                "This is not your password, or it was tried too often.",
                "現在のパスワードが違うか、試行回数が多すぎます。",
            );
            return Err(Problem::fields(vec![field("current_password", "custom", en, ja)]));
        }
        let update = UserUpdate {
            password_hash: Some(self.passwords.hash(new, &*self.random).await?),
            ..UserUpdate::of(user.id.clone())
        };
        let (token, new_sign_in) = self.new_sign_in(user, user.version + 1, browser)?;
        let changes = [
            Change::User(UserChange::Update(update)),
            Change::User(UserChange::InsertSignIn(new_sign_in)),
            forgotten(&user.login),
            act_on(actor(user), "user.password_changed", user, Json::Null),
        ];
        self.commit(&changes).await?;
        Ok(token)
    }

    /// Changes what others see of the person.
    pub async fn rename_self(&self, signed_in: &SignedInUser, name: &str) -> Result<(), Problem> {
        let user = &signed_in.user;
        if let Some(fault) = fault_of_name(name) {
            return Err(Problem::fields(vec![fault]));
        }
        let name = name_or_login(name, &user.login);
        let update = UserUpdate { display_name: Some(name), ..UserUpdate::of(user.id.clone()) };
        let event = act_on(actor(user), "user.renamed", user, Json::Null);
        self.commit(&[Change::User(UserChange::Update(update)), event]).await.map(drop)
    }
}
