//! How the Connect UI looks: with whose name, logo and colours, and a form of it to see them on.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use tombolo_platform::connect::{ConnectSessionDraft, ConnectUi, ConnectUiChange};
use tombolo_platform::{EnvironmentChange, Problem, ProblemKind, Scope};

use super::{Page, Tab, tabs};
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::shown::Choice;
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::form::Posted;
use crate::pages::page::{Framing, with_status};
use crate::pages::shell::Shell;
use crate::routes::Routes;

const PATH: &str = "settings/connect-ui";
const THEMES: [&str; 3] = ["system", "light", "dark"];

#[derive(Template)]
#[template(path = "dashboard/settings/connect_ui.html")]
struct Settings<'a> {
    shell: &'a Shell,
    frame: Frame,
    tabs: Vec<Tab>,
    lines: Vec<Line>,
    themes: Vec<Choice>,
    shows_watermark: bool,
    error: String,
    /// The address of a form, when somebody wants to see it.
    preview: String,
    may_preview: bool,
}

/// A line of the form.
struct Line {
    name: &'static str,
    label: String,
    help: String,
    value: String,
    error: String,
}

pub(super) async fn show(visitor: Visitor, State(routes): State<Routes>) -> Response {
    match read(&visitor, &routes).await {
        Ok(look) => draw(&visitor, look, None, String::new()),
        Err(problem) => visitor.failed(Section::Settings, &problem),
    }
}

pub(super) async fn save(visitor: Visitor, State(routes): State<Routes>, posted: Posted) -> Response {
    let typed = |name: &str| Some(posted.text(name).to_owned());
    let look = ConnectUiChange {
        display_name: typed("display_name"),
        logo_url: typed("logo_url"),
        primary_light: typed("primary_light"),
        primary_dark: typed("primary_dark"),
        default_theme: typed("default_theme"),
        show_watermark: Some(posted.has("show_watermark")),
    };
    let change = EnvironmentChange { connect_ui: look, ..EnvironmentChange::default() };
    match routes.platform.update_environment(visitor.access(), change).await {
        Ok(_) => visitor.done(PATH, "saved"),
        Err(problem) if problem.kind == ProblemKind::Forbidden => visitor.failed(Section::Settings, &problem),
        Err(problem) => {
            let look = ConnectUi {
                display_name: posted.text("display_name").to_owned(),
                logo_url: posted.text("logo_url").to_owned(),
                primary_light: posted.text("primary_light").to_owned(),
                primary_dark: posted.text("primary_dark").to_owned(),
                default_theme: posted.text("default_theme").to_owned(),
                show_watermark: posted.has("show_watermark"),
            };
            draw(&visitor, look, Some(&problem), String::new())
        }
    }
}

/// Shows a form as it is stored, in a session of its own, with which an account could be linked like in any other.
pub(super) async fn preview(visitor: Visitor, State(routes): State<Routes>) -> Response {
    let made = async {
        let look = read(&visitor, &routes).await?;
        let session =
            routes.platform.create_connect_session(visitor.access(), ConnectSessionDraft::default()).await?;
        Ok::<_, Problem>((look, session))
    };
    match made.await {
        Ok((look, session)) => {
            let environment = &visitor.signed_in.environment.name;
            let token = secrecy::ExposeSecret::expose_secret(&session.token);
            let address = visitor.shell.to(&format!("/connect/{environment}/?session_token={token}"));
            draw(&visitor, look, None, address)
        }
        Err(problem) => visitor.failed(Section::Settings, &problem),
    }
}

async fn read(visitor: &Visitor, routes: &Routes) -> Result<ConnectUi, Problem> {
    visitor.access().require(Scope::ManageEnvironment)?;
    let (_, settings) = routes.platform.read_environment(visitor.access()).await?;
    Ok(settings.connect_ui)
}

fn draw(visitor: &Visitor, look: ConnectUi, problem: Option<&Problem>, preview: String) -> Response {
    let shell = &visitor.shell;
    let fault = |name: &str| {
        let faults = problem.into_iter().flat_map(|problem| &problem.fields);
        let mut faults = faults.filter(|fault| fault.field == format!("connect_ui.{name}"));
        faults.next().map(|fault| shell.of(&fault.message).to_owned()).unwrap_or_default()
    };
    let chosen = if look.default_theme.is_empty() { "system" } else { &look.default_theme };
    let themes =
        THEMES.map(|name| (name.to_owned(), shell.say(&format!("connect-ui-theme-{name}")), name == chosen));
    let lines = [
        ("display_name", "connect-ui-name", look.display_name),
        ("logo_url", "connect-ui-logo", look.logo_url),
        ("primary_light", "connect-ui-light", look.primary_light),
        ("primary_dark", "connect-ui-dark", look.primary_dark),
    ];
    let lines = lines.map(|(name, words, value)| Line {
        name,
        label: shell.say(words),
        help: shell.say(&format!("{words}-help")),
        value,
        error: fault(name),
    });
    let settings = Settings {
        shell,
        frame: visitor.frame(Section::Settings, shell.say("settings-connect-ui")),
        tabs: tabs(visitor, Page::ConnectUi),
        lines: lines.into(),
        themes: themes.into(),
        shows_watermark: look.show_watermark,
        error: problem
            .filter(|problem| problem.fields.is_empty())
            .map(|problem| visitor.problem_line(problem))
            .unwrap_or_default(),
        preview,
        may_preview: visitor.may(Scope::CreateConnectSession),
    };
    let status = problem.map_or(200, |problem| problem.kind.status());
    with_status(StatusCode::from_u16(status).unwrap_or_default(), &settings, &Framing::Nobody)
}
