//! Accounts that a person links at the vendor (RFC 6749, with the current best practice of RFC 9700): the clients that
//! are registered there, the way of a browser through an authorization, and the renewal of what it yields.

mod account_tokens;
mod agreement;
mod authorization;
mod callback;
mod clients;
mod confirmation;
mod draft;
mod exchange;
mod import;
mod linking;
mod proof;
mod renewal;
mod revocation;
mod testing;
mod waiting;
pub(crate) mod way_back;

pub(crate) use account_tokens::FirstToken;
pub use authorization::{AuthorizationState, Beginning, LinkAbout, StartedAuthorization};
pub use callback::{Callback, CallbackOutcome, FailedCallback};
pub(crate) use clients::{ClientOrigin, config_names_of_client, refuse_other_config};
pub use clients::{OAuthClientChange, OAuthClientDraft, own_redirect_uri, redirect_uri};
pub use confirmation::Confirmation;
pub use draft::AuthorizationDraft;
pub use import::{ImportedTokens, VendorTokens};
pub use proof::{Handover, Onward};
pub use renewal::RenewalPatience;
pub(crate) use renewal::{Renewals, Renewer};
pub use waiting::AccountToConfirm;

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tombolo_vault::Random;

use crate::problem::{Problem, ProblemKind};

/// How long a link that nobody has opened can be opened.
const LINK_LIFE: Duration = Duration::from_mins(30);
/// How long a person has at the vendor, and whoever confirms after that.
const STEP_LIFE: Duration = Duration::from_mins(10);
/// How long the last page has to pass on what its browser was given, before its opener hears that it may close the window.
const HANDOVER_TIME: Duration = Duration::from_secs(3);

/// An unguessable text of 256 bits, for URLs and cookies.
pub(crate) fn secret_text(random: &dyn Random) -> Result<String, Problem> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes).map_err(|error| {
        let fix = "Check the operating system's random number generator.";
        Problem::new(ProblemKind::Internal, "no_randomness", error.to_string(), fix)
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What is kept of such a text. Fast on purpose: nobody guesses 256 bits.
pub(crate) fn hash(text: &str) -> Vec<u8> {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}
