//! Who made and changed a record, and when.

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::context::WriteContext;
use super::entity;
use super::error::{Problems, WriteError};
use crate::model::{Entity, FieldType};
use crate::query::moment;

/// The four built-in cells of a new record.
pub(super) struct History {
    pub(super) creator: Entity,
    pub(super) created_at: Timestamp,
    pub(super) modifier: Entity,
    pub(super) updated_at: Timestamp,
}

impl History {
    /// The caller and the present, except for what the request says. Saying something takes the right to
    /// administer the app: without it, `CB_NO02`.
    pub(super) fn of_new(
        context: &WriteContext<'_>,
        at: &str,
        cells: &Map<String, Json>,
        problems: &mut Problems,
    ) -> Result<Self, WriteError> {
        let mut history = Self {
            creator: context.actor.clone(),
            created_at: context.now,
            modifier: context.actor.clone(),
            updated_at: context.now,
        };
        for field in &*context.app.fields {
            let given = cells.get(&field.code).map(|cell| &cell["value"]).filter(|value| !is_unset(value));
            let Some(given) = given else { continue };
            if !is_history(field.field_type) {
                continue;
            }
            if !context.administers_app {
                let message = format!("Only who manages the app may set the field {}.", field.code);
                return Err(WriteError::refused("CB_NO02", 403, message));
            }
            let path = format!("{at}.{}.value", field.code);
            match field.field_type {
                FieldType::Creator => {
                    history.creator = person(context, given, history.creator, path, problems)?;
                }
                FieldType::Modifier => {
                    history.modifier = person(context, given, history.modifier, path, problems)?;
                }
                FieldType::CreatedTime => {
                    history.created_at = time(given, history.created_at, path, problems);
                }
                _ => history.updated_at = time(given, history.updated_at, path, problems),
            }
        }
        Ok(history)
    }
}

fn is_history(field_type: FieldType) -> bool {
    matches!(
        field_type,
        FieldType::Creator | FieldType::Modifier | FieldType::CreatedTime | FieldType::UpdatedTime
    )
}

fn is_unset(value: &Json) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

fn person(
    context: &WriteContext<'_>,
    given: &Json,
    otherwise: Entity,
    path: String,
    problems: &mut Problems,
) -> Result<Entity, WriteError> {
    if let Some(code) = given["code"].as_str() {
        return entity::find(context, FieldType::UserSelect, code);
    }
    problems.add(path, "The value must be an object with a code.");
    Ok(otherwise)
}

fn time(given: &Json, otherwise: Timestamp, path: String, problems: &mut Problems) -> Timestamp {
    given.as_str().and_then(moment::parse_instant).unwrap_or_else(|| {
        problems.add(path, "Enter a date and time in the form YYYY-MM-DDTHH:MM:SSZ.");
        otherwise
    })
}
