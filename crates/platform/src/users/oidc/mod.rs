//! Signing in with the operator's identity provider (OIDC Core 1.0 §3.1, with the current best practice of RFC 9700).
//!
//! Whom an identity means is decided in [`admission`]: what a provider says once about a mail address never opens an account
//! that has a password, because whoever chose that password may be somebody else.

mod admission;
mod exchange;
mod flow;
mod id_token;
mod linking;
mod person;
mod provider;
mod settings;

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;

pub use flow::identification_mark;
pub use provider::IdentityProvider;
pub(crate) use provider::Way;
pub use settings::{OidcSettings, RoleRules};

use super::{Browser, SignedInUser};
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

/// Where the provider sends browsers back to, below the address of the server.
pub const OIDC_CALLBACK: &str = "/sign-in/callback";
/// How long a person has at the provider.
pub const IDENTIFICATION_LIFE: Duration = Duration::from_mins(10);

/// A browser that is sent to the identity provider.
#[derive(Debug)]
pub struct BegunIdentification {
    /// Where it goes.
    pub location: String,
    /// Tells the cookies of several windows apart: what [`identification_mark`] says of the state.
    pub mark: String,
    /// What only this browser has.
    pub cookie: SecretString,
}

/// A browser that comes back.
pub struct ProviderAnswer<'a> {
    /// The query.
    pub parameters: &'a BTreeMap<String, String>,
    /// The cookie of the mark.
    pub cookie: Option<&'a str>,
    /// How this server is reached.
    pub public_url: &'a str,
    /// Who is signed in already.
    pub signed_in: Option<&'a SignedInUser>,
    /// The browser.
    pub browser: &'a Browser,
}

/// What came of it.
#[derive(Debug)]
pub enum Identified {
    /// Somebody is signed in.
    SignedIn {
        /// The text for the browser.
        token: SecretString,
        /// Where it goes on to.
        return_path: String,
    },
    /// Whoever is signed in can sign in with the provider as well from now on.
    Linked {
        /// Where the browser goes on to.
        return_path: String,
    },
}

impl Platform {
    /// What buttons call the identity provider; `None` when there is none.
    pub fn identity_provider_name(&self) -> Option<String> {
        self.identity_provider.as_ref().map(|provider| provider.settings.shown_name())
    }

    /// Whether people may sign in with a password.
    pub fn has_password_sign_in(&self) -> bool {
        self.identity_provider.as_ref().is_none_or(|provider| provider.settings.password_sign_in)
    }

    fn way(&self) -> Way<'_> {
        Way { egress: &self.egress, now: self.now() }
    }

    fn the_identity_provider(&self) -> Result<&IdentityProvider, Problem> {
        self.identity_provider.as_ref().ok_or_else(|| {
            let what = "This server has no identity provider";
            let fix = "Sign in with your password.";
            Problem::new(ProblemKind::NotAvailable, "oidc_off", what, fix)
        })
    }
}
