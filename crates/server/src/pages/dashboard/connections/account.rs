//! The form of an account: of a connection that an administrator makes, or of one that gets another credential or goes
//! elsewhere. TEST, then CREATE.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::LOCATION;
use serde_json::json;
use tombolo_platform::catalog::{AuthScheme, FieldError};
use tombolo_platform::connect::TypedAccount;
use tombolo_platform::{
    Belonging, ConnectionDraft, CreatedConnection, Problem, Reconnection, Scope, TestEvent, TestReport,
};

use super::subject::{Asked, Subject};
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
#[template(path = "dashboard/connections/form.html")]
struct FormPage<'a> {
    shell: &'a Shell,
    frame: Frame,
    provider: String,
    /// Where the form is, below the environment.
    path: String,
    /// The connection that it is about and its name; `None` for a new one.
    again: Option<(String, String)>,
    name: String,
    name_error: String,
    error: String,
    form: AccountForm,
    report: Option<ReportView>,
    /// Whether something that was typed speaks for another account than before, and whether that is meant.
    other_account: Option<bool>,
    may_save_untested: bool,
}

/// What came of what was sent.
#[derive(Default)]
struct Outcome {
    report: Option<ReportView>,
    errors: Vec<FieldError>,
    error: String,
}

enum Done {
    Stored(String),
    Tested(TestReport),
    /// To the vendor, where the person agrees.
    Leaves(Response),
}

/// The form: empty for a new connection, and with what is no secret for one that there is.
pub(super) async fn form(visitor: Visitor, State(routes): State<Routes>, asked: Asked) -> Response {
    drawn(&visitor, &routes, &asked, &Posted::default(), Outcome::default()).await
}

/// The fields in a pasted text, such as the address of any page of the vendor's.
pub(super) async fn paste(
    visitor: Visitor,
    State(routes): State<Routes>,
    asked: Asked,
    posted: Posted,
) -> Response {
    let subject = asked.subject(&visitor, &routes).await;
    let fields = subject.ok().and_then(|known| known.provider.read_pasted(posted.text("pasted").trim()));
    Json(fields.unwrap_or_default()).into_response()
}

/// Where the values of the form are found in the person's own tenant, as far as what was typed tells it.
pub(super) async fn places(
    visitor: Visitor,
    State(routes): State<Routes>,
    asked: Asked,
    posted: Posted,
) -> Response {
    let found = asked.subject(&visitor, &routes).await.map(|subject| {
        let form = account_form(&visitor, &routes, &subject, &posted, &[]);
        form.places()
    });
    Json(found.unwrap_or_default()).into_response()
}

/// Tests what was typed, or stores it when it passes its test. Saving without a test is for whoever asks for it by name.
pub(super) async fn submit(
    visitor: Visitor,
    State(routes): State<Routes>,
    asked: Asked,
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    if wants_lines(&headers) {
        return told(visitor, routes, asked, posted);
    }
    let outcome = match work(&visitor, &routes, &asked, &posted, &mut |_| {}).await {
        Ok(Done::Leaves(response)) => return response,
        Ok(Done::Stored(id)) => return visitor.done(&format!("connections/{id}"), asked.done()),
        Ok(Done::Tested(report)) => {
            Outcome { report: Some(ReportView::new(&visitor.shell, &report)), ..Outcome::default() }
        }
        Err(problem) if problem.fields.is_empty() => {
            Outcome { error: visitor.problem_line(&problem), ..Outcome::default() }
        }
        Err(problem) => Outcome { errors: problem.fields, ..Outcome::default() },
    };
    drawn(&visitor, &routes, &asked, &posted, outcome).await
}

/// Does the same and tells it while it goes on, so that what was typed stays in the form.
fn told(visitor: Visitor, routes: Routes, asked: Asked, posted: Posted) -> Response {
    lines(visitor.shell.clone(), |mut watch| async move {
        let shell = &visitor.shell;
        match work(&visitor, &routes, &asked, &posted, &mut *watch).await {
            Ok(Done::Tested(report)) => told_report(shell, &report, None),
            Ok(Done::Stored(id)) => {
                let address = visitor.to(&format!("connections/{id}?done={}", asked.done()));
                json!({ "type": "linked", "address": address })
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

async fn work(
    visitor: &Visitor,
    routes: &Routes,
    asked: &Asked,
    posted: &Posted,
    watch: &mut (dyn FnMut(TestEvent) + Send),
) -> Result<Done, Problem> {
    let subject = asked.subject(visitor, routes).await?;
    let typed = posted.account();
    let scheme = typed.auth_scheme.as_deref().unwrap_or_default();
    // Whichever button was pressed: without a script all of them are there.
    if subject.provider.scheme(scheme).is_some_and(AuthScheme::needs_browser) {
        return vendor::leave(visitor, routes, &subject, typed).await.map(Done::Leaves);
    }
    let press = posted.text("press");
    match subject.again.as_ref().map(|connection| connection.id.to_string()) {
        None => make(visitor, routes, subject.key, typed, press, watch).await,
        Some(id) => change(visitor, routes, &id, typed, press, watch).await,
    }
}

async fn make(
    visitor: &Visitor,
    routes: &Routes,
    integration: String,
    typed: TypedAccount,
    press: &str,
    watch: &mut (dyn FnMut(TestEvent) + Send),
) -> Result<Done, Problem> {
    let draft = ConnectionDraft {
        integration,
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
    if press == "test" {
        return platform.test_draft(access, &draft, watch).await.map(Done::Tested);
    }
    let made = platform.create_connection(access, &draft, press != "untested", watch).await?;
    Ok(stored(made))
}

async fn change(
    visitor: &Visitor,
    routes: &Routes,
    id: &str,
    typed: TypedAccount,
    press: &str,
    watch: &mut (dyn FnMut(TestEvent) + Send),
) -> Result<Done, Problem> {
    let (platform, access) = (&routes.platform, visitor.access());
    if press != "test" && !typed.other_account {
        platform.refuse_other_account(access, id, &typed).await?;
    }
    let typed = Reconnection {
        auth_scheme: typed.auth_scheme,
        fields: typed.fields,
        settings: BTreeMap::new(),
        name: None,
        tags: None,
        metadata: None,
        test: press != "untested",
        session: None,
    };
    if press == "test" {
        return platform.test_reconnection(access, id, typed, watch).await.map(Done::Tested);
    }
    platform.reconnect(access, None, id, typed, watch).await.map(stored)
}

fn stored(made: Result<CreatedConnection, TestReport>) -> Done {
    match made {
        Ok(created) => Done::Stored(created.connection.id.to_string()),
        Err(report) => Done::Tested(report),
    }
}

async fn drawn(
    visitor: &Visitor,
    routes: &Routes,
    asked: &Asked,
    posted: &Posted,
    outcome: Outcome,
) -> Response {
    let shown = match asked.subject(visitor, routes).await {
        Ok(subject) => draw(visitor, routes, asked, &subject, posted, outcome).await,
        Err(problem) => Err(problem),
    };
    shown.unwrap_or_else(|problem| visitor.failed(Section::Connections, &problem))
}

async fn draw(
    visitor: &Visitor,
    routes: &Routes,
    asked: &Asked,
    subject: &Subject,
    posted: &Posted,
    outcome: Outcome,
) -> Result<Response, Problem> {
    let shell = &visitor.shell;
    let Subject { provider, again, .. } = subject;
    let name_error = faults(shell, &outcome.errors).remove("name").unwrap_or_default();
    let mut form = account_form(visitor, routes, subject, posted, &outcome.errors);
    for scheme in &mut form.schemes {
        scheme.clients = vendor::clients(visitor, routes, subject, &scheme.id, posted).await?;
    }
    let is_meant = posted.has("other_account");
    let speaks_for_another = is_meant || outcome.errors.iter().any(|error| error.code == "other_account");
    let name = shell.of(&provider.name).to_owned();
    let title = if again.is_some() { "link-again-title" } else { "link-title" };
    let page_of_form = FormPage {
        shell,
        frame: visitor.frame(Section::Connections, shell.say_with(title, "provider", &name)),
        provider: name,
        path: asked.path(),
        again: again.as_ref().map(|connection| (connection.id.to_string(), connection.name.clone())),
        name: posted.text("name").to_owned(),
        name_error,
        error: outcome.error,
        form,
        report: outcome.report,
        other_account: speaks_for_another.then_some(is_meant),
        may_save_untested: visitor.may(Scope::CreateIntegration),
    };
    Ok(page(&page_of_form, &Framing::Nobody))
}

/// The inputs with what was typed, over what a connection has.
fn account_form(
    visitor: &Visitor,
    routes: &Routes,
    subject: &Subject,
    posted: &Posted,
    errors: &[FieldError],
) -> AccountForm {
    let Subject { provider, again, .. } = subject;
    let mut values = posted.shown_again(provider);
    for (name, known) in subject.known_values() {
        values.entry(name).or_insert(known);
    }
    let drawn = Drawn {
        shell: &visitor.shell,
        provider,
        platform: &routes.platform,
        values,
        faults: faults(&visitor.shell, errors),
        given: BTreeSet::new(),
    };
    let chosen = Some(posted.text("scheme")).filter(|scheme| !scheme.is_empty());
    let chosen = chosen.or(again.as_ref().map(|connection| connection.target.auth_scheme.as_str()));
    let mut form = drawn.form(&subject.schemes(), chosen);
    if again.is_some() {
        form.folded = Some(true);
        // They need no secret, and are changed on the page of the connection.
        form.settings.clear();
    }
    form
}
