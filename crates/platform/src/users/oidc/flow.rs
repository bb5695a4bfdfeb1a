//! The way to the identity provider and back.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tombolo_store::{AttemptBound, Change, Identification, UserChange};
use url::Url;

use super::exchange::Code;
use super::person::Person;
use super::provider::{Document, IdentityProvider, misconfigured};
use super::{BegunIdentification, IDENTIFICATION_LIFE, Identified, OIDC_CALLBACK, ProviderAnswer};
use crate::oauth::{hash, secret_text};
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};
use crate::users::sign_in::network;
use crate::users::{ATTEMPT_WINDOW, Browser, SignedInUser};

/// Most people at the provider at the same time: whoever asks is not known yet.
const ON_THEIR_WAY_MAX: u64 = 10_000;
/// Most beginnings from one address in a window.
const OF_ADDRESS: u32 = 100;

/// What tells the cookie of one window from those of others: it says nothing about the state.
pub fn identification_mark(state: &str) -> String {
    URL_SAFE_NO_PAD.encode(&hash(state)[..9])
}

impl Platform {
    /// Sends a browser to the provider: to sign in, or to link the provider's account to the one of whoever is signed in.
    /// What proves later that it is the same browser is kept by it alone, and what belongs to the code is made of that.
    pub async fn begin_identification(
        &self,
        public_url: &str,
        return_path: &str,
        linking: Option<&SignedInUser>,
        browser: &Browser,
    ) -> Result<BegunIdentification, Problem> {
        let provider = self.the_identity_provider()?;
        if !self.is_set_up().await? {
            let what = "Nobody administers this server yet";
            let fix = "Make the first administrator with the set-up token that the server printed.";
            return Err(Problem::new(ProblemKind::Forbidden, "oidc_not_set_up", what, fix));
        }
        if let Some(SignedInUser { user, .. }) = linking
            && user.identity.is_some()
        {
            let what = "Your account is linked already";
            let fix = "Unlink it first.";
            return Err(Problem::new(ProblemKind::Conflict, "oidc_linked_already", what, fix));
        }
        self.refuse_crowds(browser).await?;
        let document = provider.document(&self.way()).await?;
        let (state, cookie) = (secret_text(&*self.random)?, secret_text(&*self.random)?);
        let location = self.way_there(provider, &document, public_url, [&state, &cookie])?;
        let new = Identification {
            state_hash: hash(&state),
            browser_hash: hash(&cookie),
            user: linking.map(|signed_in| signed_in.user.id.clone()),
            return_path: return_path.to_owned(),
            expires_at: self.now().plus(IDENTIFICATION_LIFE),
        };
        self.commit(&[Change::User(UserChange::InsertIdentification(new))]).await?;
        Ok(BegunIdentification { location, mark: identification_mark(&state), cookie: cookie.into() })
    }

    async fn refuse_crowds(&self, browser: &Browser) -> Result<(), Problem> {
        let now = self.now();
        let busy = || {
            let what = "Too many people sign in at this moment";
            Problem::new(ProblemKind::TooMany, "busy", what, "Try again in a quarter of an hour.")
        };
        if let Some(network) = browser.address.and_then(network) {
            let subject_hash = hash(&format!("identification {network}"));
            let bound = AttemptBound { subject_hash, most: OF_ADDRESS };
            if !self.store.count_attempt(&[bound], ATTEMPT_WINDOW, now).await? {
                return Err(busy());
            }
        }
        if self.store.identifications(now).await? >= ON_THEIR_WAY_MAX {
            return Err(busy());
        }
        Ok(())
    }

    fn way_there(
        &self,
        provider: &IdentityProvider,
        document: &Document,
        public_url: &str,
        [state, cookie]: [&str; 2],
    ) -> Result<String, Problem> {
        let settings = &provider.settings;
        let endpoint = &document.authorization_endpoint;
        let refused =
            |why: String| misconfigured(format!("The page of the identity provider cannot be used: {why}"));
        self.egress.parse_url(endpoint).map_err(|refusal| refused(refusal.to_string()))?;
        let mut url = Url::parse(endpoint).map_err(|error| refused(error.to_string()))?;
        let challenge = URL_SAFE_NO_PAD.encode(hash(&verifier(cookie)));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &settings.client_id)
            .append_pair("redirect_uri", &redirect_uri(public_url))
            .append_pair("scope", &settings.scopes.join(" "))
            .append_pair("state", state)
            .append_pair("nonce", &nonce(cookie))
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(self.for_browsers(url.into()))
    }

    /// Takes the provider's answer: once, in time, and only from the browser that was sent there. Whatever goes wrong ends the
    /// attempt.
    pub async fn finish_identification(
        self: &Arc<Self>,
        answer: ProviderAnswer<'_>,
    ) -> Result<Identified, Problem> {
        let provider = self.the_identity_provider()?;
        let text = |name: &str| answer.parameters.get(name).map(String::as_str);
        let taken =
            self.store.take_identification(&hash(text("state").unwrap_or_default()), self.now()).await?;
        let taken = taken.ok_or_else(state_unknown)?;
        let shown = answer.cookie.map(hash);
        if shown.is_none_or(|shown| verify_slices_are_equal(&shown, &taken.browser_hash).is_err()) {
            return Err(other_browser());
        }
        // Without the cookie the line above has ended it.
        let cookie = answer.cookie.unwrap_or_default();
        let document = provider.document(&self.way()).await?;
        refuse_other_issuer(provider, &document, text("iss"))?;
        if let Some(error) = text("error") {
            return Err(failed_there(error));
        }
        let code = Code {
            text: text("code").ok_or_else(|| failed_there("no code"))?,
            verifier: &verifier(cookie),
            redirect_uri: &redirect_uri(answer.public_url),
            nonce: &nonce(cookie),
        };
        let claims = self.exchange_code(provider, &code).await?;
        let person = Person::new(&provider.settings, claims);
        let return_path = taken.return_path;
        let outcome = match (&taken.user, answer.signed_in) {
            (None, _) => self
                .admit(provider, &person, answer.browser)
                .await
                .map(|token| Identified::SignedIn { token, return_path }),
            (Some(user), Some(signed_in)) if signed_in.user.id == *user => self
                .link_identity(provider, &person, signed_in)
                .await
                .map(|()| Identified::Linked { return_path }),
            (Some(_), _) => Err(other_browser()),
        };
        if let Err(problem) = &outcome {
            self.note_refusal(&person, problem).await;
        }
        outcome
    }
}

/// The code verifier (RFC 7636 §4.1), which only whoever has the cookie can make.
fn verifier(cookie: &str) -> String {
    URL_SAFE_NO_PAD.encode(hash(&format!("code verifier {cookie}")))
}

/// What ties the ID token to the browser.
fn nonce(cookie: &str) -> String {
    URL_SAFE_NO_PAD.encode(hash(&format!("nonce {cookie}")))
}

fn redirect_uri(public_url: &str) -> String {
    format!("{public_url}{OIDC_CALLBACK}")
}

/// RFC 9207: an answer of another provider is told from this one's.
fn refuse_other_issuer(
    provider: &IdentityProvider,
    document: &Document,
    issuer: Option<&str>,
) -> Result<(), Problem> {
    let is_right = match issuer {
        Some(issuer) => issuer == provider.settings.issuer,
        None => !document.authorization_response_iss_parameter_supported,
    };
    if is_right { Ok(()) } else { Err(super::exchange::token_refused("it comes from another issuer")) }
}

/// What a provider sends browsers back with (RFC 6749 §4.1.2.1, OIDC Core 1.0 §3.1.2.6).
fn failed_there(error: &str) -> Problem {
    if error == "access_denied" {
        let what = "The identity provider did not let you in, or you broke off there";
        let fix = "Begin again; if it goes on, ask whoever administers the identity provider to let you use this server.";
        return Problem::new(ProblemKind::Forbidden, "oidc_denied", what, fix);
    }
    let told: String = error.chars().filter(char::is_ascii_graphic).take(60).collect();
    let what = format!("The identity provider sent you back without signing you in: {told}");
    let fix = "Begin again; if it goes on, tell whoever runs this server.";
    Problem::new(ProblemKind::Upstream, "oidc_failed", what, fix)
}

fn state_unknown() -> Problem {
    let what = "This answer of the identity provider belongs to no sign-in that is under way: it came twice, or after more than 10 minutes";
    Problem::new(ProblemKind::Forbidden, "oidc_state_unknown", what, "Begin again on the page to sign in.")
}

fn other_browser() -> Problem {
    let what = "This answer of the identity provider came in another browser than the one that began";
    let fix = "Begin again on the page to sign in. If you did not begin this yourself, somebody tried to sign you in as them.";
    Problem::new(ProblemKind::Forbidden, "oidc_other_browser", what, fix)
}
