//! Spaces and their members.

use serde_json::{Value as Json, json};

use super::apps::instant;
use super::{ApiError, Call};
use crate::auth::Caller;
use crate::http::Answer;
use crate::model::{App, Space, Tenant};

/// `space.json`.
pub(super) fn one(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let space = visible_space(tenant, call)?;
    let creator = space.members.first().map(|code| tenant.user_entity(code));
    let apps: Vec<&App> = tenant.apps.values().filter(|app| app.space == Some(space.id)).collect();
    let attached: Vec<Json> = apps
        .iter()
        .map(|app| {
            json!({
                "threadId": app.thread.map(|id| id.to_string()),
                "appId": app.id.to_string(),
                "code": app.code,
                "name": app.name,
                "description": app.description,
                "createdAt": instant(app.created_at),
                "creator": app.creator,
                "modifiedAt": instant(app.updated_at),
                "modifier": app.modifier,
            })
        })
        .collect();
    Ok(Answer::json(&json!({
        "id": space.id.to_string(),
        "name": space.name,
        "defaultThread": space.default_thread.to_string(),
        "isPrivate": space.is_private,
        "creator": creator,
        "modifier": creator,
        "memberCount": space.members.len().to_string(),
        "coverType": "PRESET",
        "coverKey": "GREEN",
        "coverUrl": "",
        "body": "",
        "useMultiThread": false,
        "isGuest": space.is_guest,
        "attachedApps": attached,
        "fixedMember": false,
        "showAnnouncement": null,
        "showThreadList": null,
        "showAppList": null,
        "showMemberList": null,
        "showRelatedLinkList": null,
        "permissions": {"createApp": "EVERYONE"},
    })))
}

/// `space/members.json`.
pub(super) fn members(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let space = visible_space(tenant, call)?;
    let members: Vec<Json> = space
        .members
        .iter()
        .enumerate()
        .map(|(place, code)| {
            json!({"entity": {"type": "USER", "code": code}, "isAdmin": place == 0, "isImplicit": false})
        })
        .collect();
    Ok(Answer::json(&json!({"members": members})))
}

/// `spaces/statistics.json`.
#[expect(clippy::unnecessary_wraps, reason = "every endpoint has this signature")]
pub(super) fn statistics(tenant: &Tenant, _: &Call<'_>) -> Result<Answer, ApiError> {
    let spaces: Vec<Json> = tenant
        .spaces
        .iter()
        .map(|space| {
            let owner = space.members.first().map(|code| tenant.user_entity(code));
            let created = tenant.apps.values().map(|app| app.created_at).min().map(instant);
            json!({
                "id": space.id.to_string(),
                "name": space.name,
                "isPrivate": space.is_private,
                "isGuest": space.is_guest,
                "memberCount": space.members.len().to_string(),
                "administratorCount": "1",
                "creator": owner,
                "createdAt": created,
                "modifier": owner,
                "modifiedAt": created,
            })
        })
        .collect();
    Ok(Answer::json(&json!({"spaces": spaces})))
}

/// The space that the parameter names. A guest space is reached through its own path alone.
fn visible_space<'t>(tenant: &'t Tenant, call: &Call<'_>) -> Result<&'t Space, ApiError> {
    let id = call.parameters.id("id")?;
    let space = tenant.space(id).ok_or_else(|| ApiError::new("GAIA_SP01", 404))?;
    match (space.is_guest, call.guest_space) {
        (true, None) => return Err(ApiError::new("GAIA_IL23", 400)),
        (true, Some(named)) if named != id => return Err(ApiError::no_privilege()),
        (false, Some(_)) => return Err(ApiError::no_privilege()),
        _ => {}
    }
    let Caller::User(user) = call.caller else { return Err(ApiError::no_privilege()) };
    let hidden =
        (space.is_private || space.is_guest) && !user.administrator && !space.members.contains(&user.code);
    if hidden { Err(ApiError::no_privilege()) } else { Ok(space) }
}
