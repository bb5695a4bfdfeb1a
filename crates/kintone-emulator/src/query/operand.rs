//! The right side of a comparison, read for the type of the field on the left.

use std::collections::BTreeSet;

use super::context::QueryContext;
use super::error::QueryError;
use super::function::{self, Meaning};
use super::key::{Key, KeyKind};
use super::moment;
use super::people::Directory;
use super::syntax::{Literal, Operator};
use super::test::{CellTest, RecordTest, Relation};
use super::words;
use crate::model::{App, Field, FieldType};

/// Refuses values that are no option of the field (`GAIA_IQ10`), and conditions on the status of an app without
/// process management (`GAIA_ST02`). The service does this before it looks at the operator.
pub(super) fn check_options(app: &App, field: &Field, values: &[Literal]) -> Result<(), QueryError> {
    let defined = |text: &str| match field.field_type {
        FieldType::Status => app.process.states.iter().any(|state| state.name == text),
        _ => field.options.iter().any(|option| option == text),
    };
    if matches!(field.field_type, FieldType::Status | FieldType::StatusAssignee) && !app.process.enabled {
        return Err(QueryError::refused(
            "GAIA_ST02",
            format!("Process management of the app {} is off.", app.id),
        ));
    }
    if field.field_type != FieldType::Status && !field.field_type.has_options() {
        return Ok(());
    }
    for value in values {
        let text = text(field, value)?;
        if !text.is_empty() && !defined(text) {
            return Err(QueryError::refused(
                "GAIA_IQ10",
                format!("The field {} has no option \"{text}\".", field.code),
            ));
        }
    }
    Ok(())
}

/// A condition on the number of the record. `App-12` stands for 12 in an app with the code `App`.
pub(super) fn id_test<'a>(
    app_code: &str,
    operator: Operator,
    values: &[Literal],
) -> Result<RecordTest<'a>, QueryError> {
    let numbers: Vec<i128> = values.iter().map(|value| id(app_code, value)).collect::<Result<_, _>>()?;
    if let Some(negated) = list_operator(operator) {
        let ids: BTreeSet<u64> =
            numbers.into_iter().filter_map(|number| u64::try_from(number).ok()).collect();
        return Ok(RecordTest::IdIn { ids, negated });
    }
    match (relation(operator), numbers.as_slice()) {
        (Some(relation), [number]) => Ok(RecordTest::Id(relation, *number)),
        _ => Err(QueryError::refused(
            "GAIA_IQ03",
            format!("The operator \"{}\" cannot be used with the record number.", operator.text()),
        )),
    }
}

fn id(app_code: &str, value: &Literal) -> Result<i128, QueryError> {
    let written = match value {
        Literal::Number(text) | Literal::Text(text) => text.as_str(),
        Literal::Call(call) => {
            return Err(QueryError::refused("GAIA_IQ23", format!("{} is no record number.", call.name)));
        }
    };
    let after_code = written.strip_prefix(app_code).and_then(|rest| rest.strip_prefix('-'));
    let number = after_code.filter(|_| !app_code.is_empty()).unwrap_or(written);
    number.parse().map_err(|_| QueryError::syntax(format_args!("{written:?} is no record number")))
}

/// A condition on a cell. The operator is one that the type knows. `None` means that the service ignores the
/// condition: `PRIMARY_ORGANIZATION()` of a user who has none.
pub(super) fn cell_test(
    context: &QueryContext,
    field: &Field,
    operator: Operator,
    values: &[Literal],
) -> Result<Option<CellTest>, QueryError> {
    let negated =
        matches!(operator, Operator::NotIn | Operator::NotLike | Operator::IsNotEmpty | Operator::NotEqual);
    if matches!(operator, Operator::IsEmpty | Operator::IsNotEmpty) {
        return Ok(Some(CellTest::Empty { negated }));
    }
    if matches!(operator, Operator::Like | Operator::NotLike) {
        let searched =
            values.iter().map(|value| text(field, value)).collect::<Result<Vec<_>, _>>()?.join(" ");
        return Ok(Some(CellTest::Search { words: words::words(&searched), negated }));
    }
    if let Some(directory) = Directory::of(field.field_type) {
        return directory.test(context, values, negated);
    }
    if field.field_type == FieldType::Status || field.field_type.has_options() {
        let texts = values.iter().map(|value| text(field, value)).collect::<Result<Vec<_>, _>>()?;
        let or_empty = texts.contains(&"");
        let names = texts.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect();
        return Ok(Some(CellTest::Chosen { names, or_empty, negated }));
    }
    let kind = KeyKind::of(field);
    if list_operator(operator).is_some() {
        let spans = values.iter().map(|value| span(context, field, kind, value));
        let keys = spans.map(|span| span.map(|(low, _)| low)).collect::<Result<_, _>>()?;
        return Ok(Some(CellTest::OneOf { kind, keys, negated }));
    }
    let (Some(relation), [value]) = (relation(operator), values) else {
        return Err(QueryError::syntax(format_args!("\"{}\" takes one value", operator.text())));
    };
    let (low, high) = span(context, field, kind, value)?;
    Ok(Some(CellTest::Compare { kind, relation, low, high }))
}

/// The first and the last key that a value stands for; they differ only where a function means several days.
fn span(
    context: &QueryContext,
    field: &Field,
    kind: KeyKind,
    value: &Literal,
) -> Result<(Key, Key), QueryError> {
    let single = |key: Option<Key>, text: &str| match key {
        Some(key) => Ok((key.clone(), key)),
        None => Err(QueryError::syntax(format_args!("{text:?} is no value for the field {}", field.code))),
    };
    let moments = Moments::of(field);
    match (value, moments) {
        (Literal::Number(text) | Literal::Text(text), None) => single(kind.read(text), text),
        (Literal::Number(text) | Literal::Text(text), Some(moments)) => {
            let key = if text.is_empty() { Some(Key::Empty) } else { moments.read(text).map(Key::Text) };
            single(key, text)
        }
        (Literal::Call(call), moments) => {
            let meaning = function::meaning(call, context)?;
            moments
                .and_then(|moments| moments.span(&meaning, context))
                .map(|(low, high)| (Key::Text(low), Key::Text(high)))
                .ok_or_else(|| no_function(field, &call.name))
        }
    }
}

/// What a field with a point in time stores.
#[derive(Debug, Clone, Copy)]
enum Moments {
    Dates,
    Times,
    Instants,
}

impl Moments {
    fn of(field: &Field) -> Option<Self> {
        match (field.field_type, field.format.as_deref()) {
            (FieldType::Date, _) | (FieldType::Calc, Some("DATE")) => Some(Self::Dates),
            (FieldType::Time, _) | (FieldType::Calc, Some("TIME")) => Some(Self::Times),
            (FieldType::DateTime | FieldType::CreatedTime | FieldType::UpdatedTime, _)
            | (FieldType::Calc, Some("DATETIME")) => Some(Self::Instants),
            _ => None,
        }
    }

    /// The stored form of a written one.
    fn read(self, text: &str) -> Option<String> {
        match self {
            Self::Dates => moment::parse_date(text).map(moment::date_text),
            Self::Times => moment::parse_time(text).map(moment::time_text),
            Self::Instants => moment::parse_instant(text).map(moment::instant_text),
        }
    }

    /// The first and last stored value that a function stands for, `None` where it has no meaning.
    fn span(self, meaning: &Meaning, context: &QueryContext) -> Option<(String, String)> {
        let same = |text: String| Some((text.clone(), text));
        match (self, meaning) {
            (Self::Instants, Meaning::Days(first, last)) => {
                moment::minutes_of_days(*first, *last, &context.time_zone)
            }
            (Self::Instants, Meaning::Now) => same(moment::instant_text(context.now)),
            (Self::Dates, Meaning::Days(first, last)) => {
                Some((moment::date_text(*first), moment::date_text(*last)))
            }
            (Self::Dates, Meaning::Now) => {
                same(moment::date_text(context.time_zone.to_datetime(context.now).date()))
            }
            _ => None,
        }
    }
}

/// The text of a value that cannot be a function.
fn text<'v>(field: &Field, value: &'v Literal) -> Result<&'v str, QueryError> {
    match value {
        Literal::Number(text) | Literal::Text(text) => Ok(text),
        Literal::Call(call) => Err(no_function(field, &call.name)),
    }
}

fn no_function(field: &Field, name: &str) -> QueryError {
    QueryError::refused(
        "GAIA_IQ23",
        format!("The function {name} cannot be used with the field {}.", field.code),
    )
}

/// Whether an operator takes a list, and if so whether it excludes what is listed.
fn list_operator(operator: Operator) -> Option<bool> {
    match operator {
        Operator::In => Some(false),
        Operator::NotIn => Some(true),
        _ => None,
    }
}

fn relation(operator: Operator) -> Option<Relation> {
    Some(match operator {
        Operator::Equal => Relation::Equal,
        Operator::NotEqual => Relation::NotEqual,
        Operator::Greater => Relation::Greater,
        Operator::Less => Relation::Less,
        Operator::GreaterOrEqual => Relation::GreaterOrEqual,
        Operator::LessOrEqual => Relation::LessOrEqual,
        _ => return None,
    })
}
