//! Records that are computed from their id, so that an app of any size costs no memory.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Entity, Field, FieldType, Fields, Record, Value};

/// A rule that yields the record of each id from 1 to a count.
///
/// The same id always yields the same record: whoever reads twice, in any order, sees the same content.
#[derive(Debug, Clone)]
pub struct GeneratedRecords {
    count: u64,
    fields: Arc<Fields>,
    first_created_at: Timestamp,
    creator: Entity,
}

const WORDS: [&str; 12] = [
    "amber", "birch", "cobalt", "delta", "ember", "fjord", "granite", "harbor", "indigo", "juniper", "kelp",
    "lagoon",
];

impl GeneratedRecords {
    /// `count` records of this form; the first was created at `first_created_at`, each next one a minute later.
    pub fn new(count: u64, fields: Arc<Fields>, first_created_at: Timestamp, creator: Entity) -> Self {
        Self { count, fields, first_created_at, creator }
    }

    /// Lets the records follow a changed form.
    pub(super) fn set_fields(&mut self, fields: Arc<Fields>) {
        self.fields = fields;
    }

    /// How many records there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether there is a record of this id.
    pub fn has(&self, id: u64) -> bool {
        (1..=self.count).contains(&id)
    }

    /// The record of this id.
    pub fn record(&self, id: u64) -> Option<Record> {
        if !self.has(id) {
            return None;
        }
        let created_at = self.first_created_at + SignedDuration::from_mins((id - 1) as i64);
        let values = self
            .fields
            .iter()
            .filter(|field| !field.field_type.is_built_in() && field.field_type.has_value())
            .enumerate()
            .map(|(place, field)| (Arc::from(field.code.as_str()), value(field, mix(id, place as u64), id)))
            .collect();
        Some(Record {
            id,
            revision: 1,
            creator: self.creator.clone(),
            created_at,
            modifier: self.creator.clone(),
            updated_at: created_at,
            status: None,
            assignees: Vec::new(),
            values,
            comments: Vec::new(),
        })
    }
}

/// Spreads the bits of an id, differently for each field (the finalizer of `SplitMix64`).
fn mix(id: u64, place: u64) -> u64 {
    let mut bits = id.wrapping_add((place + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// A value of the field's type.
fn value(field: &Field, bits: u64, id: u64) -> Value {
    let option = || field.options.get((bits % field.options.len().max(1) as u64) as usize).cloned();
    match field.field_type {
        FieldType::SingleLineText if field.unique => Value::Text(format!("{}-{id:08}", field.code)),
        FieldType::SingleLineText => Value::Text(format!("{} {}", word(bits), word(bits >> 8))),
        FieldType::MultiLineText | FieldType::RichText => {
            Value::Text(format!("{} {} {}", word(bits), word(bits >> 8), word(bits >> 16)))
        }
        FieldType::Link => Value::Text(format!("https://example.com/{id}")),
        FieldType::Number if field.unique => Value::Number(id.to_string()),
        FieldType::Number | FieldType::Calc => Value::Number((bits % 1_000_000).to_string()),
        FieldType::CheckBox | FieldType::MultiSelect => Value::Strings(option().into_iter().collect()),
        FieldType::RadioButton | FieldType::DropDown => option().map_or(Value::Null, Value::Text),
        FieldType::Date => Value::Text(format!(
            "{}-{:02}-{:02}",
            2015 + bits % 10,
            1 + (bits >> 8) % 12,
            1 + (bits >> 16) % 28
        )),
        FieldType::Time => Value::Text(format!("{:02}:{:02}", bits % 24, (bits >> 8) % 60)),
        FieldType::DateTime => Value::Text(format!(
            "{}-{:02}-{:02}T{:02}:{:02}:00Z",
            2015 + bits % 10,
            1 + (bits >> 8) % 12,
            1 + (bits >> 16) % 28,
            (bits >> 24) % 24,
            (bits >> 32) % 60
        )),
        other => other.empty(),
    }
}

fn word(bits: u64) -> &'static str {
    WORDS[(bits % WORDS.len() as u64) as usize]
}
