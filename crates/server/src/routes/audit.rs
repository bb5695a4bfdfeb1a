//! The audit trail.

use axum::Json;
use axum::extract::State;
use tombolo_api::{
    AuditActor, AuditBreak, AuditEvent, AuditEvents, AuditObject, AuditVerification, PageQuery,
};
use tombolo_platform::store;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::caller::Caller;
use super::moment::moment;
use super::query::{NoParameters, Query, cursor, page_size};
use super::refusal::Refusal;
use super::right::ReadAudit;

const USUAL_PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 1000;

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new().routes(routes!(list_audit_events)).routes(routes!(verify_audit_events))
}

/// Lists audit events
///
/// Who did what to which object, newest first. Scope: `environment:audit:read`.
#[utoipa::path(
    get, path = "/audit", operation_id = "listAuditEvents", tag = "audit", params(PageQuery),
    responses((status = 200, description = "One page of events", body = AuditEvents))
)]
async fn list_audit_events(
    State(routes): State<Routes>,
    caller: Caller<ReadAudit>,
    Query(query): Query<PageQuery>,
) -> Result<Json<AuditEvents>, Refusal> {
    let limit = page_size(query.limit, USUAL_PAGE, LARGEST_PAGE)?;
    let after = cursor(query.cursor.as_deref())?;
    let events = routes.platform.list_audit_events(&caller.access, after.as_ref(), limit).await?;
    let is_full = events.len() == limit as usize;
    let next_cursor = events.last().filter(|_| is_full).map(|event| event.id.to_string());
    Ok(Json(AuditEvents { events: events.into_iter().map(wire).collect(), next_cursor }))
}

/// Verifies the audit trail
///
/// Walks along the whole chain, which is one for the installation, and names the first event that is missing, was changed
/// or moved. Scope: `environment:audit:read`.
#[utoipa::path(
    post, path = "/audit/verify", operation_id = "verifyAuditEvents", tag = "audit",
    responses((status = 200, description = "What was found", body = AuditVerification))
)]
async fn verify_audit_events(
    State(routes): State<Routes>,
    caller: Caller<ReadAudit>,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<AuditVerification>, Refusal> {
    let found = routes.platform.verify_audit_events(&caller.access).await?;
    let broken =
        found.broken.map(|broken| AuditBreak { sequence: broken.sequence, reason: broken.reason.to_owned() });
    Ok(Json(AuditVerification {
        intact: broken.is_none(),
        verified: found.intact,
        waiting: found.unchained,
        broken,
    }))
}

fn wire(event: store::AuditEvent) -> AuditEvent {
    let store::AuditEvent { id, sequence, at, actor, action, object, detail, .. } = event;
    AuditEvent {
        id: id.to_string(),
        sequence,
        at: moment(at),
        actor: AuditActor { kind: actor.kind.to_string(), id: actor.id, label: actor.label },
        action,
        object: AuditObject { kind: object.kind, id: object.id, label: object.label },
        detail,
    }
}
