//! One proxied call, from a caller's request to the upstream's answer.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use hyper::body::Incoming;
use tombolo_auth::{ApplyError, BodyNeed, Selection as Entries};
use tombolo_catalog::{Explanation, Observation};
use tombolo_egress::{Body, EgressError, EgressErrorKind, Pool, ResponseBody, Retry, Timings};

use super::answer::{Answer, AnswerBody};
use super::body::{OutgoingBody, held, receive};
use super::governor::{Governor, Permit};
use super::headers;
use super::long_url;
use super::path;
use super::plan::Plan;
use super::query;
use super::retry::{Case, Repeated, backoff, is_failure};
use super::selection::Needed;
use crate::access::Access;
use crate::activity::{CallRecord, Recorder};
use crate::oauth::Renewer;
use crate::problem::{Problem, ProblemKind};
use crate::refusals::Refusals;

/// Longest wait for a place among the requests in flight.
const LONGEST_QUEUE: Duration = Duration::from_secs(30);

/// What belongs to one runtime: its connections to upstreams and its log of calls.
#[derive(Clone)]
pub struct Lane {
    /// Kept-alive connections.
    pub pool: Pool,
    /// The log of calls.
    pub recorder: Recorder,
    pub(crate) refusals: Refusals,
    pub(crate) renewer: Renewer,
}

/// What a caller sends.
pub enum CallBody {
    /// Received from a socket.
    Incoming(Incoming),
    /// In memory.
    Full(Bytes),
}

/// A call to be made.
pub struct Call<'a> {
    /// The method.
    pub method: Method,
    /// Path and query as the caller wrote them, without our own prefix.
    pub target: &'a str,
    /// The caller's headers; edited in place.
    pub headers: HeaderMap,
    /// The body.
    pub body: CallBody,
    /// Who calls, for the log.
    pub caller: Option<Access>,
    /// The request's id.
    pub request_id: &'a str,
    /// When the request arrived.
    pub started: Instant,
}

/// Sends a call through a connection. The answer streams; its headers are those of the upstream except the ones for
/// the hop. A problem means that there is no answer of the upstream.
pub async fn send(lane: &Lane, plan: &Arc<Plan>, call: Call<'_>) -> Result<Answer, Problem> {
    // Written into the log when it is dropped, so that a call whose caller goes away is there as well.
    let mut record = lane.recorder.begin(plan, &call);
    let mut renewed = None;
    if plan.freshness.is_over(|| lane.renewer.now()) && !plan.is_refused() {
        renewed = Some(lane.renewer.renewed(plan).await.inspect_err(|problem| record.failed(problem))?);
    }
    let plan = renewed.as_ref().unwrap_or(plan);
    match attempt_all(lane, plan, call, &mut record).await {
        Ok((response, place)) => {
            record.head(response.status());
            Ok(response.map(|body| AnswerBody::new(body, place, record)))
        }
        Err(problem) => {
            record.failed(&problem);
            Err(problem)
        }
    }
}

/// A place among the requests in flight of the host, and among those of the connection, where these are limited.
#[derive(Default)]
pub(crate) struct Place {
    _own: Option<Permit>,
    _host: Option<Permit>,
}

impl Place {
    async fn wait(plan: &Plan) -> Result<Self, Problem> {
        Ok(Self {
            _own: permit(plan.own_governor.as_ref()).await?,
            _host: permit(plan.governor.as_ref()).await?,
        })
    }
}

async fn attempt_all(
    lane: &Lane,
    plan: &Arc<Plan>,
    call: Call<'_>,
    record: &mut CallRecord,
) -> Result<(Response<ResponseBody>, Place), Problem> {
    if plan.is_refused() {
        return Err(credential_refused());
    }
    let (path_text, query) = split_target(call.target);
    path::check(path_text).map_err(|fault| {
        Problem::invalid(
            "path_refused",
            format!("The path cannot be sent: {fault}"),
            "Write the path plainly.",
        )
    })?;
    let own = query.map(|query| query::without(query, &plan.owned_parameters));
    let query = own.as_deref().filter(|own| !own.is_empty() || query == Some(""));
    refuse_unavailable(plan, &call, path_text)?;
    let (request_id, started) = (call.request_id, call.started);
    let mut outgoing =
        Outgoing::prepare(plan, call.method, path_text, query, call.headers, call.body).await?;
    let mut renewed: Option<Arc<Plan>> = None;
    loop {
        let plan = renewed.as_ref().unwrap_or(plan);
        // Waited for anew before each attempt: while a call pauses, its place is for others.
        let place = Place::wait(plan).await?;
        if record.attempts == 0 {
            record.sent(started.elapsed());
        }
        // Again, because another call may have been refused while this one waited for its place.
        if plan.is_refused() {
            return Err(credential_refused());
        }
        let pause = match attempt(lane, plan, &mut outgoing, record).await? {
            Attempted::Answered(response) => return Ok((response, place)),
            Attempted::Stale(response) if renewed.is_some() => return Ok((response, place)),
            Attempted::Stale(response) => {
                let fresher = if plan.freshness.may_be_stale(lane.renewer.now()) {
                    drop(place);
                    lane.renewer.renewed(plan).await?
                } else {
                    match lane.renewer.replaced(plan).await? {
                        Some(fresher) => fresher,
                        None => return Ok((response, place)),
                    }
                };
                renewed = Some(fresher);
                continue;
            }
            Attempted::Again(Repeated::After(asked)) => asked,
            Attempted::Again(Repeated::WithBackoff) => backoff(request_id, record.attempts),
        };
        drop(place);
        tokio::time::sleep(pause).await;
    }
}

/// How an attempt ended.
enum Attempted {
    Answered(Response<ResponseBody>),
    /// The vendor refuses a token that can be renewed: it may be too old, or somebody has renewed it since it was put on;
    /// the call can go out once more.
    Stale(Response<ResponseBody>),
    Again(Repeated),
}

async fn attempt(
    lane: &Lane,
    plan: &Arc<Plan>,
    outgoing: &mut Outgoing<'_>,
    record: &mut CallRecord,
) -> Result<Attempted, Problem> {
    record.attempts += 1;
    let (request, replay) = outgoing.request(plan)?;
    let mut timings = Timings::default();
    let sent = lane.pool.send(&plan.route, request, &mut timings).await;
    record.timings(&timings);
    let is_whole = replay.is_some();
    let retries_left = record.attempts <= plan.retries && is_whole;
    outgoing.body = replay.map_or(OutgoingBody::Gone, OutgoingBody::Full);
    match sent {
        Ok(mut response) => {
            headers::to_downstream(response.headers_mut(), &plan.owned_parameters);
            observe(lane, plan, &response);
            // A call that was not authorised was not carried out, whatever its method.
            let refused = response.status() == StatusCode::UNAUTHORIZED;
            if refused && is_whole && plan.freshness.is_renewable() {
                return Ok(Attempted::Stale(response));
            }
            let again = repeated(lane, plan, outgoing, &response).filter(|_| retries_left);
            Ok(again.map_or(Attempted::Answered(response), Attempted::Again))
        }
        Err(error) => {
            let again = match error.may_retry() {
                Retry::Safe => retries_left,
                Retry::IfIdempotent => retries_left && outgoing.may_repeat(plan),
                Retry::Never => false,
            };
            if again { Ok(Attempted::Again(Repeated::WithBackoff)) } else { Err(upstream_problem(&error)) }
        }
    }
}

/// A request that is ready except for its credential, which is put on last and anew for each attempt.
struct Outgoing<'a> {
    method: Method,
    /// The path as the caller wrote it.
    path: &'a str,
    path_and_query: String,
    headers: HeaderMap,
    body: OutgoingBody,
    entries: Option<Vec<String>>,
}

impl<'a> Outgoing<'a> {
    async fn prepare(
        plan: &Plan,
        method: Method,
        path: &'a str,
        query: Option<&str>,
        mut headers: HeaderMap,
        body: CallBody,
    ) -> Result<Self, Problem> {
        let mut path_and_query = rewrite(plan, &method, path, query)?;
        let has_body = match &body {
            CallBody::Incoming(incoming) => !incoming.is_end_stream(),
            CallBody::Full(bytes) => !bytes.is_empty(),
        };
        let needed = plan.selection.as_ref().map(|selection| {
            selection.by_line(effective_method(&method, &headers), &canonical(plan, path), query)
        });
        headers::to_upstream(&mut headers, &plan.owned_headers, has_body);
        let body_may_tell = matches!(needed, Some(Needed::Undecided { body_may_tell: true }));
        let (mut body, beginning) = match plan.authenticator.needs().body {
            BodyNeed::None => receive(&method, body, body_may_tell).await?,
            BodyNeed::Hash | BodyNeed::Whole => held(body).await?,
        };
        let entries = match (needed, &plan.selection) {
            (Some(needed), Some(selection)) => {
                let needed = match needed {
                    Needed::Undecided { .. } => {
                        let method = effective_method(&method, &headers);
                        selection.by_body(method, &canonical(plan, path), &beginning)
                    }
                    decided @ Needed::Keys(_) => decided,
                };
                match needed {
                    Needed::Keys(keys) if selection.knows_any(&keys) => Some(keys),
                    // Nothing fits, or nothing can be seen: the vendor is asked with everything that it accepts, so
                    // that its own answer says what is wrong.
                    Needed::Keys(_) | Needed::Undecided { .. } => Some(plan.healthy.clone()),
                }
            }
            _ => None,
        };
        let mut outgoing_method = method;
        if let Some(limit) = &plan.provider.limits.long_url
            && let Some(rewritten) = long_url::rewrite(limit, &outgoing_method, &path_and_query, has_body)
        {
            outgoing_method = Method::POST;
            path_and_query = rewritten.path;
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(rewritten.header, HeaderValue::from_static("GET"));
            body = OutgoingBody::Full(rewritten.body);
        }
        Ok(Self { method: outgoing_method, path, path_and_query, headers, body, entries })
    }

    /// The request of one attempt, and its body once more if it can be sent again.
    fn request(&mut self, plan: &Plan) -> Result<(Request<Body>, Option<Bytes>), Problem> {
        let mut headers = self.headers.clone();
        let credentials = plan.sealed.open()?;
        let selection = match &self.entries {
            Some(keys) => Entries::Keys(keys),
            None => Entries::All,
        };
        let meant = effective_method(&self.method, &self.headers);
        let meant = Method::from_bytes(meant.as_bytes()).unwrap_or_else(|_| self.method.clone());
        let known: &[u8] = match &self.body {
            OutgoingBody::Full(bytes) => bytes,
            OutgoingBody::Stream(_) | OutgoingBody::Gone => &[],
        };
        let signing = plan.signing((&self.method, &meant), &self.path_and_query, known)?;
        let applied = plan.authenticator.apply(&credentials, selection, &signing, &mut headers);
        let added = applied.map_err(apply_problem)?;
        let target = match &added.query {
            Some(_) => Bytes::copy_from_slice(added.target(&self.path_and_query).as_bytes()),
            None => Bytes::copy_from_slice(self.path_and_query.as_bytes()),
        };
        let target = PathAndQuery::from_maybe_shared(target).map_err(|_| {
            Problem::invalid(
                "path_refused",
                "The path or query has characters that no URL can carry",
                "Encode them.",
            )
        })?;
        let (body, replay) = match std::mem::replace(&mut self.body, OutgoingBody::Gone) {
            // What the scheme puts into the body is put there anew for each attempt.
            OutgoingBody::Full(bytes) => {
                (Body::full(added.body.unwrap_or_else(|| bytes.clone())), Some(bytes))
            }
            OutgoingBody::Stream(body) => (body, None),
            OutgoingBody::Gone => (Body::empty(), None),
        };
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = Uri::from(target);
        *request.headers_mut() = headers;
        Ok((request, replay))
    }

    /// Whether sending the call twice does no harm.
    fn may_repeat(&self, plan: &Plan) -> bool {
        let method = effective_method(&self.method, &self.headers);
        let idempotent = matches!(method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE" | "TRACE");
        idempotent && !self.is_never_repeated(plan)
    }

    fn is_never_repeated(&self, plan: &Plan) -> bool {
        let method = effective_method(&self.method, &self.headers);
        let path = canonical(plan, self.path);
        plan.provider.retry.never.iter().any(|call| call.matches(method, &path))
    }
}

/// The method that is meant: a POST may stand for a GET that is too long for a URL.
fn effective_method<'a>(method: &'a Method, headers: &'a HeaderMap) -> &'a str {
    match headers.get("x-http-method-override") {
        Some(value) if *method == Method::POST => value.to_str().unwrap_or("POST"),
        _ => method.as_str(),
    }
}

fn split_target(target: &str) -> (&str, Option<&str>) {
    match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    }
}

/// The path and query to send.
fn rewrite(plan: &Plan, method: &Method, path: &str, query: Option<&str>) -> Result<String, Problem> {
    let moved = match &plan.rewrite {
        None => Cow::Borrowed(path),
        Some((rule, prefix)) => rule.apply(prefix, method.as_str(), path).map_err(|refusal| {
            let fix = format!("Call paths below `{}` or `{}`.", rule.from, refusal.allowed);
            Problem::new(ProblemKind::Forbidden, "path_outside", refusal.to_string(), fix)
        })?,
    };
    let length = plan.base_path().len() + moved.len() + query.map_or(0, |query| query.len() + 1);
    let mut target = String::with_capacity(length);
    target.push_str(plan.base_path());
    target.push_str(&moved);
    if let Some(query) = query {
        target.push('?');
        target.push_str(query);
    }
    Ok(target)
}

/// The path as the rules of the provider file know it: not below the prefix of the connection.
fn canonical<'a>(plan: &Plan, path: &'a str) -> Cow<'a, str> {
    match &plan.rewrite {
        None => Cow::Borrowed(path),
        Some((rule, prefix)) => rule.canonical(prefix, path),
    }
}

/// Learns from the head of an answer: how busy the host is, and whether the credential must not be tried again.
fn observe(lane: &Lane, plan: &Arc<Plan>, response: &Response<ResponseBody>) {
    let headers = response.headers();
    if let (Some(governor), Some(limit)) = (&plan.governor, &plan.provider.limits.concurrency) {
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            governor.refused();
        } else if let Some(running) = number(headers, limit.running_header.as_deref()) {
            governor.observe(running, number(headers, limit.limit_header.as_deref()));
        }
    }
    if response.status().is_client_error()
        && plan.locks_out
        && let Some(row) = explain(plan, response).filter(|row| row.stops)
        && !plan.refused.swap(true, Ordering::Relaxed)
    {
        let code = error_code(plan, response.headers());
        lane.refusals.note(plan, row, response.status(), code);
    }
}

/// The row of the provider file that explains an answer, as far as its head tells.
pub(crate) fn explain<'a>(plan: &'a Plan, response: &Response<ResponseBody>) -> Option<&'a Explanation> {
    let code = error_code(plan, response.headers());
    let lines = header_lines(response.headers());
    plan.provider.explain(&Observation {
        stage: "call",
        scheme: &plan.auth_scheme,
        gates: &plan.gates,
        status: Some(response.status().as_u16()),
        code,
        json: is_json(response.headers()),
        headers: &lines,
        network: None,
    })
}

/// Headers as the explanations of a provider file look at them; values that are no text are left out.
pub(crate) fn header_lines(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect()
}

fn error_code<'a>(plan: &Plan, headers: &'a HeaderMap) -> Option<&'a str> {
    let name = plan.provider.error_body.code_header.as_deref()?;
    headers.get(name)?.to_str().ok()
}

pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind == "application/json" || kind.ends_with("+json")
    })
}

fn number(headers: &HeaderMap, name: Option<&str>) -> Option<u32> {
    headers.get(name?)?.to_str().ok()?.trim().parse().ok()
}

/// Whether the answer to a call makes it go out again.
fn repeated(
    lane: &Lane,
    plan: &Plan,
    outgoing: &Outgoing,
    response: &Response<ResponseBody>,
) -> Option<Repeated> {
    if !is_failure(response) || outgoing.is_never_repeated(plan) {
        return None;
    }
    let manners = &plan.provider.retry;
    let nothing_done = error_code(plan, response.headers())
        .is_some_and(|code| manners.nothing_done.iter().any(|known| known == code));
    let now = jiff::Timestamp::from_millisecond(lane.renewer.now().as_milliseconds()).unwrap_or_default();
    let (status, headers) = (response.status(), response.headers());
    let may_repeat = outgoing.may_repeat(plan);
    Case { manners, status, headers, nothing_done, may_repeat, now }.repeated()
}

async fn permit(governor: Option<&Arc<Governor>>) -> Result<Option<Permit>, Problem> {
    let Some(governor) = governor else { return Ok(None) };
    let permit = governor.acquire(LONGEST_QUEUE).await.map_err(|crowded| {
        let fix = "Try again in a moment, or call with fewer requests at the same time.";
        Problem::new(ProblemKind::Unavailable, "host_crowded", crowded.to_string(), fix).retry_after(1)
    })?;
    Ok(Some(permit))
}

/// The vendor would refuse these with a code that says nothing.
fn refuse_unavailable(plan: &Plan, call: &Call<'_>, path: &str) -> Result<(), Problem> {
    if plan.unavailable.is_empty() {
        return Ok(());
    }
    let (method, path) = (effective_method(&call.method, &call.headers), canonical(plan, path));
    match plan.unavailable.iter().find(|row| row.at.matches(method, &path)) {
        None => Ok(()),
        Some(row) => {
            let (what, fix) = (row.says.en.trim_end_matches('.'), row.fix.en.clone());
            Err(Problem::new(ProblemKind::Forbidden, "unavailable_to_scheme", what, fix))
        }
    }
}

fn credential_refused() -> Problem {
    Problem::new(
        ProblemKind::Unusable,
        "credential_refused",
        "The vendor refused the credential of this connection, so it is not sent again",
        "Test the connection, or reconnect it with a new credential. Trying on could lock the account.",
    )
}

fn apply_problem(error: ApplyError) -> Problem {
    let (kind, code) = match error {
        ApplyError::NoEntry => (ProblemKind::Forbidden, "no_entry_for_call"),
        ApplyError::NoRequestToken => (ProblemKind::Forbidden, "no_request_token"),
        ApplyError::Missing | ApplyError::Value => (ProblemKind::Unusable, "credential_unusable"),
        ApplyError::Header => (ProblemKind::Internal, "provider_file"),
        ApplyError::Body => (ProblemKind::Invalid, "body_takes_no_credential"),
    };
    Problem::new(
        kind,
        code,
        error.to_string(),
        "Reconnect the connection with the credential that is needed.",
    )
}

pub(crate) fn upstream_problem(error: &EgressError) -> Problem {
    let kind = match error.kind() {
        EgressErrorKind::HeadTimedOut | EgressErrorKind::BodyTimedOut | EgressErrorKind::ConnectTimedOut => {
            ProblemKind::UpstreamTimeout
        }
        EgressErrorKind::InvalidRequest | EgressErrorKind::RequestBodyFailed => ProblemKind::Invalid,
        _ => ProblemKind::Upstream,
    };
    Problem::new(kind, error.kind().code(), error.what(), error.fix())
}
