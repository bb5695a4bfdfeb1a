//! The log of calls.

use axum::Json;
use axum::extract::State;
use tombolo_api::{Activity, ActivityQuery, ProxiedCall, StatusClass};
use tombolo_platform::store::{ActivityFilter, CallRecord};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::caller::Caller;
use super::moment::moment;
use super::query::{Query, cursor, page_size};
use super::refusal::Refusal;
use super::right::ReadActivity;

const USUAL_PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 1000;

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new().routes(routes!(list_activity))
}

/// Lists calls through connections
///
/// Newest first. A page is full unless the log ends with it, or unless a filter finds so little that 5,000 to 100,000 calls
/// were looked through (depending on how densely they came): such a page is short, or even empty, and `next_cursor` goes
/// on where it stopped. Only a `next_cursor` of `null` means that there is no more. Calls show up within seconds. Scope:
/// `environment:logs:read`.
#[utoipa::path(
    get, path = "/activity", operation_id = "listActivity", tag = "activity", params(ActivityQuery),
    responses((status = 200, description = "One page of calls", body = Activity))
)]
async fn list_activity(
    State(routes): State<Routes>,
    caller: Caller<ReadActivity>,
    Query(query): Query<ActivityQuery>,
) -> Result<Json<Activity>, Refusal> {
    let limit = page_size(query.limit, USUAL_PAGE, LARGEST_PAGE)?;
    let after = cursor(query.cursor.as_deref())?;
    let filter = ActivityFilter {
        integration: query.integration,
        status_class: query.status.map(StatusClass::first_digit),
        failed: query.errors.unwrap_or_default(),
        ..ActivityFilter::default()
    };
    let connection = query.connection.as_deref();
    let page = routes
        .platform
        .list_activity(&caller.access, connection, filter, after.as_ref(), limit as usize)
        .await?;
    Ok(Json(Activity {
        calls: page.calls.iter().map(wire).collect(),
        next_cursor: page.next.map(|next| next.to_string()),
    }))
}

fn wire(call: &CallRecord) -> ProxiedCall {
    ProxiedCall {
        request_id: call.request_id.clone(),
        at: moment(call.at),
        connection: call.connection.clone(),
        integration: call.integration.clone(),
        api_key: call.api_key.clone(),
        method: call.method.clone(),
        path: call.path.clone(),
        status: Some(call.status).filter(|status| *status != 0),
        error: Some(call.error_kind.clone()).filter(|error| !error.is_empty()),
        attempts: call.attempts,
        bytes_up: call.bytes_up,
        bytes_down: call.bytes_down,
        queue_micros: call.phases.queue,
        dns_micros: call.phases.dns,
        tcp_micros: call.phases.tcp,
        tls_micros: call.phases.tls,
        first_byte_micros: call.phases.first_byte,
        total_micros: call.phases.total,
        pooled: call.pooled,
    }
}
