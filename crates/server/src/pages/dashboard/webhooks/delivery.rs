use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use tombolo_platform::store::{Webhook, WebhookAttempt, WebhookDeliveryState};
use tombolo_platform::webhooks::Replay;
use tombolo_platform::{Problem, Scope};

use super::progress;
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::shown::{micros, pretty};
use crate::pages::dashboard::table::Moment;
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

#[derive(Template)]
#[template(path = "dashboard/webhooks/delivery.html")]
struct Show<'a> {
    shell: &'a Shell,
    frame: Frame,
    id: String,
    event_type: String,
    event: String,
    version: String,
    state: String,
    colour: &'static str,
    is_moving: bool,
    /// The id and the name of the receiver; no name for one that is gone.
    webhook: (String, String),
    moments: Vec<(String, Moment)>,
    attempts: Vec<Attempt>,
    body: String,
    may_replay: bool,
}

struct Attempt {
    number: u32,
    at: Moment,
    took: String,
    status: String,
    colour: &'static str,
    said: String,
    reason: String,
    answer: String,
}

type Id = Path<(String, String)>;

pub(super) async fn show(visitor: Visitor, State(routes): State<Routes>, Path((_, id)): Id) -> Response {
    match make(&visitor, &routes, &id).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Webhooks, &problem),
    }
}

/// Sends the event again to the same receiver.
pub(super) async fn replay(visitor: Visitor, State(routes): State<Routes>, Path((_, id)): Id) -> Response {
    match again(&visitor, &routes, &id).await {
        Ok(()) => visitor.done(&format!("webhooks/deliveries/{id}"), "replayed"),
        Err(problem) => visitor.failed(Section::Webhooks, &problem),
    }
}

async fn again(visitor: &Visitor, routes: &Routes, id: &str) -> Result<(), Problem> {
    let (delivery, event, _) = routes.platform.read_webhook_delivery(visitor.access(), id).await?;
    let replay = Replay::Event(event.id.to_string());
    routes.platform.replay_webhook(visitor.access(), delivery.webhook.as_str(), &replay).await.map(drop)
}

async fn make(visitor: &Visitor, routes: &Routes, id: &str) -> Result<Response, Problem> {
    let (shell, access) = (&visitor.shell, visitor.access());
    let (delivery, event, attempts) = routes.platform.read_webhook_delivery(access, id).await?;
    let webhook = routes.platform.read_webhook(access, delivery.webhook.as_str()).await.ok();
    let (state, colour) = progress(shell, &delivery);
    let is_moving = delivery.state == WebhookDeliveryState::Pending;
    let moments = [
        ("delivery-happened", Some(event.created_at)),
        ("delivery-due", Some(delivery.due_at).filter(|_| is_moving)),
        ("delivery-finished", delivery.finished_at),
    ];
    let is_enabled = webhook.as_ref().is_some_and(|webhook: &Webhook| webhook.disabled_at.is_none());
    let show = Show {
        shell,
        frame: visitor.frame(Section::Webhooks, &*delivery.event_type),
        id: delivery.id.to_string(),
        event_type: delivery.event_type.clone(),
        event: event.id.to_string(),
        version: format!("{} {}", delivery.state, delivery.attempts),
        state,
        colour,
        is_moving,
        webhook: (delivery.webhook.to_string(), webhook.map(|webhook| webhook.name).unwrap_or_default()),
        moments: moments
            .into_iter()
            .filter_map(|(words, at)| Some((shell.say(words), Moment::new(at?))))
            .collect(),
        attempts: attempts.into_iter().map(|one| attempt(shell, one)).collect(),
        body: pretty(&event.payload),
        may_replay: is_enabled && visitor.may(Scope::ManageWebhooks),
    };
    Ok(page(&show, &Framing::Nobody))
}

fn attempt(shell: &Shell, attempt: WebhookAttempt) -> Attempt {
    let outcome = attempt.outcome.replace('_', "-");
    Attempt {
        number: attempt.number,
        at: Moment::new(attempt.at),
        took: micros(u64::try_from(attempt.took.as_micros()).unwrap_or(u64::MAX)),
        status: attempt.status.map_or_else(|| "–".to_owned(), |status| status.to_string()),
        colour: if attempt.outcome == "delivered" { "good" } else { "bad" },
        said: shell.say(&format!("delivery-outcome-{outcome}")),
        // What came back tells the rest; where nothing did, the reason is what the network said.
        reason: if attempt.status.is_none() { attempt.what } else { String::new() },
        answer: attempt.answer,
    }
}
