//! Fields that prohibit duplicate values.

use std::collections::HashMap;

use crate::model::{App, Direction, Field, Value};
use crate::query::key::{Key, KeyKind};

/// Which record holds which value of each unique field, made when a field is first needed and kept up to date
/// with what the batch writes.
#[derive(Debug)]
pub(super) struct UniqueKeys<'a> {
    app: &'a App,
    holders: HashMap<&'a str, HashMap<Key, u64>>,
}

impl<'a> UniqueKeys<'a> {
    pub(super) fn new(app: &'a App) -> Self {
        Self { app, holders: HashMap::new() }
    }

    /// The record that holds this value; an empty cell is held by none.
    pub(super) fn holder(&mut self, field: &'a Field, value: &Value) -> Option<u64> {
        let key = KeyKind::of(field).of_cell(value);
        if key == Key::Empty {
            return None;
        }
        let holder = self.holders(field).get(&key).copied();
        holder.or_else(
            || if self.app.records.is_generated() { self.computed_holder(field, &key) } else { None },
        )
    }

    /// Moves a record from its old value to a new one; false if another record holds that.
    pub(super) fn replace(&mut self, field: &'a Field, id: u64, old: Option<&Value>, new: &Value) -> bool {
        if self.holder(field, new).is_some_and(|holder| holder != id) {
            return false;
        }
        let kind = KeyKind::of(field);
        let holders = self.holders(field);
        if let Some(old) = old {
            holders.remove(&kind.of_cell(old));
        }
        holders.insert(kind.of_cell(new), id);
        true
    }

    /// The field's values of all stored records, read once. Those of computed records could fill any memory and
    /// are not read.
    fn holders(&mut self, field: &'a Field) -> &mut HashMap<Key, u64> {
        let records = &self.app.records;
        self.holders.entry(&field.code).or_insert_with(|| {
            if records.is_generated() {
                return HashMap::new();
            }
            let kind = KeyKind::of(field);
            let all = records.between(1..=u64::MAX, Direction::Ascending);
            all.map(|record| (kind.of_cell(&record.cell(field)), record.id)).collect()
        })
    }

    /// Unique values of computed records end in the number of their record.
    fn computed_holder(&self, field: &Field, key: &Key) -> Option<u64> {
        let text = match key {
            Key::Empty => return None,
            Key::Number(number) => number.to_string(),
            Key::Text(text) => text.clone(),
        };
        let digits = text.len() - text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let id = text[text.len() - digits..].parse().ok()?;
        let record = self.app.records.get(id)?;
        (KeyKind::of(field).of_cell(&record.cell(field)) == *key).then_some(id)
    }
}
