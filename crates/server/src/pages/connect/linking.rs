//! TEST and CREATE: what somebody typed is tested, told stage by stage, and linked.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::HeaderMap;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tombolo_platform::connect::SessionAccess;
use tombolo_platform::{CreatedConnection, Problem, TestEvent, TestReport};

use super::problem::{Refused, error_type, in_words};
use super::view::{Asked, Head, Linked, Tested, name_of};
use super::visit::{Visit, refuse_other_sites};
use crate::pages::form::{Posted, ReportView, StageView, conclusion, faults, input_names, rights};
use crate::pages::page::page;
use crate::pages::shell::Shell;
use crate::routes::Routes;

/// What came of it.
enum Outcome {
    Tested(TestReport),
    Linked(Box<CreatedConnection>),
}

/// Tests what was typed. Nothing is stored.
pub(super) async fn test(
    State(routes): State<Routes>,
    Path(environment): Path<String>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Refused> {
    let (visit, holder) = arrived(&routes, &environment, &headers, &posted).await?;
    if wants_lines(&headers) {
        return Ok(lines(routes, visit, holder, posted, false));
    }
    let shell = &visit.shell;
    let mut tested = Tested { shell, report: None, faults: Vec::new(), problem: None };
    match work(&routes, &holder, &posted, false, &mut |_| {}).await {
        Ok(Outcome::Tested(report)) => tested.report = Some(ReportView::new(shell, &report)),
        Ok(Outcome::Linked(_)) => {}
        Err(problem) if problem.fields.is_empty() => tested.problem = Some(in_words(shell, &problem)),
        Err(problem) => tested.faults = faults(shell, &problem.fields).into_values().collect(),
    }
    Ok(page(&tested, &visit.framing()))
}

/// Tests what was typed, and links the account when it can be used.
pub(super) async fn link(
    State(routes): State<Routes>,
    Path(environment): Path<String>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Refused> {
    let (visit, holder) = arrived(&routes, &environment, &headers, &posted).await?;
    if wants_lines(&headers) {
        return Ok(lines(routes, visit, holder, posted, true));
    }
    let shell = &visit.shell;
    let provider = provider_of(&routes, &visit, &holder, &posted).await;
    let (report, errors, problem) = match work(&routes, &holder, &posted, true, &mut |_| {}).await {
        Ok(Outcome::Linked(created)) => return Ok(linked(&visit, &holder, &provider, &created, &posted)),
        Ok(Outcome::Tested(report)) => (Some(ReportView::new(shell, &report)), Vec::new(), None),
        Err(problem) if problem.fields.is_empty() => (None, Vec::new(), Some(in_words(shell, &problem))),
        Err(problem) => (None, problem.fields, None),
    };
    let refused = |problem| visit.refused(problem);
    let choices = routes.platform.link_choices(&holder).await.map_err(refused)?;
    let form = routes.platform.link_form(&holder, posted.text("integration")).await.map_err(refused)?;
    let asked = Asked { visit: &visit, form: &form, posted: &posted, errors: &errors };
    let head = Head::new(&visit, &holder, posted.text("session_token"));
    Ok(page(&asked.page(head, &choices, report, problem), &visit.framing()))
}

async fn arrived(
    routes: &Routes,
    environment: &str,
    headers: &HeaderMap,
    posted: &Posted,
) -> Result<(Visit, SessionAccess), Refused> {
    let visit = Visit::new(routes, environment, headers, (posted.text("lang"), posted.text("theme"))).await?;
    let holder = match refuse_other_sites(headers) {
        Ok(()) => visit.session(routes, posted.text("session_token")).await,
        Err(problem) => Err(problem),
    };
    match holder {
        Ok(holder) => Ok((visit, holder)),
        Err(problem) => Err(visit.refused(problem)),
    }
}

async fn work(
    routes: &Routes,
    holder: &SessionAccess,
    posted: &Posted,
    stores: bool,
    watch: &mut (dyn FnMut(TestEvent) + Send),
) -> Result<Outcome, Problem> {
    let key = posted.text("integration");
    let typed = posted.account();
    if !stores {
        return routes.platform.test_account(holder, key, typed, watch).await.map(Outcome::Tested);
    }
    Ok(match routes.platform.link_account(holder, key, typed, watch).await? {
        Ok(created) => Outcome::Linked(Box::new(created)),
        Err(report) => Outcome::Tested(report),
    })
}

fn linked(
    visit: &Visit,
    holder: &SessionAccess,
    provider: &str,
    created: &CreatedConnection,
    posted: &Posted,
) -> Response {
    let shell = &visit.shell;
    let template = Linked {
        shell,
        origins: visit.origins(),
        provider: provider.to_owned(),
        name: created.connection.name.clone(),
        key: posted.text("integration").to_owned(),
        connection_id: created.connection.connection_id.clone(),
        onward: onward(holder),
    };
    page(&template, &visit.framing())
}

/// What people call the service; nothing when it cannot be linked here, which the work itself then says.
async fn provider_of(routes: &Routes, visit: &Visit, holder: &SessionAccess, posted: &Posted) -> String {
    let choice = routes.platform.link_choice(holder, posted.text("integration")).await;
    choice.map(|choice| name_of(&visit.shell, &choice)).unwrap_or_default()
}

/// The embedder's page that somebody goes on to, as it is told that an account was linked.
fn onward(holder: &SessionAccess) -> String {
    let Some(url) = &holder.draft.return_url else { return String::new() };
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}linked=true")
}

fn wants_lines(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.starts_with(LINES))
}

const LINES: &str = "application/x-ndjson";

/// Does the work and tells it, one JSON object per line. It goes on to its end when the browser goes away.
fn lines(routes: Routes, visit: Visit, holder: SessionAccess, posted: Posted, stores: bool) -> Response {
    let (sender, told) = mpsc::unbounded_channel::<Value>();
    tokio::spawn(async move {
        let shell = visit.shell.clone();
        let events = sender.clone();
        let mut watch = move |event: TestEvent| drop(events.send(told_of(&shell, &event)));
        let provider = provider_of(&routes, &visit, &holder, &posted).await;
        let outcome = work(&routes, &holder, &posted, stores, &mut watch).await;
        let shell = &visit.shell;
        let last = match outcome {
            Ok(Outcome::Tested(report)) => json!({
                "type": "report",
                "available": report.available,
                "conclusion": conclusion(shell, &report),
                "rights": rights(shell, &report),
                "fix": report.verdict().map(|verdict| shell.of(&verdict.fix)),
                "message": report.verdict().map(|verdict| shell.of(&verdict.says)),
            }),
            Ok(Outcome::Linked(created)) => json!({
                "type": "linked",
                "title": shell.say_with("linked-title", "provider", &provider),
                "called": shell.say_with("linked-name", "name", &created.connection.name),
                "connectionId": created.connection.connection_id,
                "providerConfigKey": created.integration.unique_key,
                "onward": onward(&holder),
            }),
            Err(problem) => {
                let (what, fix) = in_words(shell, &problem);
                let fields = input_names(&posted, &problem.fields);
                let fields: Vec<Value> = fields
                    .into_iter()
                    .map(|(input, error)| json!({ "input": input, "message": shell.of(&error.message) }))
                    .collect();
                json!({ "type": "problem", "errorType": error_type(&problem), "what": what, "fix": fix, "fields": fields })
            }
        };
        let _ = sender.send(last);
    });
    let body = stream::unfold(told, async |mut told| {
        let line = told.recv().await?;
        Some((Ok::<_, Infallible>(Bytes::from(format!("{line}\n"))), told))
    });
    let mut response = Body::from_stream(body.boxed()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(LINES));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn told_of(shell: &Shell, event: &TestEvent) -> Value {
    match event {
        TestEvent::Started { name, subject, .. } => {
            let name = shell.of(name);
            let name =
                subject.as_ref().map_or_else(|| name.to_owned(), |subject| format!("{name} ({subject})"));
            json!({ "type": "started", "name": name })
        }
        TestEvent::Ended(stage) => json!({ "type": "stage", "stage": StageView::new(shell, stage) }),
    }
}
