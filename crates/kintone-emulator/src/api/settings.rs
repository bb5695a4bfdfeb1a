//! The other settings of an app. Those that the emulator does not act upon show what a new app has.

use serde_json::{Map, Value as Json, json};

use super::{ApiError, Call};
use crate::http::Answer;
use crate::model::{App, FieldType, Permission, Tenant};

/// Settings that everybody who sees the app may read.
fn visible(tenant: &Tenant, call: &Call<'_>, content: impl Fn(&App) -> Json) -> Result<Answer, ApiError> {
    let app = call.visible_app(tenant, call.parameters.id("app")?)?;
    Ok(with_revision(app, content(app)))
}

/// Settings that only those who manage the app may read.
fn managed(tenant: &Tenant, call: &Call<'_>, content: impl Fn(&App) -> Json) -> Result<Answer, ApiError> {
    let app = call.app(tenant, "app", Permission::Manage)?;
    Ok(with_revision(app, content(app)))
}

fn with_revision(app: &App, mut content: Json) -> Answer {
    content["revision"] = json!(app.revision.to_string());
    Answer::json(&content)
}

/// `app/views.json`: what the settings say, or else none.
pub(super) fn views(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    visible(
        tenant,
        call,
        |app| json!({"views": if app.views.is_null() { json!({}) } else { app.views.clone() }}),
    )
}

/// `app/settings.json`.
pub(super) fn general(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    visible(tenant, call, |app| {
        let mut settings = json!({
            "name": app.name,
            "description": app.description,
            "icon": {"type": "PRESET", "key": "APP72"},
            "theme": "WHITE",
            "titleField": {"selectionMode": "AUTO"},
            "enableThumbnails": true,
            "enableBulkDeletion": false,
            "enableComments": true,
            "enableDuplicateRecord": true,
            "enableInlineRecordEditing": true,
            "numberPrecision": {"digits": "16", "decimalPlaces": "4", "roundingMode": "HALF_EVEN"},
            "firstMonthOfFiscalYear": "4",
        });
        if let (Some(settings), Some(own)) = (settings.as_object_mut(), app.settings.as_object()) {
            settings.extend(own.clone());
        }
        settings
    })
}

/// `app/status.json`. States and actions are `null` until process management was set up.
pub(super) fn status(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    visible(tenant, call, |app| {
        let process = &app.process;
        if process.states.is_empty() {
            return json!({"enable": process.enabled, "states": null, "actions": null});
        }
        let states: Map<String, Json> = process
            .states
            .iter()
            .map(|state| (state.name.clone(), Json::Object(state.definition.clone())))
            .collect();
        let actions: Vec<Json> =
            process.actions.iter().map(|action| Json::Object(action.definition.clone())).collect();
        json!({"enable": process.enabled, "states": states, "actions": actions})
    })
}

/// `app/customize.json`.
pub(super) fn customize(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    managed(
        tenant,
        call,
        |_| json!({"desktop": {"js": [], "css": []}, "mobile": {"js": [], "css": []}, "scope": "ALL"}),
    )
}

/// `app/actions.json`.
pub(super) fn actions(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    visible(tenant, call, |_| json!({"actions": {}}))
}

/// `app/reports.json`.
pub(super) fn reports(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    visible(tenant, call, |_| json!({"reports": {}}))
}

/// `app/plugins.json`.
pub(super) fn plugins(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    managed(tenant, call, |_| json!({"plugins": []}))
}

/// `app/adminNotes.json`.
pub(super) fn admin_notes(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    managed(tenant, call, |_| json!({"content": "", "includeInTemplateAndDuplicates": false}))
}

/// `app/notifications/general.json`: a new app tells its creator about comments.
pub(super) fn general_notifications(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    managed(tenant, call, |app| {
        let creator = app.fields.of_type(FieldType::Creator).map(|field| field.code.clone());
        json!({
            "notifyToCommenter": true,
            "notifications": [{
                "entity": {"type": "FIELD_ENTITY", "code": creator},
                "includeSubs": false,
                "recordAdded": false,
                "recordEdited": false,
                "commentAdded": true,
                "statusChanged": false,
                "fileImported": false,
            }],
        })
    })
}

/// `app/notifications/perRecord.json`.
pub(super) fn record_notifications(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    managed(tenant, call, |_| json!({"notifications": []}))
}

/// `app/notifications/reminder.json`.
pub(super) fn reminders(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    managed(tenant, call, |_| json!({"notifications": [], "timezone": call.caller.timezone()}))
}
