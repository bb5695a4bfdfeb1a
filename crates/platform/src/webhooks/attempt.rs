//! One attempt: one request, and what its answer means.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri};
use http_body_util::BodyExt as _;
use tombolo_egress::{Body, EgressError, Pool, ResponseBody, Route, RouteOptions, TimeOuts, Timings};
use tombolo_store::{Timestamp, WebhookAttempt};

use super::signature::Signer;
use crate::platform::Platform;

/// How long is waited for the beginning of the body, which changes nothing about the outcome.
const BODY_PATIENCE: Duration = Duration::from_secs(2);
/// How much of the answer is kept.
const ANSWER_BYTES: usize = 1024;

/// Where a delivery goes, ready to be sent to.
pub(super) struct Target {
    route: Arc<Route>,
    path: Uri,
}

impl Target {
    pub(super) fn route(&self) -> &Route {
        &self.route
    }
}

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// 2xx: the receiver has it.
    Delivered,
    /// 3xx: redirects are not followed, because they would lead past the checks of the address.
    Redirected,
    /// 410: the receiver wants nothing more.
    Gone,
    /// 429 or 503: not now.
    Busy,
    /// Another answer that is no yes.
    Refused,
    /// The address may not be sent to.
    AddressRefused,
    /// There is no answer.
    Unreachable,
    /// There is no answer in time.
    TimedOut,
}

impl Outcome {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Redirected => "redirected",
            Self::Gone => "gone",
            Self::Busy => "busy",
            Self::Refused => "refused",
            Self::AddressRefused => "address_refused",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
        }
    }

    fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::GONE => Self::Gone,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Self::Busy,
            status if status.is_success() => Self::Delivered,
            status if status.is_redirection() => Self::Redirected,
            _ => Self::Refused,
        }
    }
}

/// An attempt that was made.
pub(super) struct Attempted {
    pub(super) outcome: Outcome,
    pub(super) note: WebhookAttempt,
    /// When the receiver asked to be left alone, for how long.
    pub(super) retry_after: Option<Duration>,
}

/// What is sent.
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: Bytes,
    /// The number of this attempt.
    pub(super) number: u32,
}

impl Platform {
    /// Prepares an address; the sentence says why it may not be sent to.
    pub(super) fn webhook_target(&self, url: &str) -> Result<Target, String> {
        let (origin, path) = self.egress.parse_url(url).map_err(|refusal| refusal.to_string())?;
        // The limit for all steps together ends an attempt first.
        let patience = self.webhook_patience * 2;
        let time_outs =
            TimeOuts { connect: patience, tls: patience, head: patience, body_idle: BODY_PATIENCE };
        let options = RouteOptions { time_outs, ..RouteOptions::default() };
        let route = self.egress.route(origin, options).map_err(|error| error.to_string())?;
        Ok(Target { route, path: Uri::from(path) })
    }

    /// Whether an address may be sent to at this moment; the sentence says why not.
    pub(crate) async fn check_target(&self, url: &str) -> Result<(), String> {
        let target = self.webhook_target(url)?;
        self.egress.check_now(target.route()).await.map_err(|error| error.to_string())
    }

    /// Sends a request once to an address; only 2xx is a yes. The sentence says what came of it, without the address.
    pub(crate) async fn post_once(&self, url: &str, mut request: Request<Body>) -> Result<(), String> {
        let target = self.webhook_target(url)?;
        *request.uri_mut() = target.path.clone();
        let answer = send(&self.webhook_pool, &target, Ok(request), self.webhook_patience).await;
        let answer = answer.map_err(|(_, what)| what)?;
        match Outcome::of(answer.status) {
            Outcome::Delivered => Ok(()),
            outcome => Err(format!("{} {}", what_happened(outcome, answer.status), answer.beginning)
                .trim_end()
                .to_owned()),
        }
    }

    /// Sends once, and says what came of it.
    pub(super) async fn post(
        &self,
        pool: &Pool,
        target: &Result<Target, String>,
        signer: &Signer,
        message: &Message,
    ) -> Attempted {
        let (at, started) = (self.now(), Instant::now());
        let answer = match target {
            Err(refusal) => Err((Outcome::AddressRefused, refusal.clone())),
            Ok(target) => {
                send(pool, target, request(target, signer, message, at), self.webhook_patience).await
            }
        };
        let note = |outcome: Outcome, status, what, answer| WebhookAttempt {
            number: message.number,
            at,
            took: started.elapsed(),
            status,
            outcome: outcome.name().to_owned(),
            what,
            answer,
            worker: self.name.clone(),
        };
        match answer {
            Err((outcome, what)) => {
                Attempted { outcome, note: note(outcome, None, what, String::new()), retry_after: None }
            }
            Ok(answer) => {
                let outcome = Outcome::of(answer.status);
                let what = what_happened(outcome, answer.status);
                let asked_for = if outcome == Outcome::Busy { wish(&answer.headers) } else { None };
                let status = Some(u32::from(answer.status.as_u16()));
                Attempted {
                    outcome,
                    note: note(outcome, status, what, answer.beginning),
                    retry_after: asked_for,
                }
            }
        }
    }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    beginning: String,
}

async fn send(
    pool: &Pool,
    target: &Target,
    request: Result<Request<Body>, (Outcome, String)>,
    patience: Duration,
) -> Result<Answer, (Outcome, String)> {
    let request = request?;
    let mut timings = Timings::default();
    // All steps together: each of them alone may take nearly as long.
    let sent = tokio::time::timeout(patience, pool.send(&target.route, request, &mut timings)).await;
    let response = match sent {
        Err(_) => {
            let what = format!("there was no answer within {} seconds", patience.as_secs_f32());
            return Err((Outcome::TimedOut, what));
        }
        Ok(Err(error)) => return Err((no_answer(&error), error.to_string())),
        Ok(Ok(response)) => response,
    };
    let (head, body) = response.into_parts();
    let mut beginning = Vec::new();
    // A body that is slow, endless or broken says nothing about whether the event arrived.
    let _ = tokio::time::timeout(BODY_PATIENCE, read_beginning(body, &mut beginning)).await;
    let beginning = presentable(&beginning);
    Ok(Answer { status: head.status, headers: head.headers, beginning })
}

fn request(
    target: &Target,
    signer: &Signer,
    message: &Message,
    at: Timestamp,
) -> Result<Request<Body>, (Outcome, String)> {
    let seconds = at.as_milliseconds().div_euclid(1000);
    let signatures = signer.sign(&message.id, seconds, &message.body);
    let mut request = Request::new(Body::full(message.body.clone()));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = target.path.clone();
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("tombolo/", env!("CARGO_PKG_VERSION"))));
    for (name, value) in [
        ("webhook-id", message.id.clone()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signatures.standard),
        ("x-nango-hmac-sha256", signatures.compatible),
    ] {
        let value = HeaderValue::try_from(value)
            .map_err(|_| (Outcome::Unreachable, format!("the header `{name}` cannot be written")))?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(request)
}

fn no_answer(error: &EgressError) -> Outcome {
    use tombolo_egress::EgressErrorKind as Kind;
    match error.kind() {
        Kind::AddressRefused => Outcome::AddressRefused,
        Kind::ConnectTimedOut | Kind::TlsTimedOut | Kind::HeadTimedOut => Outcome::TimedOut,
        _ => Outcome::Unreachable,
    }
}

async fn read_beginning(mut body: ResponseBody, beginning: &mut Vec<u8>) {
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        let room = ANSWER_BYTES - beginning.len();
        beginning.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return;
        }
    }
}

/// Text without control characters, which could deceive whoever reads it on a terminal, and without what looks like a
/// secret: a receiver may repeat what it was sent, or tell about its own configuration.
fn presentable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let ends_word = |c: char| c.is_whitespace() || "\"',:;<>=(){}".contains(c);
    let words = text.split_inclusive(ends_word).map(|word| {
        let bare = word.trim_end_matches(ends_word);
        if is_secretive(bare) { format!("▒▒▒▒{}", &word[bare.len()..]) } else { word.to_owned() }
    });
    let shown: String = words.collect();
    shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// A signing secret, a signature, or another long text without structure.
fn is_secretive(word: &str) -> bool {
    let is_random = word.len() >= 32
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_.".contains(&byte))
        && word.bytes().any(|byte| byte.is_ascii_digit());
    word.contains("whsec_") || (is_random && !word.starts_with("evt_"))
}

fn what_happened(outcome: Outcome, status: StatusCode) -> String {
    let status = status.as_u16();
    match outcome {
        Outcome::Delivered => format!("the receiver answered {status}"),
        Outcome::Redirected => {
            format!("the receiver answered {status}, and redirects are not followed: give its final address")
        }
        Outcome::Gone => "the receiver answered 410: it wants no events any more".to_owned(),
        Outcome::Busy => format!("the receiver answered {status}: not now"),
        _ => format!("the receiver answered {status}; only 2xx counts as a yes"),
    }
}

/// What a receiver asks for in whole seconds. A date is not honoured: its clock may not be ours.
fn wish(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_receiver_says_is_shown_without_secrets_and_control_characters() {
        for (said, shown) in [
            ("ok", "ok"),
            ("no such\nroute\u{1b}[31m", "no such route [31m"),
            (r#"{"secret":"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}"#, r#"{"secret":"▒▒▒▒"}"#),
            (
                "got evt_019ab697e8007838a5822a6f9e62da21 thanks",
                "got evt_019ab697e8007838a5822a6f9e62da21 thanks",
            ),
            ("authorization=0123456789abcdef0123456789abcdef01 x", "authorization=▒▒▒▒ x"),
        ] {
            assert_eq!(presentable(said.as_bytes()), shown);
        }
        assert_eq!(presentable(&[0xff, b'a', 0]), "\u{fffd}a");
    }
}
