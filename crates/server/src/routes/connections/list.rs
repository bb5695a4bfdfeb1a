use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use tombolo_api::{ConnectionQuery, Connections};
use tombolo_platform::Problem;
use tombolo_platform::store::{ConnectionFilter, ConnectionPage, Integration, IntegrationId};

use super::wire;
use crate::routes::Routes;
use crate::routes::caller::Caller;
use crate::routes::query::{Query, cursor, page_size};
use crate::routes::refusal::Refusal;
use crate::routes::right::ListConnections;

/// The compatible API has no cursor, so the first page is a large one.
const LARGEST_PAGE: u32 = 10_000;
/// The furthest connection that a page of the compatible API reaches; a cursor goes further.
const FURTHEST: u32 = 100_000;

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
    let limit = page_size(query.limit, LARGEST_PAGE, LARGEST_PAGE)?;
    let skipped = query.page.unwrap_or_default();
    if skipped.saturating_mul(limit) > FURTHEST {
        let fix = "Follow `next_cursor` with the parameter `cursor`.";
        return Err(Problem::invalid("invalid_query_params", "`page` is too far away", fix).into());
    }
    let (found, next) = if let Some(id) = &query.connection_id {
        let filter = filter(&integrations, &query)?;
        let mut found = platform.connections_with_id(&caller.access, id).await?;
        found.retain(|connection| filter.fits(connection));
        (found, None)
    } else {
        let filter = filter(&integrations, &query)?;
        let mut after = cursor(query.cursor.as_deref())?;
        let found = if skipped == 0 {
            platform.list_connections(&caller.access, &filter, after.as_ref(), limit as usize).await?
        } else {
            let skipped = skipped as usize * limit as usize;
            after = platform.skip_connections(&caller.access, &filter, skipped).await?;
            match &after {
                None => ConnectionPage { connections: Vec::new(), next: None },
                after => {
                    platform.list_connections(&caller.access, &filter, after.as_ref(), limit as usize).await?
                }
            }
        };
        (found.connections, found.next)
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
    let wanted = |key: &str| {
        let known = integrations.iter().find(|integration| integration.unique_key == key);
        let what = || format!("There is no integration `{}`", key.chars().take(80).collect::<String>());
        let known = known.ok_or_else(|| Problem::not_found("unknown_provider_config", what()))?;
        Ok(known.id.clone())
    };
    // Of a person there are the fewest connections, so their tag leads.
    let of_person = query.end_user_id.clone().map(|id| ("end_user_id".to_owned(), id));
    let of_organization = query.end_user_organization_id.clone().map(|id| ("organization_id".to_owned(), id));
    Ok(ConnectionFilter {
        integrations: query
            .integration_id
            .iter()
            .flat_map(|keys| keys.split(','))
            .map(|key| wanted(key.trim()))
            .collect::<Result<_, Problem>>()?,
        health: query.health.map(wire::stored_health),
        tags: of_person.into_iter().chain(of_organization).chain(query.tags.clone()).collect(),
        search: query.search.clone(),
    })
}
