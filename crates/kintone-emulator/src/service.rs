//! The way of a request through a tenant: faults, gates, limits, credential, endpoint.

use std::sync::Arc;

use http::{HeaderName, StatusCode};
use jiff::Timestamp;

use crate::api::{self, ApiError, Call, Route, Run};
use crate::auth::{Caller, Credential, authenticate, count_login, refuse_at_gate};
use crate::browser;
use crate::http::{Answer, AnswerBody, Parameters, Request, Respond};
use crate::limits::{MAXIMUM_RUNNING, MAXIMUM_TARGET, Running};
use crate::model::Locale;
use crate::respond::{Backend, respond};
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
        let world = &self.world;
        respond(world, &TenantBackend { world, slot: &slot, path: &path }, &request, running).await
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
}

/// A tenant, and the path within it.
struct TenantBackend<'a> {
    world: &'a World,
    slot: &'a TenantSlot,
    path: &'a str,
}

impl Backend for TenantBackend<'_> {
    fn name(&self) -> &str {
        &self.slot.name
    }

    fn path<'a>(&'a self, _: &'a Request) -> &'a str {
        self.path
    }

    fn answer(&self, request: &Request, running: &Running, now: Timestamp) -> Answer {
        if request.path.len() + request.query.len() > MAXIMUM_TARGET {
            return Answer::html(StatusCode::URI_TOO_LONG, "414 URI Too Long", "The address is too long.");
        }
        let certified_user = self.world.certified_user(self.slot, request);
        if let Some(page) = refuse_at_gate(&self.slot.read(), request, certified_user.as_deref()) {
            return page;
        }
        if let Some(page) = browser::answer(self.world, self.slot, request, self.path, now) {
            return page;
        }
        let result = if running.at_start > MAXIMUM_RUNNING {
            Err((ApiError::new("GAIA_TO04", 429), Locale::En))
        } else {
            self.call(request, certified_user.as_deref(), now)
        };
        let answer = result.unwrap_or_else(|(error, locale)| error.answer(locale, &self.world.identifiers));
        with_concurrency(answer, running)
    }

    fn refusal(&self, status: StatusCode, code: Option<&str>, running: &Running) -> Answer {
        let code =
            code.unwrap_or(if status == StatusCode::TOO_MANY_REQUESTS { "GAIA_TO04" } else { "CB_IL02" });
        let id = self.world.identifiers.error_id();
        let body = serde_json::json!({"code": code, "id": id, "message": "A fault was injected."});
        let answer = Answer::json(&body).with_status(status);
        with_concurrency(answer.with_header(HeaderName::from_static("x-cybozu-error"), code), running)
    }
}

impl TenantBackend<'_> {
    /// Finds the endpoint, checks the credential and runs it under the tenant's lock.
    fn call(
        &self,
        request: &Request,
        certified_user: Option<&str>,
        now: Timestamp,
    ) -> Result<Answer, (ApiError, Locale)> {
        let slot = self.slot;
        let method = request.effective_method();
        let found = api::split_guest_space(self.path)
            .and_then(|(path, guest_space)| Ok((api::find(&method, &path)?, guest_space)));
        let (route, guest_space) = found.map_err(|error| (error, Locale::En))?;
        let caller = authenticated(slot, request, route, certified_user, now)?;
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
}

fn authenticated(
    slot: &TenantSlot,
    request: &Request,
    route: &Route,
    certified_user: Option<&str>,
    now: Timestamp,
) -> Result<Caller, (ApiError, Locale)> {
    let credential = Credential::of(request);
    let by_password = matches!(credential, Credential::Password(_));
    let result = authenticate(&slot.read(), credential, route, certified_user, now);
    let counted = match &result {
        Ok(Caller::User(user)) if by_password && user.wrong_passwords > 0 => Some((user.code.clone(), false)),
        Ok(_) => None,
        Err(refused) => refused.wrong_password_of.clone().map(|code| (code, true)),
    };
    if let Some((code, is_wrong)) = counted {
        count_login(&mut slot.write(), &code, is_wrong);
    }
    result.map_err(|refused| (*refused.error, refused.locale))
}

/// Every answer of the service itself tells how many requests run and how many may.
fn with_concurrency(answer: Answer, running: &Running) -> Answer {
    answer
        .with_header(HeaderName::from_static("x-concurrencylimit-limit"), &MAXIMUM_RUNNING.to_string())
        .with_header(HeaderName::from_static("x-concurrencylimit-running"), &running.at_start.to_string())
}
