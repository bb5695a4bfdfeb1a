//! Who may sign in, as administrators decide it.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value as Json, json};
use tombolo_catalog::FieldError;
use tombolo_store::{
    Change, NewPasswordLink as StoredLink, NewUser, Role, StoreError, User, UserChange, UserId, UserUpdate,
};

use super::{act_on, role};
use crate::access::{Access, Scope};
use crate::oauth::{hash, secret_text};
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind, field};

/// How long a link for a password is good.
const LINK_LIFE: Duration = Duration::from_hours(7 * 24);
const LOGIN_CHARACTERS_MAX: usize = 254;
const NAME_CHARACTERS_MAX: usize = 100;

/// Somebody who is invited.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// What they sign in with: a name, or the address of a mailbox.
    pub login: String,
    /// What others see; the login when empty.
    pub display_name: String,
    /// What they may do.
    pub role: Role,
}

/// Where a person chooses a password, once.
#[derive(Debug)]
pub struct NewPasswordLink {
    /// The person.
    pub user: User,
    /// The secret of the link, shown this once.
    pub secret: SecretString,
    /// When it is no longer good.
    pub expires_at: tombolo_store::Timestamp,
}

impl Platform {
    /// Everybody who may sign in, or might, in the order of their logins.
    pub async fn list_users(&self, access: &Access) -> Result<Vec<User>, Problem> {
        access.require(Scope::ReadUsers)?;
        Ok(self.store.users().await?)
    }

    /// Invites somebody, who chooses a password under the link. Nobody invites to more than they may do themselves.
    pub async fn invite_user(
        &self,
        access: &Access,
        invitation: &Invitation,
    ) -> Result<NewPasswordLink, Problem> {
        access.require(Scope::ManageUsers)?;
        refuse_more(access, invitation.role)?;
        let faults = faults_of_person(&invitation.login, &invitation.display_name);
        if !faults.is_empty() {
            return Err(Problem::fields(faults));
        }
        let id = UserId::generate(self.now(), &*self.random).map_err(StoreError::from)?;
        let new = NewUser {
            id: id.clone(),
            login: invitation.login.trim().to_owned(),
            display_name: name_or_login(&invitation.display_name, &invitation.login),
            role: invitation.role,
            password_hash: None,
            identity: None,
        };
        let (secret, link) = self.new_password_link(id.clone())?;
        let expires_at = link.expires_at;
        let user = User {
            id,
            login: new.login.clone(),
            display_name: new.display_name.clone(),
            role: new.role,
            has_password: false,
            identity: None,
            disabled_at: None,
            version: 1,
            created_at: self.now(),
            seen_at: None,
        };
        let detail = json!({ "role": new.role.as_str() });
        let changes = [
            Change::User(UserChange::Insert(new)),
            Change::User(UserChange::InsertLink(link)),
            act_on(access.actor.clone(), "user.invited", &user, detail),
        ];
        self.commit(&changes).await?;
        Ok(NewPasswordLink { user, secret, expires_at })
    }

    /// Changes what somebody may do, and signs them out everywhere.
    pub async fn change_role(&self, access: &Access, reference: &str, role: Role) -> Result<User, Problem> {
        let user = self.user_to_manage(access, reference).await?;
        refuse_more(access, role)?;
        let detail = json!({ "from": user.role.as_str(), "to": role.as_str() });
        let update = UserUpdate { role: Some(role), ..UserUpdate::of(user.id.clone()) };
        self.update_user(access, &user, "user.role_changed", update, detail).await
    }

    /// Shuts somebody out at once, or lets them in again.
    pub async fn enable_user(
        &self,
        access: &Access,
        reference: &str,
        enabled: bool,
    ) -> Result<User, Problem> {
        let user = self.user_to_manage(access, reference).await?;
        let action = if enabled { "user.enabled" } else { "user.disabled" };
        let update = UserUpdate { enabled: Some(enabled), ..UserUpdate::of(user.id.clone()) };
        self.update_user(access, &user, action, update, Json::Null).await
    }

    /// A link under which somebody chooses another password. Until then the old one is good: whoever has to be shut out is
    /// disabled.
    pub async fn reset_password(&self, access: &Access, reference: &str) -> Result<NewPasswordLink, Problem> {
        let user = self.user_to_manage(access, reference).await?;
        let (secret, link) = self.new_password_link(user.id.clone())?;
        let expires_at = link.expires_at;
        let event = act_on(access.actor.clone(), "user.password_reset", &user, Json::Null);
        self.commit(&[Change::User(UserChange::InsertLink(link)), event]).await?;
        Ok(NewPasswordLink { user, secret, expires_at })
    }

    /// Whoever may do less could otherwise take over somebody who may do more.
    async fn user_to_manage(&self, access: &Access, reference: &str) -> Result<User, Problem> {
        access.require(Scope::ManageUsers)?;
        let user = self.find_user(reference).await?;
        refuse_more(access, user.role)?;
        Ok(user)
    }

    pub(super) async fn find_user(&self, reference: &str) -> Result<User, Problem> {
        let unknown = || {
            let shortened: String = reference.chars().take(80).collect();
            Problem::not_found("unknown_user", format!("There is no user `{shortened}`"))
        };
        self.store.user(reference).await?.ok_or_else(unknown)
    }

    async fn update_user(
        &self,
        access: &Access,
        user: &User,
        action: &str,
        update: UserUpdate,
        detail: Json,
    ) -> Result<User, Problem> {
        let event = act_on(access.actor.clone(), action, user, detail);
        self.commit(&[Change::User(UserChange::Update(update)), event]).await?;
        self.find_user(user.id.as_str()).await
    }

    fn new_password_link(&self, user: UserId) -> Result<(SecretString, StoredLink), Problem> {
        let secret = secret_text(&*self.random)?;
        let link = StoredLink { user, link_hash: hash(&secret), expires_at: self.now().plus(LINK_LIFE) };
        Ok((secret.into(), link))
    }
}

/// What is wrong with the login and the name of a person.
pub(super) fn faults_of_person(login: &str, display_name: &str) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let login = login.trim();
    let unfit = |character: char| character.is_whitespace() || character.is_control();
    if login.is_empty() || login.chars().count() > LOGIN_CHARACTERS_MAX || login.contains(unfit) {
        let (en, ja) = (
            "Type a name or a mail address, without spaces and of at most 254 characters.",
            "名前またはメールアドレスを、空白を入れずに254文字以内で入力してください。",
        );
        faults.push(field("login", "custom", en, ja));
    }
    faults.extend(fault_of_name(display_name));
    faults
}

/// What is wrong with the name that others see.
pub(super) fn fault_of_name(name: &str) -> Option<FieldError> {
    if name.trim().chars().count() <= NAME_CHARACTERS_MAX && !name.contains(char::is_control) {
        return None;
    }
    let (en, ja) = ("Use at most 100 characters, in one line.", "1行で100文字以内にしてください。");
    Some(field("display_name", "custom", en, ja))
}

/// What others see of somebody.
pub(super) fn name_or_login(display_name: &str, login: &str) -> String {
    let name = display_name.trim();
    if name.is_empty() { login.trim().to_owned() } else { name.to_owned() }
}

fn refuse_more(access: &Access, role: Role) -> Result<(), Problem> {
    if role::granted(role).iter().all(|scope| access.may_grant(scope)) {
        return Ok(());
    }
    let what = format!("The role `{role}` may do more than you");
    let fix = "Ask somebody with that role, or the operator of the server.";
    Err(Problem::new(ProblemKind::Forbidden, "forbidden", what, fix))
}
