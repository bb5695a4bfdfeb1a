//! API keys: made, shown once, revoked.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use tombolo_platform::{Problem, Scope};

use super::frame::{Frame, Section};
use super::table::Moment;
use super::visitor::Visitor;
use crate::pages::form::Posted;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

pub(super) fn routes() -> Router<Routes> {
    Router::new()
        .route("/dashboard/{environment}/api-keys", get(list).post(create))
        .route("/dashboard/{environment}/api-keys/{id}/revoke", post(revoke))
}

#[derive(Template)]
#[template(path = "dashboard/keys.html")]
struct Keys<'a> {
    shell: &'a Shell,
    frame: Frame,
    rows: Vec<Row>,
    scopes: Vec<&'static str>,
    /// The text of a key that was just made.
    made: String,
    error: String,
    name: String,
}

struct Row {
    id: String,
    name: String,
    scopes: String,
    made: Moment,
    used: String,
    ends: Option<Moment>,
    revoked: Option<Moment>,
}

async fn list(visitor: Visitor, State(routes): State<Routes>) -> Response {
    shown(&visitor, &routes, String::new(), String::new(), "").await
}

async fn shown(visitor: &Visitor, routes: &Routes, made: String, error: String, name: &str) -> Response {
    match draw(visitor, routes, made, error, name).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::ApiKeys, &problem),
    }
}

async fn draw(
    visitor: &Visitor,
    routes: &Routes,
    made: String,
    error: String,
    name: &str,
) -> Result<Response, Problem> {
    let shell = &visitor.shell;
    let keys = routes.platform.list_api_keys(visitor.access()).await?;
    let row = |key: &tombolo_platform::store::ApiKey| Row {
        id: key.id.to_string(),
        name: key.display_name.clone(),
        scopes: key.scopes.join(", "),
        made: Moment::new(key.created_at),
        used: key.last_used_day.and_then(crate::routes::day).map(|day| day.to_string()).unwrap_or_default(),
        ends: key.expires_at.map(Moment::new),
        revoked: key.revoked_at.map(Moment::new),
    };
    let grantable =
        Scope::ALL.iter().map(|scope| scope.name()).filter(|name| name.starts_with("environment:"));
    let keys = Keys {
        shell,
        frame: visitor.frame(Section::ApiKeys, shell.say("nav-api-keys")),
        rows: keys.iter().map(row).collect(),
        scopes: grantable.collect(),
        made,
        error,
        name: name.to_owned(),
    };
    Ok(page(&keys, &Framing::Nobody))
}

async fn create(visitor: Visitor, State(routes): State<Routes>, posted: Posted) -> Response {
    let name = posted.text("name");
    let mut scopes = posted.texts("scope");
    if posted.text("reach") == "all" {
        // Reading secrets back is never part of everything: it stays when it was ticked by its own name.
        scopes.retain(|scope| scope == Scope::ReadCredentials.name());
        scopes.insert(0, "environment:*".to_owned());
    }
    match routes.platform.create_api_key(visitor.access(), name, &scopes, None).await {
        Ok((_, text)) => shown(&visitor, &routes, text.expose().to_owned(), String::new(), "").await,
        Err(problem) => shown(&visitor, &routes, String::new(), visitor.problem_line(&problem), name).await,
    }
}

async fn revoke(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    match routes.platform.revoke_api_key(visitor.access(), &id).await {
        Ok(()) => visitor.done("api-keys", "revoked"),
        Err(problem) => visitor.failed(Section::ApiKeys, &problem),
    }
}
