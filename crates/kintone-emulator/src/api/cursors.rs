//! Cursors: a fixed list of ids, read page by page.

use serde_json::json;

use super::record_rights::RecordRights;
use super::records::{answer_fields, shown};
use super::{ApiError, Call};
use crate::http::Answer;
use crate::limits::Cursor;
use crate::model::{Permission, Tenant};
use crate::query;

/// `POST records/cursor.json`: selects the ids once and for all.
pub(super) fn open(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let tenant = &*tenant;
    let app = call.app(tenant, "app", Permission::View)?;
    let size = call.parameters.integer("size")?.unwrap_or(100);
    if !(1..=500).contains(&size) {
        return Err(ApiError::invalid("size", "Specify a number from 1 to 500."));
    }
    let fields = answer_fields(&call.parameters)?;
    let text = call.parameters.optional_text("query")?.unwrap_or_default();
    let context = call.query_context(tenant);
    let ids = query::selection(app, &context, &text)?.ids();
    let total = ids.len();
    let cursor = Cursor::new(app.id, ids, size as usize, fields, call.now);
    let id = call.identifiers.uuid();
    call.slot.cursors().open(id.clone(), cursor, call.now).map_err(|_| ApiError::new("GAIA_TM12", 429))?;
    Ok(Answer::json(&json!({"id": id, "totalCount": total.to_string()})))
}

/// `GET records/cursor.json`: the next page with the values of this moment. Records that were deleted since,
/// and those that the caller may not view, are left out, so that a page may be short or even empty.
pub(super) fn next(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let id = call.parameters.text("id")?;
    let not_found = || ApiError::new("GAIA_CN01", 404);
    let mut cursors = call.slot.cursors();
    let cursor = cursors.touch(&id, call.now).ok_or_else(not_found)?;
    let app = call.app_of_id(tenant, cursor.app, Permission::View)?;
    let fields = cursor.fields.clone();
    let (page, more) = cursor.next_page();
    if !more {
        cursors.close(&id, call.now);
    }
    drop(cursors);
    let page = RecordRights::new(tenant, call, app)?.retain_viewable(page);
    let mut content = Vec::with_capacity(page.len() * 512);
    content.extend_from_slice(b"{\"records\":");
    shown(app, fields.as_deref()).records(page, &mut content);
    content.extend_from_slice(if more { b",\"next\":true}" } else { b",\"next\":false}" });
    Ok(Answer::json_bytes(content))
}

/// `DELETE records/cursor.json`.
pub(super) fn close(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let id = call.parameters.text("id")?;
    let mut cursors = call.slot.cursors();
    let app = cursors.touch(&id, call.now).map(|cursor| cursor.app);
    let app = app.ok_or_else(|| ApiError::new("GAIA_CN01", 404))?;
    call.app_of_id(tenant, app, Permission::View)?;
    cursors.close(&id, call.now);
    Ok(Answer::json(&json!({})))
}
