//! Fields that prohibit duplicate values.

use std::collections::HashMap;

use crate::model::{App, Field, Value};
use crate::query::key::{Key, KeyKind};

/// Which record holds which value of each unique field: the app's records, under what the batch writes.
#[derive(Debug)]
pub(super) struct UniqueKeys<'a> {
    app: &'a App,
    /// The values that the batch gives to a record or takes from one.
    moved: HashMap<(&'a str, Key), Option<u64>>,
}

impl<'a> UniqueKeys<'a> {
    pub(super) fn new(app: &'a App) -> Self {
        Self { app, moved: HashMap::new() }
    }

    /// The record that holds this value; an empty cell is held by none.
    pub(super) fn holder(&self, field: &'a Field, value: &Value) -> Option<u64> {
        let key = KeyKind::of(field).of_cell(value);
        if key == Key::Empty {
            return None;
        }
        let place = (field.code.as_str(), key);
        if let Some(moved) = self.moved.get(&place) {
            return *moved;
        }
        let (code, key) = place;
        self.app.records.holder(code, &key).or_else(|| self.computed_holder(field, &key))
    }

    /// Moves a record from its old value to a new one; false if another record holds that.
    pub(super) fn replace(&mut self, field: &'a Field, id: u64, old: Option<&Value>, new: &Value) -> bool {
        if self.holder(field, new).is_some_and(|holder| holder != id) {
            return false;
        }
        let kind = KeyKind::of(field);
        if let Some(old) = old {
            self.moved.insert((&field.code, kind.of_cell(old)), None);
        }
        self.moved.insert((&field.code, kind.of_cell(new)), Some(id));
        true
    }

    /// Those of computed records could fill any memory and are not kept; they end in the number of their record.
    fn computed_holder(&self, field: &Field, key: &Key) -> Option<u64> {
        if !self.app.records.is_generated() {
            return None;
        }
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
