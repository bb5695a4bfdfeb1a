use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use tombolo_platform::{EnvironmentChange, Problem, ProblemKind, Scope};

use super::{Page, Tab, tabs};
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::visitor::{Visitor, go_to};
use crate::pages::form::Posted;
use crate::pages::page::{Framing, with_status};
use crate::pages::shell::Shell;
use crate::routes::Routes;

#[derive(Template)]
#[template(path = "dashboard/settings/environment.html")]
struct Settings<'a> {
    shell: &'a Shell,
    frame: Frame,
    tabs: Vec<Tab>,
    confirms: bool,
    allowed_origins: String,
    origins_error: String,
    return_urls: String,
    urls_error: String,
    error: String,
}

/// What the environment decides; for whoever may not decide it, the page that is theirs.
pub(super) async fn show(visitor: Visitor, State(routes): State<Routes>) -> Response {
    if !visitor.may(Scope::ManageEnvironment) {
        return go_to(&visitor.to("settings/appearance"));
    }
    match routes.platform.read_environment(visitor.access()).await {
        Ok((_, settings)) => {
            let change = EnvironmentChange {
                confirm_authorizations: Some(settings.confirm_authorizations),
                allowed_origins: Some(settings.allowed_origins),
                return_urls: Some(settings.return_urls),
                ..EnvironmentChange::default()
            };
            draw(&visitor, change, None)
        }
        Err(problem) => visitor.failed(Section::Settings, &problem),
    }
}

pub(super) async fn save(visitor: Visitor, State(routes): State<Routes>, posted: Posted) -> Response {
    let change = EnvironmentChange {
        confirm_authorizations: Some(posted.has("confirm_authorizations")),
        allowed_origins: Some(lines(posted.text("allowed_origins"))),
        return_urls: Some(lines(posted.text("return_urls"))),
        ..EnvironmentChange::default()
    };
    match routes.platform.update_environment(visitor.access(), change.clone()).await {
        Ok(_) => visitor.done("settings", "saved"),
        Err(problem) if problem.kind == ProblemKind::Forbidden => visitor.failed(Section::Settings, &problem),
        Err(problem) => draw(&visitor, change, Some(&problem)),
    }
}

/// One on each line.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn draw(visitor: &Visitor, shown: EnvironmentChange, problem: Option<&Problem>) -> Response {
    let shell = &visitor.shell;
    let origins = shown.allowed_origins.unwrap_or_default();
    let urls = shown.return_urls.unwrap_or_default();
    let fault = |name: &str, values: &[String]| {
        problem.map(|problem| faults_of(shell, problem, name, values)).unwrap_or_default()
    };
    let settings = Settings {
        shell,
        frame: visitor.frame(Section::Settings, shell.say("settings-environment")),
        tabs: tabs(visitor, Page::Environment),
        confirms: shown.confirm_authorizations.unwrap_or(true),
        origins_error: fault("allowed_origins", &origins),
        allowed_origins: origins.join("\n"),
        urls_error: fault("return_urls", &urls),
        return_urls: urls.join("\n"),
        error: problem
            .filter(|problem| problem.fields.is_empty())
            .map(|problem| visitor.problem_line(problem))
            .unwrap_or_default(),
    };
    let status = problem.map_or(200, |problem| problem.kind.status());
    with_status(StatusCode::from_u16(status).unwrap_or_default(), &settings, &Framing::Nobody)
}

/// What is wrong with a list, with the lines that are: `allowed_origins.1` is its second.
fn faults_of(shell: &Shell, problem: &Problem, name: &str, values: &[String]) -> String {
    let of_list = problem.fields.iter().filter_map(|fault| {
        let rest = fault.field.strip_prefix(name)?;
        let position = rest.strip_prefix('.').and_then(|position| position.parse::<usize>().ok());
        Some((shell.of(&fault.message), position.and_then(|position| values.get(position))))
    });
    let mut said = String::new();
    let mut told = "";
    for (message, value) in of_list {
        if let Some(value) = value {
            said.push_str(&shell.say_with("settings-line", "line", value));
            said.push(' ');
        }
        told = message;
    }
    said + told
}
