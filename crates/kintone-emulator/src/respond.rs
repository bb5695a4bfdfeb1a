//! What happens to a request whatever is played: faults, the answer, the log.

use http::StatusCode;
use jiff::Timestamp;

use crate::faults::{Disturbance, Effect};
use crate::http::{Answer, AnswerBody, Request};
use crate::limits::Running;
use crate::world::World;

/// Something that is played: a tenant of the service, or another provider.
pub(crate) trait Backend {
    /// Its name in faults and in the log.
    fn name(&self) -> &str;
    /// The path that faults go by.
    fn path<'a>(&'a self, request: &'a Request) -> &'a str;
    /// Does what the request asks for.
    fn answer(&self, request: &Request, running: &Running, now: Timestamp) -> Answer;
    /// A refusal that a fault asks for.
    fn refusal(&self, status: StatusCode, code: Option<&str>, running: &Running) -> Answer;
}

/// Answers a request; `None` when the connection is to be closed. Work and log do not wait for an answer that is held
/// back: what a slow answer is about has happened, even when nobody waits for it any more.
pub(crate) async fn respond(
    world: &World,
    backend: &impl Backend,
    request: &Request,
    running: Running,
) -> Option<http::Response<AnswerBody>> {
    let (now, path) = (world.now(), backend.path(request));
    let disturbance = world.faults().next(backend.name(), request.method.as_str(), path);
    let answer = disturbed(&disturbance, backend, request, &running, now);
    let status = answer.as_ref().map(|answer| answer.status.as_u16());
    world.log().record(now, Some(backend.name()), request, status);
    tracing::debug!(backend = backend.name(), method = %request.method, path, status, "answered");
    if !disturbance.latency.is_zero() {
        tokio::time::sleep(disturbance.latency).await;
    }
    Some(answer?.into_response(disturbance.body_fault(), Some(running)))
}

fn disturbed(
    disturbance: &Disturbance,
    backend: &impl Backend,
    request: &Request,
    running: &Running,
    now: Timestamp,
) -> Option<Answer> {
    match &disturbance.effect {
        Some(Effect::DropConnection) => None,
        Some(Effect::DropAnswer) => {
            backend.answer(request, running, now);
            None
        }
        Some(Effect::Maintenance) => Some(Answer::maintenance()),
        Some(effect @ Effect::Status { status, code, .. }) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Some(effect.completed(status, || backend.refusal(status, code.as_deref(), running)))
        }
        Some(Effect::Latency { .. } | Effect::ResetMidBody | Effect::SlowBody { .. }) | None => {
            Some(backend.answer(request, running, now))
        }
    }
}
