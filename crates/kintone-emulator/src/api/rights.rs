//! Permissions of apps, records and fields, and what they come to for the caller.

use serde_json::{Map, Value as Json, json};

use super::call::concerns;
use super::{ApiError, Call};
use crate::auth::Caller;
use crate::http::Answer;
use crate::model::{App, AppRight, Permission, Record, RightHolder, Tenant};
use crate::query;

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
    let mut rights: Vec<Json> = Vec::with_capacity(ids.len());
    for id in ids {
        let record = app.records.get(id).ok_or_else(|| ApiError::record_not_found(id))?;
        let right = of_record(tenant, call, app, &record)?;
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

/// What the caller may do with one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordPermission {
    pub(super) view: bool,
    pub(super) edit: bool,
    pub(super) delete: bool,
}

/// What the caller may do with a record: the app's permissions, narrowed by the first record permission whose
/// condition the record meets. Tokens stand above record permissions.
pub(super) fn of_record(
    tenant: &Tenant,
    call: &Call<'_>,
    app: &App,
    record: &Record,
) -> Result<RecordPermission, ApiError> {
    let mut permission = RecordPermission {
        view: call.may(tenant, app, Permission::View),
        edit: call.may(tenant, app, Permission::Edit),
        delete: call.may(tenant, app, Permission::Delete),
    };
    let Caller::User(user) = call.caller else { return Ok(permission) };
    for right in &app.record_rights {
        let context = call.query_context(tenant);
        if !query::selection(app, &context, &right.filter_cond)?.contains(record) {
            continue;
        }
        let row = right.entities.iter().find(|row| {
            serde_json::from_value::<RightHolder>(row["entity"].clone())
                .is_ok_and(|holder| concerns(&holder, user, &record.creator.code))
        });
        let allowed = |member: &str| row.is_some_and(|row| row[member].as_bool().unwrap_or(false));
        permission.view &= allowed("viewable");
        permission.edit &= allowed("editable");
        permission.delete &= allowed("deletable");
        break;
    }
    Ok(permission)
}
