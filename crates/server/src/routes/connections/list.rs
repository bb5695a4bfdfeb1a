use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use tombolo_api::{ConnectionQuery, Connections};
use tombolo_platform::Problem;
use tombolo_platform::store::{ConnectionFilter, Integration, IntegrationId};

use super::wire;
use crate::routes::Routes;
use crate::routes::caller::Caller;
use crate::routes::query::{Query, cursor, page_size};
use crate::routes::refusal::Refusal;
use crate::routes::right::ListConnections;

/// The compatible API has no cursor, so the first page is a large one.
const USUAL_PAGE: u32 = 1000;
const LARGEST_PAGE: u32 = 2000;

/// Lists connections
///
/// Never shows a credential. Scope: `environment:connections:list`.
#[utoipa::path(
    get, path = "/connections", operation_id = "listConnections", tag = "connections", params(ConnectionQuery),
    responses((status = 200, description = "One page of connections", body = Connections))
)]
pub(super) async fn list_connections(
    State(routes): State<Routes>,
    caller: Caller<ListConnections>,
    Query(query): Query<ConnectionQuery>,
) -> Result<Json<Connections>, Refusal> {
    let platform = &routes.platform;
    let integrations = platform.list_integrations(&caller.access).await?;
    let limit = page_size(query.limit, USUAL_PAGE, LARGEST_PAGE)?;
    if query.page.is_some_and(|page| page > 0) {
        let fix = "Follow `next_cursor` with the parameter `cursor`.";
        return Err(Problem::invalid("invalid_query_params", "Pages are not counted", fix).into());
    }
    let (found, next) = if let Some(id) = &query.connection_id {
        (platform.connections_with_id(&caller.access, id).await?, None)
    } else {
        let filter = filter(&integrations, &query)?;
        let after = cursor(query.cursor.as_deref())?;
        let page = platform.list_connections(&caller.access, &filter, after.as_ref(), limit as usize).await?;
        (page.connections, page.next)
    };
    let by_id: HashMap<&IntegrationId, &Integration> =
        integrations.iter().map(|integration| (&integration.id, integration)).collect();
    let connections = found
        .iter()
        .filter_map(|connection| {
            // An integration that was made after the list was read has connections on the next look.
            let integration = by_id.get(&connection.integration_id)?;
            Some(wire::summary(connection, integration))
        })
        .collect();
    Ok(Json(Connections { connections, next_cursor: next.map(|next| next.to_string()) }))
}

fn filter(integrations: &[Integration], query: &ConnectionQuery) -> Result<ConnectionFilter, Problem> {
    let integration = match &query.integration_id {
        None => None,
        Some(key) => {
            let known = integrations.iter().find(|integration| integration.unique_key == *key);
            let what = || format!("There is no integration `{}`", key.chars().take(80).collect::<String>());
            let known = known.ok_or_else(|| Problem::not_found("unknown_provider_config", what()))?;
            Some(known.id.clone())
        }
    };
    let mut tags = query.tags.clone();
    tags.extend(query.end_user_id.clone().map(|id| ("end_user_id".to_owned(), id)));
    tags.extend(query.end_user_organization_id.clone().map(|id| ("organization_id".to_owned(), id)));
    if tags.len() > 1 {
        let fix = "Ask for the tag that fits the fewest connections.";
        return Err(Problem::invalid("invalid_query_params", "Only one tag can be asked for at once", fix));
    }
    Ok(ConnectionFilter {
        integration,
        health: query.health.map(wire::stored_health),
        tag: tags.pop_first(),
        search: query.search.clone(),
    })
}
