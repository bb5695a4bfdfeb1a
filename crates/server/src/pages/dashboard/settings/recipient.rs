use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use tombolo_platform::catalog::Language;
use tombolo_platform::notifications::{Channel, RecipientChanges};
use tombolo_platform::store::Recipient;
use tombolo_platform::{Problem, ProblemKind, Scope};

use super::recipients::{channel_words, chosen_kinds, kinds, languages, typed_address};
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::shown::Choice;
use crate::pages::dashboard::table::Moment;
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::form::{Posted, faults};
use crate::pages::page::{Framing, with_status};
use crate::pages::shell::Shell;
use crate::routes::Routes;

#[derive(Template)]
#[template(path = "dashboard/settings/recipient.html")]
struct Show<'a> {
    shell: &'a Shell,
    frame: Frame,
    id: String,
    name: String,
    name_error: String,
    channel: String,
    address: String,
    address_error: String,
    has_address: bool,
    languages: Vec<Choice>,
    kinds: Vec<Choice>,
    is_enabled: bool,
    moments: Vec<(String, Moment)>,
    error: String,
    may_manage: bool,
}

type Id = Path<(String, String)>;

pub(super) async fn show(visitor: Visitor, State(routes): State<Routes>, Path((_, id)): Id) -> Response {
    make(&visitor, &routes, &id, None).await
}

pub(super) async fn save(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Id,
    posted: Posted,
) -> Response {
    let change = RecipientChanges {
        name: Some(posted.text("name").to_owned()),
        address: typed_address(&posted),
        language: Some(Language::negotiate(posted.text("language"))),
        kinds: Some(chosen_kinds(&posted)),
        enabled: None,
    };
    settle(&visitor, &routes, &id, change, "saved").await
}

pub(super) async fn enable(visitor: Visitor, State(routes): State<Routes>, Path((_, id)): Id) -> Response {
    let change = RecipientChanges { enabled: Some(true), ..RecipientChanges::default() };
    settle(&visitor, &routes, &id, change, "enabled").await
}

pub(super) async fn disable(visitor: Visitor, State(routes): State<Routes>, Path((_, id)): Id) -> Response {
    let change = RecipientChanges { enabled: Some(false), ..RecipientChanges::default() };
    settle(&visitor, &routes, &id, change, "disabled").await
}

async fn settle(
    visitor: &Visitor,
    routes: &Routes,
    id: &str,
    change: RecipientChanges,
    done: &str,
) -> Response {
    match routes.platform.update_recipient(visitor.access(), id, change).await {
        Ok(recipient) => visitor.done(&format!("settings/notifications/{}", recipient.id), done),
        Err(problem) => make(visitor, routes, id, Some(&problem)).await,
    }
}

/// Sends a message now, and says why it was not taken.
pub(super) async fn test(visitor: Visitor, State(routes): State<Routes>, Path((_, id)): Id) -> Response {
    match routes.platform.test_recipient(visitor.access(), &id).await {
        Ok(recipient) => visitor.done(&format!("settings/notifications/{}", recipient.id), "test-sent"),
        Err(problem) => make(&visitor, &routes, &id, Some(&problem)).await,
    }
}

/// Asks before it is deleted.
pub(super) async fn ask_to_delete(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Id,
) -> Response {
    let found = match visitor.access().require(Scope::ManageNotifications) {
        Ok(()) => routes.platform.read_recipient(visitor.access(), &id).await,
        Err(problem) => Err(problem),
    };
    let recipient = match found {
        Ok(recipient) => recipient,
        Err(problem) => return visitor.failed(Section::Settings, &problem),
    };
    let own = format!("settings/notifications/{}", recipient.id);
    let addresses = (&*format!("{own}/delete"), &*own);
    visitor.confirm(Section::Settings, &recipient.name, "recipient-delete-note", addresses)
}

pub(super) async fn delete(visitor: Visitor, State(routes): State<Routes>, Path((_, id)): Id) -> Response {
    match routes.platform.delete_recipient(visitor.access(), &id).await {
        Ok(()) => visitor.done("settings/notifications", "deleted"),
        Err(problem) => make(&visitor, &routes, &id, Some(&problem)).await,
    }
}

async fn make(visitor: &Visitor, routes: &Routes, id: &str, refused: Option<&Problem>) -> Response {
    let is_beside = |kind| matches!(kind, ProblemKind::Forbidden | ProblemKind::NotFound);
    if let Some(problem) = refused.filter(|problem| is_beside(problem.kind)) {
        return visitor.failed(Section::Settings, problem);
    }
    match routes.platform.read_recipient(visitor.access(), id).await {
        Ok(recipient) => draw(visitor, &recipient, refused),
        Err(problem) => visitor.failed(Section::Settings, &problem),
    }
}

fn draw(visitor: &Visitor, recipient: &Recipient, refused: Option<&Problem>) -> Response {
    let shell = &visitor.shell;
    let errors = refused.map(|problem| faults(shell, &problem.fields)).unwrap_or_default();
    let error_of = |name: &str| errors.get(name).cloned().unwrap_or_default();
    let moments = [
        ("made", Some(recipient.created_at)),
        ("recipient-last-sent", recipient.sent_at),
        ("webhook-disabled-at", recipient.disabled_at),
    ];
    let show = Show {
        shell,
        frame: visitor.frame(Section::Settings, &*recipient.name),
        id: recipient.id.to_string(),
        name: recipient.name.clone(),
        name_error: error_of("name"),
        channel: channel_words(shell, recipient.channel),
        address: recipient.address.clone(),
        address_error: error_of("address"),
        has_address: recipient.channel != Channel::EndUserMail,
        languages: languages(shell, &recipient.language),
        kinds: kinds(shell, &recipient.kinds),
        is_enabled: recipient.disabled_at.is_none(),
        moments: moments
            .into_iter()
            .filter_map(|(words, at)| Some((shell.say(words), Moment::new(at?))))
            .collect(),
        error: refused
            .filter(|problem| problem.fields.is_empty())
            .map(|problem| visitor.problem_line(problem))
            .unwrap_or_default(),
        may_manage: visitor.may(Scope::ManageNotifications),
    };
    let status = refused.map_or(200, |problem| problem.kind.status());
    with_status(StatusCode::from_u16(status).unwrap_or_default(), &show, &Framing::Nobody)
}
