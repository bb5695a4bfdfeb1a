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
use tombolo_platform::catalog::{AuthScheme, FieldError};
use tombolo_platform::connect::SessionAccess;
use tombolo_platform::{CreatedConnection, Problem, TestEvent, TestReport};

use super::problem::{Refused, error_type, in_words};
use super::view::{Asked, Head, Linked, Tested, name_of};
use super::visit::{LINES, Visit, refuse_other_sites};
use super::window::begun;
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
    let mut tested = Tested { shell, look: &visit.look, report: None, faults: Vec::new(), problem: None };
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
    if goes_to_vendor(&routes, &holder, &posted).await {
        return begun(&routes, &visit, &holder, &headers, &posted).await;
    }
    let provider = provider_of(&routes, &visit, &holder, &posted).await;
    match work(&routes, &holder, &posted, true, &mut |_| {}).await {
        Ok(Outcome::Linked(created)) => Ok(linked(&visit, &holder, &provider, &created, &posted)),
        Ok(Outcome::Tested(report)) => {
            let report = ReportView::new(&visit.shell, &report);
            form_again(
                &routes,
                &visit,
                &holder,
                &posted,
                Remarks { report: Some(report), ..Remarks::default() },
            )
            .await
        }
        Err(problem) => asked_again(&routes, &visit, &holder, &posted, problem).await,
    }
}

/// Whether a person agrees at the vendor by the chosen auth scheme. Without a script a form comes here with any scheme.
async fn goes_to_vendor(routes: &Routes, holder: &SessionAccess, posted: &Posted) -> bool {
    let choice = routes.platform.link_choice(holder, posted.text("integration")).await;
    choice.is_ok_and(|choice| {
        choice.provider.scheme(posted.text("scheme")).is_some_and(AuthScheme::needs_browser)
    })
}

/// What stands on a form beside what was typed.
#[derive(Default)]
struct Remarks {
    report: Option<ReportView>,
    errors: Vec<FieldError>,
    problem: Option<(String, String)>,
}

/// The form with what is wrong with it.
pub(super) async fn asked_again(
    routes: &Routes,
    visit: &Visit,
    holder: &SessionAccess,
    posted: &Posted,
    problem: Problem,
) -> Result<Response, Refused> {
    let remarks = if problem.fields.is_empty() {
        Remarks { problem: Some(in_words(&visit.shell, &problem)), ..Remarks::default() }
    } else {
        Remarks { errors: problem.fields, ..Remarks::default() }
    };
    form_again(routes, visit, holder, posted, remarks).await
}

async fn form_again(
    routes: &Routes,
    visit: &Visit,
    holder: &SessionAccess,
    posted: &Posted,
    remarks: Remarks,
) -> Result<Response, Refused> {
    let refused = |problem| visit.refused(problem);
    let choices = routes.platform.link_choices(holder).await.map_err(refused)?;
    let form = routes.platform.link_form(holder, posted.text("integration")).await.map_err(refused)?;
    let asked = Asked { visit, form: &form, posted, errors: &remarks.errors };
    let head = Head::new(visit, holder, posted.text("session_token"));
    Ok(page(&asked.page(head, &choices, remarks.report, remarks.problem), &visit.framing()))
}

pub(super) async fn arrived(
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
        look: &visit.look,
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

/// Whose account it is and where, in the words of what was typed and is no secret; nothing when that says nothing.
async fn account_of(
    routes: &Routes,
    visit: &Visit,
    holder: &SessionAccess,
    posted: &Posted,
) -> Option<String> {
    let form = routes.platform.link_form(holder, posted.text("integration")).await.ok()?;
    let provider = &form.choice.provider;
    let scheme = provider.scheme(posted.text("scheme"))?;
    let of_scheme = scheme.fields.iter().filter(|(_, field)| !field.secret);
    let who: Vec<&str> = of_scheme.map(|(name, _)| posted.text(&format!("s.{}.{name}", scheme.id))).collect();
    let typed = |name: &str| {
        let given = form.filled_in.get(name).map(String::as_str);
        given.unwrap_or_else(|| posted.text(&format!("c.{name}"))).to_owned()
    };
    let place: Vec<String> =
        provider.base_url.config_names().map(typed).filter(|part| !part.is_empty()).collect();
    let place = place.join(".");
    let parts = who.into_iter().chain([place.as_str()]).filter(|part| !part.is_empty());
    let account = parts.collect::<Vec<_>>().join(" · ");
    (!account.is_empty()).then(|| visit.shell.say_with("signed-in-as", "account", account))
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

/// Does the work and tells it, one JSON object per line. It goes on to its end when the browser goes away.
fn lines(routes: Routes, visit: Visit, holder: SessionAccess, posted: Posted, stores: bool) -> Response {
    let (sender, told) = mpsc::unbounded_channel::<Value>();
    tokio::spawn(async move {
        let shell = visit.shell.clone();
        let events = sender.clone();
        let mut watch = move |event: TestEvent| drop(events.send(told_of(&shell, &event)));
        let provider = provider_of(&routes, &visit, &holder, &posted).await;
        let account = account_of(&routes, &visit, &holder, &posted).await;
        let outcome = work(&routes, &holder, &posted, stores, &mut watch).await;
        let shell = &visit.shell;
        let last = match outcome {
            Ok(Outcome::Tested(report)) => json!({
                "type": "report",
                "available": report.available,
                "conclusion": conclusion(shell, &report),
                "rights": rights(shell, &report),
                "account": account,
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
            Err(problem) => told_problem(shell, &posted, &problem),
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

/// What went wrong, for the page's script.
pub(super) fn told_problem(shell: &Shell, posted: &Posted, problem: &Problem) -> Value {
    let (what, fix) = in_words(shell, problem);
    let fields = input_names(posted, &problem.fields);
    let fields: Vec<Value> = fields
        .into_iter()
        .map(|(input, error)| json!({ "input": input, "message": shell.of(&error.message), "code": error.code }))
        .collect();
    json!({ "type": "problem", "errorType": error_type(problem), "what": what, "fix": fix, "fields": fields })
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
