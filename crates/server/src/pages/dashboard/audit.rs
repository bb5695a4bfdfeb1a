//! Who did what, and whether the record is whole.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use tombolo_platform::Problem;

use super::frame::{Frame, Section};
use super::table::Moment;
use super::visitor::Visitor;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

const PAGE: u32 = 100;

pub(super) fn routes() -> Router<Routes> {
    Router::new().route("/dashboard/{environment}/audit", get(list).post(verify))
}

#[derive(Template)]
#[template(path = "dashboard/audit.html")]
struct Audit<'a> {
    shell: &'a Shell,
    frame: Frame,
    rows: Vec<Row>,
    next: String,
    /// Whether the record is whole, and what was found.
    verified: Option<(bool, String)>,
}

struct Row {
    at: Moment,
    actor: String,
    kind: String,
    action: String,
    object: String,
    detail: String,
}

async fn list(visitor: Visitor, State(routes): State<Routes>) -> Response {
    match draw(&visitor, &routes, None).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Audit, &problem),
    }
}

/// Walks along the chain.
async fn verify(visitor: Visitor, State(routes): State<Routes>) -> Response {
    let verified = async {
        let found = routes.platform.verify_audit_events(visitor.access()).await?;
        let intact = usize::try_from(found.intact).unwrap_or(usize::MAX);
        let said = match &found.broken {
            None => (true, visitor.shell.say_number("audit-whole", "count", intact)),
            Some(broken) => {
                let place = usize::try_from(broken.sequence).unwrap_or(usize::MAX);
                (
                    false,
                    format!(
                        "{} {}",
                        visitor.shell.say_number("audit-broken", "number", place),
                        broken.reason
                    ),
                )
            }
        };
        draw(&visitor, &routes, Some(said)).await
    };
    verified.await.unwrap_or_else(|problem| visitor.failed(Section::Audit, &problem))
}

async fn draw(
    visitor: &Visitor,
    routes: &Routes,
    verified: Option<(bool, String)>,
) -> Result<Response, Problem> {
    let shell = &visitor.shell;
    let after = visitor.parameter("after").parse().ok();
    let events = routes.platform.list_audit_events(visitor.access(), after.as_ref(), PAGE).await?;
    let next =
        events.last().filter(|_| events.len() == PAGE as usize).map(|event| format!("?after={}", event.id));
    let rows = events.iter().map(|event| Row {
        at: Moment::new(event.at),
        actor: event.actor.label.clone(),
        kind: shell.say(&format!("actor-{}", event.actor.kind.as_str().replace('_', "-"))),
        action: event.action.clone(),
        object: if event.object.label.is_empty() {
            event.object.id.clone()
        } else {
            event.object.label.clone()
        },
        detail: if event.detail.is_null() { String::new() } else { event.detail.to_string() },
    });
    let audit = Audit {
        shell,
        frame: visitor.frame(Section::Audit, shell.say("nav-audit")),
        rows: rows.collect(),
        next: next.unwrap_or_default(),
        verified,
    };
    Ok(page(&audit, &Framing::Nobody))
}
