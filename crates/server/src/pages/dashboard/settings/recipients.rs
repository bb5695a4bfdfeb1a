use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use secrecy::SecretString;
use tombolo_platform::catalog::Language;
use tombolo_platform::notifications::{Channel, NoticeKind, RecipientDraft};
use tombolo_platform::{Problem, ProblemKind, Scope};

use super::{Page, Tab, tabs};
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::shown::Choice;
use crate::pages::dashboard::table::Moment;
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::form::{Posted, faults};
use crate::pages::page::{Framing, page, with_status};
use crate::pages::shell::Shell;
use crate::routes::Routes;

/// What the name of a checkbox begins with.
const KIND: &str = "kind.";

#[derive(Template)]
#[template(path = "dashboard/settings/recipients.html")]
struct List<'a> {
    shell: &'a Shell,
    frame: Frame,
    tabs: Vec<Tab>,
    rows: Vec<Row>,
    may_manage: bool,
}

struct Row {
    id: String,
    name: String,
    channel: String,
    address: String,
    kinds: Vec<String>,
    is_enabled: bool,
    sent: Option<Moment>,
}

/// Whom the environment tells.
pub(super) async fn show(visitor: Visitor, State(routes): State<Routes>) -> Response {
    match make(&visitor, &routes).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Settings, &problem),
    }
}

async fn make(visitor: &Visitor, routes: &Routes) -> Result<Response, Problem> {
    let shell = &visitor.shell;
    let rows = routes.platform.list_recipients(visitor.access()).await?.into_iter().map(|recipient| Row {
        id: recipient.id.to_string(),
        name: recipient.name,
        channel: channel_words(shell, recipient.channel),
        address: recipient.address,
        kinds: recipient.kinds.iter().map(|kind| kind_words(shell, kind)).collect(),
        is_enabled: recipient.disabled_at.is_none(),
        sent: recipient.sent_at.map(Moment::new),
    });
    let list = List {
        shell,
        rows: rows.collect(),
        frame: visitor.frame(Section::Settings, shell.say("settings-notifications")),
        tabs: tabs(visitor, Page::Notifications),
        may_manage: visitor.may(Scope::ManageNotifications),
    };
    Ok(page(&list, &Framing::Nobody))
}

pub(super) fn channel_words(shell: &Shell, channel: Channel) -> String {
    shell.say(&format!("recipient-{}", channel.as_str().replace('_', "-")))
}

fn kind_words(shell: &Shell, kind: &str) -> String {
    match kind.parse::<NoticeKind>() {
        Ok(known) => shell.say(&format!("notice-{}", known.as_str().replace('_', "-"))),
        Err(_) => kind.to_owned(),
    }
}

/// The checkboxes of what a recipient wants to hear: the name of the input, its words, and whether it is chosen.
pub(super) fn kinds(shell: &Shell, chosen: &[String]) -> Vec<Choice> {
    let choice = |kind: &NoticeKind| {
        let is_chosen = chosen.iter().any(|name| name == kind.as_str());
        (format!("{KIND}{kind}"), kind_words(shell, kind.as_str()), is_chosen)
    };
    NoticeKind::ALL.iter().map(choice).collect()
}

pub(super) fn chosen_kinds(posted: &Posted) -> Vec<NoticeKind> {
    NoticeKind::ALL.iter().copied().filter(|kind| posted.has(&format!("{KIND}{kind}"))).collect()
}

/// The languages of messages, each in its own words.
pub(super) fn languages(shell: &Shell, chosen: &str) -> Vec<Choice> {
    ["en", "ja"]
        .map(|code| (code.to_owned(), shell.say(&format!("settings-language-{code}")), code == chosen))
        .into()
}

#[derive(Template)]
#[template(path = "dashboard/settings/new-recipient.html")]
struct New<'a> {
    shell: &'a Shell,
    frame: Frame,
    name: String,
    name_error: String,
    channels: Vec<Choice>,
    address_error: String,
    languages: Vec<Choice>,
    kinds: Vec<Choice>,
    error: String,
}

/// An empty form.
pub(super) async fn form(visitor: Visitor) -> Response {
    match visitor.access().require(Scope::ManageNotifications) {
        Ok(()) => draw(&visitor, &Posted::default(), None),
        Err(problem) => visitor.failed(Section::Settings, &problem),
    }
}

pub(super) async fn create(visitor: Visitor, State(routes): State<Routes>, posted: Posted) -> Response {
    let draft = RecipientDraft {
        name: posted.text("name").to_owned(),
        channel: posted.text("channel").parse().unwrap_or(Channel::Mail),
        address: typed_address(&posted),
        language: Language::negotiate(posted.text("language")),
        kinds: chosen_kinds(&posted),
    };
    match routes.platform.create_recipient(visitor.access(), draft).await {
        Ok(made) => visitor.done(&format!("settings/notifications/{}", made.id), "created"),
        Err(problem) if problem.kind == ProblemKind::Forbidden => visitor.failed(Section::Settings, &problem),
        Err(problem) => draw(&visitor, &posted, Some(&problem)),
    }
}

/// Addresses of chats are secrets, so none is shown again.
pub(super) fn typed_address(posted: &Posted) -> Option<SecretString> {
    Some(posted.text("address").trim()).filter(|address| !address.is_empty()).map(SecretString::from)
}

fn draw(visitor: &Visitor, posted: &Posted, problem: Option<&Problem>) -> Response {
    let shell = &visitor.shell;
    let errors = problem.map(|problem| faults(shell, &problem.fields)).unwrap_or_default();
    let error_of = |name: &str| errors.get(name).cloned().unwrap_or_default();
    let chosen = posted.text("channel").parse().unwrap_or(Channel::Mail);
    let language =
        if posted.has("language") { posted.text("language").to_owned() } else { shell.language().to_owned() };
    let names: Vec<String> = chosen_kinds(posted).iter().map(ToString::to_string).collect();
    let new = New {
        shell,
        frame: visitor.frame(Section::Settings, shell.say("recipient-new")),
        name: posted.text("name").to_owned(),
        name_error: error_of("name"),
        channels: Channel::ALL
            .iter()
            .map(|known| (known.to_string(), channel_words(shell, *known), *known == chosen))
            .collect(),
        address_error: error_of("address"),
        languages: languages(shell, &language),
        kinds: kinds(shell, &names),
        error: problem
            .filter(|problem| problem.fields.is_empty())
            .map(|problem| visitor.problem_line(problem))
            .unwrap_or_default(),
    };
    let status = problem.map_or(200, |problem| problem.kind.status());
    with_status(StatusCode::from_u16(status).unwrap_or_default(), &new, &Framing::Nobody)
}
