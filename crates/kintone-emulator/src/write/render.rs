//! Stored records as the JSON text of an answer, written straight to bytes.

use std::collections::HashSet;

use crate::model::{App, Entity, Field, FieldType, FileValue, Record, Row, Value};

/// Which cells an answer shows. Made once per answer, so that what is the same in all records is written once.
#[derive(Debug)]
pub struct Shown<'a> {
    app: &'a App,
    /// Each field with the text that stands before its values.
    fields: Vec<(Vec<u8>, &'a Field)>,
    revision: bool,
    id: bool,
}

impl<'a> Shown<'a> {
    /// Every cell: the fields in the order of the form, then `$revision` and `$id`.
    pub fn all(app: &'a App) -> Self {
        Self::chosen(app, |_| true)
    }

    /// Only cells of these codes; codes that the app does not have are ignored, and the code of a column is none
    /// of a record's own.
    pub fn only<S: AsRef<str>>(app: &'a App, codes: &[S]) -> Self {
        let codes: HashSet<&str> = codes.iter().map(AsRef::as_ref).collect();
        Self::chosen(app, |code| codes.contains(code))
    }

    fn chosen(app: &'a App, is_chosen: impl Fn(&str) -> bool) -> Self {
        let fields = app.fields.iter().filter(|field| is_chosen(&field.code) && is_in_use(app, field));
        Self {
            app,
            fields: fields.map(|field| (opening(&field.code, field.field_type), field)).collect(),
            revision: is_chosen("$revision"),
            id: is_chosen("$id"),
        }
    }

    /// Appends one record: `{"code":{"type":…,"value":…},…}`.
    pub fn record(&self, record: &Record, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut separator: &[u8] = b"";
        for (opening, field) in &self.fields {
            out.extend_from_slice(separator);
            separator = b",";
            out.extend_from_slice(opening);
            if field.field_type == FieldType::RecordNumber {
                string(out, &self.app.record_number(record.id));
            } else {
                content(out, field, &record.cell(field));
            }
            out.push(b'}');
        }
        for (is_shown, code, field_type, number) in [
            (self.revision, "$revision", FieldType::Revision, record.revision),
            (self.id, "$id", FieldType::Id, record.id),
        ] {
            if is_shown {
                out.extend_from_slice(separator);
                separator = b",";
                out.extend_from_slice(&opening(code, field_type));
                string(out, &number.to_string());
                out.push(b'}');
            }
        }
        out.push(b'}');
    }

    /// Appends records as an array.
    pub fn records<'r>(&self, records: impl IntoIterator<Item = &'r Record>, out: &mut Vec<u8>) {
        list(out, records, |out, record| self.record(record, out));
    }
}

/// `"code":{"type":"…","value":`, which the value and a closing brace follow.
fn opening(code: &str, field_type: FieldType) -> Vec<u8> {
    let mut out = Vec::new();
    string(&mut out, code);
    out.extend_from_slice(b":{\"type\":\"");
    out.extend_from_slice(field_type.name().as_bytes());
    out.extend_from_slice(b"\",\"value\":");
    out
}

/// Built-in fields that the app has switched off are in no record.
fn is_in_use(app: &App, field: &Field) -> bool {
    match field.field_type {
        FieldType::Status | FieldType::StatusAssignee => app.process.enabled,
        FieldType::Category => field.enabled,
        other => other.has_value(),
    }
}

fn content(out: &mut Vec<u8>, field: &Field, value: &Value) {
    match value {
        Value::Null => match field.field_type.empty() {
            Value::Null => out.extend_from_slice(b"null"),
            empty => content(out, field, &empty),
        },
        Value::Text(text) | Value::Number(text) => string(out, text),
        Value::Strings(options) => list(out, options, |out, option| string(out, option)),
        Value::Entity(entity) => self::entity(out, entity),
        Value::Entities(entities) => list(out, entities, entity),
        Value::Files(files) => list(out, files, file),
        Value::Rows(rows) => list(out, rows, |out, row| self::row(out, row, &field.fields)),
    }
}

fn entity(out: &mut Vec<u8>, entity: &Entity) {
    strings(out, &[("code", &entity.code), ("name", &entity.name)]);
}

fn file(out: &mut Vec<u8>, file: &FileValue) {
    let size = file.size.to_string();
    let members = [
        ("fileKey", &file.file_key),
        ("name", &file.name),
        ("contentType", &file.content_type),
        ("size", &size),
    ];
    strings(out, &members);
}

/// An object whose members are all strings.
fn strings(out: &mut Vec<u8>, members: &[(&str, &String)]) {
    for (index, (name, value)) in members.iter().enumerate() {
        out.push(if index == 0 { b'{' } else { b',' });
        string(out, name);
        out.push(b':');
        string(out, value);
    }
    out.push(b'}');
}

fn row(out: &mut Vec<u8>, row: &Row, columns: &[Field]) {
    out.extend_from_slice(b"{\"id\":");
    string(out, &row.id.to_string());
    out.extend_from_slice(b",\"value\":{");
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&opening(&column.code, column.field_type));
        content(out, column, row.values.get(column.code.as_str()).unwrap_or(&Value::Null));
        out.push(b'}');
    }
    out.extend_from_slice(b"}}");
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
