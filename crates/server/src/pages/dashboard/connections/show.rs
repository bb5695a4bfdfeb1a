//! One connection.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::Value as Json;
use tombolo_platform::catalog::FieldError;
use tombolo_platform::store::{ActivityFilter, CallRecord, Connection, Integration};
use tombolo_platform::{Problem, Scope, Verdict};

use super::snippets;
use crate::pages::dashboard::activity::{covered, status};
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::shown::micros;
use crate::pages::dashboard::table::{Moment, health};
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::form::{Drawn, Input, Posted, ReportView, faults};
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

#[derive(Template)]
#[template(path = "dashboard/connections/show.html")]
struct Show<'a> {
    shell: &'a Shell,
    frame: Frame,
    id: String,
    connection_id: String,
    name: String,
    health: String,
    colour: &'static str,
    since: Moment,
    why: Option<(String, String, String)>,
    facts: Vec<(String, String)>,
    moments: Vec<(String, Moment)>,
    /// What stands in the form.
    typed_name: String,
    tags: String,
    calls: Vec<CallRow>,
    callers: Vec<CallerRow>,
    snippets: Vec<(String, String)>,
    report: Option<ReportView>,
    link: Option<MadeLink>,
    error: String,
    /// Settings that need no secret to change.
    settings: Vec<Input>,
    opens_settings: bool,
    may_change: bool,
    may_delete: bool,
    may_link: bool,
}

/// One of the last calls.
struct CallRow {
    /// What its own page is found by.
    reference: String,
    at: Moment,
    method: String,
    path: String,
    status: String,
    colour: &'static str,
    time: String,
}

/// A program that calls through the connection.
struct CallerRow {
    name: String,
    calls: usize,
    last: Moment,
}

/// How many of the last calls tell where a connection is used.
const LOOKED_AT: usize = 100;
/// How many of them are shown.
const SHOWN: usize = 10;

/// What a page says beside what is always there.
#[derive(Default)]
pub(super) struct Beside {
    /// A test that was just made.
    pub(super) report: Option<ReportView>,
    pub(super) link: Option<MadeLink>,
    /// What went wrong.
    pub(super) error: String,
    /// What was sent and not taken.
    pub(super) sent: Option<Sent>,
}

/// A link that was just made, for whoever has the account.
pub(super) struct MadeLink {
    pub(super) address: String,
    pub(super) ends: Moment,
    /// Whether the person is shown a code, with which the account is confirmed.
    pub(super) has_code: bool,
}

/// A change that was not taken: what is wrong with its fields, and what was typed.
pub(super) struct Sent {
    pub(super) errors: Vec<FieldError>,
    pub(super) posted: Posted,
}

pub(super) async fn show(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    match make(&visitor, &routes, &id, Beside::default()).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Connections, &problem),
    }
}

pub(super) async fn make(
    visitor: &Visitor,
    routes: &Routes,
    id: &str,
    beside: Beside,
) -> Result<Response, Problem> {
    let (shell, access) = (&visitor.shell, visitor.access());
    let (connection, integration) = routes.platform.read_connection(access, None, id).await?;
    let (health, colour) = health(shell, &connection);
    let found = last_calls(visitor, routes, &connection).await;
    let callers = callers(visitor, routes, &found).await;
    let settings = settings(visitor, routes, &connection, &integration, beside.sent.as_ref());
    let typed = |name: &str| beside.sent.as_ref().map(|sent| sent.posted.text(name).to_owned());
    let tags: Vec<String> = connection.tags.iter().map(|(tag, value)| format!("{tag}={value}")).collect();
    let show = Show {
        shell,
        frame: visitor.frame(Section::Connections, &*connection.name),
        id: connection.id.to_string(),
        connection_id: connection.connection_id.clone(),
        name: connection.name.clone(),
        health,
        colour,
        since: Moment::new(connection.health_since),
        why: why(shell, &connection),
        facts: facts(visitor, routes, &connection, &integration),
        moments: moments(shell, &connection),
        typed_name: typed("name").unwrap_or_else(|| connection.name.clone()),
        tags: typed("tags").unwrap_or_else(|| tags.join("\n")),
        calls: found.into_iter().take(SHOWN).map(call_row).collect(),
        callers,
        snippets: snippets(routes, &integration, &connection),
        report: beside.report,
        link: beside.link,
        error: beside.error,
        opens_settings: settings.iter().any(|input| input.error.is_some()),
        settings,
        may_change: visitor.may(Scope::UpdateConnection),
        may_delete: visitor.may(Scope::DeleteConnection),
        may_link: visitor.may(Scope::CreateConnectSession),
    };
    Ok(page(&show, &Framing::Nobody))
}

/// What is wrong, what to do, and where, as the last test or renewal told.
fn why(shell: &Shell, connection: &Connection) -> Option<(String, String, String)> {
    let detail = &connection.health_detail;
    let verdict: Option<Verdict> = serde_json::from_value(detail["verdict"].clone()).ok();
    if let Some(verdict) = verdict {
        let link = verdict.link.clone().filter(|link| link.starts_with("https://")).unwrap_or_default();
        return Some((shell.of(&verdict.says).to_owned(), shell.of(&verdict.fix).to_owned(), link));
    }
    let part = ["renewal", "test"].into_iter().map(|part| &detail[part]).find(|part| part.is_object())?;
    let text = |name: &str| part[name].as_str().unwrap_or_default().to_owned();
    Some((text("what"), text("fix"), String::new())).filter(|(what, ..)| !what.is_empty())
}

fn facts(
    visitor: &Visitor,
    routes: &Routes,
    connection: &Connection,
    integration: &Integration,
) -> Vec<(String, String)> {
    let shell = &visitor.shell;
    let provider = routes.platform.provider_of(integration).ok();
    let scheme = provider.as_ref().and_then(|provider| provider.scheme(&connection.target.auth_scheme));
    let scheme = scheme
        .map_or_else(|| connection.target.auth_scheme.clone(), |scheme| shell.of(&scheme.name).to_owned());
    let hosts: Vec<String> = connection.target.hosts.iter().map(ToString::to_string).collect();
    let mut facts = vec![
        (shell.say("integration"), integration.display_name.clone()),
        (shell.say("how-it-signs-in"), scheme),
        (shell.say("secrets-go-to"), hosts.join(", ")),
    ];
    let config = connection.target.config.as_object().into_iter().flatten();
    for (name, value) in config {
        let field = provider.as_ref().and_then(|provider| provider.config.get(name));
        let label = field.map_or(name.as_str(), |field| shell.of(&field.label));
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        facts.push((label.to_owned(), value));
    }
    if let Some(user) = &connection.end_user {
        let texts = [Some(&user.id), user.display_name.as_ref(), user.email.as_ref()];
        let texts: Vec<&str> = texts.into_iter().flatten().map(String::as_str).collect();
        facts.push((shell.say("user"), texts.join(" · ")));
    }
    facts
}

/// The settings that decide nothing about where requests go, as they are or as they were just sent.
fn settings(
    visitor: &Visitor,
    routes: &Routes,
    connection: &Connection,
    integration: &Integration,
    sent: Option<&Sent>,
) -> Vec<Input> {
    let Ok(provider) = routes.platform.provider_of(integration) else { return Vec::new() };
    let (values, faults) = if let Some(Sent { errors, posted }) = sent {
        (posted.shown_again(&provider), faults(&visitor.shell, errors))
    } else {
        let known = connection.settings.as_object().into_iter().flatten();
        let named = |(name, value): (&String, &Json)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (format!("settings.{name}"), vec![text])
        };
        (known.map(named).collect(), BTreeMap::new())
    };
    let (shell, platform, provider) = (&visitor.shell, &*routes.platform, &*provider);
    Drawn { shell, provider, platform, values, faults, given: BTreeSet::new() }.settings()
}

fn moments(shell: &Shell, connection: &Connection) -> Vec<(String, Moment)> {
    let all = [
        ("made", Some(connection.created_at)),
        ("changed", Some(connection.updated_at)),
        ("secrets-typed", Some(connection.sealed_at)),
        ("tested", connection.last_tested_at),
        ("next-test", connection.next_test_at),
        ("token-ends", connection.life.ends_at),
        ("certificate-ends", connection.target.certificate_expires_at),
    ];
    all.into_iter().filter_map(|(words, at)| Some((shell.say(words), Moment::new(at?)))).collect()
}

async fn last_calls(visitor: &Visitor, routes: &Routes, connection: &Connection) -> Vec<CallRecord> {
    let id = connection.id.to_string();
    let (access, filter) = (visitor.access(), ActivityFilter::default());
    let found = routes.platform.list_activity(access, Some(&id), filter, None, LOOKED_AT).await;
    found.map(|page| page.calls).unwrap_or_default()
}

fn call_row(call: CallRecord) -> CallRow {
    let (status, colour) = status(&call);
    CallRow {
        reference: call.reference(),
        at: Moment::new(call.at),
        colour,
        status: if call.status == 0 { call.error_kind.clone() } else { status },
        path: covered(&call.path),
        method: call.method,
        time: micros(call.phases.total),
    }
}

/// Who made the calls, the busiest first, by the names of their keys for whoever may see keys. Calls come newest first.
async fn callers(visitor: &Visitor, routes: &Routes, calls: &[CallRecord]) -> Vec<CallerRow> {
    let mut counted: BTreeMap<&str, (usize, Moment)> = BTreeMap::new();
    for call in calls {
        counted.entry(&call.api_key).or_insert_with(|| (0, Moment::new(call.at))).0 += 1;
    }
    let keys = routes.platform.list_api_keys(visitor.access()).await.unwrap_or_default();
    let name_of = |id: &str| match keys.iter().find(|key| key.id.as_str() == id) {
        Some(key) => key.display_name.clone(),
        None if id.is_empty() => visitor.shell.say("actor-system"),
        None => id.to_owned(),
    };
    let row = |(id, (calls, last))| CallerRow { name: name_of(id), calls, last };
    let mut rows: Vec<CallerRow> = counted.into_iter().map(row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.calls));
    rows
}
