//! The way of a request through a simulator: fault, host, gate, credential, answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderName, StatusCode};
use jiff::Timestamp;
use serde_json::json;
use tombolo_catalog::{AuthScheme, Provider};

use super::accepted::{AcceptedCredential, Carried, carried};
use super::logins::Account;
use super::refusal;
use super::stages::Played;
use super::token;
use crate::auth::opens;
use crate::http::{Answer, AnswerBody, Request, Respond};
use crate::limits::{Running, RunningCounter};
use crate::model::BasicGate;
use crate::respond::{Backend, respond};
use crate::world::World;

/// Answers what arrives at a simulator's listeners.
pub(super) struct SimulatedService {
    pub(super) provider: Arc<Provider>,
    pub(super) accepted: Vec<AcceptedCredential>,
    /// The configuration of the sample account.
    pub(super) config: BTreeMap<String, String>,
    pub(super) basic_gate: Option<BasicGate>,
    pub(super) world: Arc<World>,
    pub(super) running: RunningCounter,
}

impl Respond for SimulatedService {
    async fn respond(&self, request: Request) -> Option<http::Response<AnswerBody>> {
        respond(&self.world, self, &request, self.running.enter()).await
    }
}

impl Backend for SimulatedService {
    fn name(&self) -> &str {
        &self.provider.id
    }

    fn path<'a>(&'a self, request: &'a Request) -> &'a str {
        &request.path
    }

    fn answer(&self, request: &Request, running: &Running, _: Timestamp) -> Answer {
        self.with_load(self.undisturbed(request), running)
    }

    fn refusal(&self, status: StatusCode, code: Option<&str>, running: &Running) -> Answer {
        let id = self.world.identifiers.error_id();
        let refusal = refusal::error(&self.provider, status, code, "A fault was injected.", &id);
        self.with_load(refusal, running)
    }
}

impl SimulatedService {
    fn undisturbed(&self, request: &Request) -> Answer {
        if !request.host().is_some_and(|host| self.knows_host(&host)) {
            return Answer::html(StatusCode::NOT_FOUND, "404 Not Found", "Nobody of this name is here.");
        }
        if self.basic_gate.as_ref().is_some_and(|gate| !opens(gate, request)) {
            return Answer::basic_gate();
        }
        if let Some(answer) = token::answer(&self.provider, &self.accepted, &self.config, request) {
            return answer;
        }
        let account = Account {
            provider: &self.provider,
            accepted: &self.accepted,
            config: &self.config,
            world: &self.world,
        };
        if let Some(answer) = account.answer(request) {
            return answer;
        }
        let played = Played::find(&self.provider, request);
        if !played.is_open()
            && let Err(scheme) = self.check_credential(request)
        {
            let id = self.world.identifiers.error_id();
            return refusal::credential(&self.provider, scheme, played.id(), &id);
        }
        if !played.is_empty() {
            return Answer::json(&played.body());
        }
        Answer::json(&json!({
            "method": request.method.as_str(),
            "path": request.path,
            "query": self.visible_query(request),
            "body_size": request.body.len(),
        }))
    }

    /// A host of the provider, or this machine.
    fn knows_host(&self, host: &str) -> bool {
        let is_local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        is_local || self.provider.hosts.iter().any(|pattern| pattern.matches(host))
    }

    /// Whether the request carries an accepted credential; otherwise the scheme by which it is refused: the one that
    /// it tried, or the provider's first. Behind a gate the header `Authorization` is the gate's.
    fn check_credential(&self, request: &Request) -> Result<(), &AuthScheme> {
        let is_open = |scheme: &&AuthScheme| self.basic_gate.is_none() || !scheme.uses_authorization_header();
        let mut tried = None;
        for scheme in self.provider.auth.iter().filter(is_open) {
            match carried(scheme, &self.accepted, &self.config, request) {
                Carried::Accepted => return Ok(()),
                Carried::Wrong => tried = tried.or(Some(scheme)),
                Carried::Nothing => {}
            }
        }
        tried.or(self.provider.auth.first()).map_or(Ok(()), Err)
    }

    /// The query without a key that travels in it.
    fn visible_query(&self, request: &Request) -> Vec<(String, String)> {
        let is_key = |name: &str| {
            self.provider.auth.iter().any(|scheme| scheme.parameters().any(|known| known == name))
        };
        let pairs = url::form_urlencoded::parse(request.query.as_bytes()).into_owned();
        pairs.filter(|(name, _)| !is_key(name)).collect()
    }

    /// Tells how many requests run and how many may, where the provider does so.
    fn with_load(&self, answer: Answer, running: &Running) -> Answer {
        let Some(limit) = &self.provider.limits.concurrency else { return answer };
        let told = [(&limit.running_header, running.at_start), (&limit.limit_header, limit.max as usize)];
        told.into_iter().fold(answer, |answer, (name, number)| {
            match name.as_ref().and_then(|name| name.parse::<HeaderName>().ok()) {
                Some(name) => answer.with_header(name, &number.to_string()),
                None => answer,
            }
        })
    }
}
