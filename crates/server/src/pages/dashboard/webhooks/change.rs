//! What is done with a receiver that there is.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use tombolo_platform::store::Timestamp;
use tombolo_platform::webhooks::{Replay, WebhookChanges};
use tombolo_platform::{Problem, ProblemKind, Scope};

use super::form::{WebhookForm, chosen};
use super::show::{Beside, make};
use crate::pages::dashboard::frame::Section;
use crate::pages::dashboard::visitor::{Visitor, go_to};
use crate::pages::form::Posted;
use crate::routes::Routes;

type Id = Path<(String, String)>;

/// Name, address and types.
pub(super) async fn save(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Id,
    posted: Posted,
) -> Response {
    let known = routes.platform.read_webhook(visitor.access(), &id).await;
    let known = known.map(|webhook| webhook.event_types).unwrap_or_default();
    let change = WebhookChanges {
        name: Some(posted.text("name").to_owned()),
        url: Some(posted.text("url").trim().to_owned()),
        event_types: Some(chosen(&posted, &known)),
        enabled: None,
    };
    match routes.platform.update_webhook(visitor.access(), &id, change).await {
        Ok(webhook) => visitor.done(&format!("webhooks/{}", webhook.id), "saved"),
        Err(problem) => {
            let form = Some(WebhookForm::again(&visitor, &posted, &known, &problem));
            refused(&visitor, &routes, &id, problem, form).await
        }
    }
}

/// Sends an event that says nothing, and shows what becomes of it.
pub(super) async fn test(visitor: Visitor, State(routes): State<Routes>, Path((_, id)): Id) -> Response {
    match routes.platform.test_webhook(visitor.access(), &id).await {
        Ok(delivery) => visitor.done(&format!("webhooks/deliveries/{}", delivery.id), "test-sent"),
        Err(problem) => refused(&visitor, &routes, &id, problem, None).await,
    }
}

pub(super) async fn enable(visitor: Visitor, State(routes): State<Routes>, Path((_, id)): Id) -> Response {
    switch(&visitor, &routes, &id, true).await
}

pub(super) async fn disable(visitor: Visitor, State(routes): State<Routes>, Path((_, id)): Id) -> Response {
    switch(&visitor, &routes, &id, false).await
}

async fn switch(visitor: &Visitor, routes: &Routes, id: &str, enabled: bool) -> Response {
    let change = WebhookChanges { enabled: Some(enabled), ..WebhookChanges::default() };
    match routes.platform.update_webhook(visitor.access(), id, change).await {
        Ok(webhook) => {
            visitor.done(&format!("webhooks/{}", webhook.id), if enabled { "enabled" } else { "disabled" })
        }
        Err(problem) => refused(visitor, routes, id, problem, None).await,
    }
}

/// Makes another secret and shows it, this once.
pub(super) async fn rotate(visitor: Visitor, State(routes): State<Routes>, Path((_, id)): Id) -> Response {
    match routes.platform.rotate_webhook_secret(visitor.access(), &id).await {
        Ok((_, secret)) => {
            let secret = Some(secret.expose().to_owned());
            make(&visitor, &routes, &id, Beside { secret, ..Beside::default() }).await
        }
        Err(problem) => refused(&visitor, &routes, &id, problem, None).await,
    }
}

/// Sends again what happened in a time.
pub(super) async fn replay(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Id,
    posted: Posted,
) -> Response {
    let asked = span(&routes, &posted);
    let replayed = match asked {
        Ok(replay) => routes.platform.replay_webhook(visitor.access(), &id, &replay).await,
        Err(problem) => Err(problem),
    };
    match replayed {
        // The page says how many.
        Ok(count) => go_to(&visitor.to(&format!("webhooks/{id}?replayed={count}"))),
        Err(problem) => refused(&visitor, &routes, &id, problem, None).await,
    }
}

/// The last hours, or from one moment to another, in UTC as the form says.
fn span(routes: &Routes, posted: &Posted) -> Result<Replay, Problem> {
    let delivered_too = posted.has("delivered_too");
    if posted.text("span") == "exact" {
        let since = moment(posted.text("since"))?.ok_or_else(unreadable)?;
        return Ok(Replay::Time { since, until: moment(posted.text("until"))?, delivered_too });
    }
    let hours: u64 =
        posted.text("span").parse().ok().filter(|hours| (1..=168).contains(hours)).ok_or_else(unreadable)?;
    let since = routes.platform.now().minus(Duration::from_hours(hours));
    Ok(Replay::Time { since, until: None, delivered_too })
}

/// A moment as browsers write it, without a zone.
fn moment(text: &str) -> Result<Option<Timestamp>, Problem> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let read: Result<jiff::civil::DateTime, _> = text.trim().parse();
    let zoned = read.ok().and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC).ok());
    let zoned = zoned.ok_or_else(unreadable)?;
    Ok(Some(Timestamp::from_milliseconds(zoned.timestamp().as_millisecond())))
}

fn unreadable() -> Problem {
    let what = "The time to replay cannot be read";
    Problem::invalid("unreadable_time", what, "Choose one of the times, or type both as 2026-01-31T09:00.")
}

/// Asks before it is deleted.
pub(super) async fn ask_to_delete(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Id,
) -> Response {
    let allowed = visitor.access().require(Scope::ManageWebhooks);
    let webhook = match allowed {
        Ok(()) => routes.platform.read_webhook(visitor.access(), &id).await,
        Err(problem) => Err(problem),
    };
    let webhook = match webhook {
        Ok(webhook) => webhook,
        Err(problem) => return visitor.failed(Section::Webhooks, &problem),
    };
    let own = format!("webhooks/{}", webhook.id);
    let addresses = (&*format!("{own}/delete"), &*own);
    visitor.confirm(Section::Webhooks, &webhook.name, "webhook-delete-note", addresses)
}

pub(super) async fn delete(visitor: Visitor, State(routes): State<Routes>, Path((_, id)): Id) -> Response {
    match routes.platform.delete_webhook(visitor.access(), &id).await {
        Ok(()) => visitor.done("webhooks", "deleted"),
        Err(problem) => refused(&visitor, &routes, &id, problem, None).await,
    }
}

/// The page of the receiver with what stood against it, unless there is nothing to see for whoever asked.
async fn refused(
    visitor: &Visitor,
    routes: &Routes,
    id: &str,
    problem: Problem,
    form: Option<WebhookForm>,
) -> Response {
    if matches!(problem.kind, ProblemKind::Forbidden | ProblemKind::NotFound) {
        return visitor.failed(Section::Webhooks, &problem);
    }
    make(visitor, routes, id, Beside { problem: Some(problem), form, ..Beside::default() }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_browsers_write_them() {
        let read = |text: &str| {
            moment(text).map(|at| at.map(Timestamp::as_milliseconds)).map_err(|problem| problem.code)
        };
        assert_eq!(read("2026-01-01T00:00"), Ok(Some(1_767_225_600_000)));
        assert_eq!(read("2026-01-01T00:00:05"), Ok(Some(1_767_225_605_000)));
        assert_eq!(read(" "), Ok(None));
        for text in ["yesterday", "2026-13-01T00:00", "1767225600"] {
            assert_eq!(read(text), Err("unreadable_time"), "{text}");
        }
    }
}
