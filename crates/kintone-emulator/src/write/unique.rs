//! Fields that prohibit duplicate values.

use std::collections::HashMap;

use crate::model::{App, Direction, Field, Value};
use crate::query::key::{Key, KeyKind};

/// Which record holds which value of each unique field, made when a field is first needed and kept up to date
/// with what the batch writes.
#[derive(Debug, Default)]
pub(super) struct UniqueKeys {
    holders: HashMap<String, HashMap<Key, u64>>,
}

impl UniqueKeys {
    /// Reads the field's values of all records, once.
    pub(super) fn prepare(&mut self, app: &App, field: &Field) {
        if !self.holders.contains_key(&field.code) {
            let kind = KeyKind::of(field);
            let all = app.records.between(1..=u64::MAX, Direction::Ascending);
            let holders = all.map(|record| (kind.of_cell(&record.cell(field)), record.id)).collect();
            self.holders.insert(field.code.clone(), holders);
        }
    }

    /// The record that holds this value of a prepared field; an empty cell is held by none.
    pub(super) fn holder(&self, field: &Field, value: &Value) -> Option<u64> {
        let key = KeyKind::of(field).of_cell(value);
        if key == Key::Empty { None } else { self.holders.get(&field.code)?.get(&key).copied() }
    }

    /// Moves a record from its old value of a prepared field to a new one; false if another record holds that.
    pub(super) fn replace(&mut self, field: &Field, id: u64, old: Option<&Value>, new: &Value) -> bool {
        if self.holder(field, new).is_some_and(|holder| holder != id) {
            return false;
        }
        let kind = KeyKind::of(field);
        if let Some(holders) = self.holders.get_mut(&field.code) {
            if let Some(old) = old {
                holders.remove(&kind.of_cell(old));
            }
            holders.insert(kind.of_cell(new), id);
        }
        true
    }
}
