//! Process management: actions that move a record on, and who has to act.

use serde_json::{Map, Value as Json, json};

use super::record_rights::RecordRights;
use super::{ApiError, Call};
use crate::auth::Caller;
use crate::http::{Answer, Parameters};
use crate::model::{App, AppId, Entity, Permission, Record, Tenant, Value};

/// Records of one request.
const MOST_RECORDS: usize = 100;
/// Assignees of one record.
const MOST_ASSIGNEES: usize = 100;

/// `PUT record/status.json`.
pub(super) fn update_one(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let app = call.app(tenant, "app", Permission::Edit)?;
    let rights = RecordRights::new(tenant, call, app)?;
    let record = moved_on(tenant, call, app, &rights, &call.parameters)?;
    let revision = record.revision;
    put(tenant, app.id, vec![record]);
    Ok(Answer::json(&json!({"revision": revision.to_string()})))
}

/// `PUT records/status.json`: all of them or none.
pub(super) fn update_many(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let app = call.app(tenant, "app", Permission::Edit)?;
    let list = call.parameters.list("records", MOST_RECORDS)?;
    let rights = RecordRights::new(tenant, call, app)?;
    let records: Vec<Record> = list
        .iter()
        .map(|entry| moved_on(tenant, call, app, &rights, &Parameters::from_json(entry.clone())))
        .collect::<Result<_, _>>()?;
    let answers: Vec<Json> = records
        .iter()
        .map(|record| json!({"id": record.id.to_string(), "revision": record.revision.to_string()}))
        .collect();
    put(tenant, app.id, records);
    Ok(Answer::json(&json!({"records": answers})))
}

/// `PUT record/assignees.json`.
pub(super) fn assign(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let app = call.app(tenant, "app", Permission::Edit)?;
    if !app.process.enabled {
        return Err(ApiError::new("GAIA_ST02", 400));
    }
    let mut record = current(&RecordRights::new(tenant, call, app)?, &call.parameters)?;
    let codes = call.parameters.texts("assignees")?.ok_or_else(|| ApiError::required("assignees"))?;
    if codes.len() > MOST_ASSIGNEES {
        return Err(ApiError::invalid("assignees", "At most 100 assignees are possible."));
    }
    record.assignees = codes.iter().map(|code| known_user(tenant, code)).collect::<Result<_, _>>()?;
    record.revision += 1;
    touch(&mut record, call);
    let revision = record.revision;
    put(tenant, app.id, vec![record]);
    Ok(Answer::json(&json!({"revision": revision.to_string()})))
}

fn put(tenant: &mut Tenant, app: AppId, records: Vec<Record>) {
    if let Some(app) = tenant.apps.get_mut(&app) {
        for record in records {
            app.records.put(record);
        }
    }
}

fn touch(record: &mut Record, call: &Call<'_>) {
    record.modifier = call.caller.entity();
    record.updated_at = call.now;
}

/// The record that the parameters name, if the caller may edit it and its revision is the one they name.
fn current(rights: &RecordRights<'_>, parameters: &Parameters) -> Result<Record, ApiError> {
    let id = parameters.id("id")?;
    let record = rights.editable(id)?;
    let wanted = parameters.integer("revision")?.filter(|revision| *revision != -1);
    if wanted.is_some_and(|wanted| wanted != record.revision as i64) {
        return Err(ApiError::revision_conflict(id));
    }
    Ok(Record::clone(&record))
}

/// The record after the action that the parameters name. The revision grows by two.
fn moved_on(
    tenant: &Tenant,
    call: &Call<'_>,
    app: &App,
    rights: &RecordRights<'_>,
    parameters: &Parameters,
) -> Result<Record, ApiError> {
    let first = app.process.first_state().ok_or_else(|| ApiError::new("GAIA_ST02", 400))?;
    let mut record = current(rights, parameters)?;
    let name = parameters.text("action")?;
    let status = record.status.clone().unwrap_or_else(|| first.to_owned());
    if let Caller::User(user) = call.caller
        && !record.assignees.is_empty()
        && !record.assignees.iter().any(|assignee| assignee.code == user.code)
    {
        return Err(ApiError::new("GAIA_NT01", 403));
    }
    let action = app.process.action(&name, &status).ok_or_else(|| ApiError::new("GAIA_IL03", 400))?;
    let next = app.process.states.iter().find(|state| state.name == action.to);
    let next = next.ok_or_else(|| ApiError::new("GAIA_IL03", 400))?;
    let chosen = parameters.optional_text("assignee")?;
    record.assignees = assignees(tenant, app, &record, &next.definition, chosen.as_deref())?;
    record.status = Some(next.name.clone());
    record.revision += 2;
    touch(&mut record, call);
    Ok(record)
}

/// Who has to act in a state: one who is chosen, or all of those whom the settings name.
fn assignees(
    tenant: &Tenant,
    app: &App,
    record: &Record,
    state: &Map<String, Json>,
    chosen: Option<&str>,
) -> Result<Vec<Entity>, ApiError> {
    let rule = state.get("assignee").cloned().unwrap_or_default();
    let candidates: Vec<Entity> = rule["entities"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|entry| people(tenant, app, record, &entry["entity"]))
        .collect();
    match (chosen, rule["type"].as_str()) {
        (Some(code), _) => {
            let user = known_user(tenant, code)?;
            if candidates.is_empty() || candidates.contains(&user) {
                Ok(vec![user])
            } else {
                Err(ApiError::invalid("assignee", "The user is not among the candidates of the status."))
            }
        }
        (None, Some("ONE")) if candidates.len() > 1 => Err(ApiError::required("assignee")),
        (None, _) => Ok(candidates),
    }
}

/// The users whom `{type, code}` stands for.
fn people(tenant: &Tenant, app: &App, record: &Record, entity: &Json) -> Vec<Entity> {
    let code = entity["code"].as_str().unwrap_or_default();
    let of = |belongs: &dyn Fn(&crate::model::User) -> bool| {
        let users = tenant.users.iter().filter(|user| belongs(user));
        users.map(|user| Entity::new(user.code.clone(), user.name.clone())).collect()
    };
    match entity["type"].as_str().unwrap_or_default() {
        "USER" => of(&|user| user.code == code),
        "GROUP" => of(&|user| user.groups.iter().any(|group| group == code)),
        "ORGANIZATION" => of(&|user| user.organizations.iter().any(|organization| organization == code)),
        "CREATOR" => vec![record.creator.clone()],
        "FIELD_ENTITY" => {
            let cell = app.fields.find(code).map(|found| record.cell(found.field).into_owned());
            match cell {
                Some(Value::Entity(user)) => vec![user],
                Some(Value::Entities(users)) => users,
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

fn known_user(tenant: &Tenant, code: &str) -> Result<Entity, ApiError> {
    let user = tenant.user(code).ok_or_else(|| ApiError::new("GAIA_IL26", 400))?;
    Ok(Entity::new(user.code.clone(), user.name.clone()))
}
