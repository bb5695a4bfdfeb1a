//! One record and its comments.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{Entity, Field, FieldType, Value, Values};

/// One record of an app, as stored after validation.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Number of the record in its app, from 1.
    pub id: u64,
    /// Grows by one with each edit and by two with each status action.
    pub revision: u64,
    /// Who added it.
    pub creator: Entity,
    /// When it was added, to the minute.
    pub created_at: Timestamp,
    /// Who edited it last.
    pub modifier: Entity,
    /// When it was edited last, to the minute.
    pub updated_at: Timestamp,
    /// Name of its process-management state; kept when process management is switched off.
    pub status: Option<String>,
    /// Who has to act in that state.
    pub assignees: Vec<Entity>,
    /// What was entered. A code that is absent is an empty cell.
    pub values: Values,
    /// Its thread of comments, oldest first.
    pub comments: Vec<Comment>,
}

impl Record {
    /// The cell of a top-level field, built-in fields included. Returns [`Value::Null`] for a cell that was
    /// never set: which empty form the wire shows depends on the type (see [`FieldType::empty`]).
    pub fn cell(&self, field: &Field) -> Cow<'_, Value> {
        let owned = match field.field_type {
            FieldType::RecordNumber | FieldType::Id => Value::Number(self.id.to_string()),
            FieldType::Revision => Value::Number(self.revision.to_string()),
            FieldType::Creator => Value::Entity(self.creator.clone()),
            FieldType::Modifier => Value::Entity(self.modifier.clone()),
            FieldType::CreatedTime => Value::Text(minute(self.created_at)),
            FieldType::UpdatedTime => Value::Text(minute(self.updated_at)),
            FieldType::Status => self.status.clone().map_or(Value::Null, Value::Text),
            FieldType::StatusAssignee => Value::Entities(self.assignees.clone()),
            _ => {
                return self.values.get(field.code.as_str()).map_or(Cow::Owned(Value::Null), Cow::Borrowed);
            }
        };
        Cow::Owned(owned)
    }
}

/// An instant as the service writes it: UTC, seconds always `00`.
pub fn minute(instant: Timestamp) -> String {
    let at = jiff::tz::Offset::UTC.to_datetime(instant);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:00Z", at.year(), at.month(), at.day(), at.hour(), at.minute())
}

/// A comment of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// Number of the comment in its record, from 1.
    pub id: u64,
    /// The text with the mentions written out.
    pub text: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// Who wrote it.
    pub creator: Entity,
    /// Mentioned `(code, type)` pairs; the type is `USER`, `GROUP` or `ORGANIZATION`.
    pub mentions: Vec<(String, String)>,
}
