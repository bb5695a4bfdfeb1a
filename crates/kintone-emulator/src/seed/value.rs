//! Plain JSON values of a seed, turned into cells.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value as Json};

use super::first_instant;
use crate::identifiers::Identifiers;
use crate::model::{App, Entity, Field, FieldType, FileValue, Row, StoredFile, Tenant, Value, Values};

/// The cells of one record. Members that begin with `$` are no cells; a code that the form lacks is an error,
/// because a seed is written by hand.
pub(crate) fn values(
    tenant: &mut Tenant,
    app: &mut App,
    content: &Map<String, Json>,
    identifiers: &Identifiers,
) -> Result<Values, String> {
    let fields = Arc::clone(&app.fields);
    let mut values = Values::new();
    for (code, plain) in content.iter().filter(|(code, _)| !code.starts_with('$')) {
        let found = fields.find(code).filter(|found| found.table.is_none());
        let field = found.ok_or_else(|| format!("there is no field `{code}`"))?.field;
        let value = if field.field_type == FieldType::Subtable {
            Value::Rows(rows(tenant, app, field, plain, identifiers)?)
        } else {
            cell(tenant, field, plain, identifiers)?
        };
        values.insert(Arc::from(code.as_str()), value);
    }
    Ok(values)
}

fn rows(
    tenant: &mut Tenant,
    app: &mut App,
    table: &Field,
    plain: &Json,
    identifiers: &Identifiers,
) -> Result<Vec<Row>, String> {
    let list = plain.as_array().ok_or_else(|| format!("`{}` is a table: give a list of rows", table.code))?;
    let mut rows = Vec::with_capacity(list.len());
    for entry in list {
        let mut values = Values::new();
        let members =
            entry.as_object().ok_or_else(|| format!("a row of `{}` is not an object", table.code))?;
        for (code, plain) in members {
            let column =
                table.column(code).ok_or_else(|| format!("`{}` has no column `{code}`", table.code))?;
            values.insert(Arc::from(code.as_str()), cell(tenant, column, plain, identifiers)?);
        }
        rows.push(Row { id: app.next_row_id(), values });
    }
    Ok(rows)
}

fn cell(
    tenant: &mut Tenant,
    field: &Field,
    plain: &Json,
    identifiers: &Identifiers,
) -> Result<Value, String> {
    let wrong =
        |expected: &str| format!("`{}` is a {}: give {expected}", field.code, field.field_type.name());
    let texts = || -> Result<Vec<String>, String> {
        let list = plain.as_array().ok_or_else(|| wrong("a list of texts"))?;
        list.iter()
            .map(|entry| entry.as_str().map(str::to_owned).ok_or_else(|| wrong("a list of texts")))
            .collect()
    };
    if plain.is_null() {
        return Ok(field.field_type.empty());
    }
    Ok(match field.field_type {
        FieldType::Number => Value::Number(number(plain).ok_or_else(|| wrong("a number"))?),
        FieldType::Calc => Value::Text(number(plain).ok_or_else(|| wrong("a number or a text"))?),
        FieldType::CheckBox | FieldType::MultiSelect | FieldType::Category => Value::Strings(texts()?),
        FieldType::UserSelect => {
            Value::Entities(texts()?.iter().map(|code| tenant.user_entity(code)).collect())
        }
        FieldType::OrganizationSelect => Value::Entities(
            texts()?
                .iter()
                .map(|code| tenant.organization(code).map(|found| Entity::new(&found.code, &found.name)))
                .collect::<Option<_>>()
                .ok_or_else(|| wrong("codes of organizations of the seed"))?,
        ),
        FieldType::GroupSelect => Value::Entities(
            texts()?
                .iter()
                .map(|code| tenant.group(code).map(|found| Entity::new(&found.code, &found.name)))
                .collect::<Option<_>>()
                .ok_or_else(|| wrong("codes of groups of the seed"))?,
        ),
        FieldType::File => {
            let list = plain.as_array().ok_or_else(|| wrong("a list of files"))?;
            let files =
                list.iter().map(|file| store(tenant, file, identifiers).ok_or_else(|| wrong("files")));
            Value::Files(files.collect::<Result<_, _>>()?)
        }
        FieldType::Subtable | FieldType::ReferenceTable | FieldType::Group => return Err(wrong("nothing")),
        field_type if field_type.is_built_in() => return Err(wrong("nothing: the service fills it in")),
        _ => Value::Text(plain.as_str().ok_or_else(|| wrong("a text"))?.to_owned()),
    })
}

fn number(plain: &Json) -> Option<String> {
    match plain {
        Json::Number(number) => Some(number.to_string()),
        Json::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// Stores `{name, content_type, text}` or `{name, content_type, base64}` as an attached file.
fn store(tenant: &mut Tenant, file: &Json, identifiers: &Identifiers) -> Option<FileValue> {
    let name = file["name"].as_str()?.to_owned();
    let content_type = file["content_type"].as_str().unwrap_or("application/octet-stream").to_owned();
    let content = match file["text"].as_str() {
        Some(text) => Bytes::from(text.to_owned()),
        None => Bytes::from(STANDARD.decode(file["base64"].as_str()?).ok()?),
    };
    let uploaded_at = first_instant();
    let key = identifiers.download_key(uploaded_at.as_second());
    let value = FileValue {
        content_type: content_type.clone(),
        file_key: key.clone(),
        name: name.clone(),
        size: content.len() as u64,
    };
    tenant.files.insert(key, StoredFile { name, content_type, content, uploaded_at, attached: true });
    Some(value)
}
