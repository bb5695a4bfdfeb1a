//! The way back from the vendor.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde_json::json;
use tombolo_catalog::Provider;
use tombolo_store::{
    Authorization, AuthorizationId, AuthorizationStage, AuthorizationStep, Change, NewConnection,
    OAuthClient, Timestamp,
};
use tombolo_vault::Sealed;

use super::agreement::{Agreement, Arrival};
use super::authorization::{WaitingDraft, cookie_name, of_gates, scheme_of};
use super::exchange::life_of;
use super::linking::{Confirmable, ended_session, told, told_of_failure};
use super::testing::TokensToTest;
use super::{STEP_LIFE, hash};
use crate::credentials::{Place, Purpose, SealedCredentials};
use crate::health::health_detail;
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
    /// Whether somebody has to confirm it first.
    pub is_pending: bool,
}

/// Tokens that passed their test.
struct Proved {
    sealed: SealedCredentials,
    confirmable: Confirmable,
}

impl Platform {
    /// Takes the vendor's answer. The code is exchanged only for the browser that began, at the address of the client that
    /// it began with, and once; whatever goes wrong ends the authorization. The account is tested, and then waits for
    /// [`Platform::confirm_authorization`]: a link can be forwarded, so only whoever made it can say whose account it is.
    pub async fn finish_authorization(
        self: &Arc<Self>,
        callback: Callback<'_>,
    ) -> Result<CallbackOutcome, Problem> {
        let state = callback.parameters.get("state").map(String::as_str).unwrap_or_default();
        let take = async || {
            let taken = self.store.take_authorization(&hash(state), self.now()).await?;
            taken.ok_or_else(state_unknown)
        };
        // An address that belongs to one client says which one before anything is taken.
        let (client, authorization) = if let Some(own) = callback.callback {
            let client = self.store.oauth_client_of_callback(own).await?.ok_or_else(|| {
                Problem::not_found("unknown_callback", "There is no OAuth client with this redirect URI")
            })?;
            (client, take().await?)
        } else {
            let authorization = take().await?;
            let (client, ..) = self.parts_of(&authorization).await?;
            (client, authorization)
        };
        let finished = match self.prove(&client, &authorization, &callback).await {
            Ok((proved, draft, provider)) => {
                let is_pending = draft.is_confirmed;
                let step = AuthorizationStep {
                    environment_id: authorization.environment_id.clone(),
                    id: authorization.id.clone(),
                    from: &[AuthorizationStage::Answered],
                    stage: AuthorizationStage::Unconfirmed,
                    started: None,
                    sealed: Some((
                        proved.sealed.sealed,
                        proved.sealed.place.version,
                        proved.sealed.place.hosts,
                    )),
                    outcome: json!(proved.confirmable),
                    expires_at: Some(self.now().plus(STEP_LIFE)),
                };
                let mut changes = vec![Change::StepAuthorization(step)];
                changes.extend(ended_session(&authorization));
                if is_pending {
                    changes.extend(told(&authorization, &draft, is_pending));
                }
                let committed = self.commit(&changes).await;
                let linked = match committed {
                    Ok(_) if !is_pending => self.link_unconfirmed(&authorization).await,
                    other => other.map(drop),
                };
                let outcome =
                    CallbackOutcome { id: authorization.id.clone(), name: draft.name, provider, is_pending };
                linked.map(|()| outcome)
            }
            Err(problem) => Err(problem),
        };
        if let Err(problem) = &finished {
            self.fail(&authorization, problem).await;
        }
        if authorization.socket_hash.is_some() {
            self.hasten_sockets();
        }
        finished
    }

    /// Exchanges the code and tests what it yields.
    async fn prove(
        self: &Arc<Self>,
        client: &OAuthClient,
        authorization: &Authorization,
        callback: &Callback<'_>,
    ) -> Result<(Proved, WaitingDraft, Arc<Provider>), Problem> {
        refuse_others(client, authorization, callback)?;
        let (_, provider, draft) = self.parts_of(authorization).await?;
        let scheme = scheme_of(&provider, &draft.auth_scheme)?;
        let remembered = self.remembered(authorization).await?.open()?;
        let public_url = callback.public_url;
        let of_gates = of_gates(&remembered, &draft.gates).build();
        let agreement =
            Agreement { provider: &provider, scheme, client, draft: &draft, public_url, of_gates: &of_gates };
        let now = self.now();
        let Arrival { tokens, config, hosts } = self.arrive(&agreement, &remembered, callback).await?;
        let (sealed, report) = self
            .tested_tokens(TokensToTest {
                environment: &authorization.environment_id,
                connection: &authorization.connection,
                version: authorization.links_again.unwrap_or_default() + NewConnection::SEALED_VERSION,
                integration: &draft.integration,
                provider: &provider,
                auth_scheme: &draft.auth_scheme,
                settings: &draft.settings,
                config: &config,
                gates: &draft.gates,
                token_hosts: hosts,
                credentials: &tokens.credentials,
            })
            .await?;
        let life = life_of(scheme, &tokens, now, spread(&authorization.connection));
        let confirmable = Confirmable {
            expires_at: life.expires_at.map(Timestamp::as_milliseconds),
            renew_at: life.renew_at.map(Timestamp::as_milliseconds),
            ends_at: life.ends_at.map(Timestamp::as_milliseconds),
            tested_at: now.as_milliseconds(),
            health_detail: health_detail(Some(&report)),
            config,
        };
        Ok((Proved { sealed, confirmable }, draft, provider))
    }

    /// What an authorization keeps sealed until the vendor answers.
    pub(super) async fn remembered(
        &self,
        authorization: &Authorization,
    ) -> Result<SealedCredentials, Problem> {
        let sealed: Sealed = authorization.sealed.clone().ok_or_else(state_unknown)?;
        let place = Place {
            environment: authorization.environment_id.clone(),
            purpose: Purpose::Authorization,
            object: authorization.id.to_string(),
            version: authorization.sealed_version,
            hosts: authorization.hosts.clone(),
        };
        self.safe.stored(&self.store, place, sealed).await
    }

    async fn fail(&self, authorization: &Authorization, problem: &Problem) {
        let step = AuthorizationStep {
            environment_id: authorization.environment_id.clone(),
            id: authorization.id.clone(),
            from: &[AuthorizationStage::Answered, AuthorizationStage::Unconfirmed],
            stage: AuthorizationStage::Failed,
            started: None,
            sealed: None,
            outcome: json!({ "code": problem.code, "what": problem.what, "fix": problem.fix }),
            expires_at: None,
        };
        // It cannot go on in any case: an answer is taken once.
        let mut changes = vec![Change::StepAuthorization(step)];
        changes.extend(told_of_failure(authorization, problem));
        if let Err(problem) = self.commit(&changes).await {
            tracing::warn!(%problem, authorization = %authorization.id, "why an authorization failed could not be written");
        }
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

/// The code, unless the vendor or the person said no, or somebody else answered in the vendor's place (RFC 9207).
pub(super) fn code_of<'a>(
    issuer: Option<&str>,
    name: &str,
    callback: &Callback<'a>,
) -> Result<&'a str, Problem> {
    let parameter = |name: &str| callback.parameters.get(name).map(String::as_str);
    if let (Some(expected), Some(given)) = (issuer, parameter("iss"))
        && expected != given
    {
        return Err(not_yours("The answer came from another vendor than the one that was asked"));
    }
    if let Some(error) = parameter("error") {
        let error: String = error.chars().filter(|char| !char.is_control()).take(100).collect();
        let what = format!("The vendor did not authorise the connection ({error})");
        let fix = "Begin again, and agree on the vendor's page.";
        return Err(Problem::new(ProblemKind::Forbidden, "authorization_denied", what, fix));
    }
    parameter(name).filter(|code| !code.is_empty()).ok_or_else(|| {
        let what = "The vendor's answer has no code";
        Problem::invalid("no_code", what, "Begin again.")
    })
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
