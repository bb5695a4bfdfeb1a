//! Cells as keys that compare, sort and hash the way the service compares cells.

use super::decimal::Decimal;
use crate::model::{Field, FieldType, Value};

/// A cell to compare. An empty cell is less than every other one: that is why `<`, `<=` and `!=` select empty
/// cells on the service while `>`, `>=` and `=` do not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    Empty,
    Number(Decimal),
    Text(String),
}

/// How the cells of a field become keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// By numeric value.
    Number,
    /// `49:30` as its number of minutes.
    Duration,
    /// By code points. Dates and times belong here, for their stored forms sort as text.
    Text,
}

impl KeyKind {
    pub(crate) fn of(field: &Field) -> Self {
        match field.field_type {
            FieldType::Id | FieldType::Revision | FieldType::RecordNumber | FieldType::Number => Self::Number,
            FieldType::Calc => match field.format.as_deref() {
                Some("DATE" | "TIME" | "DATETIME") => Self::Text,
                Some("HOUR_MINUTE" | "DAY_HOUR_MINUTE") => Self::Duration,
                _ => Self::Number,
            },
            _ => Self::Text,
        }
    }

    /// The key of a text, `None` when the text is not of this kind.
    pub(crate) fn read(self, text: &str) -> Option<Key> {
        if text.is_empty() {
            return Some(Key::Empty);
        }
        match self {
            Self::Text => Some(Key::Text(text.to_owned())),
            Self::Number => Decimal::parse(text).map(Key::Number),
            Self::Duration => minutes(text).map(Key::Number),
        }
    }

    /// The key of a cell. A calculated cell that holds an error text counts as empty.
    pub(crate) fn of_cell(self, cell: &Value) -> Key {
        match cell {
            Value::Text(text) | Value::Number(text) => self.read(text).unwrap_or(Key::Empty),
            Value::Entity(entity) => Key::Text(entity.code.clone()),
            _ => Key::Empty,
        }
    }
}

/// Minutes of `H:MM`, with any number of hours and either sign.
fn minutes(text: &str) -> Option<Decimal> {
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |unsigned| ("-", unsigned));
    let Some((hours, minutes)) = unsigned.split_once(':') else { return Decimal::parse(text) };
    let total = hours.parse::<u64>().ok()?.checked_mul(60)?.checked_add(minutes.parse().ok()?)?;
    Decimal::parse(&format!("{sign}{total}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_less_than_everything_else() {
        assert!(Key::Empty < KeyKind::Number.read("-1e30").unwrap());
        assert!(Key::Empty < KeyKind::Text.read(" ").unwrap());
    }

    #[test]
    fn durations_compare_by_minutes() {
        let duration = |text| KeyKind::Duration.read(text).unwrap();
        assert!(duration("9:30") < duration("49:00"));
        assert!(duration("-1:00") < duration("0:00"));
        assert_eq!(duration("1:05"), duration("65"));
        assert_eq!(KeyKind::Duration.of_cell(&Value::Text("#ERROR!".into())), Key::Empty);
    }
}
