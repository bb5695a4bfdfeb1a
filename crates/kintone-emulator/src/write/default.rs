//! What a new record holds in a cell that the request leaves out.

use serde_json::Value as Json;

use super::choice::first_choice;
use super::context::WriteContext;
use super::entity;
use super::number;
use crate::model::{Entity, Field, FieldType, Value};
use crate::query::moment;

/// The default of a field. A default that the field cannot hold is no default.
pub(super) fn value(context: &WriteContext<'_>, field: &Field) -> Value {
    let text = field.default_value.as_str().filter(|text| !text.is_empty());
    match field.field_type {
        FieldType::RadioButton => first_choice(field),
        FieldType::CheckBox | FieldType::MultiSelect => {
            let listed = field.default_value.as_array().into_iter().flatten().filter_map(Json::as_str);
            let known = listed.filter(|option| field.options.iter().any(|known| known == option));
            Value::Strings(known.map(str::to_owned).collect())
        }
        FieldType::UserSelect | FieldType::OrganizationSelect | FieldType::GroupSelect => {
            let listed = field.default_value.as_array().into_iter().flatten();
            Value::Entities(listed.filter_map(|entry| default_entity(context, field, entry)).collect())
        }
        FieldType::Date | FieldType::Time | FieldType::DateTime if field.default_now => {
            Value::Text(present(context, field.field_type))
        }
        FieldType::Number => text
            .and_then(|text| number::read(&context.app.settings, field, text).ok())
            .map_or_else(|| field.field_type.empty(), Value::Number),
        _ => text.map_or_else(|| field.field_type.empty(), |text| Value::Text(text.to_owned())),
    }
}

/// An entry of the default: `{type, code}`, where the function `LOGINUSER()` stands for the caller and
/// `PRIMARY_ORGANIZATION()` for the caller's first organization.
fn default_entity(context: &WriteContext<'_>, field: &Field, entry: &Json) -> Option<Entity> {
    match entry["code"].as_str()? {
        "LOGINUSER()" => Some(context.actor.clone()),
        "PRIMARY_ORGANIZATION()" => {
            let code = context.tenant.user(&context.actor.code)?.organizations.first()?;
            entity::find(context, field.field_type, code).ok()
        }
        code => entity::find(context, field.field_type, code).ok(),
    }
}

fn present(context: &WriteContext<'_>, field_type: FieldType) -> String {
    let local = context.time_zone.to_datetime(context.now);
    match field_type {
        FieldType::Date => moment::date_text(local.date()),
        FieldType::Time => moment::time_text(local.time()),
        _ => moment::instant_text(context.now),
    }
}
