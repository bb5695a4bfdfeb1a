//! Linking an account here with one at the identity provider, by whoever is signed in to both.

use serde_json::{Value as Json, json};
use tombolo_store::{Change, UserChange, UserUpdate};

use super::admission::refuse_other_domains;
use super::person::Person;
use super::provider::IdentityProvider;
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};
use crate::users::{SignedInUser, act_on, actor};

impl Platform {
    /// From now on the identity signs the person in. Their role stays until they sign in with it.
    pub(super) async fn link_identity(
        &self,
        provider: &IdentityProvider,
        person: &Person,
        signed_in: &SignedInUser,
    ) -> Result<(), Problem> {
        refuse_other_domains(provider, person)?;
        let user = &signed_in.user;
        let update =
            UserUpdate { identity: Some(person.identity.clone()), ..UserUpdate::of(user.id.clone()) };
        let detail = json!({ "issuer": person.identity.issuer, "by": "profile" });
        let event = act_on(actor(user), "user.linked", user, detail);
        match self.commit(&[Change::User(UserChange::Update(update)), event]).await {
            Ok(_) => Ok(()),
            Err(problem) if problem.code == "unique_key_taken" => Err(taken()),
            Err(problem) => Err(problem),
        }
    }

    /// The identity signs the person in no longer, and all their browsers are signed out. Refused where it is the only way in.
    pub async fn unlink_identity(&self, signed_in: &SignedInUser) -> Result<(), Problem> {
        let user = &signed_in.user;
        if user.identity.is_none() {
            return Ok(());
        }
        if !user.has_password || !self.has_password_sign_in() {
            let what = "The identity provider is your only way in";
            let fix = "Ask an administrator for a link for a password first.";
            return Err(Problem::new(ProblemKind::Conflict, "oidc_only_way", what, fix));
        }
        let event = act_on(actor(user), "user.unlinked", user, Json::Null);
        self.commit(&[Change::User(UserChange::Unlink(user.id.clone())), event]).await.map(drop)
    }
}

fn taken() -> Problem {
    let what = "Somebody else signs in here with this account of the identity provider";
    let fix = "Sign in there as yourself, or ask an administrator.";
    Problem::new(ProblemKind::Conflict, "oidc_identity_taken", what, fix)
}
