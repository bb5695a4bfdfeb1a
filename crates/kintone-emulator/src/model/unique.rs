//! Which stored record holds which value of the fields that prohibit duplicates.

use std::collections::BTreeSet;

use super::{Field, Fields, Record};
use crate::query::key::{Key, KeyKind};

/// The values of the unique fields of a form, kept up to date with the records.
#[derive(Debug, Clone)]
pub(super) struct UniqueValues(Vec<UniqueField>);

#[derive(Debug, Clone)]
struct UniqueField {
    field: Field,
    /// Every value with its record. Records that were there before the field became unique may share one.
    holders: BTreeSet<(Key, u64)>,
}

impl UniqueValues {
    /// The values that these records hold.
    pub(super) fn new<'a>(fields: &Fields, records: impl IntoIterator<Item = &'a Record>) -> Self {
        let unique = fields.iter().filter(|field| field.unique);
        let unique = unique.map(|field| UniqueField { field: field.clone(), holders: BTreeSet::new() });
        let mut values = Self(unique.collect());
        records.into_iter().for_each(|record| values.add(record));
        values
    }

    /// The record that holds a value of the field with this code; the first one if there are several.
    pub(super) fn holder(&self, code: &str, key: &Key) -> Option<u64> {
        let unique = self.0.iter().find(|unique| unique.field.code == code)?;
        let all_ids = (key.clone(), u64::MIN)..=(key.clone(), u64::MAX);
        unique.holders.range(all_ids).next().map(|(_, id)| *id)
    }

    pub(super) fn add(&mut self, record: &Record) {
        for unique in &mut self.0 {
            unique.holders.extend(unique.held_by(record));
        }
    }

    pub(super) fn remove(&mut self, record: &Record) {
        for unique in &mut self.0 {
            if let Some(held) = unique.held_by(record) {
                unique.holders.remove(&held);
            }
        }
    }
}

impl UniqueField {
    /// An empty cell is held by none.
    fn held_by(&self, record: &Record) -> Option<(Key, u64)> {
        let key = KeyKind::of(&self.field).of_cell(&record.cell(&self.field));
        (key != Key::Empty).then_some((key, record.id))
    }
}
