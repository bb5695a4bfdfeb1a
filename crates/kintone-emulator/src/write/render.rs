//! Stored records as the JSON text of an answer, written straight to bytes.

use std::collections::BTreeSet;

use crate::model::{App, Entity, Field, FieldType, FileValue, Record, Row, Value};

/// Appends one record, `{"code":{"type":…,"value":…},…}`: its cells in the order of the form, then `$revision`
/// and `$id`. With `only`, it has cells of these codes alone; codes that the app does not have are ignored, and
/// the code of a column is none of a record's own.
pub fn render(app: &App, record: &Record, only: Option<&BTreeSet<String>>, out: &mut Vec<u8>) {
    let is_asked_for = |code: &str| only.is_none_or(|codes| codes.contains(code));
    let mut object = Members::open(out);
    for field in app.fields.iter().filter(|field| is_asked_for(&field.code) && is_in_use(app, field)) {
        let out = object.member(&field.code);
        if field.field_type == FieldType::RecordNumber {
            cell(out, field.field_type, &[], &Value::Text(app.record_number(record.id)));
        } else {
            cell(out, field.field_type, &field.fields, &record.cell(field));
        }
    }
    for (code, field_type, number) in
        [("$revision", FieldType::Revision, record.revision), ("$id", FieldType::Id, record.id)]
    {
        if is_asked_for(code) {
            cell(object.member(code), field_type, &[], &Value::Number(number.to_string()));
        }
    }
    object.close();
}

/// Built-in fields that the app has switched off are in no record.
fn is_in_use(app: &App, field: &Field) -> bool {
    match field.field_type {
        FieldType::Status | FieldType::StatusAssignee => app.process.enabled,
        FieldType::Category => field.enabled,
        other => other.has_value(),
    }
}

/// `columns` are those of a subtable.
fn cell(out: &mut Vec<u8>, field_type: FieldType, columns: &[Field], value: &Value) {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(field_type.name().as_bytes());
    out.extend_from_slice(b"\",\"value\":");
    if *value == Value::Null {
        content(out, &field_type.empty(), columns);
    } else {
        content(out, value, columns);
    }
    out.push(b'}');
}

fn content(out: &mut Vec<u8>, value: &Value, columns: &[Field]) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Text(text) | Value::Number(text) => string(out, text),
        Value::Strings(options) => list(out, options, |out, option| string(out, option)),
        Value::Entity(entity) => self::entity(out, entity),
        Value::Entities(entities) => list(out, entities, entity),
        Value::Files(files) => list(out, files, file),
        Value::Rows(rows) => list(out, rows, |out, row| self::row(out, row, columns)),
    }
}

fn entity(out: &mut Vec<u8>, entity: &Entity) {
    let mut object = Members::open(out);
    string(object.member("code"), &entity.code);
    string(object.member("name"), &entity.name);
    object.close();
}

fn file(out: &mut Vec<u8>, file: &FileValue) {
    let mut object = Members::open(out);
    string(object.member("fileKey"), &file.file_key);
    string(object.member("name"), &file.name);
    string(object.member("contentType"), &file.content_type);
    string(object.member("size"), &file.size.to_string());
    object.close();
}

fn row(out: &mut Vec<u8>, row: &Row, columns: &[Field]) {
    let mut object = Members::open(out);
    string(object.member("id"), &row.id.to_string());
    let mut cells = Members::open(object.member("value"));
    for column in columns {
        let value = row.values.get(column.code.as_str()).unwrap_or(&Value::Null);
        cell(cells.member(&column.code), column.field_type, &[], value);
    }
    cells.close();
    object.close();
}

fn list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, write: impl Fn(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(&mut *out, text).expect("a vector takes every byte, and text is always valid JSON");
}

/// An object that is being written.
struct Members<'o> {
    out: &'o mut Vec<u8>,
    separator: &'static [u8],
}

impl<'o> Members<'o> {
    fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, separator: b"" }
    }

    /// Writes the name; the value is to be written to what this returns.
    fn member(&mut self, name: &str) -> &mut Vec<u8> {
        self.out.extend_from_slice(self.separator);
        self.separator = b",";
        string(self.out, name);
        self.out.push(b':');
        self.out
    }

    fn close(self) {
        self.out.push(b'}');
    }
}
