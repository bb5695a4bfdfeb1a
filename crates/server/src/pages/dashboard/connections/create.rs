//! A connection that an administrator makes: TEST, then CREATE.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::LOCATION;
use serde_json::json;
use tombolo_platform::catalog::{AuthScheme, FieldError, Provider};
use tombolo_platform::store::Integration;
use tombolo_platform::{Belonging, ConnectionDraft, Problem, Scope, TestEvent, TestReport};

use super::vendor;
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::form::{
    AccountForm, Drawn, Posted, ReportView, faults, lines, told_problem, told_report, wants_lines,
};
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
    key: &'a str,
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
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    if wants_lines(&headers) {
        return told(visitor, routes, key, posted);
    }
    let outcome = match work(&visitor, &routes, &key, &posted, &mut |_| {}).await {
        Ok(Done::Leaves(response)) => return response,
        Ok(Done::Stored(id)) => return visitor.done(&format!("connections/{id}"), "created"),
        Ok(Done::Tested(report)) => {
            Outcome { report: Some(ReportView::new(&visitor.shell, &report)), ..Outcome::default() }
        }
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

/// Does the same and tells it while it goes on, so that what was typed stays in the form.
fn told(visitor: Visitor, routes: Routes, key: String, posted: Posted) -> Response {
    lines(visitor.shell.clone(), |mut watch| async move {
        let shell = &visitor.shell;
        match work(&visitor, &routes, &key, &posted, &mut *watch).await {
            Ok(Done::Tested(report)) => told_report(shell, &report, None),
            Ok(Done::Stored(id)) => {
                json!({ "type": "linked", "address": visitor.to(&format!("connections/{id}?done=created")) })
            }
            // The page's script sends this form as any other.
            Ok(Done::Leaves(response)) => {
                let address = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
                json!({ "type": "linked", "address": address.unwrap_or_default() })
            }
            Err(problem) => told_problem(shell, &posted, &problem),
        }
    })
}

/// The fields in a pasted text, such as the address of any page of the vendor's.
pub(super) async fn paste(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, key)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let provider = chosen(&visitor, &routes, &key).await.map(|(_, provider)| provider);
    let fields = provider.ok().and_then(|provider| provider.read_pasted(posted.text("pasted").trim()));
    Json(fields.unwrap_or_default()).into_response()
}

enum Done {
    Stored(String),
    Tested(TestReport),
    /// To the vendor, where the person agrees.
    Leaves(Response),
}

async fn work(
    visitor: &Visitor,
    routes: &Routes,
    key: &str,
    posted: &Posted,
    watch: &mut (dyn FnMut(TestEvent) + Send),
) -> Result<Done, Problem> {
    if goes_to_vendor(visitor, routes, key, posted).await? {
        return vendor::leave(visitor, routes, key, posted).await.map(Done::Leaves);
    }
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
    if posted.text("press") == "test" {
        return platform.test_draft(access, &draft, watch).await.map(Done::Tested);
    }
    let test = posted.text("press") != "untested";
    Ok(match platform.create_connection(access, &draft, test, watch).await? {
        Ok(created) => Done::Stored(created.connection.id.to_string()),
        Err(report) => Done::Tested(report),
    })
}

/// The integration with a key, if there is one yet, and its provider.
pub(super) async fn chosen(
    visitor: &Visitor,
    routes: &Routes,
    key: &str,
) -> Result<(Option<Integration>, Arc<Provider>), Problem> {
    visitor.access().require(Scope::CreateConnection)?;
    let known = routes.platform.list_integrations(visitor.access()).await?;
    let integration = known.into_iter().find(|integration| integration.unique_key == key);
    let provider = match &integration {
        Some(integration) => routes.platform.provider_of(integration)?,
        None => routes.platform.provider_to_enable(visitor.access(), key)?,
    };
    Ok((integration, provider))
}

/// Whether the person agrees at the vendor by the chosen auth scheme, whichever button was pressed.
async fn goes_to_vendor(
    visitor: &Visitor,
    routes: &Routes,
    key: &str,
    posted: &Posted,
) -> Result<bool, Problem> {
    let (_, provider) = chosen(visitor, routes, key).await?;
    Ok(provider.scheme(posted.text("scheme")).is_some_and(AuthScheme::needs_browser))
}

async fn draw(
    visitor: &Visitor,
    routes: &Routes,
    key: &str,
    posted: &Posted,
    outcome: Outcome,
) -> Result<Response, Problem> {
    let shell = &visitor.shell;
    let (integration, provider) = chosen(visitor, routes, key).await?;
    let integration = integration.as_ref();
    let allowed = integration.map_or(&[][..], |integration| &integration.auth_schemes);
    let schemes = provider.auth.iter().map(|scheme| scheme.id.clone());
    let schemes: Vec<String> = schemes.filter(|id| allowed.is_empty() || allowed.contains(id)).collect();
    let faults = faults(shell, &outcome.errors);
    let name_error = faults.get("name").cloned().unwrap_or_default();
    let values = posted.shown_again(&provider);
    let platform = &*routes.platform;
    let drawn = Drawn { shell, provider: &provider, platform, values, faults, given: BTreeSet::new() };
    let chosen = Some(posted.text("scheme")).filter(|scheme| !scheme.is_empty());
    let name = shell.of(&provider.name).to_owned();
    let mut drawn_form = drawn.form(&schemes, chosen);
    for scheme in &mut drawn_form.schemes {
        scheme.clients = vendor::clients(visitor, routes, integration, &provider, &scheme.id, posted).await?;
    }
    let form = FormPage {
        shell,
        frame: visitor.frame(Section::Connections, shell.say_with("link-title", "provider", &name)),
        provider: name,
        key,
        name: posted.text("name").to_owned(),
        name_error,
        error: outcome.error,
        form: drawn_form,
        report: outcome.report,
        may_save_untested: visitor.may(Scope::CreateIntegration),
    };
    Ok(page(&form, &Framing::Nobody))
}
