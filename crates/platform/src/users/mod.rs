//! People who sign in: what each role may do, how they get in, and who administers them. They belong to the installation, and
//! act in one environment at a time.

mod administration;
mod invitation;
mod oidc;
mod own;
mod password;
mod role;
mod set_up;
mod sign_in;

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use serde_json::Value as Json;
use tombolo_store::{Actor, ActorKind, Change, NewAuditEvent, NewSignIn, Object, SignIn, SignInId, User};

pub use administration::{Invitation, NewPasswordLink};
pub use invitation::ChosenPassword;
pub(crate) use oidc::Way;
pub use oidc::{
    BegunIdentification, IDENTIFICATION_LIFE, Identified, IdentityProvider, OIDC_CALLBACK, OidcSettings,
    ProviderAnswer, RoleRules, identification_mark,
};
pub(crate) use password::Passwords;
pub use role::Role;
pub use set_up::FirstAdministrator;

use crate::oauth::{hash, secret_text};
use crate::platform::Platform;
use crate::problem::Problem;

/// How long a sign-in lasts that nobody uses.
pub(crate) const SIGN_IN_IDLE: Duration = Duration::from_hours(7 * 24);
/// How long one lasts however much it is used.
pub const SIGN_IN_LIFE: Duration = Duration::from_hours(30 * 24);
/// The window in which attempts to sign in are counted together.
pub(crate) const ATTEMPT_WINDOW: Duration = Duration::from_mins(15);
/// How long the name of a browser may be that is kept.
const BROWSER_CHARACTERS_MAX: usize = 120;

/// What a form of a page says to prove that the page was made for whoever shows this text. Nobody who sees a form learns the
/// text from it.
pub fn form_token(sign_in: &str) -> String {
    URL_SAFE_NO_PAD.encode(hash(&format!("form {sign_in}")))
}

/// Whether a form says so, in constant time.
pub fn is_form_token(sign_in: &str, given: &str) -> bool {
    verify_slices_are_equal(form_token(sign_in).as_bytes(), given.as_bytes()).is_ok()
}

/// Somebody who is signed in, in one browser.
#[derive(Debug, Clone)]
pub struct SignedInUser {
    /// Who.
    pub user: User,
    /// With what.
    pub sign_in: SignIn,
}

/// The browser that asks.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    /// What it says that it is.
    pub name: String,
    /// Where it is, if that is known: not behind a front that hides it.
    pub address: Option<IpAddr>,
}

impl Browser {
    /// What is kept of its name: others see it in their list only after whoever signed in with it.
    fn kept_name(&self) -> String {
        let visible = self.name.chars().filter(|character| !character.is_control());
        visible.take(BROWSER_CHARACTERS_MAX).collect()
    }
}

impl Platform {
    /// What signs a person in: the text for the browser, shown this once, and the change that makes it good.
    fn new_sign_in(
        &self,
        user: &User,
        expected_version: u64,
        browser: &Browser,
    ) -> Result<(SecretString, NewSignIn), Problem> {
        let token = secret_text(&*self.random)?;
        let new = NewSignIn {
            id: SignInId::generate(self.now(), &*self.random).map_err(tombolo_store::StoreError::from)?,
            token_hash: hash(&token),
            user: user.id.clone(),
            expected_version,
            browser: browser.kept_name(),
            expires_at: self.now().plus(SIGN_IN_LIFE),
        };
        Ok((token.into(), new))
    }
}

/// The audit event of an act on a person: it belongs to no environment.
fn act_on(actor: Actor, action: &str, user: &User, detail: Json) -> Change {
    let object = Object { kind: "user".into(), id: user.id.to_string(), label: user.login.clone() };
    Change::Audit(NewAuditEvent { environment_id: None, actor, action: action.to_owned(), object, detail })
}

/// A person as the one who does something.
fn actor(user: &User) -> Actor {
    Actor { kind: ActorKind::User, id: user.id.to_string(), label: user.login.clone() }
}
