//! The catalog: what can be linked, and what it takes.

mod wire;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tombolo_api::{Paste, Pasted, ProviderAnswer, ProviderQuery, Providers};
use tombolo_platform::catalog::Provider;
use tombolo_platform::{Platform, Problem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::body::Body;
use super::caller::Caller;
use super::query::{Named, NoParameters, Preferred, Query};
use super::refusal::Refusal;
use super::right::ListIntegrations;

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new()
        .routes(routes!(list_providers))
        .routes(routes!(read_provider))
        .routes(routes!(read_pasted))
}

/// Lists providers
///
/// Each with its fields, auth schemes, settings and test stages. `Accept-Language` decides which language stands in
/// `text`. Scope: `environment:integrations:list`.
#[utoipa::path(
    get, path = "/providers", operation_id = "listProviders", tag = "providers", params(ProviderQuery),
    responses((status = 200, description = "The catalog", body = Providers))
)]
async fn list_providers(
    State(routes): State<Routes>,
    _: Caller<ListIntegrations>,
    Preferred(language): Preferred,
    Query(query): Query<ProviderQuery>,
) -> Json<Providers> {
    let wanted = query.search.unwrap_or_default().trim().to_lowercase();
    let fits = |provider: &&Arc<Provider>| {
        [&provider.id, &provider.name.en, &provider.name.ja]
            .into_iter()
            .any(|text| text.to_lowercase().contains(&wanted))
    };
    let found = routes.platform.catalog().iter().filter(fits);
    Json(Providers { data: found.map(|provider| wire::provider(provider, language)).collect() })
}

/// Shows a provider
///
/// Scope: `environment:integrations:list`.
#[utoipa::path(
    get, path = "/providers/{id}", operation_id = "readProvider", tag = "providers",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The provider", body = ProviderAnswer))
)]
async fn read_provider(
    State(routes): State<Routes>,
    _: Caller<ListIntegrations>,
    Preferred(language): Preferred,
    Named(id): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<ProviderAnswer>, Refusal> {
    Ok(Json(ProviderAnswer { data: wire::provider(find(&routes.platform, &id)?, language) }))
}

/// Reads fields from a pasted text
///
/// Such as the address of a page of the vendor's. Scope: `environment:integrations:list`.
#[utoipa::path(
    post, path = "/providers/{id}/paste", operation_id = "readPasted", tag = "providers",
    params(("id" = String, Path, description = "Its id")), request_body = Paste,
    responses((status = 200, description = "The fields; none when the text is not the vendor's", body = Pasted))
)]
async fn read_pasted(
    State(routes): State<Routes>,
    _: Caller<ListIntegrations>,
    Named(id): Named,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<Paste>,
) -> Result<Json<Pasted>, Refusal> {
    let fields = find(&routes.platform, &id)?.read_pasted(&body.text).unwrap_or_default();
    Ok(Json(Pasted { fields }))
}

fn find<'a>(platform: &'a Platform, id: &str) -> Result<&'a Provider, Problem> {
    platform.catalog().get(id).map(AsRef::as_ref).ok_or_else(|| {
        let what = format!("There is no provider `{}`", id.chars().take(80).collect::<String>());
        Problem::not_found("unknown_provider", what)
    })
}
