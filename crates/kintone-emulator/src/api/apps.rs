//! Apps: one, many, and how much they are used.

use serde_json::{Value as Json, json};

use super::{ApiError, Call};
use crate::http::Answer;
use crate::model::{App, Permission, Tenant};

/// `app.json`.
pub(super) fn one(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let app = call.visible_app(tenant, call.parameters.id("id")?)?;
    Ok(Answer::json(&describe(app)))
}

/// `apps.json`: the apps that the user sees, in the order of their ids.
pub(super) fn many(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let parameters = &call.parameters;
    let limit = parameters.integer("limit")?.unwrap_or(100);
    if !(1..=100).contains(&limit) {
        return Err(ApiError::invalid("limit", "Specify a number from 1 to 100."));
    }
    let offset = parameters.integer("offset")?.unwrap_or(0);
    let offset = usize::try_from(offset).map_err(|_| ApiError::invalid("offset", "Specify 0 or more."))?;
    let (ids, codes) = (parameters.ids("ids")?, parameters.texts("codes")?);
    let (name, spaces) = (parameters.optional_text("name")?, parameters.ids("spaceIds")?);
    let name = name.map(|name| name.to_lowercase());
    let apps: Vec<Json> = tenant
        .apps
        .values()
        .filter(|app| app.is_live)
        .filter(|app| tenant.guest_space_of(app) == call.guest_space)
        .filter(|app| call.may(tenant, app, Permission::View) || call.may(tenant, app, Permission::Manage))
        .filter(|app| ids.as_ref().is_none_or(|ids| ids.contains(&app.id)))
        .filter(|app| codes.as_ref().is_none_or(|codes| codes.contains(&app.code)))
        .filter(|app| name.as_ref().is_none_or(|name| app.name.to_lowercase().contains(name)))
        .filter(|app| spaces.as_ref().is_none_or(|ids| app.space.is_some_and(|space| ids.contains(&space))))
        .skip(offset)
        .take(limit as usize)
        .map(describe)
        .collect();
    Ok(Answer::json(&json!({"apps": apps})))
}

/// `apps/statistics.json`, with the requests of the day.
pub(super) fn statistics(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let limit = call.parameters.integer("limit")?.unwrap_or(100).clamp(1, 100) as usize;
    let offset = call.parameters.integer("offset")?.unwrap_or(0).max(0) as usize;
    let apps: Vec<Json> = tenant
        .apps
        .values()
        .filter(|app| call.may(tenant, app, Permission::Manage))
        .skip(offset)
        .take(limit)
        .map(|app| {
            let space = app.space.and_then(|id| tenant.space(id));
            json!({
                "id": app.id.to_string(),
                "name": app.name,
                "space": space.map(|space| json!({"id": space.id.to_string(), "name": space.name})),
                "appGroup": "Public",
                "status": "ACTIVATED",
                "recordUpdatedAt": instant(app.updated_at),
                "recordCount": app.records.len().to_string(),
                "fieldCount": app.fields.iter().count().to_string(),
                "dailyRequestCount": call.slot.daily_requests().of(app.id, call.now).to_string(),
                "storageUsage": "0",
                "customized": false,
                "creator": app.creator,
                "createdAt": instant(app.created_at),
                "modifier": app.modifier,
                "modifiedAt": instant(app.updated_at),
            })
        })
        .collect();
    Ok(Answer::json(&json!({"apps": apps})))
}

/// An instant as settings write it: UTC with milliseconds.
pub(super) fn instant(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

fn describe(app: &App) -> Json {
    json!({
        "appId": app.id.to_string(),
        "code": app.code,
        "name": app.name,
        "description": app.description,
        "spaceId": app.space.map(|id| id.to_string()),
        "threadId": app.thread.map(|id| id.to_string()),
        "createdAt": instant(app.created_at),
        "creator": app.creator,
        "modifiedAt": instant(app.updated_at),
        "modifier": app.modifier,
    })
}
