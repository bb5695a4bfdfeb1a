//! The way of a request through a simulator: fault, host, gate, credential, answer.

use std::sync::Arc;

use http::{HeaderName, StatusCode};
use serde_json::json;
use tombolo_catalog::{AuthScheme, Placement, Provider, SchemeKind};

use super::accepted::{AcceptedCredential, Carried, carried};
use super::refusal;
use super::stages::Played;
use crate::auth::opens;
use crate::faults::{Disturbance, Effect};
use crate::http::{Answer, AnswerBody, Request, Respond};
use crate::limits::{Running, RunningCounter};
use crate::model::BasicGate;
use crate::world::World;

/// Answers what arrives at a simulator's listeners.
pub(super) struct SimulatedService {
    pub(super) provider: Arc<Provider>,
    pub(super) accepted: Vec<AcceptedCredential>,
    pub(super) basic_gate: Option<BasicGate>,
    pub(super) world: Arc<World>,
    pub(super) running: RunningCounter,
}

impl Respond for SimulatedService {
    async fn respond(&self, request: Request) -> Option<http::Response<AnswerBody>> {
        let (now, name) = (self.world.now(), self.provider.id.as_str());
        let running = self.running.enter();
        let disturbance = self.world.faults().next(name, request.method.as_str(), &request.path);
        if !disturbance.latency.is_zero() {
            tokio::time::sleep(disturbance.latency).await;
        }
        let answer = self.answer(&request, &disturbance);
        let status = answer.as_ref().map(|answer| answer.status.as_u16());
        self.world.log().record(now, Some(name), &request, status);
        tracing::debug!(provider = name, method = %request.method, path = request.path, status, "answered");
        Some(self.with_load(answer?, &running).into_response(disturbance.body_fault(), Some(running)))
    }
}

impl SimulatedService {
    /// The answer, or `None` when the connection is to be closed.
    fn answer(&self, request: &Request, disturbance: &Disturbance) -> Option<Answer> {
        match &disturbance.effect {
            // A simulator holds nothing that a request could change, so the two are the same.
            Some(Effect::DropConnection | Effect::DropAnswer) => None,
            Some(Effect::Maintenance) => Some(Answer::maintenance()),
            Some(Effect::Status { status, code, html }) => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Some(match html {
                    Some(html) => Answer::new(status, "text/html;charset=utf-8", html.clone()),
                    None => self.error(status, code.as_deref(), "A fault was injected."),
                })
            }
            _ => Some(self.undisturbed(request)),
        }
    }

    fn undisturbed(&self, request: &Request) -> Answer {
        if !request.host().is_some_and(|host| self.knows_host(&host)) {
            return Answer::html(StatusCode::NOT_FOUND, "404 Not Found", "Nobody of this name is here.");
        }
        if self.basic_gate.as_ref().is_some_and(|gate| !opens(gate, request)) {
            return Answer::basic_gate();
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
            match carried(scheme, &self.accepted, request) {
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
            self.provider.auth.iter().any(|scheme| {
                matches!(&scheme.kind, SchemeKind::ApiKey { placement: Placement::Query(known), .. } if known == name)
            })
        };
        let pairs = url::form_urlencoded::parse(request.query.as_bytes()).into_owned();
        pairs.filter(|(name, _)| !is_key(name)).collect()
    }

    fn error(&self, status: StatusCode, code: Option<&str>, message: &str) -> Answer {
        let id = self.world.identifiers.error_id();
        refusal::error(&self.provider, status, code, message, &id)
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
