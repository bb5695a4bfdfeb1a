//! TEST and CREATE: what somebody typed is tested, told stage by stage, and linked.

use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use serde_json::json;
use tombolo_platform::catalog::{AuthScheme, FieldError};
use tombolo_platform::connect::SessionAccess;
use tombolo_platform::{CreatedConnection, Problem, TestEvent, TestReport};

use super::problem::{Refused, in_words};
use super::view::{Asked, Head, Linked, Tested, name_of};
use super::visit::{Visit, refuse_other_sites};
use super::window::begun;
use crate::pages::form::{Posted, ReportView, faults, lines, told_problem, told_report, wants_lines};
use crate::pages::page::page;
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
        return Ok(told(routes, visit, holder, posted, false));
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
        return Ok(told(routes, visit, holder, posted, true));
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
    let asked = Asked { platform: &routes.platform, visit, form: &form, posted, errors: &remarks.errors };
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

/// Does the work and tells it while it goes on.
fn told(routes: Routes, visit: Visit, holder: SessionAccess, posted: Posted, stores: bool) -> Response {
    lines(visit.shell.clone(), |mut watch| async move {
        let shell = &visit.shell;
        let provider = provider_of(&routes, &visit, &holder, &posted).await;
        let account = account_of(&routes, &visit, &holder, &posted).await;
        match work(&routes, &holder, &posted, stores, &mut *watch).await {
            Ok(Outcome::Tested(report)) => told_report(shell, &report, account.as_deref()),
            Ok(Outcome::Linked(created)) => json!({
                "type": "linked",
                "title": shell.say_with("linked-title", "provider", &provider),
                "called": shell.say_with("linked-name", "name", &created.connection.name),
                "connectionId": created.connection.connection_id,
                "providerConfigKey": created.integration.unique_key,
                "onward": onward(&holder),
            }),
            Err(problem) => told_problem(shell, &posted, &problem),
        }
    })
}
