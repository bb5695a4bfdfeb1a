//! One cell of a request to its stored value.

use serde_json::Value as Json;

use super::batch::{Batch, Mode};
use super::error::WriteError;
use super::number;
use crate::model::{Field, FieldType, Value};
use crate::query::moment;

impl<'a> Batch<'a> {
    /// Reads the content of a cell for its field. `given` is `None` for an emptied cell. What is wrong with the
    /// content goes to the batch's problems, and the cell is then empty; an error ends the whole request.
    pub(super) fn cell(
        &mut self,
        field: &'a Field,
        at: &str,
        given: Option<&Json>,
        previous: Option<&Value>,
        mode: Mode,
    ) -> Result<Value, WriteError> {
        match field.field_type {
            FieldType::Subtable => return self.rows(field, at, given, previous, mode),
            FieldType::File => return self.files(field, at, given, previous),
            FieldType::UserSelect | FieldType::OrganizationSelect | FieldType::GroupSelect => {
                return self.entities(field, at, given);
            }
            FieldType::CheckBox | FieldType::MultiSelect => return Ok(self.choices(field, at, given)),
            FieldType::RadioButton | FieldType::DropDown => return Ok(self.choice(field, at, given)),
            _ => {}
        }
        let path = || format!("{at}.{}.value", field.code);
        let text = match given {
            None => String::new(),
            Some(Json::String(text)) => text.clone(),
            Some(Json::Number(number)) => number.to_string(),
            Some(_) => {
                self.problems.add(path(), "The value must be a string.");
                return Ok(field.field_type.empty());
            }
        };
        if text.is_empty() {
            return Ok(field.field_type.empty());
        }
        match read_text(self, field, &text) {
            Ok(value) => Ok(value),
            Err(problem) => {
                // The service empties a wrong number in a table without a word.
                if field.field_type != FieldType::Number || !is_in_table(at) {
                    self.problems.add(path(), problem);
                }
                Ok(field.field_type.empty())
            }
        }
    }
}

/// Whether the cells at this place of a request are those of a row: `record.table.value[0].value`.
fn is_in_table(at: &str) -> bool {
    at.ends_with("].value")
}

/// Reads a text that is not empty; the error is the message for the user.
fn read_text(batch: &Batch<'_>, field: &Field, text: &str) -> Result<Value, String> {
    let stored =
        |stored: Option<String>, message: &str| stored.map(Value::Text).ok_or_else(|| message.to_owned());
    match field.field_type {
        FieldType::Number => number::read(&batch.context.app.settings, field, text).map(Value::Number),
        FieldType::Date => {
            stored(moment::parse_date(text).map(moment::date_text), "Enter a date in the form YYYY-MM-DD.")
        }
        FieldType::Time => {
            stored(moment::parse_time(text).map(moment::time_text), "Enter a time in the form HH:MM.")
        }
        FieldType::DateTime => stored(
            moment::parse_instant(text).map(moment::instant_text),
            "Enter a date and time in the form YYYY-MM-DDTHH:MM:SSZ.",
        ),
        _ => {
            check_length(field, text)?;
            Ok(Value::Text(text.to_owned()))
        }
    }
}

fn check_length(field: &Field, text: &str) -> Result<(), String> {
    /// Values of a field that prohibits duplicates are not longer than this.
    const LONGEST_UNIQUE: u64 = 64;
    let length = text.chars().count() as u64;
    if let Some(least) = field.min_length.filter(|least| length < *least) {
        return Err(format!("Enter {least} characters or more."));
    }
    let unique_most = field.unique.then_some(LONGEST_UNIQUE);
    match field.max_length.into_iter().chain(unique_most).min() {
        Some(most) if length > most => Err(format!("Enter {most} characters or less.")),
        _ => Ok(()),
    }
}
