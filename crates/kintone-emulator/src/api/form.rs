//! The form of an app: fields, arrangement, and the older description of both.

use serde_json::{Map, Value as Json, json};

use super::{ApiError, Call};
use crate::http::Answer;
use crate::model::{App, Field, FieldType, Fields, Tenant};

/// `app/form/fields.json`.
pub(super) fn fields(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let app = call.visible_app(tenant, call.parameters.id("app")?)?;
    let properties: Map<String, Json> = fields_of(app, call)
        .iter()
        .map(|field| (field.code.clone(), Json::Object(field.definition.clone())))
        .collect();
    Ok(Answer::json(&json!({"properties": properties, "revision": app.revision.to_string()})))
}

/// The form that is in force, or for a preview the one that will be.
fn fields_of<'t>(app: &'t App, call: &Call<'_>) -> &'t Fields {
    if call.is_preview() { app.draft_fields() } else { &app.fields }
}

/// `app/form/layout.json`: what the settings say, or else one row for each field.
pub(super) fn layout(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let app = call.visible_app(tenant, call.parameters.id("app")?)?;
    let layout = if app.layout.is_null() { one_row_each(fields_of(app, call)) } else { app.layout.clone() };
    Ok(Answer::json(&json!({"layout": layout, "revision": app.revision.to_string()})))
}

fn one_row_each(fields: &Fields) -> Json {
    let placed = |field: &Field| json!({"type": field.field_type.name(), "code": field.code, "size": {"width": "200"}});
    let rows: Vec<Json> = fields
        .iter()
        .filter(|field| {
            !matches!(field.field_type, FieldType::Status | FieldType::StatusAssignee | FieldType::Category)
        })
        .map(|field| match field.field_type {
            FieldType::Subtable => {
                let columns: Vec<Json> = field.fields.iter().map(placed).collect();
                json!({"type": "SUBTABLE", "code": field.code, "fields": columns})
            }
            FieldType::Group => json!({"type": "GROUP", "code": field.code, "layout": []}),
            _ => json!({"type": "ROW", "fields": [placed(field)]}),
        })
        .collect();
    Json::Array(rows)
}

/// `form.json`, the older description: a list of fields with flat members.
pub(super) fn old_form(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let app = call.visible_app(tenant, call.parameters.id("app")?)?;
    let properties: Vec<Json> = fields_of(app, call)
        .iter()
        .filter(|field| {
            !matches!(field.field_type, FieldType::Status | FieldType::StatusAssignee | FieldType::Category)
        })
        .map(old_field)
        .collect();
    Ok(Answer::json(&json!({"properties": properties})))
}

fn old_field(field: &Field) -> Json {
    let mut members = field.definition.clone();
    if field.field_type.has_options() {
        members.insert("options".to_owned(), json!(field.options));
    }
    if field.field_type == FieldType::Subtable {
        let columns: Vec<Json> = field.fields.iter().map(old_field).collect();
        members.insert("fields".to_owned(), Json::Array(columns));
    }
    let related =
        field.lookup.as_ref().map(|lookup| lookup.app).or(field.related.as_ref().map(|list| list.app));
    if let Some(app) = related {
        members.insert("relatedApp".to_owned(), json!(app.to_string()));
    }
    if members.remove("defaultNowValue") == Some(Json::Bool(true)) {
        members.insert("defaultExpression".to_owned(), json!("NOW"));
    } else if matches!(field.field_type, FieldType::Date | FieldType::Time | FieldType::DateTime) {
        members.insert("defaultExpression".to_owned(), Json::Null);
    }
    for newer in ["lookup", "referenceTable", "align", "entities", "thumbnailSize", "openGroup", "enabled"] {
        members.remove(newer);
    }
    Json::Object(members)
}
