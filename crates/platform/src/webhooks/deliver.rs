//! Delivers to one webhook whatever is due: the work of one job.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tombolo_egress::Pool;
use tombolo_store::{
    ActorKind, Change, ClaimedJob, DueDelivery, NewWebhookAttempt, StoreError, Timestamp, Webhook,
    WebhookAttempt, WebhookChange, WebhookDeliveryId, WebhookDeliveryState, WebhookFormat, WebhookHealth,
};

use super::attempt::{Attempted, Message, Outcome, Target};
use super::body::body_of;
use super::pause::pause_after;
use super::receivers::{object_of, place_of};
use super::signature::Signer;
use crate::access::Access;
use crate::platform::{Platform, events};
use crate::problem::Problem;

/// Requests that are on their way to one webhook at a time.
const AT_ONCE: usize = 8;
/// Deliveries that are read at a time.
const READ_AT_ONCE: u32 = 64;
/// How long one webhook is served before others have their turn.
const TURN: Duration = Duration::from_secs(30);
/// For how long a webhook may fail before it is disabled.
const FAILURE_MAX: Duration = Duration::from_hours(5 * 24);
/// Failures that lie further apart are not one: nothing was tried in between.
const FAILURES_APART: Duration = Duration::from_hours(24);
/// How often an outcome is tried to be noted while the database does not answer, once a second.
const NOTES: u32 = 30;

/// What every attempt of one job shares.
struct Receiver {
    webhook: Webhook,
    target: Result<Target, String>,
    signer: Signer,
    pool: Pool,
}

/// A delivery after an attempt.
struct Tried {
    due: DueDelivery,
    /// `None` when the webhook's format has no word for the event, and nothing was sent.
    attempted: Option<Attempted>,
    /// Whether it went to the connection's own address, which says nothing about the webhook's receiver.
    elsewhere: bool,
}

impl Platform {
    /// Delivers what is due to the job's webhook, and says when there is more to do.
    pub(crate) async fn deliver(self: &Arc<Self>, job: &ClaimedJob) -> Result<Option<Timestamp>, Problem> {
        let (Some(environment), Some(id)) = (&job.job.environment_id, job.job.payload["webhook"].as_str())
        else {
            return Ok(None);
        };
        let Some(webhook) = self.store.webhook(environment, id).await? else { return Ok(None) };
        if webhook.disabled_at.is_some() {
            return Ok(None);
        }
        if let Some(paused) = webhook.paused_until.filter(|paused| *paused > self.now()) {
            return Ok(Some(paused));
        }
        let mut round = Round {
            receiver: Arc::new(self.receiver(webhook.clone()).await?),
            webhook,
            waiting: VecDeque::new(),
            on_the_way: HashSet::new(),
            tasks: JoinSet::new(),
            ends: Instant::now() + TURN,
        };
        round.run(self).await
    }

    async fn receiver(&self, webhook: Webhook) -> Result<Receiver, Problem> {
        let sealed = webhook.sealed.clone().ok_or_else(no_secret)?;
        let secrets = self.safe.stored(&self.store, place_of(&webhook), sealed).await?.open()?;
        let previous_too = webhook.previous_until.is_some_and(|until| until > self.now());
        let signer = Signer::new(&secrets, previous_too).ok_or_else(no_secret)?;
        let target = self.webhook_target(&webhook.url);
        Ok(Receiver { target, signer, pool: self.webhook_pool.clone(), webhook })
    }

    async fn try_delivery(self: Arc<Self>, receiver: Arc<Receiver>, due: DueDelivery) -> Tried {
        let Some(body) = body_of(receiver.webhook.format, &due.event, &self.catalog) else {
            return Tried { due, attempted: None, elsewhere: false };
        };
        let message =
            Message { id: due.event.id.to_string(), body: Bytes::from(body), number: due.attempts + 1 };
        let own = self.own_target(&receiver.webhook, &due).await;
        let target = own.as_ref().unwrap_or(&receiver.target);
        let attempted = self.post(&receiver.pool, target, &receiver.signer, &message).await;
        Tried { due, attempted: Some(attempted), elsewhere: own.is_some() }
    }

    /// Where the compatible API posts news of a connection that has an address of its own.
    async fn own_target(&self, webhook: &Webhook, due: &DueDelivery) -> Option<Result<Target, String>> {
        let connection = due.event.connection.as_ref().filter(|_| webhook.format == WebhookFormat::Nango)?;
        let found = self.store.connection(&webhook.environment_id, connection).await;
        let url = found.ok().flatten()?.webhook_url?;
        Some(self.webhook_target(&url))
    }

    /// Disables a webhook that has told us to, or has failed for days; its environment's other webhooks and the audit trail
    /// tell about it.
    async fn disable_webhook_by_itself(
        &self,
        webhook: &Webhook,
        why: &str,
        reason: &str,
    ) -> Result<(), Problem> {
        let access = Access::unrestricted(webhook.environment_id.clone(), ActorKind::System, "webhooks");
        let mut changes = vec![Change::Webhook(WebhookChange::Disable {
            environment_id: webhook.environment_id.clone(),
            id: webhook.id.clone(),
            reason: reason.to_owned(),
        })];
        let detail = json!({ "why": why, "reason": reason });
        changes.extend(events(&access, "webhook.disabled", object_of(webhook), detail, true));
        match self.commit(&changes).await {
            // Somebody else was faster, and has told about it.
            Err(problem) if problem.code == "version_conflict" => Ok(()),
            outcome => outcome.map(drop),
        }
    }
}

/// One turn of one webhook.
struct Round {
    receiver: Arc<Receiver>,
    /// As it is known here: its health changes while it is served.
    webhook: Webhook,
    waiting: VecDeque<DueDelivery>,
    on_the_way: HashSet<WebhookDeliveryId>,
    tasks: JoinSet<Tried>,
    ends: Instant,
}

impl Round {
    async fn run(&mut self, platform: &Arc<Platform>) -> Result<Option<Timestamp>, Problem> {
        loop {
            if self.is_open(platform) && self.waiting.is_empty() {
                self.read(platform).await?;
            }
            self.send(platform);
            let Some(first) = self.tasks.join_next().await else { break };
            // Everything that has ended by now is noted in one transaction.
            let mut ended = vec![first];
            while let Some(next) = self.tasks.try_join_next() {
                ended.push(next);
            }
            // A task that panicked has noted nothing: its delivery is still due.
            let tried: Vec<Tried> = ended.into_iter().filter_map(Result::ok).collect();
            let gone = self.note(platform, tried).await?;
            if let Some((why, reason)) = gone {
                self.tasks.abort_all();
                platform.disable_webhook_by_itself(&self.webhook, why, &reason).await?;
                return Ok(None);
            }
        }
        let next = platform.store.next_webhook_delivery_at(&self.webhook.id).await?;
        Ok(next.map(|next| self.webhook.paused_until.map_or(next, |paused| next.max(paused))))
    }

    /// Whether more may be sent in this turn.
    fn is_open(&self, platform: &Platform) -> bool {
        let paused = self.webhook.paused_until.is_some_and(|until| until > platform.now());
        !paused && Instant::now() < self.ends && !platform.held_jobs.is_over()
    }

    async fn read(&mut self, platform: &Platform) -> Result<(), Problem> {
        let limit = READ_AT_ONCE + self.on_the_way.len() as u32;
        let due = platform.store.due_webhook_deliveries(&self.webhook.id, platform.now(), limit).await?;
        self.waiting.extend(due.into_iter().filter(|due| !self.on_the_way.contains(&due.id)));
        Ok(())
    }

    fn send(&mut self, platform: &Arc<Platform>) {
        if !self.is_open(platform) {
            self.waiting.clear();
        }
        while self.tasks.len() < AT_ONCE
            && let Some(due) = self.waiting.pop_front()
        {
            self.on_the_way.insert(due.id.clone());
            self.tasks.spawn(Arc::clone(platform).try_delivery(Arc::clone(&self.receiver), due));
        }
    }

    /// Notes what was tried, and says why the webhook is to be disabled, if it is.
    async fn note(
        &mut self,
        platform: &Platform,
        tried: Vec<Tried>,
    ) -> Result<Option<(&'static str, String)>, Problem> {
        let (mut changes, mut gone) = (Vec::new(), None);
        let health = (self.webhook.failing_since, self.webhook.last_failed_at, self.webhook.paused_until);
        for tried in &tried {
            self.on_the_way.remove(&tried.due.id);
            changes.push(Change::Webhook(WebhookChange::RecordAttempt(self.noted(platform, tried)?)));
            if let (Some(attempted), false) = (&tried.attempted, tried.elsewhere) {
                gone = self.learn(attempted, platform.now()).or(gone);
            }
        }
        if health != (self.webhook.failing_since, self.webhook.last_failed_at, self.webhook.paused_until) {
            changes.push(Change::Webhook(WebhookChange::RecordHealth(WebhookHealth {
                environment_id: self.webhook.environment_id.clone(),
                id: self.webhook.id.clone(),
                failing_since: self.webhook.failing_since,
                last_failed_at: self.webhook.last_failed_at,
                paused_until: self.webhook.paused_until,
            })));
        }
        patiently(platform, &changes).await?;
        Ok(gone)
    }

    fn noted(&self, platform: &Platform, tried: &Tried) -> Result<NewWebhookAttempt, Problem> {
        let now = platform.now();
        let (attempt, state, due_at) = match &tried.attempted {
            None => (skipped(tried, now, &platform.name), WebhookDeliveryState::Skipped, now),
            Some(attempted) => {
                let (state, due_at) = fate(platform, attempted, tried.due.tries, now)?;
                (attempted.note.clone(), state, due_at)
            }
        };
        Ok(NewWebhookAttempt {
            environment_id: self.webhook.environment_id.clone(),
            delivery: tried.due.id.clone(),
            attempt,
            state,
            due_at,
        })
    }

    /// How the receiver does after an attempt, and why it is to be disabled, if it is.
    fn learn(&mut self, attempted: &Attempted, now: Timestamp) -> Option<(&'static str, String)> {
        let webhook = &mut self.webhook;
        if attempted.outcome == Outcome::Delivered {
            (webhook.failing_since, webhook.last_failed_at, webhook.paused_until) = (None, None, None);
            return None;
        }
        let goes_on = webhook.last_failed_at.is_some_and(|last| now.since(last) <= FAILURES_APART);
        let since = webhook.failing_since.filter(|_| goes_on).unwrap_or(now);
        (webhook.failing_since, webhook.last_failed_at) = (Some(since), Some(now));
        if let Some(wish) = attempted.retry_after {
            let wanted = now.plus(wish.min(FAILURES_APART));
            webhook.paused_until = Some(webhook.paused_until.map_or(wanted, |known| known.max(wanted)));
        }
        if attempted.outcome == Outcome::Gone {
            return Some(("gone", "The receiver answered 410: it wants no events any more.".to_owned()));
        }
        (now.since(since) >= FAILURE_MAX).then(|| {
            ("failing", format!("Every attempt of five days failed; the last one: {}.", attempted.note.what))
        })
    }
}

/// What becomes of a delivery after an attempt.
fn fate(
    platform: &Platform,
    attempted: &Attempted,
    tries: u32,
    now: Timestamp,
) -> Result<(WebhookDeliveryState, Timestamp), Problem> {
    if attempted.outcome == Outcome::Delivered {
        return Ok((WebhookDeliveryState::Delivered, now));
    }
    let pause = pause_after(tries, attempted.retry_after, &*platform.random).map_err(StoreError::from)?;
    Ok(match pause.filter(|_| attempted.outcome != Outcome::Gone) {
        Some(pause) => (WebhookDeliveryState::Pending, now.plus(pause)),
        None => (WebhookDeliveryState::Failed, now),
    })
}

fn skipped(tried: &Tried, now: Timestamp, worker: &str) -> WebhookAttempt {
    WebhookAttempt {
        number: tried.due.attempts + 1,
        at: now,
        took: Duration::ZERO,
        status: None,
        outcome: "skipped".to_owned(),
        what: "the format of this webhook has no word for this event".to_owned(),
        answer: String::new(),
        worker: worker.to_owned(),
    }
}

/// What was sent cannot be unsent: a database that does not answer for a moment must not make us forget it.
async fn patiently(platform: &Platform, changes: &[Change]) -> Result<(), Problem> {
    let mut left = NOTES;
    loop {
        match platform.commit(changes).await {
            Err(problem) if problem.retry_after.is_some() && left > 0 => {
                tracing::warn!(%problem, "what became of webhook deliveries cannot be noted yet");
                left -= 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            outcome => return outcome.map(drop),
        }
    }
}

fn no_secret() -> Problem {
    let what = "The webhook has no signing secret";
    let fix = "Rotate its secret with `tombolo webhook rotate-secret`.";
    Problem::new(crate::problem::ProblemKind::Unusable, "no_webhook_secret", what, fix)
}
