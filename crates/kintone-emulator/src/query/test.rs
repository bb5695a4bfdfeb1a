//! A checked condition: what is asked of records, of rows and of single cells.

use std::collections::{BTreeSet, HashSet};

use super::key::{Key, KeyKind};
use super::words;
use crate::model::{Field, Record, Row, Value};

/// What a record must satisfy.
#[derive(Debug)]
pub(super) enum RecordTest<'a> {
    All(Vec<RecordTest<'a>>),
    Any(Vec<RecordTest<'a>>),
    /// A condition that the service ignores.
    Ignored,
    /// The record's number against a number.
    Id(Relation, i128),
    /// The record's number is one of these, or none of them.
    IdIn {
        ids: BTreeSet<u64>,
        negated: bool,
    },
    Cell(&'a Field, CellTest),
    /// A row of the table satisfies all tests on its columns. Conditions joined by `and` meet in one row.
    Row(&'a Field, Vec<(&'a Field, CellTest)>),
    /// The cell's key is among those that the related records hold.
    Related {
        field: &'a Field,
        keys: HashSet<Key>,
    },
}

/// What a single cell must satisfy.
#[derive(Debug)]
pub(super) enum CellTest {
    /// Against a span; for a plain value both ends are the same.
    Compare { kind: KeyKind, relation: Relation, low: Key, high: Key },
    /// One of these keys, or none of them.
    OneOf { kind: KeyKind, keys: HashSet<Key>, negated: bool },
    /// At least one of these options or codes is chosen (`or_empty`: or nothing at all is), or none.
    Chosen { names: Vec<String>, or_empty: bool, negated: bool },
    /// The words stand in the text.
    Search { words: Vec<String>, negated: bool },
    /// Nothing but whitespace.
    Empty { negated: bool },
}

/// The six comparing operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
}

impl Relation {
    /// Compares with a span: `<` means before its beginning, `<=` not after its end, `=` within it.
    fn holds<T: Ord>(self, value: &T, low: &T, high: &T) -> bool {
        match self {
            Self::Equal => low <= value && value <= high,
            Self::NotEqual => value < low || value > high,
            Self::Less => value < low,
            Self::LessOrEqual => value <= high,
            Self::Greater => value > high,
            Self::GreaterOrEqual => value >= low,
        }
    }
}

impl RecordTest<'_> {
    pub(super) fn holds(&self, record: &Record) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(record)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(record)),
            Self::Ignored => true,
            Self::Id(relation, number) => relation.holds(&i128::from(record.id), number, number),
            Self::IdIn { ids, negated } => ids.contains(&record.id) != *negated,
            Self::Cell(field, test) => test.holds(&record.cell(field)),
            Self::Row(table, tests) => match &*record.cell(table) {
                Value::Rows(rows) => rows.iter().any(|row| row_holds(row, tests)),
                _ => false,
            },
            Self::Related { field, keys } => {
                let key = KeyKind::of(field).of_cell(&record.cell(field));
                key != Key::Empty && keys.contains(&key)
            }
        }
    }

    /// Whether the word index of the service takes part.
    pub(super) fn searches(&self) -> bool {
        let is_search = |test: &CellTest| matches!(test, CellTest::Search { .. });
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::searches),
            Self::Cell(_, test) => is_search(test),
            Self::Row(_, tests) => tests.iter().any(|(_, test)| is_search(test)),
            Self::Ignored | Self::Id(..) | Self::IdIn { .. } | Self::Related { .. } => false,
        }
    }
}

fn row_holds(row: &Row, tests: &[(&Field, CellTest)]) -> bool {
    tests
        .iter()
        .all(|(column, test)| test.holds(row.values.get(column.code.as_str()).unwrap_or(&Value::Null)))
}

impl CellTest {
    pub(super) fn holds(&self, cell: &Value) -> bool {
        match self {
            Self::Compare { kind, relation, low, high } => relation.holds(&kind.of_cell(cell), low, high),
            Self::OneOf { kind, keys, negated } => keys.contains(&kind.of_cell(cell)) != *negated,
            Self::Chosen { names, or_empty, negated } => {
                let named = |name: &String| names.contains(name);
                let found = match cell {
                    Value::Text(text) => named(text),
                    Value::Strings(chosen) => chosen.iter().any(named),
                    Value::Entity(entity) => named(&entity.code),
                    Value::Entities(chosen) => chosen.iter().any(|entity| named(&entity.code)),
                    _ => false,
                };
                (found || (*or_empty && cell.is_empty())) != *negated
            }
            Self::Search { words, negated } => {
                let found = match cell {
                    Value::Text(text) => words::contains(text, words),
                    Value::Files(files) => files.iter().any(|file| words::contains(&file.name, words)),
                    _ => false,
                };
                found != *negated
            }
            Self::Empty { negated } => {
                let empty = match cell {
                    Value::Text(text) => text.trim().is_empty(),
                    other => other.is_empty(),
                };
                empty != *negated
            }
        }
    }
}
