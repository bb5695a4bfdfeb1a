//! Settings before they are in force: new apps, changed fields, and the update that puts them in force.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::{ApiError, Call};
use crate::http::{Answer, Parameters};
use crate::model::{App, AppId, Field, FieldError, FieldType, Fields, Permission, Tenant};
use crate::seed::AppSeed;

/// Apps of one request.
const MOST_APPS: usize = 300;
/// Fields of one request.
const MOST_FIELDS: usize = 100;

/// `POST preview/app.json`: an app that is not in force before `deploy`.
pub(super) fn create_app(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let name = call.parameters.text("name")?;
    let space = call.parameters.optional_id("space")?.or(call.guest_space);
    if space.is_some_and(|space| tenant.space(space).is_none()) {
        return Err(ApiError::new("GAIA_SP01", 404));
    }
    let id = tenant.apps.keys().next_back().map_or(1, |last| last + 1);
    let mut app = AppSeed::empty(id, name).build(tenant).map_err(|error| invalid_field(&error))?;
    app.space = space;
    app.thread = space.and_then(|id| tenant.space(id)).map(|space| space.default_thread);
    app.is_live = false;
    app.revision = 2;
    (app.creator, app.modifier) = (call.caller.entity(), call.caller.entity());
    (app.created_at, app.updated_at) = (call.now, call.now);
    tenant.apps.insert(id, app);
    Ok(Answer::json(&json!({"app": id.to_string(), "revision": "2"})))
}

/// `POST preview/app/form/fields.json`.
pub(super) fn add_fields(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    change_fields(tenant, call, |fields| {
        for (code, definition) in properties(call)? {
            if fields.iter().any(|field| field.code == *code || field.column(code).is_some()) {
                let at = format!("properties.{code}.code");
                return Err(ApiError::invalid(&at, "The field code is in use."));
            }
            let field = Field::from_definition(code, definition).map_err(|error| invalid_field(&error))?;
            if field.field_type.is_built_in() {
                return Err(ApiError::invalid(&format!("properties.{code}.type"), "The app has it already."));
            }
            fields.push(field);
        }
        Ok(())
    })
}

/// `PUT preview/app/form/fields.json`: changes the members that are given; the type stays.
pub(super) fn update_fields(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    change_fields(tenant, call, |fields| {
        for (code, change) in properties(call)? {
            let field = fields.iter_mut().find(|field| field.code == *code).ok_or_else(|| unknown(code))?;
            let mut definition = field.definition.clone();
            let change = change.as_object().cloned().unwrap_or_default();
            if change.get("type").is_some_and(|name| name != field.field_type.name()) {
                return Err(ApiError::invalid(
                    &format!("properties.{code}.type"),
                    "The type cannot be changed.",
                ));
            }
            let new_code = change.get("code").and_then(Json::as_str).unwrap_or(code).to_owned();
            definition.extend(change);
            *field = Field::from_definition(&new_code, &Json::Object(definition))
                .map_err(|error| invalid_field(&error))?;
        }
        Ok(())
    })
}

/// `DELETE preview/app/form/fields.json`.
pub(super) fn delete_fields(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    change_fields(tenant, call, |fields| {
        call.parameters.list("fields", MOST_FIELDS)?;
        for code in call.parameters.texts("fields")?.unwrap_or_default() {
            let position = fields.iter().position(|field| field.code == code);
            let position = position.ok_or_else(|| unknown(&code))?;
            if fields[position].field_type.is_built_in() {
                return Err(ApiError::invalid("fields", "A field that every app has cannot be deleted."));
            }
            fields.remove(position);
        }
        Ok(())
    })
}

/// `POST preview/app/deploy.json`: puts the settings of the apps in force, or with `revert` gives them up.
/// It is done when the answer comes. Tokens made since the last time become known to the service.
pub(super) fn deploy(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let revert = call.parameters.flag("revert")?.unwrap_or(false);
    let mut ids = Vec::new();
    for entry in call.parameters.list("apps", MOST_APPS)? {
        let entry = Parameters::from_json(entry.clone());
        let app = call.app_of_id(tenant, entry.id("app")?, Permission::Manage)?;
        check_revision(app, &entry)?;
        if !revert {
            check_lookups(tenant, app)?;
        }
        ids.push(app.id);
    }
    for id in ids {
        let Some(app) = tenant.apps.get_mut(&id) else { continue };
        let draft = app.draft.take();
        if revert {
            continue;
        }
        app.is_live = true;
        app.updated_at = call.now;
        app.modifier = call.caller.entity();
        app.tokens.iter_mut().for_each(|token| token.deployed = true);
        if let Some(fields) = draft {
            app.records.follow(&fields);
            app.fields = fields;
        }
    }
    Ok(Answer::json(&json!({})))
}

/// `GET preview/app/deploy.json`.
pub(super) fn state(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    call.parameters.list("apps", MOST_APPS)?;
    let ids = call.parameters.ids("apps")?.unwrap_or_default();
    let apps: Vec<Json> = ids
        .into_iter()
        .map(|id| {
            let app = call.app_of_id(tenant, id, Permission::Manage)?;
            Ok(json!({"app": app.id.to_string(), "status": "SUCCESS"}))
        })
        .collect::<Result<_, ApiError>>()?;
    Ok(Answer::json(&json!({"apps": apps})))
}

/// Changes the fields that are not in force yet, and counts the revision up.
fn change_fields(
    tenant: &mut Tenant,
    call: &Call<'_>,
    change: impl FnOnce(&mut Vec<Field>) -> Result<(), ApiError>,
) -> Result<Answer, ApiError> {
    let app = call.app(tenant, "app", Permission::Manage)?;
    check_revision(app, &call.parameters)?;
    let id: AppId = app.id;
    let mut fields: Vec<Field> = app.draft_fields().iter().cloned().collect();
    change(&mut fields)?;
    let app = tenant.apps.get_mut(&id).ok_or_else(|| ApiError::app_not_found(id))?;
    app.draft = Some(Arc::new(Fields::new(fields)));
    app.revision += 1;
    Ok(Answer::json(&json!({"revision": app.revision.to_string()})))
}

fn properties<'a>(call: &'a Call<'_>) -> Result<&'a Map<String, Json>, ApiError> {
    let properties = call.parameters.get("properties").and_then(Json::as_object);
    let properties = properties.ok_or_else(|| ApiError::required("properties"))?;
    if properties.len() > MOST_FIELDS {
        return Err(ApiError::invalid("properties", "At most 100 fields are possible."));
    }
    Ok(properties)
}

fn check_revision(app: &App, parameters: &Parameters) -> Result<(), ApiError> {
    let wanted = parameters.integer("revision")?.filter(|revision| *revision != -1);
    if wanted.is_some_and(|wanted| wanted != app.revision as i64) {
        return Err(ApiError::new("GAIA_CO03", 409));
    }
    Ok(())
}

/// The key of a lookup has to tell records apart.
fn check_lookups(tenant: &Tenant, app: &App) -> Result<(), ApiError> {
    for lookup in app.draft_fields().iter().filter_map(|field| field.lookup.as_ref()) {
        let source = tenant.apps.get(&lookup.app).ok_or_else(|| ApiError::app_not_found(lookup.app))?;
        let key = source.fields.find(&lookup.key_field).ok_or_else(|| unknown(&lookup.key_field))?.field;
        if !key.unique && key.field_type != FieldType::RecordNumber {
            return Err(ApiError::new("GAIA_LO03", 400));
        }
    }
    Ok(())
}

fn unknown(code: &str) -> ApiError {
    ApiError::new("GAIA_FC01", 400).with_message(format!("The field code {code} is not found."))
}

fn invalid_field(error: &FieldError) -> ApiError {
    let at = match error {
        FieldError::NotAnObject(code) => format!("properties.{code}"),
        FieldError::UnknownType { code, .. } => format!("properties.{code}.type"),
    };
    ApiError::invalid(&at, &error.to_string())
}
