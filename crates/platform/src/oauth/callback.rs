//! The way back from the vendor.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value as Json, json};
use tombolo_auth::Credentials;
use tombolo_catalog::Provider;
use tombolo_store::{
    Authorization, AuthorizationId, AuthorizationStage, AuthorizationStep, Change, OAuthClient,
};
use tombolo_vault::Sealed;

use super::agreement::{Answer, builder_of, check_answer};
use super::authorization::{cookie_name, scheme_of};
use super::draft::WaitingDraft;
use super::linking::{told, told_of_failure};
use super::proof::{CODE, Handover, Onward, new_code, new_proof};
use super::way_back::with_parameters;
use super::{STEP_LIFE, hash};
use crate::credentials::{Place, Purpose, SealedCredentials};
use crate::environments::EnvironmentSettings;
use crate::notifications::news_of_unconfirmed;
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

/// What a browser brings back from the vendor.
pub struct Callback<'a> {
    /// The last part of the address that it came to; `None` for the address that several clients share.
    pub callback: Option<&'a str>,
    /// The query.
    pub parameters: &'a BTreeMap<String, String>,
    /// Its cookies, by name without a prefix.
    pub cookies: &'a BTreeMap<String, String>,
    /// How this server is reached.
    pub public_url: &'a str,
}

/// What came of it.
pub struct CallbackOutcome {
    /// The authorization.
    pub id: AuthorizationId,
    /// What the connection is called, or will be.
    pub name: String,
    /// The provider.
    pub provider: Arc<Provider>,
    /// What the browser passes on; `None` when the account is linked, which nobody had to confirm.
    pub handover: Option<Handover>,
    /// Where the browser goes on to when the account is linked.
    pub return_url: Option<String>,
}

/// Nothing came of it.
#[derive(Debug)]
pub struct FailedCallback {
    /// Why.
    pub problem: Problem,
    /// Where the browser goes on to, if it is the one that began.
    pub return_url: Option<String>,
}

impl From<Problem> for FailedCallback {
    fn from(problem: Problem) -> Self {
        Self { problem, return_url: None }
    }
}

impl Platform {
    /// Takes the vendor's answer: only from the browser that began, at the address of the client that it began with, and
    /// once; whatever goes wrong ends the authorization. The answer then waits, sealed, for
    /// [`Platform::confirm_authorization`], and is exchanged for nothing until somebody shows what this browser is given
    /// here: a link can be forwarded, and then it is the browser of another person that began and finished. Where an
    /// environment does without, the answer is exchanged and the account tested at once.
    pub async fn finish_authorization(
        self: &Arc<Self>,
        callback: Callback<'_>,
    ) -> Result<CallbackOutcome, FailedCallback> {
        let take = async |name: &str| {
            let state = callback.parameters.get(name).map(String::as_str).unwrap_or_default();
            let taken =
                self.store.take_authorization(&hash(state), self.now()).await.map_err(Problem::from)?;
            taken.ok_or_else(state_unknown)
        };
        // An address that belongs to one client says which one before anything is taken.
        let (client, authorization) = if let Some(own) = callback.callback {
            let client = self.store.oauth_client_of_callback(own).await.map_err(Problem::from)?;
            let client = client.ok_or_else(|| {
                Problem::not_found("unknown_callback", "There is no OAuth client with this redirect URI")
            })?;
            let name = self.state_name(&client);
            (client, take(&name).await?)
        } else {
            let authorization = take("state").await?;
            let (client, ..) = self.parts_of(&authorization).await?;
            (client, authorization)
        };
        let finished = self.finish_taken(&client, &authorization, &callback).await;
        if let Err(FailedCallback { problem, .. }) = &finished {
            self.fail(&authorization, AuthorizationStage::Answered, problem).await;
        }
        if authorization.socket_hash.is_some() {
            self.hasten_sockets();
        }
        finished
    }

    /// The parameter that brings the state back: the one that it was sent in.
    fn state_name(&self, client: &OAuthClient) -> String {
        let provider = self.catalog.get(&client.provider);
        let scheme = provider.and_then(|provider| provider.scheme(&client.auth_scheme)?.oauth2());
        let renamed = scheme.and_then(|oauth2| oauth2.authorization_names.get("state"));
        renamed.filter(|name| !name.is_empty()).map_or("state", String::as_str).to_owned()
    }

    async fn finish_taken(
        self: &Arc<Self>,
        client: &OAuthClient,
        authorization: &Authorization,
        callback: &Callback<'_>,
    ) -> Result<CallbackOutcome, FailedCallback> {
        refuse_others(client, authorization, callback)?;
        let (_, provider, draft) = self.parts_of(authorization).await?;
        let environment = self.environment_settings(&authorization.environment_id).await?;
        if let Some(url) = draft.return_url.as_ref().filter(|_| draft.by_user.is_none()) {
            // The environment may have changed its mind since.
            environment.require_return_url(url, authorization.connect_session.is_none())?;
        }
        // A program may wait on another machine than the browser's, and it asks how the authorization does anyway.
        let page = draft.page(&environment);
        let come_back = |parameter: (&str, &str)| {
            let parameters = [("authorization", authorization.id.as_str()), parameter];
            with_parameters(page?, &parameters)
        };
        let outcome = |handover| CallbackOutcome {
            id: authorization.id.clone(),
            name: draft.name.clone(),
            provider: Arc::clone(&provider),
            return_url: come_back(("linked", "true")),
            handover,
        };
        let scheme = scheme_of(&provider, &draft.auth_scheme)?;
        let remembered = self.remembered(authorization).await?.open()?;
        let answer =
            Answer { parameters: callback.parameters.clone(), public_url: callback.public_url.to_owned() };
        let finished = async {
            check_answer(scheme, &remembered, &answer)?;
            // What was decided since counts as well.
            if draft.is_confirmed || environment.confirm_authorizations {
                let is_known = self.expected_user(authorization, &draft).await?.is_some();
                let of_session = authorization.connect_session.is_some();
                if draft.by_user.is_none() {
                    environment.require_confirmable(draft.return_url.as_deref(), of_session, is_known)?;
                }
                let handover = self
                    .wait_for_confirmation(authorization, &draft, environment, &remembered, &answer)
                    .await?;
                return Ok(outcome(Some(handover)));
            }
            let linked = self.link_unconfirmed(authorization, remembered, answer).await?;
            linked.map_err(|report| report.as_problem(ProblemKind::TestFailed))?;
            Ok(outcome(None))
        };
        finished.await.map_err(|problem: Problem| {
            let return_url = come_back(("error", problem.code));
            FailedCallback { problem, return_url }
        })
    }

    /// Keeps the vendor's answer until somebody confirms whose account it is about.
    async fn wait_for_confirmation(
        &self,
        authorization: &Authorization,
        draft: &WaitingDraft,
        environment: EnvironmentSettings,
        remembered: &Credentials,
        answer: &Answer,
    ) -> Result<Handover, Problem> {
        let (proof, proof_hash) = new_proof(&*self.random)?;
        let is_for_program = draft.is_for_program(&environment);
        let is_told_a_code = draft.is_told_a_code(authorization, &environment);
        let code = if is_told_a_code { Some(new_code(&*self.random)?) } else { None };
        let mut kept = answer.beside(builder_of(remembered));
        if let Some(code) = &code {
            kept = kept.value(CODE, code.expose_secret());
        }
        let place = Place { version: authorization.sealed_version + 1, ..place_of(authorization) };
        let sealed = self.safe.seal(&self.store, place, &kept.build()).await?;
        let step = AuthorizationStep {
            environment_id: authorization.environment_id.clone(),
            id: authorization.id.clone(),
            from: &[AuthorizationStage::Answered],
            stage: AuthorizationStage::Unconfirmed,
            started: None,
            proof_hash: Some(proof_hash),
            sealed: Some((sealed.sealed, sealed.place.version, sealed.place.hosts)),
            outcome: Json::Null,
            expires_at: Some(self.now().plus(STEP_LIFE)),
        };
        let mut changes = vec![Change::StepAuthorization(step)];
        if draft.from_message {
            changes.push(news_of_unconfirmed(authorization));
        }
        // Clients of the compatible API close the window as soon as they are told; its page needs a moment before that.
        changes.extend(told(authorization, draft, true, self.now().plus(super::HANDOVER_TIME)));
        self.commit(&changes).await?;
        let parameters = [("authorization", authorization.id.as_str()), ("proof", proof.expose_secret())];
        let onward = draft.return_url.as_deref().and_then(|url| with_parameters(url, &parameters));
        let onward = onward.map(SecretString::from);
        Ok(Handover {
            authorization: authorization.id.clone(),
            origins: environment.allowed_origins,
            onward: onward.map(|url| if is_for_program { Onward::Program(url) } else { Onward::Page(url) }),
            proof,
            code,
        })
    }

    /// What an authorization keeps sealed.
    pub(super) async fn remembered(
        &self,
        authorization: &Authorization,
    ) -> Result<SealedCredentials, Problem> {
        let sealed: Sealed = authorization.sealed.clone().ok_or_else(state_unknown)?;
        self.safe.stored(&self.store, place_of(authorization), sealed).await
    }

    /// Ends an authorization that has come to nothing at this stage, and tells why. One that somebody else has taken further
    /// meanwhile is theirs.
    pub(super) async fn fail(
        &self,
        authorization: &Authorization,
        at: AuthorizationStage,
        problem: &Problem,
    ) {
        let step = AuthorizationStep {
            environment_id: authorization.environment_id.clone(),
            id: authorization.id.clone(),
            from: match at {
                AuthorizationStage::Unconfirmed => &[AuthorizationStage::Unconfirmed],
                _ => &[AuthorizationStage::Answered],
            },
            stage: AuthorizationStage::Failed,
            started: None,
            proof_hash: None,
            sealed: None,
            outcome: json!({ "code": problem.code, "what": problem.what, "fix": problem.fix }),
            expires_at: None,
        };
        // It cannot go on in any case: an answer is taken once.
        let mut changes = vec![Change::StepAuthorization(step)];
        changes.extend(told_of_failure(authorization, problem, self.now()));
        if let Err(problem) = self.commit(&changes).await {
            tracing::warn!(%problem, authorization = %authorization.id, "why an authorization failed could not be written");
        }
        if authorization.socket_hash.is_some() {
            self.hasten_sockets();
        }
    }
}

fn place_of(authorization: &Authorization) -> Place {
    Place {
        environment: authorization.environment_id.clone(),
        purpose: Purpose::Authorization,
        object: authorization.id.to_string(),
        version: authorization.sealed_version,
        hosts: authorization.hosts.clone(),
    }
}

/// Before anything else: the answer came to the address of the client that was asked, in the browser that asked.
fn refuse_others(
    client: &OAuthClient,
    authorization: &Authorization,
    callback: &Callback<'_>,
) -> Result<(), Problem> {
    if authorization.oauth_client != client.id || client.shared_callback != callback.callback.is_none() {
        return Err(not_yours("The answer came to the redirect URI of another OAuth client"));
    }
    let cookie = callback.cookies.get(&cookie_name(&authorization.id)).map(|cookie| hash(cookie));
    let hashes = cookie.zip(authorization.browser_hash.as_ref());
    if hashes.is_some_and(|(given, known)| verify_slices_are_equal(&given, known).is_ok()) {
        return Ok(());
    }
    Err(not_yours("The answer came in another browser than the one that began"))
}

/// A number that differs between connections and stays the same for each.
pub(super) fn spread(id: &tombolo_store::ConnectionId) -> u64 {
    hash(id.as_str()).iter().take(4).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

pub(super) fn not_yours(what: &str) -> Problem {
    let fix = "Begin again from the link, in one browser. If you did not begin this yourself, somebody tried to link your account to theirs.";
    Problem::new(ProblemKind::Forbidden, "authorization_refused", what, fix)
}

fn state_unknown() -> Problem {
    let what = "This answer belongs to no authorization that is under way: it came twice, or too late";
    Problem::new(ProblemKind::Forbidden, "state_unknown", what, "Begin again from the link.")
}
