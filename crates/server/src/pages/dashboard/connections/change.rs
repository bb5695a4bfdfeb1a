//! What is done with a connection that there is.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use secrecy::ExposeSecret as _;
use tombolo_platform::catalog::FieldError;
use tombolo_platform::connect::LinkToHandOn;
use tombolo_platform::{ConnectionChange, Problem, ProblemKind, Scope};

use super::show::{Beside, MadeLink, Sent, make};
use crate::pages::dashboard::frame::Section;
use crate::pages::dashboard::table::Moment;
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::form::{Posted, ReportView};
use crate::routes::Routes;
use crate::routes::oauth_pages::address_of_link;

/// Name and tags.
pub(super) async fn save(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let change = ConnectionChange {
        name: Some(posted.text("name").to_owned()),
        tags: Some(tags(posted.text("tags"))),
        // A page from before an upgrade may have had no inputs for them.
        settings: posted.has("settings").then(|| posted.account().settings),
        ..ConnectionChange::default()
    };
    match routes.platform.update_connection(visitor.access(), None, &id, change).await {
        Ok(_) => visitor.done(&format!("connections/{id}"), "saved"),
        Err(problem) if problem.kind == ProblemKind::Forbidden => {
            visitor.failed(Section::Connections, &problem)
        }
        Err(problem) => {
            let of_setting = |error: &FieldError| error.field.starts_with("settings.");
            // What is wrong with a setting stands beside it.
            let is_shown = !problem.fields.is_empty() && problem.fields.iter().all(of_setting);
            let error = if is_shown { String::new() } else { visitor.problem_line(&problem) };
            let sent = Some(Sent { errors: problem.fields, posted });
            let shown = make(&visitor, &routes, &id, Beside { error, sent, ..Beside::default() }).await;
            shown.unwrap_or_else(|problem| visitor.failed(Section::Connections, &problem))
        }
    }
}

/// One tag with its value on each line.
fn tags(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| line.split_once('=').unwrap_or((line, "")))
        .map(|(tag, value)| (tag.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

/// Tests it, and shows what the test found.
pub(super) async fn test(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    match routes.platform.test_connection(visitor.access(), None, &id, &mut |_| {}).await {
        Ok(report) => {
            let report = Some(ReportView::new(&visitor.shell, &report));
            let shown = make(&visitor, &routes, &id, Beside { report, ..Beside::default() }).await;
            shown.unwrap_or_else(|problem| visitor.failed(Section::Connections, &problem))
        }
        Err(problem) => again(&visitor, &routes, &id, &problem).await,
    }
}

/// Makes a link with which whoever has the account links it again. The secrets are typed there.
pub(super) async fn make_link(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    match link(&visitor, &routes, &id).await {
        Ok(response) => response,
        Err(problem) => again(&visitor, &routes, &id, &problem).await,
    }
}

async fn link(visitor: &Visitor, routes: &Routes, id: &str) -> Result<Response, Problem> {
    let public_url = routes.public_url.needed()?;
    let link = match routes.platform.create_reconnect_link(visitor.access(), id).await? {
        LinkToHandOn::Session(session) => MadeLink {
            address: format!(
                "{public_url}/connect/{}/?session_token={}",
                visitor.signed_in.environment.name,
                session.token.expose_secret()
            ),
            ends: Moment::new(session.expires_at),
            has_code: false,
        },
        LinkToHandOn::Vendor(started) => MadeLink {
            address: address_of_link(public_url, &started.link_secret),
            ends: Moment::new(started.authorization.expires_at),
            has_code: true,
        },
    };
    make(visitor, routes, id, Beside { link: Some(link), ..Beside::default() }).await
}

/// Asks before it is deleted.
pub(super) async fn ask_to_delete(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let found = match visitor.access().require(Scope::DeleteConnection) {
        Ok(()) => routes.platform.read_connection(visitor.access(), None, &id).await,
        Err(problem) => Err(problem),
    };
    match found {
        Ok((connection, _)) => visitor.confirm(
            Section::Connections,
            &connection.name,
            "delete-note",
            (&format!("connections/{id}/delete"), &format!("connections/{id}")),
        ),
        Err(problem) => visitor.failed(Section::Connections, &problem),
    }
}

/// Deletes it; its secrets are emptied at once.
pub(super) async fn delete(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    match routes.platform.delete_connection(visitor.access(), None, &id).await {
        Ok(_) => visitor.done("connections", "deleted"),
        Err(problem) => again(&visitor, &routes, &id, &problem).await,
    }
}

async fn again(visitor: &Visitor, routes: &Routes, id: &str, problem: &Problem) -> Response {
    if problem.kind == ProblemKind::Forbidden {
        return visitor.failed(Section::Connections, problem);
    }
    let beside = Beside { error: visitor.problem_line(problem), ..Beside::default() };
    let shown = make(visitor, routes, id, beside).await;
    shown.unwrap_or_else(|problem| visitor.failed(Section::Connections, &problem))
}
