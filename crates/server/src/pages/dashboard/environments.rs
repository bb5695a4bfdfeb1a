//! Environments: what keeps customers, or tests and production, apart.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use tombolo_platform::{ProblemKind, Scope};

use super::frame::{Frame, Section};
use super::visitor::Visitor;
use crate::pages::form::Posted;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

pub(super) fn routes() -> Router<Routes> {
    Router::new().route("/dashboard/{environment}/environments", get(list).post(create))
}

#[derive(Template)]
#[template(path = "dashboard/environments.html")]
struct Environments<'a> {
    shell: &'a Shell,
    frame: Frame,
    name: String,
    error: String,
}

/// Anybody finds the environments that are theirs in the menu of every page; this one is for whoever may make another.
async fn list(visitor: Visitor) -> Response {
    match visitor.access().require(Scope::CreateEnvironment) {
        Ok(()) => draw(&visitor, "", String::new()),
        Err(problem) => visitor.failed(Section::Environments, &problem),
    }
}

fn draw(visitor: &Visitor, name: &str, error: String) -> Response {
    let shell = &visitor.shell;
    let frame = visitor.frame(Section::Environments, shell.say("nav-environments"));
    page(&Environments { shell, frame, name: name.to_owned(), error }, &Framing::Nobody)
}

async fn create(visitor: Visitor, State(routes): State<Routes>, posted: Posted) -> Response {
    let name = posted.text("name").trim();
    match routes.platform.create_environment(visitor.access(), name).await {
        Ok(_) => visitor.done("environments", "created"),
        Err(problem) if problem.kind == ProblemKind::Forbidden => {
            visitor.failed(Section::Environments, &problem)
        }
        Err(problem) => draw(&visitor, name, visitor.problem_line(&problem)),
    }
}
