//! A parsed condition against an app: which fields there are, which operators their types know, which values
//! are defined. What passes is a [`RecordTest`].

use std::collections::HashSet;

use super::context::QueryContext;
use super::error::QueryError;
use super::key::KeyKind;
use super::operand;
use super::syntax::{Comparison, Condition, FieldName, Operator};
use super::test::{CellTest, RecordTest};
use crate::model::{App, Direction, Field, FieldType};

/// Checks a condition. The first wrong comparison, read from the left, decides the error.
pub(super) fn check<'a>(
    app: &'a App,
    context: &QueryContext<'a>,
    condition: &Condition,
) -> Result<RecordTest<'a>, QueryError> {
    Checker { app, context, within_related: false }.condition(condition)
}

struct Checker<'a, 'c> {
    app: &'a App,
    context: &'c QueryContext<'a>,
    /// Whether the condition is about records that a related-records list points to: they have none of their own.
    within_related: bool,
}

/// Where a comparison looks.
enum Target<'a> {
    Id,
    Cell(&'a Field),
    Column { table: &'a Field, column: &'a Field },
    Related { list: &'a Field, app: &'a App, field: &'a Field },
}

impl<'a> Checker<'a, '_> {
    fn condition(&self, condition: &Condition) -> Result<RecordTest<'a>, QueryError> {
        match condition {
            Condition::Compare(comparison) => self.comparison(comparison),
            Condition::And(parts) => Ok(RecordTest::All(join_rows(self.parts(parts)?))),
            Condition::Or(parts) => Ok(RecordTest::Any(self.parts(parts)?)),
        }
    }

    fn parts(&self, parts: &[Condition]) -> Result<Vec<RecordTest<'a>>, QueryError> {
        parts.iter().map(|part| self.condition(part)).collect()
    }

    fn comparison(&self, comparison: &Comparison) -> Result<RecordTest<'a>, QueryError> {
        let Comparison { field: name, operator, values } = comparison;
        match self.target(name)? {
            Target::Id => operand::id_test(&self.app.code, *operator, values),
            Target::Cell(field) if field.field_type == FieldType::RecordNumber => {
                operand::id_test(&self.app.code, *operator, values)
            }
            Target::Cell(field) => {
                operand::check_options(self.app, field, values)?;
                check_operator(field, *operator)?;
                let test = operand::cell_test(self.context, field, *operator, values)?;
                Ok(test.map_or(RecordTest::Ignored, |test| RecordTest::Cell(field, test)))
            }
            Target::Column { table, column } => {
                operand::check_options(self.app, column, values)?;
                if matches!(operator, Operator::Equal | Operator::NotEqual) {
                    return Err(QueryError::refused(
                        "GAIA_IQ07",
                        format!(
                            "The field {name} is in a table: use \"in\" or \"not in\" instead of \"{}\".",
                            operator.text()
                        ),
                    ));
                }
                check_operator(column, *operator)?;
                let test = operand::cell_test(self.context, column, *operator, values)?;
                Ok(test.map_or(RecordTest::Ignored, |test| RecordTest::Row(table, vec![(column, test)])))
            }
            Target::Related { list, app, field } => self.related(list, app, field, comparison),
        }
    }

    fn target(&self, name: &FieldName) -> Result<Target<'a>, QueryError> {
        let unknown = || {
            QueryError::refused(
                "GAIA_IQ11",
                format!("The app {} has no field with the code {name}.", self.app.id),
            )
        };
        let Some(list) = &name.related else {
            if name.code == "$id" {
                return Ok(Target::Id);
            }
            let found = self.app.fields.find(&name.code).ok_or_else(unknown)?;
            return match found.table {
                Some(table) => Ok(Target::Column { table, column: found.field }),
                None if found.field.field_type == FieldType::ReferenceTable => Err(no_related(name)),
                None => Ok(Target::Cell(found.field)),
            };
        };
        let list = self.app.fields.find(list).ok_or_else(unknown)?.field;
        let related =
            list.related.as_ref().filter(|_| !self.within_related).ok_or_else(|| no_related(name))?;
        let app = self.context.tenant.apps.get(&related.app).ok_or_else(|| no_related(name))?;
        let found = app.fields.find(&name.code).ok_or_else(|| no_related(name))?;
        Ok(Target::Related { list, app, field: found.field })
    }

    /// Which keys the related records with a fitting cell hold: they are collected once, here, so that each of
    /// our records costs one look-up.
    fn related(
        &self,
        list: &'a Field,
        app: &'a App,
        field: &'a Field,
        comparison: &Comparison,
    ) -> Result<RecordTest<'a>, QueryError> {
        let name = &comparison.field;
        if matches!(comparison.operator, Operator::Equal | Operator::NotEqual) {
            return Err(no_related(name));
        }
        let related = list.related.as_ref().ok_or_else(|| no_related(name))?;
        let key_field = app.fields.find(&related.key_field).ok_or_else(|| no_related(name))?.field;
        let own = self.app.fields.find(&related.field).ok_or_else(|| no_related(name))?.field;
        let inner = Checker { app, context: self.context, within_related: true };
        let inner_name = FieldName { related: None, code: field.code.clone() };
        let mut tests = vec![inner.comparison(&Comparison { field: inner_name, ..comparison.clone() })?];
        if let Some(filter) = super::parse(&related.filter)?.condition {
            tests.push(inner.condition(&filter)?);
        }
        let kind = KeyKind::of(key_field);
        let keys: HashSet<_> = app
            .records
            .between(1..=u64::MAX, Direction::Ascending)
            .filter(|record| tests.iter().all(|test| test.holds(record)))
            .map(|record| kind.of_cell(&record.cell(key_field)))
            .collect();
        Ok(RecordTest::Related { field: own, keys })
    }
}

/// Conditions on columns of one table that are joined by `and` must be met by one row.
fn join_rows<'a>(parts: Vec<RecordTest<'a>>) -> Vec<RecordTest<'a>> {
    let mut joined: Vec<RecordTest<'a>> = Vec::new();
    let mut rows: Vec<(&'a Field, Vec<(&'a Field, CellTest)>)> = Vec::new();
    for part in parts {
        match part {
            // The inner parts are joined already; their rows are met by the outer ones here.
            RecordTest::All(inner) => {
                for part in inner {
                    add(part, &mut joined, &mut rows);
                }
            }
            part => add(part, &mut joined, &mut rows),
        }
    }
    joined.extend(rows.into_iter().map(|(table, tests)| RecordTest::Row(table, tests)));
    joined
}

fn add<'a>(
    part: RecordTest<'a>,
    joined: &mut Vec<RecordTest<'a>>,
    rows: &mut Vec<(&'a Field, Vec<(&'a Field, CellTest)>)>,
) {
    match part {
        RecordTest::Row(table, tests) => match rows.iter_mut().find(|(known, _)| known.code == table.code) {
            Some((_, known)) => known.extend(tests),
            None => rows.push((table, tests)),
        },
        part => joined.push(part),
    }
}

fn check_operator(field: &Field, operator: Operator) -> Result<(), QueryError> {
    if operators(field.field_type).contains(&operator) {
        return Ok(());
    }
    Err(QueryError::refused(
        "GAIA_IQ03",
        format!(
            "The operator \"{}\" cannot be used with the field {} of the type {}.",
            operator.text(),
            field.code,
            field.field_type.name()
        ),
    ))
}

/// The operators that a type of field knows.
fn operators(field_type: FieldType) -> &'static [Operator] {
    use FieldType as T;
    use Operator as O;
    match field_type {
        T::SingleLineText | T::Link => &[O::Equal, O::NotEqual, O::In, O::NotIn, O::Like, O::NotLike],
        T::MultiLineText | T::File => &[O::Like, O::NotLike, O::IsEmpty, O::IsNotEmpty],
        T::RichText => &[O::Like, O::NotLike],
        T::Number | T::Calc | T::RecordNumber | T::Id => {
            &[O::Equal, O::NotEqual, O::Greater, O::Less, O::GreaterOrEqual, O::LessOrEqual, O::In, O::NotIn]
        }
        T::Date | T::Time | T::DateTime | T::CreatedTime | T::UpdatedTime => {
            &[O::Equal, O::NotEqual, O::Greater, O::Less, O::GreaterOrEqual, O::LessOrEqual]
        }
        T::Status => &[O::Equal, O::NotEqual, O::In, O::NotIn],
        T::CheckBox
        | T::RadioButton
        | T::MultiSelect
        | T::DropDown
        | T::UserSelect
        | T::OrganizationSelect
        | T::GroupSelect
        | T::Creator
        | T::Modifier
        | T::StatusAssignee => &[O::In, O::NotIn],
        T::Revision | T::Category | T::Subtable | T::ReferenceTable | T::Group => &[],
    }
}

fn no_related(name: &FieldName) -> QueryError {
    QueryError::refused(
        "GAIA_IR02",
        format!("The field {name} of related records cannot be queried like this."),
    )
}
