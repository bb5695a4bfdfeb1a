//! The list of connections.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tombolo_platform::store::{Connection, ConnectionFilter, Health, Integration, IntegrationId};
use tombolo_platform::{Problem, Scope};

use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::shown::encoded;
use crate::pages::dashboard::table::{Moment, health};
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

const PAGE: usize = 50;
/// The parameters of the address that say what is looked for.
const FILTERS: [&str; 4] = ["search", "health", "integration", "tag"];

#[derive(Template)]
#[template(path = "dashboard/connections/list.html")]
struct List<'a> {
    shell: &'a Shell,
    frame: Frame,
    rows: Vec<Row>,
    search: String,
    tag: String,
    health: Vec<(&'static str, String, bool)>,
    integrations: Vec<(String, String, bool)>,
    next: String,
    is_filtered: bool,
    /// How many accounts wait for their confirmation with a code, in words.
    to_confirm: String,
    may_create: bool,
}

struct Row {
    id: String,
    name: String,
    integration: String,
    user: String,
    health: String,
    colour: &'static str,
    tags: Vec<(String, String)>,
    created: Moment,
    tested: Option<Moment>,
}

impl Row {
    fn new(shell: &Shell, connection: &Connection, integration: Option<&str>) -> Self {
        let (health, colour) = health(shell, connection);
        let user = connection.end_user.as_ref();
        let user = user.map(|user| user.display_name.as_ref().or(user.email.as_ref()).unwrap_or(&user.id));
        // Those of the person are told beside them.
        let own = |(tag, _): &(String, String)| !tag.starts_with("end_user_");
        Self {
            id: connection.id.to_string(),
            name: connection.name.clone(),
            integration: integration.unwrap_or_default().to_owned(),
            user: user.cloned().unwrap_or_default(),
            health,
            colour,
            tags: connection.tags.clone().into_iter().filter(own).collect(),
            created: Moment::new(connection.created_at),
            tested: connection.last_tested_at.map(Moment::new),
        }
    }
}

pub(super) async fn show(visitor: Visitor, State(routes): State<Routes>) -> Response {
    match make(&visitor, &routes).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Connections, &problem),
    }
}

/// Empty when nothing waits, and for whoever could not confirm it.
async fn to_confirm(visitor: &Visitor, routes: &Routes) -> Result<String, Problem> {
    if !visitor.may(Scope::CreateConnection) {
        return Ok(String::new());
    }
    let count = routes.platform.accounts_to_confirm(visitor.access()).await?.len();
    Ok(if count == 0 { String::new() } else { visitor.shell.say_number("confirm-waiting", "count", count) })
}

async fn make(visitor: &Visitor, routes: &Routes) -> Result<Response, Problem> {
    let (shell, access) = (&visitor.shell, visitor.access());
    let asked = FILTERS.map(|name| visitor.parameter(name));
    let [search, wanted_health, wanted_integration, tag] = &asked;
    let integrations = routes.platform.list_integrations(access).await?;
    let by_id: HashMap<&IntegrationId, &Integration> =
        integrations.iter().map(|integration| (&integration.id, integration)).collect();
    let chosen = integrations.iter().find(|integration| integration.unique_key == *wanted_integration);
    let filter = ConnectionFilter {
        integrations: chosen.map(|chosen| chosen.id.clone()).into_iter().collect(),
        health: Health::ALL.iter().copied().find(|health| health.as_str() == wanted_health),
        tags: tag
            .split_once('=')
            .map(|(tag, value)| (tag.to_owned(), value.to_owned()))
            .into_iter()
            .collect(),
        search: Some(search.clone()).filter(|search| !search.is_empty()),
    };
    let cursor = visitor.parameter("after").parse().ok();
    let found = routes.platform.list_connections(access, &filter, cursor.as_ref(), PAGE).await?;
    let rows = found.connections.iter().map(|connection| {
        let integration = by_id.get(&connection.integration_id);
        Row::new(shell, connection, integration.map(|known| known.display_name.as_str()))
    });
    let health_words = [
        ("active", "health-active"),
        ("unverified", "health-unverified"),
        ("expiring", "health-expiring"),
        ("failing", "health-failing"),
        ("needs_reconnecting", "health-needs-reconnecting"),
    ];
    let next = found.next.map(|next| {
        let next = next.to_string();
        let all = FILTERS.into_iter().zip(&asked).chain([("after", &next)]);
        let all = all.filter(|(_, value)| !value.is_empty());
        let all: Vec<String> = all.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        format!("?{}", all.join("&"))
    });
    let list = List {
        shell,
        frame: visitor.frame(Section::Connections, shell.say("nav-connections")),
        rows: rows.collect(),
        search: search.clone(),
        tag: tag.clone(),
        health: health_words.map(|(value, words)| (value, shell.say(words), value == wanted_health)).into(),
        integrations: integrations
            .iter()
            .map(|known| {
                (
                    known.unique_key.clone(),
                    known.display_name.clone(),
                    known.unique_key == *wanted_integration,
                )
            })
            .collect(),
        next: next.unwrap_or_default(),
        is_filtered: asked.iter().any(|value| !value.is_empty()),
        to_confirm: to_confirm(visitor, routes).await?,
        may_create: visitor.may(Scope::CreateConnection),
    };
    Ok(page(&list, &Framing::Nobody))
}
