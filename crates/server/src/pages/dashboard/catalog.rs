//! The catalog as a marketplace: what can be linked, what is enabled here, and what somebody asks for.

use std::collections::BTreeMap;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use tombolo_platform::store::ProviderRequestState;
use tombolo_platform::{IntegrationDraft, Problem, Scope};

use super::frame::{Frame, Section};
use super::table::Moment;
use super::visitor::Visitor;
use crate::pages::form::Posted;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

/// More would be a long page; a search finds the rest.
const SHOWN_MAX: usize = 120;

pub(super) fn routes() -> Router<Routes> {
    Router::new()
        .route("/dashboard/{environment}/catalog", get(show))
        .route("/dashboard/{environment}/catalog/{provider}", post(enable))
        .route("/dashboard/{environment}/requests/{id}", post(settle))
}

#[derive(Template)]
#[template(path = "dashboard/catalog/list.html")]
struct Catalog<'a> {
    shell: &'a Shell,
    frame: Frame,
    search: String,
    category: String,
    categories: Vec<String>,
    tiles: Vec<Tile>,
    found: usize,
    is_cut: bool,
    requests: Vec<Request>,
    may_enable: bool,
    may_ask: bool,
    may_settle: bool,
}

struct Tile {
    id: String,
    name: String,
    mark: String,
    description: String,
    ways: String,
    /// The key of its integration here; empty when it is not enabled.
    enabled: String,
    is_asked: bool,
}

struct Request {
    id: String,
    provider: String,
    reason: String,
    by: String,
    at: Moment,
}

async fn show(visitor: Visitor, State(routes): State<Routes>) -> Response {
    match make(&visitor, &routes).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Catalog, &problem),
    }
}

async fn make(visitor: &Visitor, routes: &Routes) -> Result<Response, Problem> {
    let shell = &visitor.shell;
    let integrations = routes.platform.list_integrations(visitor.access()).await?;
    let enabled: BTreeMap<&str, &str> =
        integrations.iter().map(|known| (known.provider.as_str(), known.unique_key.as_str())).collect();
    let may_see = visitor.may(Scope::RequestProvider) || visitor.may(Scope::ManageProviderRequests);
    let asked =
        if may_see { routes.platform.list_provider_requests(visitor.access()).await? } else { Vec::new() };
    let open: Vec<_> = asked.iter().filter(|request| request.state == ProviderRequestState::Open).collect();
    let (search, category) = (visitor.parameter("search"), visitor.parameter("category"));
    let words: Vec<String> = folded(&search).split_whitespace().map(str::to_owned).collect();
    let mut categories: Vec<String> =
        routes.platform.catalog().iter().flat_map(|provider| provider.categories.clone()).collect();
    categories.sort();
    categories.dedup();
    let mut tiles: Vec<Tile> = Vec::new();
    for provider in routes.platform.catalog().iter() {
        let text = format!(
            "{} {} {} {}",
            provider.id,
            provider.name.en,
            provider.name.ja,
            provider.categories.join(" ")
        );
        let text = folded(&text);
        let in_category = category.is_empty() || provider.categories.contains(&category);
        if !in_category || !words.iter().all(|word| text.contains(word.as_str())) {
            continue;
        }
        let name = shell.of(&provider.name).to_owned();
        let ways: Vec<&str> = provider.auth.iter().map(|scheme| shell.of(&scheme.name)).collect();
        tiles.push(Tile {
            id: provider.id.clone(),
            mark: name.chars().next().map(|first| first.to_uppercase().to_string()).unwrap_or_default(),
            name,
            description: shell.of(&provider.description).to_owned(),
            ways: ways.join(" · "),
            enabled: enabled.get(provider.id.as_str()).map(|key| (*key).to_owned()).unwrap_or_default(),
            is_asked: open.iter().any(|request| request.provider == provider.id),
        });
    }
    tiles.sort_by_key(|tile| (tile.enabled.is_empty(), tile.name.to_lowercase()));
    let found = tiles.len();
    tiles.truncate(SHOWN_MAX);
    let requests = open.into_iter().map(|request| Request {
        id: request.id.to_string(),
        provider: request.provider.clone(),
        reason: request.reason.clone(),
        by: request.asked_by_label.clone(),
        at: Moment::new(request.created_at),
    });
    let catalog = Catalog {
        shell,
        frame: visitor.frame(Section::Catalog, shell.say("nav-catalog")),
        requests: requests.collect(),
        search,
        category,
        categories,
        is_cut: found > tiles.len(),
        found,
        tiles,
        may_enable: visitor.may(Scope::CreateIntegration),
        may_ask: visitor.may(Scope::RequestProvider),
        may_settle: visitor.may(Scope::ManageProviderRequests),
    };
    Ok(page(&catalog, &Framing::Nobody))
}

/// A text as a search compares it: without case and width.
fn folded(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    text.nfkc().collect::<String>().to_lowercase()
}

/// Enables a provider, or asks for it.
async fn enable(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, provider)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let outcome = if posted.text("press") == "ask" {
        let asked =
            routes.platform.request_provider(visitor.access(), &provider, posted.text("reason")).await;
        asked.map(|_| visitor.done("catalog", "asked"))
    } else {
        let draft = IntegrationDraft {
            provider: provider.clone(),
            unique_key: provider,
            ..IntegrationDraft::default()
        };
        let made = routes.platform.create_integration(visitor.access(), &draft).await;
        made.map(|made| visitor.done(&format!("integrations/{}", made.unique_key), "created"))
    };
    outcome.unwrap_or_else(|problem| visitor.failed(Section::Catalog, &problem))
}

/// Grants or declines what somebody asked for.
async fn settle(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let is_granted = posted.text("press") == "grant";
    let answer = posted.text("answer");
    match routes.platform.settle_provider_request(visitor.access(), &id, is_granted, answer).await {
        Ok(_) => visitor.done("catalog", "saved"),
        Err(problem) => visitor.failed(Section::Catalog, &problem),
    }
}
