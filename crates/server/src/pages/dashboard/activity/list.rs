use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tombolo_platform::store::{ActivityCursor, ActivityFilter, ActivityPage, CallRecord, ConnectionFilter};
use tombolo_platform::{Problem, ProblemKind};

use super::{covered, status};
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::shown::{Choice, micros, plain_choices, query};
use crate::pages::dashboard::table::Moment;
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

const PAGE: usize = 50;
/// Names that the field for a connection proposes.
const PROPOSED: usize = 200;
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

#[derive(Template)]
#[template(path = "dashboard/activity/list.html")]
struct List<'a> {
    shell: &'a Shell,
    frame: Frame,
    rows: Vec<Row>,
    asked: Asked,
    connections: Vec<String>,
    integrations: Vec<Choice>,
    methods: Vec<Choice>,
    statuses: Vec<Choice>,
    error: String,
    next: String,
    first: String,
}

struct Row {
    reference: String,
    at: Moment,
    connection: String,
    /// Empty for one that is gone.
    connection_id: String,
    integration: String,
    method: String,
    path: String,
    status: String,
    colour: &'static str,
    error: String,
    time: String,
}

/// The filters of the address.
struct Asked {
    connection: String,
    integration: String,
    method: String,
    path: String,
    status: String,
    failed: String,
    after: String,
}

impl Asked {
    fn of(visitor: &Visitor) -> Self {
        let [connection, integration, method, path, status, failed, after] =
            ["connection", "integration", "method", "path", "status", "failed", "after"]
                .map(|name| visitor.parameter(name).trim().to_owned());
        Self { connection, integration, method, path, status, failed, after }
    }

    fn filter(&self) -> ActivityFilter {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        ActivityFilter {
            connection: None,
            integration: given(&self.integration),
            method: given(&self.method),
            path_prefix: given(&self.path),
            status_class: self.status.strip_suffix("xx").and_then(|digit| digit.parse().ok()),
            failed: self.is_failed(),
        }
    }

    fn is_failed(&self) -> bool {
        self.failed == "true"
    }

    /// Whether some calls are left out.
    fn is_filtered(&self) -> bool {
        !self.query("").is_empty()
    }

    /// The address of another page of the same list.
    fn query(&self, after: &str) -> String {
        query(&[
            ("connection", &self.connection),
            ("integration", &self.integration),
            ("method", &self.method),
            ("path", &self.path),
            ("status", &self.status),
            ("failed", &self.failed),
            ("after", after),
        ])
    }
}

pub(super) async fn show(visitor: Visitor, State(routes): State<Routes>) -> Response {
    match make(&visitor, &routes).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Activity, &problem),
    }
}

async fn make(visitor: &Visitor, routes: &Routes) -> Result<Response, Problem> {
    let (shell, access) = (&visitor.shell, visitor.access());
    let asked = Asked::of(visitor);
    let connection = Some(asked.connection.as_str()).filter(|reference| !reference.is_empty());
    let after: Option<ActivityCursor> = asked.after.parse().ok();
    let found = routes.platform.list_activity(access, connection, asked.filter(), after.as_ref(), PAGE).await;
    let (found, error) = match found {
        Ok(found) => (found, String::new()),
        // A name that nothing has is a filter that finds nothing.
        Err(problem) if problem.kind == ProblemKind::NotFound || problem.code == "ambiguous_connection" => {
            (ActivityPage { calls: Vec::new(), next: None }, visitor.in_words(&problem).0)
        }
        Err(problem) => return Err(problem),
    };
    let integrations = routes.platform.list_integrations(access).await?;
    let known =
        routes.platform.list_connections(access, &ConnectionFilter::default(), None, PROPOSED).await?;
    let names = names(visitor, routes, &found.calls).await;
    let next = found.next.map(|next| asked.query(&next.to_string()));
    let list = List {
        shell,
        frame: visitor.frame(Section::Activity, shell.say("nav-activity")),
        rows: found.calls.iter().map(|call| row(call, &names)).collect(),
        connections: known.connections.into_iter().map(|connection| connection.name).collect(),
        integrations: integrations
            .into_iter()
            .map(|known| {
                let is_chosen = known.unique_key == asked.integration;
                (known.unique_key, known.display_name, is_chosen)
            })
            .collect(),
        methods: plain_choices(METHODS, &asked.method),
        statuses: ["2xx", "3xx", "4xx", "5xx"]
            .map(|class| {
                (class.to_owned(), shell.say(&format!("activity-status-{class}")), class == asked.status)
            })
            .into(),
        error,
        next: next.unwrap_or_default(),
        first: visitor.to("activity") + &asked.query(""),
        asked,
    };
    Ok(page(&list, &Framing::Nobody))
}

fn row(call: &CallRecord, names: &HashMap<String, String>) -> Row {
    let (status, colour) = status(call);
    let name = names.get(&call.connection);
    Row {
        reference: call.reference(),
        at: Moment::new(call.at),
        connection: name.unwrap_or(&call.connection).clone(),
        connection_id: name.map(|_| call.connection.clone()).unwrap_or_default(),
        integration: call.integration.clone(),
        method: call.method.clone(),
        path: covered(&call.path),
        status,
        colour,
        error: call.error_kind.clone(),
        time: micros(call.phases.total),
    }
}

/// The names of the connections that are there still, by their ids.
async fn names(visitor: &Visitor, routes: &Routes, calls: &[CallRecord]) -> HashMap<String, String> {
    let mut names = HashMap::new();
    for call in calls {
        if call.connection.is_empty() || names.contains_key(&call.connection) {
            continue;
        }
        let found = routes.platform.read_connection(visitor.access(), None, &call.connection).await;
        names.insert(call.connection.clone(), found.ok().map(|(connection, _)| connection.name));
    }
    names.into_iter().filter_map(|(id, name)| Some((id, name?))).collect()
}
