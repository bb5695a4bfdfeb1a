//! Records that are computed from their id, so that an app of any size costs no memory.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::record::minute;
use super::{Entity, Field, FieldType, Fields, Record, Value};

/// A rule that yields the record of each id from 1 to a count.
///
/// The same id always yields the same record: whoever reads twice, in any order, sees the same content.
#[derive(Debug, Clone)]
pub struct GeneratedRecords {
    count: u64,
    fields: Arc<Fields>,
    /// Code and place in the form of each field that has a computed cell. Every record shares the codes.
    cells: Vec<(Arc<str>, usize)>,
    first_created_at: Timestamp,
    creator: Entity,
    /// The creator as the content of a cell.
    creator_cell: Value,
}

const WORDS: [&str; 12] = [
    "amber", "birch", "cobalt", "delta", "ember", "fjord", "granite", "harbor", "indigo", "juniper", "kelp",
    "lagoon",
];

impl GeneratedRecords {
    /// The revision of every computed record: an edit stores the record.
    pub const REVISION: u64 = 1;

    /// `count` records of this form; the first was created at `first_created_at`, each next one a minute later.
    pub fn new(count: u64, fields: Arc<Fields>, first_created_at: Timestamp, creator: Entity) -> Self {
        let (cells, creator_cell) = (computed_cells(&fields), Value::Entity(creator.clone()));
        Self { count, fields, cells, first_created_at, creator, creator_cell }
    }

    /// Lets the records follow a changed form.
    pub(super) fn set_fields(&mut self, fields: Arc<Fields>) {
        self.cells = computed_cells(&fields);
        self.fields = fields;
    }

    /// The form that the records follow.
    pub(super) fn fields(&self) -> &Fields {
        &self.fields
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
        let created_at = self.created_at(id);
        let fields = self.fields.iter().as_slice();
        let cell = |(code, place): &(Arc<str>, usize)| {
            (Arc::clone(code), value(&fields[*place], mix(id, *place as u64), id))
        };
        let values = self.cells.iter().map(cell).collect();
        Some(Record {
            id,
            revision: Self::REVISION,
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

    /// The cell of the field at this place of the form, in the record of this id. It is what [`Record::cell`] of the
    /// whole record answers, without the rest of the record.
    pub fn cell(&self, id: u64, place: usize) -> Cow<'_, Value> {
        let field = &self.fields.iter().as_slice()[place];
        Cow::Owned(match field.field_type {
            FieldType::Creator | FieldType::Modifier => return Cow::Borrowed(&self.creator_cell),
            FieldType::RecordNumber | FieldType::Id => Value::Number(id.to_string()),
            FieldType::Revision => Value::Number(Self::REVISION.to_string()),
            FieldType::CreatedTime | FieldType::UpdatedTime => Value::Text(minute(self.created_at(id))),
            FieldType::StatusAssignee => Value::Entities(Vec::new()),
            other if other.is_built_in() || !other.has_value() => Value::Null,
            _ => value(field, mix(id, place as u64), id),
        })
    }

    fn created_at(&self, id: u64) -> Timestamp {
        self.first_created_at + SignedDuration::from_mins((id - 1) as i64)
    }
}

/// The fields whose cells are computed, in the order of their codes.
fn computed_cells(fields: &Fields) -> Vec<(Arc<str>, usize)> {
    let mut cells: Vec<(Arc<str>, usize)> = fields
        .iter()
        .enumerate()
        .filter(|(_, field)| !field.field_type.is_built_in() && field.field_type.has_value())
        .map(|(place, field)| (Arc::from(field.code.as_str()), place))
        .collect();
    cells.sort();
    cells
}

/// Spreads the bits of an id, differently for each field (the finalizer of `SplitMix64`).
fn mix(id: u64, place: u64) -> u64 {
    let mut bits = id.wrapping_add((place + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// A value of the field's type. Pages of such records are what benchmarks read, so texts are put together without
/// the formatting machinery.
fn value(field: &Field, bits: u64, id: u64) -> Value {
    let option = || field.options.get((bits % field.options.len().max(1) as u64) as usize).cloned();
    match field.field_type {
        FieldType::SingleLineText if field.unique => Value::Text(format!("{}-{id:08}", field.code)),
        FieldType::SingleLineText => Value::Text([word(bits), word(bits >> 8)].join(" ")),
        FieldType::MultiLineText | FieldType::RichText => {
            Value::Text([word(bits), word(bits >> 8), word(bits >> 16)].join(" "))
        }
        FieldType::Link => Value::Text(["https://example.com/", &id.to_string()].concat()),
        FieldType::Number if field.unique => Value::Number(id.to_string()),
        FieldType::Number | FieldType::Calc => Value::Number((bits % 1_000_000).to_string()),
        FieldType::CheckBox | FieldType::MultiSelect => Value::Strings(option().into_iter().collect()),
        FieldType::RadioButton | FieldType::DropDown => option().map_or(Value::Null, Value::Text),
        FieldType::Date => Value::Text(day(bits)),
        FieldType::Time => Value::Text([two_digits(bits % 24), ":", two_digits((bits >> 8) % 60)].concat()),
        FieldType::DateTime => {
            let (hour, minute) = (two_digits((bits >> 24) % 24), two_digits((bits >> 32) % 60));
            Value::Text([day(bits).as_str(), "T", hour, ":", minute, ":00Z"].concat())
        }
        other => other.empty(),
    }
}

/// A day between 2015 and 2024.
fn day(bits: u64) -> String {
    let (year, month, day) = (15 + bits % 10, 1 + (bits >> 8) % 12, 1 + (bits >> 16) % 28);
    ["20", two_digits(year), "-", two_digits(month), "-", two_digits(day)].concat()
}

/// A number below 100 as two digits.
fn two_digits(number: u64) -> &'static str {
    const DIGITS: &str = "0001020304050607080910111213141516171819\
                          2021222324252627282930313233343536373839\
                          4041424344454647484950515253545556575859\
                          6061626364656667686970717273747576777879\
                          8081828384858687888990919293949596979899";
    let start = 2 * (number % 100) as usize;
    &DIGITS[start..start + 2]
}

fn word(bits: u64) -> &'static str {
    WORDS[(bits % WORDS.len() as u64) as usize]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_id_yields_its_record_again_and_again() {
        let definitions = [
            ("day", json!({"type": "DATE"})),
            ("at", json!({"type": "DATETIME"})),
            ("time", json!({"type": "TIME"})),
            ("kind", json!({"type": "DROP_DOWN", "options": {"a": {"index": "0"}, "b": {"index": "1"}}})),
            ("code", json!({"type": "SINGLE_LINE_TEXT", "unique": true})),
            ("number", json!({"type": "NUMBER"})),
        ];
        let fields = definitions.map(|(code, definition)| Field::from_definition(code, &definition).unwrap());
        let first = "2025-01-01T00:00:00Z".parse().unwrap();
        let creator = Entity::new("ann", "Ann");
        let records = GeneratedRecords::new(1_000, Arc::new(Fields::new(fields.into())), first, creator);
        assert_eq!((records.record(0), records.record(1_001)), (None, None));
        for id in [1, 2, 999, 1_000] {
            let record = records.record(id).unwrap();
            assert_eq!(record, records.record(id).unwrap());
            let text = |code: &str| record.values[code].as_text().unwrap().to_owned();
            text("day").parse::<jiff::civil::Date>().unwrap();
            text("at").parse::<Timestamp>().unwrap();
            text("time").parse::<jiff::civil::Time>().unwrap();
            text("number").parse::<u32>().unwrap();
            assert!(["a", "b"].contains(&text("kind").as_str()));
            assert_eq!(text("code"), format!("code-{id:08}"));
        }
        assert_ne!(records.record(1).unwrap().values, records.record(2).unwrap().values);
    }
}
