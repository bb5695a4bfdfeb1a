//! User API: organizations and groups, and who is in them.

use serde_json::{Value as Json, json};

use super::users::{self, Selection};
use super::{ApiError, Call};
use crate::http::Answer;
use crate::model::{Group, Organization, Tenant};

/// `organizations.json`.
pub(super) fn list(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let selection = Selection::read(call)?;
    let organizations: Vec<Json> =
        selection.of(&tenant.organizations, |entry| (entry.id, &entry.code)).map(describe).collect();
    Ok(Answer::json(&json!({"organizations": organizations})))
}

/// `groups.json`.
pub(super) fn groups(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let selection = Selection::read(call)?;
    let groups: Vec<Json> =
        selection.of(&tenant.groups, |entry| (entry.id, &entry.code)).map(describe_group).collect();
    Ok(Answer::json(&json!({"groups": groups})))
}

/// `organization/users.json`.
pub(super) fn users(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    users::require_reader(call)?;
    let code = call.parameters.text("code")?;
    tenant.organization(&code).ok_or_else(|| ApiError::new("GAIA_IL28", 404))?;
    let titles: Vec<Json> = tenant
        .users
        .iter()
        .filter(|user| user.organizations.contains(&code))
        .map(|user| json!({"user": users::describe(user), "title": null}))
        .collect();
    Ok(Answer::json(&json!({"userTitles": titles})))
}

/// `group/users.json`.
pub(super) fn users_of_group(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    users::require_reader(call)?;
    let code = call.parameters.text("code")?;
    tenant.group(&code).ok_or_else(|| ApiError::new("GAIA_IL28", 404))?;
    let members: Vec<Json> =
        tenant.users.iter().filter(|user| user.groups.contains(&code)).map(users::describe).collect();
    Ok(Answer::json(&json!({"users": members})))
}

pub(super) fn describe(organization: &Organization) -> Json {
    json!({
        "id": organization.id.to_string(),
        "code": organization.code,
        "name": organization.name,
        "localName": "",
        "localNameLocale": "en",
        "parentCode": organization.parent,
        "description": organization.description,
    })
}

pub(super) fn describe_group(group: &Group) -> Json {
    json!({
        "id": group.id.to_string(),
        "code": group.code,
        "name": group.name,
        "description": group.description,
    })
}
