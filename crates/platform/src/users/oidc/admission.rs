//! Whom an identity means, and whether they may come in.
//!
//! The issuer and the subject name a person for ever, and count first. A mail address counts once, for somebody who was
//! invited by it and has not come yet: whoever has a password there already is never joined with whoever shows the address,
//! because an account can be made with another's address before its owner comes (pre-hijacking). For the same reason the link
//! of the invitation ends then. Whoever has a password says so themselves, signed in, on their own page.

use secrecy::SecretString;
use serde_json::json;
use tombolo_store::{
    Actor, ActorKind, Change, NewAuditEvent, NewUser, Object, Role, StoreError, User, UserChange, UserId,
    UserUpdate,
};

use super::person::Person;
use super::provider::IdentityProvider;
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};
use crate::users::{Browser, act_on, actor};

/// Somebody who may come in.
enum Admitted {
    /// They did before.
    Known(User),
    /// Somebody invited them.
    Invited(User),
    /// Nobody did, but their role lets them in.
    New,
}

impl Platform {
    /// Signs a person in whom the provider vouches for.
    pub(super) async fn admit(
        &self,
        provider: &IdentityProvider,
        person: &Person,
        browser: &Browser,
    ) -> Result<SecretString, Problem> {
        let settings = &provider.settings;
        refuse_other_domains(provider, person)?;
        let admitted = self.who_is(person).await?;
        let known = match &admitted {
            Admitted::Known(user) | Admitted::Invited(user) => Some(user.role),
            Admitted::New => None,
        };
        let role = person.role(settings, known).ok_or_else(|| not_invited(person))?;
        let mut changes = Vec::new();
        let (user, version) = match admitted {
            Admitted::Known(user) => as_before(user, role, None, &mut changes),
            Admitted::Invited(user) => as_before(user, role, Some(person), &mut changes),
            Admitted::New => (self.as_new(person, role, &mut changes)?, 1),
        };
        let (token, new_sign_in) = self.new_sign_in(&user, version, browser)?;
        let detail = json!({ "by": "oidc", "browser": new_sign_in.browser });
        changes.push(Change::User(UserChange::InsertSignIn(new_sign_in)));
        changes.push(act_on(actor(&user), "user.signed_in", &user, detail));
        match self.commit(&changes).await {
            Ok(_) => Ok(token),
            // Somebody else came to be called so meanwhile.
            Err(problem) if problem.code == "unique_key_taken" => Err(link_first()),
            Err(problem) => Err(problem),
        }
    }

    async fn who_is(&self, person: &Person) -> Result<Admitted, Problem> {
        if let Some(user) = self.store.user_of_identity(&person.identity).await? {
            return if user.disabled_at.is_some() { Err(shut_out()) } else { Ok(Admitted::Known(user)) };
        }
        let Some(user) = self.store.user(&person.login()).await? else { return Ok(Admitted::New) };
        let is_invited = user.identity.is_none() && !user.has_password;
        // What a search takes for the same is not the same address: full-width forms, for one.
        let is_theirs = person.mail.as_ref().is_some_and(|mail| user.login.trim().eq_ignore_ascii_case(mail));
        match user.disabled_at {
            Some(_) if is_theirs => Err(shut_out()),
            None if is_theirs && is_invited => Ok(Admitted::Invited(user)),
            _ => Err(link_first()),
        }
    }

    fn as_new(&self, person: &Person, role: Role, changes: &mut Vec<Change>) -> Result<User, Problem> {
        let new = NewUser {
            id: UserId::generate(self.now(), &*self.random).map_err(StoreError::from)?,
            login: person.login(),
            display_name: person.display_name(),
            role,
            password_hash: None,
            identity: Some(person.identity.clone()),
        };
        let user = User {
            id: new.id.clone(),
            login: new.login.clone(),
            display_name: new.display_name.clone(),
            role,
            has_password: false,
            identity: new.identity.clone(),
            disabled_at: None,
            version: 1,
            created_at: self.now(),
            seen_at: None,
        };
        let detail = json!({ "role": role.as_str(), "issuer": person.identity.issuer });
        changes.push(Change::User(UserChange::Insert(new)));
        changes.push(act_on(by_provider(), "user.joined", &user, detail));
        Ok(user)
    }

    /// Writes down that somebody whom the provider vouches for was not let in. Before that there is nobody to name, and
    /// anybody could fill the trail.
    pub(super) async fn note_refusal(&self, person: &Person, problem: &Problem) {
        let object = Object {
            kind: "identity".to_owned(),
            id: person.identity.subject.clone(),
            label: person.label(),
        };
        let event = NewAuditEvent {
            environment_id: None,
            actor: by_provider(),
            action: "user.sign_in_refused".to_owned(),
            object,
            detail: json!({ "reason": problem.code, "issuer": person.identity.issuer }),
        };
        if let Err(problem) = self.commit(&[Change::Audit(event)]).await {
            tracing::warn!(%problem, "a refused sign-in could not be noted");
        }
    }
}

/// Their role is the provider's word of today. Who comes by an invitation gets their identity, and its link ends.
fn as_before(mut user: User, role: Role, invited: Option<&Person>, changes: &mut Vec<Change>) -> (User, u64) {
    let (from, version) = (user.role, user.version);
    let mut update = UserUpdate::of(user.id.clone());
    update.role = (from != role).then_some(role);
    update.identity = invited.map(|person| person.identity.clone());
    user.role = role;
    if update.role.is_some() || update.identity.is_some() {
        changes.push(Change::User(UserChange::Update(update)));
    }
    if let Some(person) = invited {
        let detail = json!({ "issuer": person.identity.issuer, "by": "invitation" });
        changes.push(Change::User(UserChange::EndLink(user.id.clone())));
        changes.push(act_on(actor(&user), "user.linked", &user, detail));
    }
    if from == role {
        return (user, version);
    }
    let detail = json!({ "from": from.as_str(), "to": role.as_str(), "by": "oidc" });
    changes.push(act_on(by_provider(), "user.role_changed", &user, detail));
    (user, version + 1)
}

/// Where only some domains are let in, an address that nobody vouches for is of none of them.
pub(super) fn refuse_other_domains(provider: &IdentityProvider, person: &Person) -> Result<(), Problem> {
    if provider.settings.allowed_domains.is_empty() {
        return Ok(());
    }
    match &person.mail {
        None => Err(mail_unverified()),
        Some(mail) if provider.settings.lets_in(mail) => Ok(()),
        Some(_) => {
            let what = "Mail addresses of this domain are not let in here";
            let fix = "Sign in at the identity provider with the address of your organisation.";
            Err(Problem::new(ProblemKind::Forbidden, "oidc_domain", what, fix))
        }
    }
}

fn by_provider() -> Actor {
    Actor { kind: ActorKind::System, id: "oidc".to_owned(), label: "identity provider".to_owned() }
}

fn not_invited(person: &Person) -> Problem {
    if person.is_mail_doubtful {
        return mail_unverified();
    }
    let what = "The identity provider knows you, but nobody has let you in here";
    let fix = "Ask somebody who administers this server to invite your mail address, or to give you a role at the identity provider.";
    Problem::new(ProblemKind::Forbidden, "oidc_not_invited", what, fix)
}

fn mail_unverified() -> Problem {
    let what = "The identity provider does not vouch for your mail address";
    let fix = "Confirm the address at the identity provider, and sign in again.";
    Problem::new(ProblemKind::Forbidden, "oidc_mail_unverified", what, fix)
}

fn link_first() -> Problem {
    let what = "Somebody signs in here already as who you are there";
    let fix = "If it is you, sign in as before, and link the identity provider on your profile; else ask an administrator.";
    Problem::new(ProblemKind::Forbidden, "oidc_link_first", what, fix)
}

fn shut_out() -> Problem {
    let what = "Your account here is shut out";
    Problem::new(ProblemKind::Forbidden, "oidc_shut_out", what, "Ask somebody who administers this server.")
}
