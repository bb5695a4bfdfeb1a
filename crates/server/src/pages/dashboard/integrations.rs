//! Integrations, and the OAuth clients through which their accounts are authorised.

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use tombolo_platform::store::{ConnectionFilter, Integration, OAuthClient};
use tombolo_platform::{ChosenClient, IntegrationChange, Problem, ProblemKind, Scope};

use super::clients::owner_in_words;
use super::frame::{Frame, Section};
use super::visitor::Visitor;
use crate::pages::form::Posted;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

pub(super) fn routes() -> Router<Routes> {
    Router::new()
        .route("/dashboard/{environment}/integrations", get(list))
        .route("/dashboard/{environment}/integrations/{key}", get(show).post(save))
        .route("/dashboard/{environment}/integrations/{key}/delete", get(ask_to_delete).post(delete))
}

#[derive(Template)]
#[template(path = "dashboard/integrations/list.html")]
struct List<'a> {
    shell: &'a Shell,
    frame: Frame,
    rows: Vec<Row>,
    clients: Vec<ClientRow>,
    may_create: bool,
}

struct Row {
    key: String,
    name: String,
    provider: String,
    client: String,
}

struct ClientRow {
    /// Who registered it in a connect session; empty for an administrator.
    owner: String,
    id: String,
    name: String,
    provider: String,
    is_finished: bool,
}

async fn list(visitor: Visitor, State(routes): State<Routes>) -> Response {
    let made = async {
        let integrations = routes.platform.list_integrations(visitor.access()).await?;
        let clients = routes.platform.list_oauth_clients(visitor.access()).await?;
        Ok::<_, Problem>((integrations, clients))
    };
    let (integrations, clients) = match made.await {
        Ok(found) => found,
        Err(problem) => return visitor.failed(Section::Integrations, &problem),
    };
    let shell = &visitor.shell;
    let by_id: HashMap<_, &OAuthClient> = clients.iter().map(|client| (&client.id, client)).collect();
    let rows = integrations.iter().map(|known| Row {
        key: known.unique_key.clone(),
        name: known.display_name.clone(),
        provider: known.provider.clone(),
        client: known
            .oauth_client
            .as_ref()
            .and_then(|id| by_id.get(id))
            .map(|client| client.name.clone())
            .unwrap_or_default(),
    });
    let client_rows = clients.iter().map(|client| ClientRow {
        id: client.id.to_string(),
        name: client.name.clone(),
        provider: client.provider.clone(),
        is_finished: !client.client_id.is_empty(),
        owner: client.owner.as_ref().map(|owner| owner_in_words(shell, owner)).unwrap_or_default(),
    });
    let list = List {
        shell,
        frame: visitor.frame(Section::Integrations, shell.say("nav-integrations")),
        rows: rows.collect(),
        clients: client_rows.collect(),
        may_create: visitor.may(Scope::CreateIntegration),
    };
    page(&list, &Framing::Nobody)
}

#[derive(Template)]
#[template(path = "dashboard/integrations/show.html")]
struct Show<'a> {
    shell: &'a Shell,
    frame: Frame,
    key: String,
    name: String,
    provider: String,
    /// Id, name, and whether connections may use it.
    schemes: Vec<(String, String, bool)>,
    /// Id, name, and whether it is the one.
    clients: Vec<(String, String, bool)>,
    has_client: bool,
    has_connections: bool,
    error: String,
    may_change: bool,
    may_delete: bool,
    may_link: bool,
}

async fn show(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    match draw(&visitor, &routes, &key, String::new()).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Integrations, &problem),
    }
}

async fn draw(visitor: &Visitor, routes: &Routes, key: &str, error: String) -> Result<Response, Problem> {
    let (shell, access) = (&visitor.shell, visitor.access());
    let integration = routes.platform.read_integration(access, key).await?;
    let provider = routes.platform.provider_of(&integration)?;
    let clients = routes.platform.list_oauth_clients(access).await?;
    let clients = clients.iter().filter(|client| client.provider == integration.provider);
    let filter =
        ConnectionFilter { integrations: vec![integration.id.clone()], ..ConnectionFilter::default() };
    let some = routes.platform.list_connections(access, &filter, None, 1).await?;
    let is_allowed =
        |id: &String| integration.auth_schemes.is_empty() || integration.auth_schemes.contains(id);
    let show = Show {
        shell,
        frame: visitor.frame(Section::Integrations, &*integration.display_name),
        key: integration.unique_key.clone(),
        name: integration.display_name.clone(),
        provider: shell.of(&provider.name).to_owned(),
        schemes: provider
            .auth
            .iter()
            .map(|scheme| (scheme.id.clone(), shell.of(&scheme.name).to_owned(), is_allowed(&scheme.id)))
            .collect(),
        clients: clients
            .map(|client| {
                (
                    client.id.to_string(),
                    client.name.clone(),
                    integration.oauth_client.as_ref() == Some(&client.id),
                )
            })
            .collect(),
        has_client: integration.oauth_client.is_some(),
        has_connections: !some.connections.is_empty(),
        error,
        may_change: visitor.may(Scope::UpdateIntegration),
        may_delete: visitor.may(Scope::DeleteIntegration),
        may_link: visitor.may(Scope::CreateConnection),
    };
    Ok(page(&show, &Framing::Nobody))
}

async fn save(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, key)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    // No choice means all of them to the platform; here it means that somebody took every tick away.
    if posted.texts("auth_scheme").is_empty() && visitor.may(Scope::UpdateIntegration) {
        let drawn = draw(&visitor, &routes, &key, visitor.shell.say("no-scheme-chosen")).await;
        return drawn.unwrap_or_else(|problem| visitor.failed(Section::Integrations, &problem));
    }
    let outcome = async {
        let integration: Integration = routes.platform.read_integration(visitor.access(), &key).await?;
        let provider = routes.platform.provider_of(&integration)?;
        let chosen = posted.texts("auth_scheme");
        // All of them is the same as no choice: schemes that come with a later version are then allowed as well.
        let schemes = if chosen.len() == provider.auth.len() { Vec::new() } else { chosen };
        let client = posted.text("oauth_client");
        let change = IntegrationChange {
            unique_key: None,
            display_name: Some(posted.text("name").trim().to_owned()),
            auth_schemes: Some(schemes),
            oauth_client: if client.is_empty() {
                ChosenClient::Unchanged
            } else {
                ChosenClient::Known(client.to_owned())
            },
        };
        routes.platform.update_integration(visitor.access(), &key, change).await
    };
    match outcome.await {
        Ok(_) => visitor.done(&format!("integrations/{key}"), "saved"),
        Err(problem) if problem.kind == ProblemKind::Forbidden => {
            visitor.failed(Section::Integrations, &problem)
        }
        Err(problem) => {
            let drawn = draw(&visitor, &routes, &key, visitor.problem_line(&problem)).await;
            drawn.unwrap_or_else(|problem| visitor.failed(Section::Integrations, &problem))
        }
    }
}

async fn ask_to_delete(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    let found = match visitor.access().require(Scope::DeleteIntegration) {
        Ok(()) => routes.platform.read_integration(visitor.access(), &key).await,
        Err(problem) => Err(problem),
    };
    match found {
        Ok(integration) => visitor.confirm(
            Section::Integrations,
            &integration.display_name,
            "delete-integration-note",
            (&format!("integrations/{key}/delete"), &format!("integrations/{key}")),
        ),
        Err(problem) => visitor.failed(Section::Integrations, &problem),
    }
}

async fn delete(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    match routes.platform.delete_integration(visitor.access(), &key).await {
        Ok(()) => visitor.done("integrations", "deleted"),
        Err(problem) => visitor.failed(Section::Integrations, &problem),
    }
}
