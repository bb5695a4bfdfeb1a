//! Tokens of a deleted connection are given back to the vendor (RFC 7009), by a job: a vendor that does not answer keeps
//! nobody from deleting. Until then they are kept sealed, in a place of their own that nothing else reads.

use serde_json::json;
use tombolo_auth::{Credentials, Grant, OAuth2Exchange, OAuthClient, Step};
use tombolo_catalog::{OAuth2, RevokedToken};
use tombolo_store::{
    Actor, ActorKind, Change, ClaimedJob, Connection, NewAuditEvent, NewJob, Object, REVOCATION_JOB,
    Revocation,
};

use super::exchange::{Unanswered, url_of};
use crate::connections::{all_settings, gates_of, place_of, texts};
use crate::credentials::{Place, identity_of};
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};
use crate::proxy::route_options;

/// How often a vendor is asked, with growing pauses between.
const ATTEMPTS: u32 = 6;

impl Platform {
    /// What gives the tokens of a connection back once it is deleted; nothing where the vendor takes none. To be committed
    /// before the deletion, in the same act.
    pub(crate) fn revocation_of(&self, connection: &Connection, provider: &str) -> Vec<Change> {
        match self.giving_back(connection, provider) {
            Some((revocation, job)) => vec![Change::InsertRevocation(revocation), Change::EnqueueJob(job)],
            None => Vec::new(),
        }
    }

    /// The same for tokens that came when the connection had been deleted already: nothing else knows them.
    pub(super) async fn give_back_late(&self, connection: Connection) {
        let integration =
            self.store.integration_by_id(&connection.environment_id, &connection.integration_id).await;
        let Ok(Some(integration)) = integration else { return };
        let Some((revocation, job)) = self.giving_back(&connection, &integration.provider) else { return };
        let changes = [Change::ReplaceRevocation(revocation), Change::EnqueueJob(job)];
        if let Err(problem) = self.commit(&changes).await {
            tracing::warn!(connection = %connection.id, %problem, "tokens of a deleted connection are not given back");
        }
    }

    /// What is kept, and the job. Of a restored database nothing is given back: if it is a copy, that would end the tokens
    /// of the original.
    fn giving_back(&self, connection: &Connection, provider: &str) -> Option<(Revocation, NewJob)> {
        let known = self.known_provider(provider).ok()?;
        let scheme = known.scheme(&connection.target.auth_scheme).and_then(|scheme| scheme.oauth2());
        let sealed = connection.sealed.as_ref()?;
        scheme?.revocation_url.as_ref()?;
        if connection.restored_at.is_some() {
            return None;
        }
        let Place { environment, version, hosts, .. } = place_of(connection);
        let revocation = Revocation {
            environment_id: environment.clone(),
            connection: connection.id.clone(),
            name: connection.name.clone(),
            provider: provider.to_owned(),
            auth_scheme: connection.target.auth_scheme.clone(),
            oauth_client: connection.target.oauth_client.clone(),
            config: connection.target.config.clone(),
            gates: json!(gates_of(connection)),
            settings: connection.settings.clone(),
            hosts,
            sealed: sealed.clone(),
            sealed_version: version,
        };
        let job = NewJob {
            environment_id: Some(environment),
            kind: REVOCATION_JOB.to_owned(),
            payload: json!({ "connection": connection.id.as_str() }),
            run_at: self.now(),
            max_attempts: ATTEMPTS,
            idempotency_key: Some(format!("{}:{version}", connection.id)),
        };
        Some((revocation, job))
    }

    /// Gives the tokens of a deleted connection back. After the last attempt they are forgotten in any case, and the audit
    /// trail says that the vendor may still honour them.
    pub(crate) async fn revoke(&self, job: &ClaimedJob) -> Result<(), Problem> {
        let environment = job.job.environment_id.as_ref();
        let id = job.job.payload["connection"].as_str().and_then(|id| id.parse().ok());
        let Some((environment, id)) = environment.zip(id) else { return Ok(()) };
        let Some(revocation) = self.store.revocation(environment, &id).await? else { return Ok(()) };
        let outcome = self.give_back(&revocation).await;
        let is_last = job.job.attempts >= job.job.max_attempts;
        let (action, detail) = match &outcome {
            Ok(()) => ("connection.revoked", json!({ "provider": revocation.provider })),
            Err(problem) if is_last => (
                "connection.revocation_failed",
                json!({ "provider": revocation.provider, "code": problem.code, "what": problem.what }),
            ),
            Err(_) => return outcome,
        };
        let actor =
            Actor { kind: ActorKind::System, id: "revocation".to_owned(), label: "revocation".to_owned() };
        let object = Object {
            kind: "connection".into(),
            id: revocation.connection.to_string(),
            label: revocation.name.clone(),
        };
        let event = NewAuditEvent {
            environment_id: Some(environment.clone()),
            actor,
            action: action.to_owned(),
            object,
            detail,
        };
        let forget = Change::DeleteRevocation(environment.clone(), revocation.connection.clone());
        self.commit(&[forget, Change::Audit(event)]).await?;
        outcome
    }

    async fn give_back(&self, revocation: &Revocation) -> Result<(), Problem> {
        let provider = self.known_provider(&revocation.provider)?;
        let scheme = super::authorization::scheme_of(&provider, &revocation.auth_scheme)?;
        let (Some(oauth2), Some(template)) =
            (scheme.oauth2(), scheme.oauth2().and_then(|oauth2| oauth2.revocation_url.as_ref()))
        else {
            return Err(super::authorization::scheme_gone(&revocation.auth_scheme));
        };
        let opened =
            self.safe.stored(&self.store, place_of_revocation(revocation), revocation.sealed.clone());
        let opened = opened.await?.open()?;
        let config = texts(&revocation.config);
        let gates = serde_json::from_value::<Vec<_>>(revocation.gates.clone()).unwrap_or_default();
        let url = url_of(&provider, template, &config, &gates)?;
        let client = match &revocation.oauth_client {
            Some(id) => self.store.oauth_client(&revocation.environment_id, id.as_str()).await?,
            None => None,
        };
        let secret = match &client {
            Some(client) => self.client_secret_for(&provider, client, &url).await?,
            None => None,
        };
        let of_account = |name: &str| opened.value(name);
        let client = match &client {
            Some(client) => OAuthClient {
                id: &client.client_id,
                secret: secret.as_ref().and_then(|secret| secret.value(OAuth2::CLIENT_SECRET)),
            },
            None => OAuthClient {
                id: of_account(OAuth2::CLIENT_ID).unwrap_or_default(),
                secret: of_account(OAuth2::CLIENT_SECRET),
            },
        };
        let Some((token, hint)) = token_of(oauth2, &opened) else { return Ok(()) };
        let exchange = OAuth2Exchange {
            oauth2,
            url: &url,
            client,
            grant: Grant::Revocation { token, hint },
            previous: None,
            config: &config,
            moment: Some(self.moment()?),
            keeps_client: false,
        };
        let Step::Send(request) = exchange.begin() else {
            let what = "The request that gives the token back cannot be written";
            return Err(Problem::new(
                ProblemKind::Unusable,
                "provider_file",
                what,
                "Mend the provider file.",
            ));
        };
        let mut options = route_options(&all_settings(&provider, texts(&revocation.settings), &config))?;
        options.tls.identity = identity_of(&opened)?;
        let sent = self.send_secret(request, &revocation.hosts, &options).await;
        let (status, ..) = sent.map_err(Unanswered::into_problem)?;
        if status.is_success() {
            return Ok(());
        }
        let what = format!("The vendor answered {} as the token was given back", status.as_u16());
        let fix = "End the authorisation in the vendor's own settings.";
        Err(Problem::new(ProblemKind::Upstream, "revocation_refused", what, fix))
    }
}

/// The token that ends the authorisation, if there is one.
fn token_of<'a>(oauth2: &OAuth2, opened: &'a Credentials) -> Option<(&'a str, &'static str)> {
    let access = || Some((opened.value(OAuth2::ACCESS_TOKEN)?, "access_token"));
    match oauth2.revocation.token {
        RevokedToken::AccessToken => access(),
        RevokedToken::RefreshToken => match opened.value(OAuth2::REFRESH_TOKEN) {
            Some(token) => Some((token, "refresh_token")),
            None => access(),
        },
    }
}

fn place_of_revocation(revocation: &Revocation) -> Place {
    Place {
        environment: revocation.environment_id.clone(),
        purpose: crate::credentials::Purpose::Credentials,
        object: revocation.connection.to_string(),
        version: revocation.sealed_version,
        hosts: revocation.hosts.clone(),
    }
}
