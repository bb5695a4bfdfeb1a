use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use tombolo_platform::Problem;
use tombolo_platform::store::{CallDetail, CallRecord, Connection};

use super::waterfall::{Bar, bars};
use super::{covered, status};
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::shown::{bytes, encoded, micros};
use crate::pages::dashboard::table::Moment;
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

#[derive(Template)]
#[template(path = "dashboard/activity/call.html")]
struct Show<'a> {
    shell: &'a Shell,
    frame: Frame,
    request_id: String,
    at: Moment,
    method: String,
    path: String,
    status: String,
    colour: &'static str,
    error_kind: String,
    error_said: String,
    /// The name and the id; no id for one that is gone.
    connection: (String, String),
    facts: Vec<(String, String)>,
    bars: Vec<Bar>,
    total: String,
    curl: String,
    has_query: bool,
}

pub(super) async fn show(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, reference)): Path<(String, String)>,
) -> Response {
    match make(&visitor, &routes, &reference).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Activity, &problem),
    }
}

async fn make(visitor: &Visitor, routes: &Routes, reference: &str) -> Result<Response, Problem> {
    let (shell, access) = (&visitor.shell, visitor.access());
    let (call, detail) = routes.platform.read_call(access, reference).await?;
    let connection = routes.platform.read_connection(access, None, &call.connection).await.ok();
    let connection = connection.map(|(connection, _)| connection);
    let (status, colour) = status(&call);
    let title = format!("{} {}", call.method, covered(&call.path));
    let caller = caller(visitor, routes, &call).await;
    let show = Show {
        shell,
        frame: visitor.frame(Section::Activity, title),
        request_id: call.request_id.clone(),
        at: Moment::new(call.at),
        method: call.method.clone(),
        path: covered(&call.path),
        status,
        colour,
        error_said: said(shell, &call),
        error_kind: call.error_kind.clone(),
        connection: match &connection {
            Some(connection) => (connection.name.clone(), call.connection.clone()),
            None => (call.connection.clone(), String::new()),
        },
        facts: facts(shell, &call, detail.as_ref(), caller),
        bars: bars(shell, &call.phases),
        total: micros(call.phases.total),
        curl: curl(routes, &call, connection.as_ref()),
        has_query: call.path.contains('?'),
    };
    Ok(page(&show, &Framing::Nobody))
}

/// The name of the key for whoever may see keys, else its id.
async fn caller(visitor: &Visitor, routes: &Routes, call: &CallRecord) -> String {
    let keys = routes.platform.list_api_keys(visitor.access()).await.unwrap_or_default();
    let named = keys.into_iter().find(|key| key.id.as_str() == call.api_key);
    named.map_or_else(|| call.api_key.clone(), |key| format!("{} ({})", key.display_name, key.id))
}

/// What kind of failure it was, in words; the name of the kind stands beside them.
fn said(shell: &Shell, call: &CallRecord) -> String {
    let kind = call.error_kind.as_str();
    let words = match kind {
        "" if call.status >= 500 => "activity-error-their-server",
        "" if call.status == 429 => "activity-error-too-many",
        "" if call.status == 401 || call.status == 403 => "activity-error-refused",
        "" if call.status >= 400 => "activity-error-their-answer",
        "" => return String::new(),
        "caller_gone" => "activity-error-caller-gone",
        "name_not_found" | "resolver_failed" => "activity-error-name",
        "address_refused" | "host_not_bound" | "path_outside" => "activity-error-not-allowed",
        "connection_refused" | "connect_timed_out" | "unreachable" => "activity-error-unreachable",
        "head_timed_out" | "body_timed_out" => "activity-error-slow",
        "closed_before_head" | "body_reset" | "malformed_answer" => "activity-error-broken-off",
        "host_crowded" => "activity-error-crowded",
        kind if kind.starts_with("tls_") => "activity-error-tls",
        kind if kind.starts_with("proxy_") => "activity-error-proxy",
        _ => "activity-error-other",
    };
    shell.say(words)
}

fn facts(
    shell: &Shell,
    call: &CallRecord,
    detail: Option<&CallDetail>,
    caller: String,
) -> Vec<(String, String)> {
    let host = detail.and_then(|detail| detail.detail["host"].as_str()).unwrap_or_default();
    let socket = if call.pooled { "activity-socket-kept" } else { "activity-socket-new" };
    let facts = [
        ("integration", call.integration.clone()),
        ("activity-host", host.to_owned()),
        ("activity-caller", caller),
        ("activity-attempts", call.attempts.to_string()),
        ("activity-bytes-up", bytes(call.bytes_up)),
        ("activity-bytes-down", bytes(call.bytes_down)),
        ("activity-socket", if call.attempts == 0 { String::new() } else { shell.say(socket) }),
    ];
    let given = facts.into_iter().filter(|(_, value)| !value.is_empty());
    given.map(|(words, value)| (shell.say(words), value)).collect()
}

/// The call as somebody repeats it. Neither the key nor the values of the query are known here.
fn curl(routes: &Routes, call: &CallRecord, connection: Option<&Connection>) -> String {
    let base = routes.public_url.known().unwrap_or("https://tombolo.example.com");
    let connection = connection.map_or("…", |connection| connection.connection_id.as_str());
    let connection = encoded(connection);
    let method = if call.method == "GET" { String::new() } else { format!("-X {} ", call.method) };
    let body = if call.bytes_up > 0 {
        " \\\n  -H 'Content-Type: application/json' \\\n  --data @body.json"
    } else {
        ""
    };
    let address = format!("{base}/proxy{}", covered(&call.path)).replace('\'', "%27");
    let key = call.integration.replace('\'', "");
    format!(
        "curl {method}'{address}' \\\n  -H \"Authorization: Bearer $TOMBOLO_API_KEY\" \\\n  \
         -H 'Provider-Config-Key: {key}' \\\n  -H 'Connection-Id: {connection}'{body}"
    )
}
