//! OAuth clients: the redirect URI to copy comes first, then what the vendor shows in return.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use secrecy::SecretString;
use tombolo_platform::catalog::{self, AuthScheme, Field};
use tombolo_platform::oauth::{OAuthClientChange, OAuthClientDraft, redirect_uri};
use tombolo_platform::store::ClientOwner;
use tombolo_platform::{Problem, ProblemKind, Scope};

use super::frame::{Frame, Section};
use super::visitor::Visitor;
use crate::pages::form::Posted;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

pub(super) fn routes() -> Router<Routes> {
    Router::new()
        .route("/dashboard/{environment}/oauth-clients/new", get(ask).post(create))
        .route("/dashboard/{environment}/oauth-clients/{id}", get(show).post(save))
        .route("/dashboard/{environment}/oauth-clients/{id}/delete", get(ask_to_delete).post(delete))
}

#[derive(Template)]
#[template(path = "dashboard/clients/new.html")]
struct New<'a> {
    shell: &'a Shell,
    frame: Frame,
    /// Id, name, and whether it is the chosen one.
    providers: Vec<(String, String, bool)>,
    /// Name, label, help, and value of the fields that say where it is registered.
    fields: Vec<(String, String, String, String)>,
    name: String,
    chosen: String,
    error: String,
}

async fn ask(visitor: Visitor, State(routes): State<Routes>) -> Response {
    let provider = visitor.parameter("provider");
    draw_new(&visitor, &routes, &provider, &Posted::default(), String::new())
}

fn draw_new(visitor: &Visitor, routes: &Routes, chosen: &str, posted: &Posted, error: String) -> Response {
    let shell = &visitor.shell;
    if let Err(problem) = visitor.access().require(Scope::CreateIntegration) {
        return visitor.failed(Section::Integrations, &problem);
    }
    let with_clients = routes
        .platform
        .catalog()
        .iter()
        .filter(|provider| provider.auth.iter().any(AuthScheme::needs_browser));
    let mut providers: Vec<(String, String, bool)> = with_clients
        .map(|provider| (provider.id.clone(), shell.of(&provider.name).to_owned(), provider.id == chosen))
        .collect();
    providers.sort_by_key(|(_, name, _)| name.to_lowercase());
    let provider = routes.platform.catalog().get(chosen);
    let fields = provider.map(|provider| {
        let scheme = provider.auth.iter().find(|scheme| scheme.needs_browser());
        let urls = scheme.and_then(|scheme| scheme.authorization_url()).into_iter();
        let token_urls = scheme.map(|scheme| scheme.token_urls()).unwrap_or_default();
        let names: BTreeSet<&str> =
            urls.chain(token_urls).flat_map(catalog::Template::config_names).collect();
        let fields = provider.config.iter().filter(|(name, _)| names.contains(name));
        let row = |(name, field): (&str, &Field)| {
            let typed = posted.text(&format!("c.{name}"));
            let value =
                if typed.is_empty() { field.default.clone().unwrap_or_default() } else { typed.to_owned() };
            let help = field.help.as_ref().map(|help| shell.of(help).to_owned()).unwrap_or_default();
            (name.to_owned(), shell.of(&field.label).to_owned(), help, value)
        };
        fields.map(row).collect()
    });
    let new = New {
        shell,
        frame: visitor.frame(Section::Integrations, shell.say("new-client")),
        providers,
        fields: fields.unwrap_or_default(),
        name: posted.text("name").to_owned(),
        chosen: chosen.to_owned(),
        error,
    };
    page(&new, &Framing::Nobody)
}

async fn create(visitor: Visitor, State(routes): State<Routes>, posted: Posted) -> Response {
    let provider = posted.text("provider");
    let config: BTreeMap<String, String> = posted.below("c.");
    let draft = OAuthClientDraft {
        provider: provider.to_owned(),
        auth_scheme: None,
        name: posted.text("name").to_owned(),
        client_id: None,
        client_secret: None,
        config,
        scopes: Vec::new(),
        shared_callback: false,
    };
    match routes.platform.create_oauth_client(visitor.access(), &draft).await {
        Ok(client) => visitor.done(&format!("oauth-clients/{}", client.id), "created"),
        Err(problem) => draw_new(&visitor, &routes, provider, &posted, visitor.problem_line(&problem)),
    }
}

#[derive(Template)]
#[template(path = "dashboard/clients/show.html")]
struct Show<'a> {
    shell: &'a Shell,
    frame: Frame,
    id: String,
    name: String,
    provider: String,
    redirect_uri: String,
    client_id: String,
    has_secret: bool,
    /// Who registered it in a connect session; empty for an administrator.
    owner: String,
    config: Vec<(String, String)>,
    /// Id, words, and whether it is asked for.
    scopes: Vec<(String, String, bool)>,
    error: String,
    may_change: bool,
    may_delete: bool,
}

async fn show(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    match draw(&visitor, &routes, &id, String::new()).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Integrations, &problem),
    }
}

async fn draw(visitor: &Visitor, routes: &Routes, id: &str, error: String) -> Result<Response, Problem> {
    let shell = &visitor.shell;
    let client = routes.platform.read_oauth_client(visitor.access(), id).await?;
    let provider = routes.platform.catalog().get(&client.provider);
    let scheme = provider.and_then(|provider| provider.scheme(&client.auth_scheme));
    let known = scheme.map(AuthScheme::scopes).unwrap_or_default();
    let is_asked = |id: &str, default: bool| {
        if client.scopes.is_empty() { default } else { client.scopes.iter().any(|scope| scope == id) }
    };
    let mut scopes: Vec<(String, String, bool)> = known
        .iter()
        .map(|scope| (scope.id.clone(), shell.of(&scope.says).to_owned(), is_asked(&scope.id, scope.default)))
        .collect();
    let own = client.scopes.iter().filter(|id| !known.iter().any(|scope| scope.id == **id));
    scopes.extend(own.map(|id| (id.clone(), String::new(), true)));
    let config = client.config.as_object().into_iter().flatten();
    let label = |name: &str| {
        let field = provider.and_then(|provider| provider.config.get(name));
        field.map_or_else(|| name.to_owned(), |field| shell.of(&field.label).to_owned())
    };
    let show = Show {
        shell,
        frame: visitor.frame(Section::Integrations, &*client.name),
        id: client.id.to_string(),
        name: client.name.clone(),
        provider: provider
            .map_or_else(|| client.provider.clone(), |provider| shell.of(&provider.name).to_owned()),
        redirect_uri: routes.public_url.known().map(|url| redirect_uri(url, &client)).unwrap_or_default(),
        client_id: client.client_id.clone(),
        has_secret: client.sealed.is_some(),
        owner: client.owner.as_ref().map(|owner| owner_in_words(shell, owner)).unwrap_or_default(),
        config: config
            .map(|(name, value)| (label(name), value.as_str().unwrap_or_default().to_owned()))
            .collect(),
        scopes,
        error,
        may_change: visitor.may(Scope::UpdateIntegration),
        may_delete: visitor.may(Scope::DeleteIntegration),
    };
    Ok(page(&show, &Framing::Nobody))
}

/// Who registered a client, in words.
pub(super) fn owner_in_words(shell: &Shell, owner: &ClientOwner) -> String {
    let key = match owner {
        ClientOwner::Organization(_) => "client-of-organization",
        ClientOwner::EndUser(_) => "client-of-user",
    };
    shell.say_with(key, "id", owner.id())
}

async fn save(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let given = |name: &str| Some(posted.text(name).trim().to_owned()).filter(|text| !text.is_empty());
    let change = OAuthClientChange {
        name: given("name"),
        client_id: given("client_id"),
        client_secret: given("client_secret").map(SecretString::from),
        scopes: posted.has("scopes_shown").then(|| posted.texts("scope")),
    };
    match routes.platform.update_oauth_client(visitor.access(), &id, change).await {
        Ok(_) => visitor.done(&format!("oauth-clients/{id}"), "saved"),
        Err(problem) if problem.kind == ProblemKind::Forbidden => {
            visitor.failed(Section::Integrations, &problem)
        }
        Err(problem) => {
            let drawn = draw(&visitor, &routes, &id, visitor.problem_line(&problem)).await;
            drawn.unwrap_or_else(|problem| visitor.failed(Section::Integrations, &problem))
        }
    }
}

async fn ask_to_delete(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let found = match visitor.access().require(Scope::DeleteIntegration) {
        Ok(()) => routes.platform.read_oauth_client(visitor.access(), &id).await,
        Err(problem) => Err(problem),
    };
    match found {
        Ok(client) => visitor.confirm(
            Section::Integrations,
            &client.name,
            "delete-client-note",
            (&format!("oauth-clients/{id}/delete"), &format!("oauth-clients/{id}")),
        ),
        Err(problem) => visitor.failed(Section::Integrations, &problem),
    }
}

async fn delete(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    match routes.platform.delete_oauth_client(visitor.access(), &id).await {
        Ok(()) => visitor.done("integrations", "deleted"),
        Err(problem) => visitor.failed(Section::Integrations, &problem),
    }
}
