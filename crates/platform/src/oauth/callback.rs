//! The way back from the vendor, and the confirmation of whose account it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tombolo_auth::{Credentials, Grant};
use tombolo_catalog::Provider;
use tombolo_store::{
    Authorization, AuthorizationId, AuthorizationStage, AuthorizationStep, Change, Health, IntegrationId,
    NewConnection, OAuthClient, Object, Target, Timestamp, TokenLife,
};
use tombolo_vault::{HostSet, Sealed};

use super::authorization::{VERIFIER, WaitingDraft, cookie_name, oauth2_of, redirect_uri};
use super::exchange::{Client, Exchange, life_of};
use super::{STEP_LIFE, hash};
use crate::access::{Access, Scope};
use crate::connection_test::{self, TestReport};
use crate::connections::{CreatedConnection, all_settings, health_detail};
use crate::credentials::{Place, Purpose, SealedCredentials, api_host};
use crate::integrations::IntegrationDraft;
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind};
use crate::proxy::{Freshness, Learned, Plan, PlanSource, origin, route_options};

/// What a browser brings back from the vendor.
pub struct Callback<'a> {
    /// The last part of the address that it came to.
    pub callback: &'a str,
    /// The query.
    pub parameters: &'a BTreeMap<String, String>,
    /// Its cookies, by name without a prefix.
    pub cookies: &'a BTreeMap<String, String>,
    /// How this server is reached.
    pub public_url: &'a str,
}

/// What came of it.
pub struct CallbackOutcome {
    /// The authorization, which now waits for its confirmation.
    pub id: AuthorizationId,
    /// What the connection will be called.
    pub name: String,
    /// The provider.
    pub provider: Arc<Provider>,
}

/// What is kept between the vendor's answer and the confirmation.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Confirmable {
    expires_at: Option<i64>,
    renew_at: Option<i64>,
    tested_at: i64,
    health_detail: Json,
    config: BTreeMap<String, String>,
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
        let client = self.store.oauth_client_of_callback(callback.callback).await?.ok_or_else(|| {
            Problem::not_found("unknown_callback", "There is no OAuth client with this redirect URI")
        })?;
        let state = callback.parameters.get("state").map(String::as_str).unwrap_or_default();
        let taken = self.store.take_authorization(&hash(state), self.now()).await?;
        let authorization = taken.ok_or_else(state_unknown)?;
        match self.prove(&client, &authorization, &callback).await {
            Ok((proved, draft, provider)) => {
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
                self.commit(&[Change::StepAuthorization(step)]).await?;
                Ok(CallbackOutcome { id: authorization.id, name: draft.name, provider })
            }
            Err(problem) => {
                self.fail(&authorization, &problem).await;
                Err(problem)
            }
        }
    }

    /// Makes the connection of an authorization, once: whoever made the link says that the account is of the person whom
    /// the link was for.
    pub async fn confirm_authorization(
        self: &Arc<Self>,
        access: &Access,
        id: &str,
    ) -> Result<CreatedConnection, Problem> {
        access.require(Scope::CreateConnection)?;
        let id = id.parse::<AuthorizationId>().map_err(|_| not_to_confirm())?;
        let authorization = self.find_authorization(access, &id).await?;
        if authorization.stage != AuthorizationStage::Unconfirmed || authorization.expires_at <= self.now() {
            return Err(not_to_confirm());
        }
        let (client, provider, draft) = self.parts_of(&authorization).await?;
        let kept: Confirmable =
            serde_json::from_value(authorization.outcome.clone()).map_err(|_| not_to_confirm())?;
        let outcome = match self.link(access, &authorization, &client, &provider, &draft, &kept).await {
            // Another confirmation made the integration since it was looked for.
            Err(problem) if problem.code == "unique_key_taken" && draft.connection_id.is_none() => {
                self.link(access, &authorization, &client, &provider, &draft, &kept).await
            }
            outcome => outcome,
        };
        match outcome {
            Err(problem) if problem.code == "version_conflict" => return Err(not_to_confirm()),
            outcome => outcome?,
        }
        let id = authorization.connection.as_str();
        let (connection, integration) = self.find_connection(&access.environment, None, id).await?;
        Ok(CreatedConnection { connection, integration, report: None })
    }

    /// The end of an authorization and the connection that it makes, in one act.
    async fn link(
        &self,
        access: &Access,
        authorization: &Authorization,
        client: &OAuthClient,
        provider: &Provider,
        draft: &WaitingDraft,
        kept: &Confirmable,
    ) -> Result<(), Problem> {
        let (integration_id, made) = self.integration_of(access, provider, &draft.integration).await?;
        // First, so that whoever confirms second is told just that.
        let mut changes = vec![Change::StepAuthorization(AuthorizationStep {
            environment_id: authorization.environment_id.clone(),
            id: authorization.id.clone(),
            from: &[AuthorizationStage::Unconfirmed],
            stage: AuthorizationStage::Linked,
            started: None,
            sealed: None,
            outcome: json!({ "connection": authorization.connection.as_str() }),
            expires_at: None,
        })];
        changes.extend(made);
        changes.push(Change::InsertConnection(new_connection(
            authorization,
            client,
            integration_id,
            draft.clone(),
            kept.clone(),
        )));
        let object = Object {
            kind: "connection".into(),
            id: authorization.connection.to_string(),
            label: draft.name.clone(),
        };
        let detail = json!({
            "provider": provider.id, "integration": draft.integration, "auth_scheme": draft.auth_scheme,
            "authorization": authorization.id.as_str(),
        });
        changes.extend(events(access, "connection.created", object, detail, true));
        self.commit(&changes).await.map(drop)
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
        let oauth2 = oauth2_of(&provider, &draft.auth_scheme)?;
        let code = code_of(oauth2.issuer.as_deref(), callback)?;
        let remembered = self.remembered(authorization).await?.open()?;
        let hosts = self.token_hosts(&provider, oauth2, &draft.config)?;
        let settings = all_settings(&provider, draft.settings.clone(), &draft.config);
        let now = self.now();
        let exchange = Exchange {
            provider: &provider,
            oauth2,
            config: &draft.config,
            hosts: &hosts,
            options: route_options(&settings)?,
            client: Client::Ours(client),
            grant: Grant::AuthorizationCode {
                code,
                redirect_uri: &redirect_uri(callback.public_url, client),
                verifier: remembered.value(VERIFIER).filter(|_| oauth2.pkce),
            },
            previous: None,
        };
        let tokens = self.exchange(exchange).await.map_err(super::exchange::Unanswered::into_problem)?;
        let mut config = draft.config.clone();
        config.extend(tokens.config.clone());
        let (sealed, report) =
            self.tested(authorization, &provider, &draft, &config, hosts, &tokens.credentials).await?;
        let life = life_of(oauth2, &tokens, now, spread(&authorization.connection));
        let confirmable = Confirmable {
            expires_at: life.expires_at.map(Timestamp::as_milliseconds),
            renew_at: life.renew_at.map(Timestamp::as_milliseconds),
            tested_at: now.as_milliseconds(),
            health_detail: health_detail(Some(&report)),
            config,
        };
        Ok((Proved { sealed, confirmable }, draft, provider))
    }

    /// Seals tokens for the connection that is to be, and tests it; one that cannot be used is a problem.
    async fn tested(
        self: &Arc<Self>,
        authorization: &Authorization,
        provider: &Arc<Provider>,
        draft: &WaitingDraft,
        config: &BTreeMap<String, String>,
        token_hosts: HostSet,
        credentials: &Credentials,
    ) -> Result<(SealedCredentials, TestReport), Problem> {
        let api = origin(&self.egress, provider, config)?;
        let api = api_host(api.host(), api.port())?;
        let place = Place {
            environment: authorization.environment_id.clone(),
            purpose: Purpose::Credentials,
            object: authorization.connection.to_string(),
            version: NewConnection::SEALED_VERSION,
            hosts: token_hosts.iter().chain(api.iter()).cloned().collect(),
        };
        let sealed = self.safe.seal(&self.store, place, credentials).await?;
        let source = PlanSource {
            environment: authorization.environment_id.clone(),
            connection: None,
            connection_id: authorization.connection.to_string(),
            integration: draft.integration.clone(),
            provider: Arc::clone(provider),
            auth_scheme: draft.auth_scheme.clone(),
            config: config.clone(),
            settings: all_settings(provider, draft.settings.clone(), config),
            gates: Vec::new(),
            learned: Learned::default(),
            sealed: sealed.clone(),
            freshness: Freshness::default(),
            refused: false,
        };
        let plan = Arc::new(Plan::compile(source, &self.egress, &self.governors)?);
        let report = connection_test::run(&plan, &self.probe(), &mut |_| {}).await?;
        if report.available {
            return Ok((sealed, report));
        }
        let failed = |what: &str, fix: &str| {
            Problem::new(ProblemKind::TestFailed, "connection_test_failed", what, fix)
        };
        Err(match report.verdict() {
            Some(verdict) => {
                failed(verdict.says.en.trim_end_matches('.'), &verdict.fix.en).on_side(verdict.side)
            }
            None => failed(
                "The connection cannot be used",
                "Begin again, and look at the scopes that you agree to.",
            ),
        })
    }

    async fn remembered(&self, authorization: &Authorization) -> Result<SealedCredentials, Problem> {
        let sealed: Sealed = authorization.sealed.clone().ok_or_else(state_unknown)?;
        let place = Place {
            environment: authorization.environment_id.clone(),
            purpose: Purpose::Authorization,
            object: authorization.id.to_string(),
            version: authorization.sealed_version,
            hosts: HostSet::default(),
        };
        self.safe.stored(&self.store, place, sealed).await
    }

    async fn fail(&self, authorization: &Authorization, problem: &Problem) {
        let step = AuthorizationStep {
            environment_id: authorization.environment_id.clone(),
            id: authorization.id.clone(),
            from: &[AuthorizationStage::Answered],
            stage: AuthorizationStage::Failed,
            started: None,
            sealed: None,
            outcome: json!({ "code": problem.code, "what": problem.what, "fix": problem.fix }),
            expires_at: None,
        };
        // It cannot go on in any case: an answer is taken once.
        if let Err(problem) = self.commit(&[Change::StepAuthorization(step)]).await {
            tracing::warn!(%problem, authorization = %authorization.id, "why an authorization failed could not be written");
        }
    }

    async fn integration_of(
        &self,
        access: &Access,
        provider: &Provider,
        key: &str,
    ) -> Result<(IntegrationId, Vec<Change>), Problem> {
        match self.store.integration(&access.environment, key).await? {
            Some(integration) => Ok((integration.id, Vec::new())),
            None => self.new_integration(access, provider, &IntegrationDraft::of_provider(provider)),
        }
    }
}

/// Before anything else: the answer came to the address of the client that was asked, in the browser that asked.
fn refuse_others(
    client: &OAuthClient,
    authorization: &Authorization,
    callback: &Callback<'_>,
) -> Result<(), Problem> {
    if authorization.oauth_client != client.id {
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
fn code_of<'a>(issuer: Option<&str>, callback: &Callback<'a>) -> Result<&'a str, Problem> {
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
    parameter("code").filter(|code| !code.is_empty()).ok_or_else(|| {
        let what = "The vendor's answer has no code";
        Problem::invalid("no_code", what, "Begin again.")
    })
}

fn new_connection(
    authorization: &Authorization,
    client: &OAuthClient,
    integration_id: IntegrationId,
    draft: WaitingDraft,
    kept: Confirmable,
) -> NewConnection {
    let at = Timestamp::from_milliseconds;
    NewConnection {
        id: authorization.connection.clone(),
        environment_id: authorization.environment_id.clone(),
        integration_id,
        name: draft.name,
        connection_id: draft.connection_id,
        target: Target {
            auth_scheme: draft.auth_scheme,
            config: json!(kept.config),
            gates: json!([]),
            hosts: authorization.hosts.clone(),
            oauth_client: Some(client.id.clone()),
        },
        sealed: authorization.sealed.clone(),
        life: TokenLife { expires_at: kept.expires_at.map(at), renew_at: kept.renew_at.map(at) },
        settings: json!(draft.settings),
        health: Health::Available,
        health_detail: kept.health_detail,
        last_tested_at: Some(at(kept.tested_at)),
        tags: draft.tags,
        metadata: draft.metadata,
        end_user: None,
        webhook_url: None,
    }
}

/// A number that differs between connections and stays the same for each.
pub(super) fn spread(id: &tombolo_store::ConnectionId) -> u64 {
    hash(id.as_str()).iter().take(4).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn not_yours(what: &str) -> Problem {
    let fix = "Begin again from the link, in one browser. If you did not begin this yourself, somebody tried to link your account to theirs.";
    Problem::new(ProblemKind::Forbidden, "authorization_refused", what, fix)
}

fn state_unknown() -> Problem {
    let what = "This answer belongs to no authorization that is under way: it came twice, or too late";
    Problem::new(ProblemKind::Forbidden, "state_unknown", what, "Begin again from the link.")
}

fn not_to_confirm() -> Problem {
    let what =
        "There is nothing to confirm: it was confirmed, it is too old, or the person has not come back yet";
    Problem::new(ProblemKind::Conflict, "nothing_to_confirm", what, "Look at the state of the authorization.")
}
