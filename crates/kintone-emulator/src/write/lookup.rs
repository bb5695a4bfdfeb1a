//! Lookups: the key is searched in another app, and values of the record found are copied.

use std::collections::HashMap;
use std::sync::Arc;

use super::batch::Batch;
use super::error::WriteError;
use crate::model::{App, Direction, Field, Lookup, Record, Value, Values};
use crate::query::key::{Key, KeyKind};

/// Indexes of the apps that are searched, made when first needed: app and field to key to record id.
#[derive(Debug, Default)]
pub(super) struct Sources<'a> {
    indexes: HashMap<(u64, &'a str), HashMap<Key, u64>>,
}

/// Codes of the fields that lookups among these fields fill in.
pub(super) fn targets<'f>(fields: &[&'f Field]) -> impl Iterator<Item = &'f str> {
    let lookups: Vec<&'f Lookup> = fields.iter().filter_map(|field| field.lookup.as_ref()).collect();
    lookups.into_iter().flat_map(|lookup| &lookup.copies).map(|copy| copy.to.as_str())
}

impl<'a> Batch<'a> {
    /// Fills in what the lookup copies, or empties it with the key. `GAIA_LO04` if no record has the key, or if
    /// the caller may not view the app that is searched.
    pub(super) fn copy_lookup(
        &mut self,
        field: &'a Field,
        lookup: &'a Lookup,
        fields: &[&'a Field],
        values: &mut Values,
    ) -> Result<(), WriteError> {
        let own = values.get(field.code.as_str()).unwrap_or(&Value::Null);
        let source = if own.is_empty() { None } else { Some(self.source(field, lookup, own)?) };
        for copy in &lookup.copies {
            let Some(target) = fields.iter().find(|field| field.code == copy.to) else { continue };
            let copied = source.as_ref().and_then(|(app, record)| {
                let from = app.fields.find(&copy.from).filter(|found| found.table.is_none())?.field;
                Some(record.cell(from).into_owned()).filter(|value| !value.is_empty())
            });
            values.insert(Arc::from(copy.to.as_str()), copied.unwrap_or_else(|| target.field_type.empty()));
        }
        Ok(())
    }

    fn source(
        &mut self,
        field: &Field,
        lookup: &'a Lookup,
        own: &Value,
    ) -> Result<(&'a App, Arc<Record>), WriteError> {
        let missing = || {
            let message = format!(
                "The lookup of the field {} finds no record with the key {} in the app {}.",
                field.code,
                own.as_text().unwrap_or_default(),
                lookup.app
            );
            WriteError::refused("GAIA_LO04", 400, message)
        };
        if !(self.context.may_view)(lookup.app) {
            return Err(missing());
        }
        let app = self.context.tenant.apps.get(&lookup.app).ok_or_else(missing)?;
        let key_field = app.fields.find(&lookup.key_field).ok_or_else(missing)?.field;
        let kind = KeyKind::of(key_field);
        let key = own.as_text().and_then(|text| kind.read(text)).ok_or_else(missing)?;
        let record = if app.records.is_generated() {
            // An index of such an app could be of any size.
            let mut all = app.records.between(1..=u64::MAX, Direction::Ascending);
            all.find(|record| kind.of_cell(&record.cell(key_field)) == key)
        } else {
            let index =
                self.sources.indexes.entry((lookup.app, lookup.key_field.as_str())).or_insert_with(|| {
                    let all = app.records.between(1..=u64::MAX, Direction::Descending);
                    all.map(|record| (kind.of_cell(&record.cell(key_field)), record.id)).collect()
                });
            index.get(&key).and_then(|id| app.records.get(*id))
        };
        record.map(|record| (app, record)).ok_or_else(missing)
    }
}
