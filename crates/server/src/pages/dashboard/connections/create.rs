//! A connection that an administrator makes: TEST, then CREATE.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::json;
use tombolo_platform::catalog::{FieldError, Provider};
use tombolo_platform::store::Integration;
use tombolo_platform::{Belonging, ConnectionDraft, Problem, Scope};

use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::form::{AccountForm, Drawn, Posted, ReportView, faults};
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

#[derive(Template)]
#[template(path = "dashboard/connections/choose.html")]
struct Choose<'a> {
    shell: &'a Shell,
    frame: Frame,
    /// Key, name, description.
    known: Vec<(String, String, String)>,
    other: Vec<(String, String, String)>,
    may_enable: bool,
}

/// Asks which integration it is for; a provider that nobody has used yet gets one with its first connection.
pub(super) async fn choose(visitor: Visitor, State(routes): State<Routes>) -> Response {
    let integrations = match routes.platform.list_integrations(visitor.access()).await {
        Ok(integrations) => integrations,
        Err(problem) => return visitor.failed(Section::Connections, &problem),
    };
    let shell = &visitor.shell;
    let described = |provider: &Provider| shell.of(&provider.description).to_owned();
    let known = integrations.iter().filter_map(|integration| {
        let provider = routes.platform.provider_of(integration).ok()?;
        Some((integration.unique_key.clone(), integration.display_name.clone(), described(&provider)))
    });
    let used: BTreeSet<&str> =
        integrations.iter().map(|integration| integration.unique_key.as_str()).collect();
    let other = routes.platform.catalog().iter().filter(|provider| !used.contains(provider.id.as_str()));
    let choose = Choose {
        shell,
        frame: visitor.frame(Section::Connections, shell.say("new-connection")),
        known: known.collect(),
        other: other
            .map(|provider| (provider.id.clone(), shell.of(&provider.name).to_owned(), described(provider)))
            .collect(),
        may_enable: visitor.may(Scope::CreateIntegration),
    };
    page(&choose, &Framing::Nobody)
}

#[derive(Template)]
#[template(path = "dashboard/connections/form.html")]
struct FormPage<'a> {
    shell: &'a Shell,
    frame: Frame,
    provider: String,
    name: String,
    name_error: String,
    error: String,
    form: AccountForm,
    report: Option<ReportView>,
    may_save_untested: bool,
}

/// An empty form.
pub(super) async fn form(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    match draw(&visitor, &routes, &key, &Posted::default(), Outcome::default()).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Connections, &problem),
    }
}

/// What came of what was sent.
#[derive(Default)]
struct Outcome {
    report: Option<ReportView>,
    errors: Vec<FieldError>,
    error: String,
}

/// Tests what was typed, or stores it when it passes its test. Saving without a test is for whoever asks for it by name.
pub(super) async fn submit(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, key)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let outcome = match work(&visitor, &routes, &key, &posted).await {
        Ok(Done::Stored(id)) => return visitor.done(&format!("connections/{id}"), "created"),
        Ok(Done::Tested(report)) => Outcome { report: Some(report), ..Outcome::default() },
        Err(problem) if problem.fields.is_empty() => {
            Outcome { error: visitor.problem_line(&problem), ..Outcome::default() }
        }
        Err(problem) => Outcome { errors: problem.fields, ..Outcome::default() },
    };
    match draw(&visitor, &routes, &key, &posted, outcome).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Connections, &problem),
    }
}

enum Done {
    Stored(String),
    Tested(ReportView),
}

async fn work(visitor: &Visitor, routes: &Routes, key: &str, posted: &Posted) -> Result<Done, Problem> {
    let typed = posted.account();
    let draft = ConnectionDraft {
        integration: key.to_owned(),
        name: typed.name.unwrap_or_default(),
        connection_id: None,
        auth_scheme: typed.auth_scheme,
        fields: typed.fields,
        settings: typed.settings,
        tags: BTreeMap::new(),
        metadata: json!({}),
        belonging: Belonging::default(),
    };
    let (platform, access) = (&routes.platform, visitor.access());
    let shell = &visitor.shell;
    if posted.text("press") == "test" {
        let report = platform.test_draft(access, &draft, &mut |_| {}).await?;
        return Ok(Done::Tested(ReportView::new(shell, &report)));
    }
    let test = posted.text("press") != "untested";
    Ok(match platform.create_connection(access, &draft, test, &mut |_| {}).await? {
        Ok(created) => Done::Stored(created.connection.id.to_string()),
        Err(report) => Done::Tested(ReportView::new(shell, &report)),
    })
}

async fn draw(
    visitor: &Visitor,
    routes: &Routes,
    key: &str,
    posted: &Posted,
    outcome: Outcome,
) -> Result<Response, Problem> {
    visitor.access().require(Scope::CreateConnection)?;
    let shell = &visitor.shell;
    let known = routes.platform.list_integrations(visitor.access()).await?;
    let integration: Option<&Integration> = known.iter().find(|integration| integration.unique_key == key);
    let provider = match integration {
        Some(integration) => routes.platform.provider_of(integration)?,
        None => routes.platform.provider_to_enable(visitor.access(), key)?,
    };
    let allowed = integration.map_or(&[][..], |integration| &integration.auth_schemes);
    // Accounts that a person links at the vendor are linked by a link to that person.
    let schemes = provider.auth.iter().filter(|scheme| !scheme.needs_browser());
    let schemes =
        schemes.map(|scheme| scheme.id.clone()).filter(|id| allowed.is_empty() || allowed.contains(id));
    let schemes: Vec<String> = schemes.collect();
    let faults = faults(shell, &outcome.errors);
    let name_error = faults.get("name").cloned().unwrap_or_default();
    let values = posted.shown_again(&provider);
    let drawn = Drawn { shell, provider: &provider, values, faults, given: BTreeSet::new() };
    let chosen = Some(posted.text("scheme")).filter(|scheme| !scheme.is_empty());
    let name = shell.of(&provider.name).to_owned();
    let form = FormPage {
        shell,
        frame: visitor.frame(Section::Connections, shell.say_with("link-title", "provider", &name)),
        provider: name,
        name: posted.text("name").to_owned(),
        name_error,
        error: outcome.error,
        form: drawn.form(&schemes, chosen),
        report: outcome.report,
        may_save_untested: visitor.may(Scope::CreateIntegration),
    };
    Ok(page(&form, &Framing::Nobody))
}
