//! How many requests a minute a key may send to the API itself. Calls through connections are not counted: what limits
//! them is the vendor.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue};
use tombolo_platform::{Platform, Problem, ProblemKind};

use super::refusal::Refusal;
use crate::front::bearer;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const MINUTE: i64 = 60;
/// Most keys that are counted in a minute; whoever comes after them is not counted. Their tokens need not be valid, so
/// somebody could make up any number of them.
const KEYS_MAX: usize = 50_000;

/// Counts the requests of each key in the present minute, in this process.
#[derive(Clone)]
pub(crate) struct Rates(Arc<Counting>);

struct Counting {
    platform: Arc<Platform>,
    /// Most requests of a key in a minute; 0 for no bound, and no headers.
    most: u32,
    /// Keys are remembered by a hash that only this process can make.
    hasher: RandomState,
    counts: Mutex<Window>,
}

#[derive(Default)]
struct Window {
    minute: i64,
    requests: HashMap<u64, u32>,
}

/// What a key has left.
struct Left {
    remaining: u32,
    /// The second since 1970 at which the next minute begins.
    reset: i64,
    is_over: bool,
}

impl Rates {
    pub(crate) fn new(platform: Arc<Platform>, most: u32) -> Self {
        Self(Arc::new(Counting { platform, most, hasher: RandomState::new(), counts: Mutex::default() }))
    }

    fn count(&self, key: &str) -> Left {
        let now = self.0.platform.now().as_milliseconds() / 1000;
        let minute = now.div_euclid(MINUTE);
        let mut window = self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if window.minute != minute {
            *window = Window { minute, requests: HashMap::new() };
        }
        let is_full = window.requests.len() >= KEYS_MAX;
        let key = self.0.hasher.hash_one(key);
        let sent = match window.requests.get_mut(&key) {
            Some(sent) => {
                *sent = sent.saturating_add(1);
                *sent
            }
            None if is_full => 1,
            None => *window.requests.entry(key).or_insert(1),
        };
        Left {
            remaining: self.0.most.saturating_sub(sent),
            reset: (minute + 1) * MINUTE,
            is_over: sent > self.0.most,
        }
    }
}

/// Counts a request that shows a key, and refuses it when its key has sent too many in this minute.
pub(super) async fn limited(State(rates): State<Rates>, request: Request, next: Next) -> Response {
    let most = rates.0.most;
    let left = match bearer(request.headers()) {
        Some(key) if most > 0 => rates.count(key),
        _ => return next.run(request).await,
    };
    let mut response =
        if left.is_over { too_many(&rates, &left).into_response() } else { next.run(request).await };
    // The envelope writes the body of a refusal and keeps these headers.
    let headers = response.headers_mut();
    headers.insert(LIMIT, HeaderValue::from(most));
    headers.insert(REMAINING, HeaderValue::from(left.remaining));
    headers.insert(RESET, HeaderValue::from(left.reset));
    response
}

/// The name of the problem is that of the compatible API.
fn too_many(rates: &Rates, left: &Left) -> Refusal {
    let seconds = left.reset.saturating_sub(rates.0.platform.now().as_milliseconds() / 1000).max(1);
    let what = format!("The key has sent more than {} requests in this minute", rates.0.most);
    let fix = "Wait as long as `Retry-After` says; `server.requests_per_minute` sets the bound.";
    let problem = Problem::new(ProblemKind::TooMany, "too_many_request", what, fix);
    problem.retry_after(u32::try_from(seconds).unwrap_or(1)).into()
}
