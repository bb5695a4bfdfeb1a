//! The first page: how everything does, and the first steps.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tombolo_platform::store::{ConnectionFilter, Health};
use tombolo_platform::{Problem, Scope};

use super::frame::{Frame, Section};
use super::visitor::{Visitor, go_to};
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

#[derive(Template)]
#[template(path = "dashboard/home.html")]
struct Home<'a> {
    shell: &'a Shell,
    frame: Frame,
    /// Words, how many, colour, and the query of the list that shows them.
    counts: Vec<(String, String, &'static str, &'static str)>,
    has_connections: bool,
    may_create: bool,
    snippets: Vec<(String, String)>,
}

/// Leads to the environment that somebody chose last.
pub(super) async fn go_to_environment(visitor: Visitor) -> Response {
    go_to(&visitor.to(""))
}

pub(super) async fn show(visitor: Visitor, State(routes): State<Routes>) -> Response {
    match make(&visitor, &routes).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Home, &problem),
    }
}

/// More than so many are not counted one by one: the first page costs the same however many there are.
const COUNTED_MAX: usize = 100;

async fn make(visitor: &Visitor, routes: &Routes) -> Result<Response, Problem> {
    let shell = &visitor.shell;
    let mut counts = Vec::new();
    let mut newest = None;
    for (health, words, colour, query) in [
        (None, "home-all", "", ""),
        (Some(Health::Active), "health-active", "good", "?health=active"),
        (Some(Health::Expiring), "health-expiring", "warn", "?health=expiring"),
        (Some(Health::Failing), "health-failing", "warn", "?health=failing"),
        (Some(Health::NeedsReconnecting), "health-needs-reconnecting", "bad", "?health=needs_reconnecting"),
    ] {
        let filter = ConnectionFilter { health, ..ConnectionFilter::default() };
        let found = routes.platform.list_connections(visitor.access(), &filter, None, COUNTED_MAX).await?;
        let count = found.connections.len();
        let count = if found.next.is_some() { format!("{count}+") } else { count.to_string() };
        counts.push((shell.say(words), count, colour, query));
        if health.is_none() {
            newest = found.connections.into_iter().next();
        }
    }
    let snippets = match &newest {
        Some(connection) => {
            let (connection, integration) =
                routes.platform.read_connection(visitor.access(), None, connection.id.as_str()).await?;
            super::connections::snippets(routes, &integration, &connection)
        }
        None => Vec::new(),
    };
    let home = Home {
        shell,
        frame: visitor.frame(Section::Home, shell.say("nav-home")),
        counts,
        has_connections: newest.is_some(),
        may_create: visitor.may(Scope::CreateConnection),
        snippets,
    };
    Ok(page(&home, &Framing::Nobody))
}
