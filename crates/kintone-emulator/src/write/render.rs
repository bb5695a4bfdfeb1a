//! Records as the JSON text of an answer, written straight to bytes.

use std::collections::HashSet;

use crate::model::{App, Entity, Field, FieldType, FileValue, Found, Row, Value};

/// Which cells an answer shows. Made once per answer, so that what is the same in all records is written once.
#[derive(Debug)]
pub struct Shown<'a> {
    app: &'a App,
    fields: Vec<ShownField<'a>>,
    /// The text that stands before `$revision`, where that is shown.
    revision: Option<Vec<u8>>,
    /// The text that stands before `$id`, where that is shown.
    id: Option<Vec<u8>>,
}

#[derive(Debug)]
struct ShownField<'a> {
    field: &'a Field,
    /// Its place in the form.
    place: usize,
    /// The text that stands before its values.
    opening: Vec<u8>,
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
        let fields = app.fields.iter().enumerate();
        let fields = fields.filter(|(_, field)| is_chosen(&field.code) && is_in_use(app, field));
        let shown = |(place, field): (usize, &'a Field)| ShownField {
            field,
            place,
            opening: opening(&field.code, field.field_type),
        };
        Self {
            app,
            fields: fields.map(shown).collect(),
            revision: is_chosen("$revision").then(|| opening("$revision", FieldType::Revision)),
            id: is_chosen("$id").then(|| opening("$id", FieldType::Id)),
        }
    }

    /// Appends one record: `{"code":{"type":…,"value":…},…}`.
    pub fn record(&self, record: Found<'_>, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut separator: &[u8] = b"";
        for ShownField { field, place, opening } in &self.fields {
            out.extend_from_slice(separator);
            separator = b",";
            out.extend_from_slice(opening);
            if field.field_type == FieldType::RecordNumber {
                string(out, &self.app.record_number(record.id()));
            } else {
                content(out, field, &record.cell(field, *place));
            }
            out.push(b'}');
        }
        for (opening, number) in [(&self.revision, record.revision()), (&self.id, record.id())] {
            if let Some(opening) = opening {
                out.extend_from_slice(separator);
                separator = b",";
                out.extend_from_slice(opening);
                string(out, &number.to_string());
                out.push(b'}');
            }
        }
        out.push(b'}');
    }

    /// Appends the records of these ids as an array; ids without a record are left out.
    pub fn records(&self, ids: impl IntoIterator<Item = u64>, out: &mut Vec<u8>) {
        let records = ids.into_iter().filter_map(|id| self.app.records.find(id));
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Map, json};

    use super::*;
    use crate::model::{Record, Tenant};
    use crate::seed::{AppSeed, GeneratedSeed};

    /// A field of every type that a form can have.
    fn app_with_every_field() -> App {
        let definition = |field_type: FieldType| json!({"type": field_type.name(), "options": {"a": {"index": 0}, "b": {"index": 1}}, "enabled": true});
        let types =
            FieldType::ALL.into_iter().filter(|(it, _)| !matches!(it, FieldType::Id | FieldType::Revision));
        let mut fields: Map<_, _> = types.map(|(it, name)| (name.to_lowercase(), definition(it))).collect();
        fields.insert("serial".to_owned(), json!({"type": "SINGLE_LINE_TEXT", "unique": true}));
        fields.insert("place".to_owned(), json!({"type": "NUMBER", "unique": true}));
        let mut seed = AppSeed::empty(1, "Everything".to_owned());
        (seed.code, seed.fields) = ("EV".to_owned(), fields);
        seed.process = json!({"enable": true, "states": {"new": {"name": "new", "index": "0"}}});
        seed.generated = Some(GeneratedSeed { records: 1_000 });
        seed.build(&Tenant::default()).unwrap()
    }

    #[test]
    fn a_computed_record_is_written_cell_by_cell_as_it_would_be_as_a_whole() {
        let mut app = app_with_every_field();
        assert!(app.process.enabled);
        let mut edited = Record::clone(&app.records.get(7).unwrap());
        edited.revision = 2;
        app.records.put(edited);
        app.records.remove(8);
        let ids = [1, 2, 7, 8, 999, 1_000, 1_001];
        for codes in [None, Some(vec!["$id", "date", "creator"]), Some(vec!["number"]), Some(vec![])] {
            let shown = codes.map_or_else(|| Shown::all(&app), |codes| Shown::only(&app, &codes));
            let whole: Vec<Arc<Record>> = ids.iter().filter_map(|id| app.records.get(*id)).collect();
            let mut expected = Vec::new();
            list(&mut expected, &whole, |out, record| shown.record(Found::Stored(record), out));
            let mut written = Vec::new();
            shown.records(ids, &mut written);
            assert_eq!(String::from_utf8(written).unwrap(), String::from_utf8(expected).unwrap());
        }
    }
}
