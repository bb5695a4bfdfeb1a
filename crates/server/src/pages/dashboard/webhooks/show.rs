use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use tombolo_platform::store::Webhook;
use tombolo_platform::webhooks::WebhookFormat;
use tombolo_platform::{Problem, Scope};

use super::form::WebhookForm;
use super::{DeliveryRow, health};
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::table::Moment;
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::page::{Framing, with_status};
use crate::pages::shell::Shell;
use crate::routes::Routes;

/// Deliveries that the page of a receiver begins with.
const LATEST: u32 = 10;

#[derive(Template)]
#[template(path = "dashboard/webhooks/show.html")]
struct Show<'a> {
    shell: &'a Shell,
    frame: Frame,
    id: String,
    name: String,
    health: String,
    colour: &'static str,
    is_enabled: bool,
    reason: String,
    facts: Vec<(String, String)>,
    moments: Vec<(String, Moment)>,
    form: WebhookForm,
    deliveries: Vec<DeliveryRow>,
    /// How many events are sent again, as the address says.
    replayed: String,
    secret: Option<String>,
    error: String,
    may_manage: bool,
}

/// What the page says beside what is always there.
#[derive(Default)]
pub(super) struct Beside {
    /// A secret that was just made.
    pub(super) secret: Option<String>,
    /// What was typed and is not right.
    pub(super) form: Option<WebhookForm>,
    /// What went wrong.
    pub(super) problem: Option<Problem>,
}

pub(super) async fn show(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    make(&visitor, &routes, &id, Beside::default()).await
}

/// The page of a receiver.
pub(super) async fn make(visitor: &Visitor, routes: &Routes, id: &str, beside: Beside) -> Response {
    match draw(visitor, routes, id, beside).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Webhooks, &problem),
    }
}

async fn draw(visitor: &Visitor, routes: &Routes, id: &str, beside: Beside) -> Result<Response, Problem> {
    let (shell, access) = (&visitor.shell, visitor.access());
    let webhook = routes.platform.read_webhook(access, id).await?;
    let of_this = Some(webhook.id.as_str());
    let found = routes.platform.list_webhook_deliveries(access, of_this, None, None, None, LATEST).await?;
    let webhooks = [webhook.clone()];
    let (health, colour) = health(shell, &webhook);
    let replayed: Option<usize> = visitor.parameter("replayed").parse().ok();
    let problem = beside.problem.as_ref();
    let show = Show {
        shell,
        frame: visitor.frame(Section::Webhooks, &*webhook.name),
        id: webhook.id.to_string(),
        name: webhook.name.clone(),
        health,
        colour,
        is_enabled: webhook.disabled_at.is_none(),
        reason: reason(shell, webhook.disabled_reason.as_deref().unwrap_or_default()),
        facts: facts(shell, &webhook),
        moments: moments(shell, &webhook),
        form: beside.form.unwrap_or_else(|| WebhookForm::of(&webhook)),
        deliveries: found.iter().map(|one| DeliveryRow::new(shell, one, &webhooks)).collect(),
        replayed: replayed
            .map(|count| shell.say_number("webhook-replayed", "count", count))
            .unwrap_or_default(),
        secret: beside.secret,
        error: problem
            .filter(|problem| problem.fields.is_empty())
            .map(|problem| visitor.problem_line(problem))
            .unwrap_or_default(),
        may_manage: visitor.may(Scope::ManageWebhooks),
    };
    let status = problem.map_or(200, |problem| problem.kind.status());
    Ok(with_status(StatusCode::from_u16(status).unwrap_or_default(), &show, &Framing::Nobody))
}

fn facts(shell: &Shell, webhook: &Webhook) -> Vec<(String, String)> {
    let format = match webhook.format {
        WebhookFormat::Standard => "webhook-format-standard",
        WebhookFormat::Nango => "webhook-format-nango",
    };
    let events = if webhook.event_types.is_empty() {
        shell.say("webhook-all-events")
    } else {
        webhook.event_types.join(", ")
    };
    vec![
        (shell.say("webhook-url"), webhook.url.clone()),
        (shell.say("webhook-events"), events),
        (shell.say("webhook-format"), shell.say(format)),
        (shell.say("webhook-id"), webhook.id.to_string()),
    ]
}

fn moments(shell: &Shell, webhook: &Webhook) -> Vec<(String, Moment)> {
    let all = [
        ("made", Some(webhook.created_at)),
        ("changed", Some(webhook.updated_at)),
        ("webhook-disabled-at", webhook.disabled_at),
        ("webhook-failing-since", webhook.failing_since),
        ("webhook-paused-until", webhook.paused_until),
        ("webhook-previous-until", webhook.previous_until),
    ];
    all.into_iter().filter_map(|(words, at)| Some((shell.say(words), Moment::new(at?)))).collect()
}

/// Why it is disabled. The reasons are kept in English, as the API tells them; those that a person meets have words here.
fn reason(shell: &Shell, kept: &str) -> String {
    if let Some(who) = kept.strip_suffix(" disabled it.") {
        return shell.say_with("webhook-disabled-by", "who", who);
    }
    if kept.starts_with("The receiver answered 410") {
        return shell.say("delivery-outcome-gone");
    }
    match kept.strip_prefix("Every attempt of five days failed; the last one: ") {
        Some(last) => format!("{} {last}", shell.say("webhook-disabled-failing")),
        None => kept.to_owned(),
    }
}
