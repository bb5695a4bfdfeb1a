//! The way of a request through a tenant: faults, gates, limits, credential, endpoint.

use std::sync::Arc;

use http::{HeaderName, Method, StatusCode};
use jiff::Timestamp;

use crate::api::{self, ApiError, Call, Route, Run};
use crate::auth::{Caller, Credential, WRONG_PASSWORDS_BEFORE_LOCK, authenticate, refuse_at_gate};
use crate::faults::{Disturbance, Effect};
use crate::http::{Answer, AnswerBody, Parameters, Request, Respond};
use crate::limits::{MAXIMUM_RUNNING, MAXIMUM_TARGET, Running};
use crate::model::{Locale, UserCondition};
use crate::world::{TenantSlot, World};

/// Answers what arrives at the service's own listeners.
pub(crate) struct Service {
    world: Arc<World>,
}

impl Respond for Service {
    async fn respond(&self, request: Request) -> Option<http::Response<AnswerBody>> {
        let now = self.world.now();
        let (slot, path) = self.tenant(&request);
        let Some(slot) = slot else {
            let answer = Answer::text(StatusCode::NOT_FOUND, "Not Found");
            self.world.log().record(now, None, &request, Some(answer.status.as_u16()));
            return Some(answer.into_response(None, None));
        };
        let running = slot.running.enter();
        let disturbance = self.world.faults().next(&slot.name, request.method.as_str(), &path);
        if !disturbance.latency.is_zero() {
            tokio::time::sleep(disturbance.latency).await;
        }
        let answer = self.answer(&slot, &request, &path, &disturbance, &running, now);
        let status = answer.as_ref().map(|answer| answer.status.as_u16());
        self.world.log().record(now, Some(&slot.name), &request, status);
        tracing::debug!(tenant = slot.name, method = %request.method, path, status, "answered");
        Some(answer?.into_response(disturbance.body_fault(), Some(running)))
    }
}

impl Service {
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    /// The tenant of a request by its path `/t/{tenant}/…` or by its host, and the path within the tenant.
    fn tenant(&self, request: &Request) -> (Option<Arc<TenantSlot>>, String) {
        if let Some(rest) = request.path.strip_prefix("/t/") {
            let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
            return (self.world.tenant(name), format!("/{path}"));
        }
        let slot = request.host().and_then(|host| self.world.tenant_of_host(&host));
        (slot, request.path.clone())
    }

    /// The answer, or `None` when the connection is to be closed.
    fn answer(
        &self,
        slot: &TenantSlot,
        request: &Request,
        path: &str,
        disturbance: &Disturbance,
        running: &Running,
        now: Timestamp,
    ) -> Option<Answer> {
        let injected = match &disturbance.effect {
            Some(Effect::DropConnection) => return None,
            Some(Effect::Maintenance) => Some(Answer::maintenance()),
            Some(Effect::Status { status, code, html }) => {
                Some(self.injected(*status, code.as_deref(), html.as_deref()))
            }
            _ => None,
        };
        if let Some(answer) = injected {
            let is_json = !matches!(
                disturbance.effect,
                Some(Effect::Maintenance | Effect::Status { html: Some(_), .. })
            );
            return Some(if is_json { with_concurrency(answer, running) } else { answer });
        }
        if request.path.len() + request.query.len() > MAXIMUM_TARGET {
            return Some(Answer::html(
                StatusCode::URI_TOO_LONG,
                "414 URI Too Long",
                "The address is too long.",
            ));
        }
        if let Some(page) = refuse_at_gate(&slot.read(), request) {
            return Some(page);
        }
        let result = if running.at_start > MAXIMUM_RUNNING {
            Err((ApiError::new("GAIA_TO04", 429), Locale::En))
        } else {
            self.call(slot, request, path, now)
        };
        let answer = result.unwrap_or_else(|(error, locale)| error.answer(locale, &self.world.identifiers));
        match disturbance.effect {
            Some(Effect::DropAnswer) => None,
            _ => Some(with_concurrency(answer, running)),
        }
    }

    fn injected(&self, status: u16, code: Option<&str>, html: Option<&str>) -> Answer {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(html) = html {
            return Answer::new(status, "text/html;charset=utf-8", html.to_owned());
        }
        let code =
            code.unwrap_or(if status == StatusCode::TOO_MANY_REQUESTS { "GAIA_TO04" } else { "CB_IL02" });
        let id = self.world.identifiers.error_id();
        let body = serde_json::json!({"code": code, "id": id, "message": "A fault was injected."});
        Answer::json(&body).with_status(status).with_header(HeaderName::from_static("x-cybozu-error"), code)
    }

    /// Finds the endpoint, checks the credential and runs it under the tenant's lock.
    fn call(
        &self,
        slot: &TenantSlot,
        request: &Request,
        path: &str,
        now: Timestamp,
    ) -> Result<Answer, (ApiError, Locale)> {
        let method = request.effective_method();
        let (route, guest_space) = find_route(&method, path).map_err(|error| (error, Locale::En))?;
        let caller = Self::authenticated(slot, request, route, now)?;
        let locale = caller.locale();
        let parameters = match route.run {
            Run::Upload(_) => Ok(Parameters::default()),
            _ => Parameters::read(request, &method),
        };
        let call = Call {
            caller: &caller,
            parameters: parameters.map_err(|error| (error, locale))?,
            guest_space,
            now,
            request,
            slot,
            identifiers: &self.world.identifiers,
        };
        let result = match route.run {
            Run::Read(run) => run(&slot.read(), &call),
            Run::Write(run) | Run::Upload(run) => run(&mut slot.write(), &call),
        };
        result.map_err(|error| (error, locale))
    }

    fn authenticated(
        slot: &TenantSlot,
        request: &Request,
        route: &Route,
        now: Timestamp,
    ) -> Result<Caller, (ApiError, Locale)> {
        let credential = Credential::of(request);
        let result = authenticate(&slot.read(), credential, route.accepts, now);
        let wrong = match &result {
            Ok(Caller::User(user)) if user.wrong_passwords == 0 => None,
            Ok(Caller::User(user)) => Some((user.code.clone(), 0)),
            Ok(_) => None,
            Err(refused) => refused.wrong_password_of.clone().map(|code| (code, 1)),
        };
        if let Some((code, more)) = wrong {
            let mut tenant = slot.write();
            if let Some(user) = tenant.users.iter_mut().find(|user| user.code == code) {
                user.wrong_passwords = if more == 0 { 0 } else { user.wrong_passwords + more };
                if user.wrong_passwords >= WRONG_PASSWORDS_BEFORE_LOCK {
                    user.condition = UserCondition::Locked;
                }
            }
        }
        result.map_err(|refused| (*refused.error, refused.locale))
    }
}

/// The endpoint of a path, and the guest space that the path names. A known path with another method is an
/// illegal request; an unknown path is not found.
fn find_route(method: &Method, path: &str) -> Result<(&'static Route, Option<u64>), ApiError> {
    let (base, guest_space) = match path.strip_prefix("/k/guest/").and_then(|rest| rest.split_once('/')) {
        Some((space, rest)) => {
            let space = space.parse().map_err(|_| ApiError::new("CB_IL02", 404))?;
            (format!("/k/{rest}"), Some(space))
        }
        None => (path.to_owned(), None),
    };
    api::find(method, &base).map(|route| (route, guest_space))
}

/// Every answer of the service itself tells how many requests run and how many may.
fn with_concurrency(answer: Answer, running: &Running) -> Answer {
    answer
        .with_header(HeaderName::from_static("x-concurrencylimit-limit"), &MAXIMUM_RUNNING.to_string())
        .with_header(HeaderName::from_static("x-concurrencylimit-running"), &running.at_start.to_string())
}
