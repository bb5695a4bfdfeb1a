//! A renewal that yields nothing: what is told, and when it is tried again.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tombolo_auth::ExchangeFailure;
use tombolo_store::{
    ActorKind, BegunRenewal, Change, FailedRenewal, Health, Interruption, Renewal, Timestamp,
};

use super::super::callback::spread;
use super::super::exchange::Unanswered;
use super::Outcome;
use crate::access::Access;
use crate::connections::object_of;
use crate::health::{News, noted, written};
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind};

/// The first pause after a failure; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_mins(30);
/// The longest pause that a vendor can ask for.
const LONGEST_ASKED: Duration = Duration::from_hours(24);

impl Platform {
    /// A dead authorisation needs a person; anything else is tried again later, and a token that is still good goes on.
    pub(super) async fn note_failure(
        self: &Arc<Self>,
        begun: &BegunRenewal,
        unanswered: Unanswered,
    ) -> Outcome {
        let connection = &begun.connection;
        if unanswered.is_dead() {
            // Another process may have been faster after all, and then it has the good tokens.
            let newest = self.store.connection(&connection.environment_id, &connection.id).await?;
            if newest.is_none_or(|newest| newest.sealed_version > connection.sealed_version) {
                self.store.release_lease(&begun.lease).await?;
                return Ok(());
            }
        }
        let now = self.now();
        let dead = unanswered.is_dead();
        let retry_at = (!dead).then(|| now.plus(pause(begun, unanswered.asked_pause(), now)));
        let may_have_been_done = unanswered.may_have_been_done();
        let mut problem = unanswered.into_problem();
        if let Some(interruption) = begun.renewal.interrupted.as_ref().filter(|_| dead) {
            problem.what = format!("{}; {}", problem.what, explained(interruption));
        }
        let failure = json!({ "code": problem.code, "what": problem.what, "fix": problem.fix });
        let mut changes = news(begun, &problem, retry_at, now);
        changes.push(Change::FailRenewal(FailedRenewal {
            environment_id: connection.environment_id.clone(),
            id: connection.id.clone(),
            sealed_version: connection.sealed_version,
            failure,
            retry_at,
            unanswered: may_have_been_done
                .then(|| Interruption { at: begun.renewal.began_at, node: begun.renewal.node.clone() }),
        }));
        changes.push(Change::ReleaseLease(begun.lease.clone()));
        if let Err(problem) = self.commit(&changes).await {
            tracing::warn!(connection = %connection.id, %problem, "a failed renewal could not be noted");
        }
        Err(match retry_at {
            Some(retry_at) => with_pause(problem, retry_at, now),
            None => problem,
        })
    }
}

/// What becomes of the connection: without a person nothing comes of it, or it has to wait for the vendor. One whose token is
/// still good goes on as before.
fn news(begun: &BegunRenewal, problem: &Problem, retry_at: Option<Timestamp>, now: Timestamp) -> Vec<Change> {
    let connection = &begun.connection;
    let is_over = connection.life.expires_at.is_none_or(|end| end <= now);
    let health = match retry_at {
        None => Health::NeedsReconnecting,
        Some(_) if connection.health == Health::NeedsReconnecting || !is_over => return Vec::new(),
        Some(_) => Health::Failing,
    };
    let mut news = News::of_problem(connection, health, "renewal", problem, now);
    news.next_test_at = news.next_test_at.max(retry_at);
    let access = Access::unrestricted(connection.environment_id.clone(), ActorKind::System, "renewal");
    let mut changes = noted(&access, connection, news);
    if let Some(interruption) = begun.renewal.interrupted.as_ref().filter(|_| retry_at.is_none()) {
        let detail = json!({ "at": written(interruption.at), "node": interruption.node });
        let action = "connection.renewal_interrupted";
        changes.extend(events(&access, action, object_of(connection), detail, false));
    }
    changes
}

/// The failure that stands, for whoever asks before the next attempt is due.
pub(super) fn standing_failure(renewal: &Renewal, now: Timestamp) -> Problem {
    let text = |member: &str| renewal.failure[member].as_str().unwrap_or_default().to_owned();
    let (kind, code) = match renewal.failure["code"].as_str() {
        Some("token_refused") => (ProblemKind::Upstream, "token_refused"),
        Some("token_malformed") => (ProblemKind::Upstream, "token_malformed"),
        Some("clocks_apart") => (ProblemKind::Upstream, "clocks_apart"),
        _ => (ProblemKind::Upstream, "token_unavailable"),
    };
    let problem = Problem::new(kind, code, text("what"), text("fix"));
    with_pause(problem, renewal.retry_at.unwrap_or(now), now)
}

fn with_pause(problem: Problem, retry_at: Timestamp, now: Timestamp) -> Problem {
    let seconds = retry_at.since(now).as_millis().div_ceil(1000);
    problem.retry_after(u32::try_from(seconds).unwrap_or(u32::MAX))
}

/// As long again as it has not worked, and a little longer for some than for others; at least as long as the vendor asks.
fn pause(begun: &BegunRenewal, asked: Option<Duration>, now: Timestamp) -> Duration {
    let failing_for = begun.renewal.failing_since.map_or(Duration::ZERO, |since| now.since(since));
    let pause = failing_for.clamp(FIRST_PAUSE, LONGEST_PAUSE);
    let pause = pause + pause.mul_f64((spread(&begun.connection.id) % 1000) as f64 / 4000.0);
    asked.map_or(pause, |asked| pause.max(asked.min(LONGEST_ASKED)))
}

fn explained(interruption: &Interruption) -> String {
    format!(
        "a renewal that {} began at {} ended without a word, and the vendor may have replaced the refresh token then",
        interruption.node,
        written(interruption.at)
    )
}

impl Unanswered {
    /// Whether only a person can help.
    fn is_dead(&self) -> bool {
        matches!(self, Self::Failure(ExchangeFailure::Dead { .. } | ExchangeFailure::Nothing))
    }

    /// How long the vendor asks to wait.
    fn asked_pause(&self) -> Option<Duration> {
        match self {
            Self::Failure(ExchangeFailure::Passing { retry_after, .. }) => *retry_after,
            _ => None,
        }
    }

    /// Whether the vendor may have made new tokens that never came.
    fn may_have_been_done(&self) -> bool {
        match self {
            Self::Silence { sent, .. } => *sent,
            Self::Failure(ExchangeFailure::Passing { .. } | ExchangeFailure::Malformed(_)) => true,
            Self::Failure(_) | Self::ClocksApart { .. } | Self::Problem(_) => false,
        }
    }
}
