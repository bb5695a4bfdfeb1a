//! Permissions of apps, records and fields.

use serde_json::{Map, Value as Json, json};

use super::record_rights::RecordRights;
use super::{ApiError, Call};
use crate::http::Answer;
use crate::model::{AppRight, Permission, Tenant};

/// `app/acl.json`.
pub(super) fn of_app(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let app = call.app(tenant, "app", Permission::Manage)?;
    let rights = if app.rights.is_empty() { vec![AppRight::default()] } else { app.rights.clone() };
    Ok(Answer::json(&json!({"rights": rights, "revision": app.revision.to_string()})))
}

/// `record/acl.json`.
pub(super) fn of_records(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let app = call.app(tenant, "app", Permission::Manage)?;
    Ok(Answer::json(&json!({"rights": app.record_rights, "revision": app.revision.to_string()})))
}

/// `field/acl.json`: the emulator restricts no fields.
pub(super) fn of_fields(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let app = call.app(tenant, "app", Permission::Manage)?;
    Ok(Answer::json(&json!({"rights": [], "revision": app.revision.to_string()})))
}

/// `records/acl/evaluate.json`: what the user may do with each of the records.
pub(super) fn evaluate(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let app = call.visible_app(tenant, call.parameters.id("app")?)?;
    call.parameters.list("ids", 100)?;
    let ids = call.parameters.ids("ids")?.unwrap_or_default();
    let record_rights = RecordRights::new(tenant, call, app)?;
    let mut rights: Vec<Json> = Vec::with_capacity(ids.len());
    for id in ids {
        let record = app.records.get(id).ok_or_else(|| ApiError::record_not_found(id))?;
        let right = record_rights.of(&record);
        let field = json!({"viewable": right.view, "editable": right.edit});
        let fields: Map<String, Json> = app
            .fields
            .iter()
            .filter(|field| field.field_type.has_value() && !field.field_type.is_built_in())
            .map(|known| (known.code.clone(), field.clone()))
            .collect();
        rights.push(json!({
            "id": id.to_string(),
            "record": {"viewable": right.view, "editable": right.edit, "deletable": right.delete},
            "fields": fields,
        }));
    }
    Ok(Answer::json(&json!({"rights": rights})))
}
