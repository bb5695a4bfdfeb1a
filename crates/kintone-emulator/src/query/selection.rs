//! Which records a checked query selects, in which order, and how few of them have to be looked at.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::check;
use super::context::QueryContext;
use super::error::QueryError;
use super::key::{Key, KeyKind};
use super::syntax::{self, OrderKey, Query};
use super::test::{RecordTest, Relation};
use crate::model::{App, Direction, Field, FieldType, Record};

/// A query that was checked against an app and can be asked for its records.
#[derive(Debug)]
pub struct Selection<'a> {
    app: &'a App,
    candidates: Candidates,
    /// What candidates must satisfy beyond being candidates.
    test: Option<RecordTest<'a>>,
    order: Order<'a>,
    /// A search whose hits beyond this many are lost; `None` without a search.
    most_hits: Option<u64>,
}

impl<'a> Selection<'a> {
    /// Checks condition and sort keys; limit and offset are the caller's business.
    pub(super) fn new(app: &'a App, context: &QueryContext<'a>, query: &Query) -> Result<Self, QueryError> {
        let test =
            query.condition.as_ref().map(|condition| check::check(app, context, condition)).transpose()?;
        let order = Order::new(app, &query.order)?;
        let searches = test.as_ref().is_some_and(RecordTest::searches);
        let (candidates, test) = Candidates::split(test);
        Ok(Self { app, candidates, test, order, most_hits: searches.then_some(context.most_search_hits) })
    }

    /// Whether this record is selected.
    pub fn contains(&self, record: &Record) -> bool {
        self.candidates.contains(record.id) && self.test.as_ref().is_none_or(|test| test.holds(record))
    }

    /// How many records are selected. Without a condition beyond ranges of `$id` no record is looked at.
    pub fn total(&self) -> u64 {
        if self.test.is_none() { self.candidates.count(self.app) } else { self.matching().count() as u64 }
    }

    /// Whether a search had more hits than the service keeps, so that records are missing.
    pub fn is_aborted(&self) -> bool {
        self.most_hits.is_some_and(|most| {
            self.candidates.count(self.app) > most && self.unlimited().nth(most as usize).is_some()
        })
    }

    /// The ids of the selected records from `offset` on, `limit` of them at most, in order. Where ranges of `$id`
    /// decide alone, no record is looked at.
    pub fn page(&self, offset: u64, limit: u64) -> Vec<u64> {
        let (offset, limit) = (offset as usize, limit as usize);
        let keys = match &self.order {
            Order::Id(direction) if self.test.is_none() => {
                return self.candidates.ids(self.app, *direction).skip(offset).take(limit).collect();
            }
            Order::Id(_) => {
                return self.matching().skip(offset).take(limit).map(|record| record.id).collect();
            }
            Order::Keys(keys) => keys,
        };
        let wanted = offset.saturating_add(limit);
        let mut best: Vec<(Vec<Key>, u64)> = Vec::new();
        for record in self.matching() {
            best.push((keys.iter().map(|key| key.read(&record)).collect(), record.id));
            // Only the first `wanted` are ever answered: memory stays bounded however many records match.
            if best.len() >= wanted.saturating_mul(2).max(4096) {
                best.sort_unstable_by(|a, b| compare(keys, a, b));
                best.truncate(wanted);
            }
        }
        best.sort_unstable_by(|a, b| compare(keys, a, b));
        best.into_iter().skip(offset).take(limit).map(|(_, id)| id).collect()
    }

    /// The ids of all selected records, in order: what a cursor holds on to.
    pub fn ids(&self) -> Vec<u64> {
        self.page(0, u64::MAX)
    }

    fn matching(&self) -> impl Iterator<Item = Arc<Record>> + '_ {
        self.unlimited().take(self.most_hits.map_or(usize::MAX, |most| most as usize))
    }

    fn unlimited(&self) -> impl Iterator<Item = Arc<Record>> + '_ {
        let direction = match self.order {
            Order::Id(direction) => direction,
            Order::Keys(_) => Direction::Descending,
        };
        let test = self.test.as_ref();
        self.candidates
            .records(self.app, direction)
            .filter(move |record| test.is_none_or(|test| test.holds(record)))
    }
}

/// The records that conditions on `$id` leave, found without looking at any other.
#[derive(Debug)]
struct Candidates {
    first: u64,
    last: u64,
    /// Only these ids, where the query lists them.
    listed: Option<BTreeSet<u64>>,
}

impl Candidates {
    /// Takes the conditions on `$id` that all selected records must meet out of a test; returns what is left.
    fn split(test: Option<RecordTest<'_>>) -> (Self, Option<RecordTest<'_>>) {
        let mut candidates = Self { first: 1, last: u64::MAX, listed: None };
        let parts = match test {
            Some(RecordTest::All(parts)) => parts,
            Some(single) => vec![single],
            None => Vec::new(),
        };
        let mut left: Vec<RecordTest<'_>> =
            parts.into_iter().filter_map(|part| candidates.take(part)).collect();
        let left = if left.len() > 1 { Some(RecordTest::All(left)) } else { left.pop() };
        (candidates, left)
    }

    /// Narrows itself by one part, or gives the part back.
    fn take<'a>(&mut self, part: RecordTest<'a>) -> Option<RecordTest<'a>> {
        let (first, last) = match part {
            RecordTest::Ignored => return None,
            RecordTest::IdIn { ids, negated: false } => {
                self.listed = Some(match self.listed.take() {
                    Some(listed) => listed.intersection(&ids).copied().collect(),
                    None => ids,
                });
                return None;
            }
            RecordTest::Id(Relation::Equal, id) => (id, id),
            RecordTest::Id(Relation::Greater, id) => (id.saturating_add(1), i128::MAX),
            RecordTest::Id(Relation::GreaterOrEqual, id) => (id, i128::MAX),
            RecordTest::Id(Relation::Less, id) => (1, id.saturating_sub(1)),
            RecordTest::Id(Relation::LessOrEqual, id) => (1, id),
            other => return Some(other),
        };
        // Bounds outside of u64 either exclude every record or none.
        self.first = self.first.max(u64::try_from(first.max(1)).unwrap_or(u64::MAX));
        self.last = self.last.min(u64::try_from(last.max(0)).unwrap_or(u64::MAX));
        None
    }

    fn contains(&self, id: u64) -> bool {
        (self.first..=self.last).contains(&id)
            && self.listed.as_ref().is_none_or(|listed| listed.contains(&id))
    }

    fn count(&self, app: &App) -> u64 {
        match &self.listed {
            Some(_) => self.ids(app, Direction::Ascending).count() as u64,
            None => app.records.count_between(self.first..=self.last),
        }
    }

    fn records<'s>(
        &'s self,
        app: &'s App,
        direction: Direction,
    ) -> Box<dyn Iterator<Item = Arc<Record>> + 's> {
        match &self.listed {
            Some(_) => Box::new(self.ids(app, direction).filter_map(|id| app.records.get(id))),
            None => app.records.between(self.first..=self.last, direction),
        }
    }

    /// The ids of [`Self::records`], without computing any record.
    fn ids<'s>(&'s self, app: &'s App, direction: Direction) -> Box<dyn Iterator<Item = u64> + 's> {
        let Some(listed) = &self.listed else {
            return app.records.ids_between(self.first..=self.last, direction);
        };
        let is_there = |id: &u64| self.contains(*id) && app.records.find(*id).is_some();
        let ids = listed.iter().copied().filter(is_there);
        match direction {
            Direction::Ascending => Box::new(ids),
            Direction::Descending => Box::new(ids.rev()),
        }
    }
}

/// The order of the answer.
#[derive(Debug)]
enum Order<'a> {
    /// By the number of the record; it is unique, so that further keys have no say.
    Id(Direction),
    Keys(Vec<SortKey<'a>>),
}

#[derive(Debug)]
struct SortKey<'a> {
    /// `None` for `$id`.
    field: Option<&'a Field>,
    direction: Direction,
}

impl<'a> Order<'a> {
    fn new(app: &'a App, keys: &[OrderKey]) -> Result<Self, QueryError> {
        let keys = keys.iter().map(|key| SortKey::new(app, key)).collect::<Result<Vec<_>, _>>()?;
        Ok(match keys.first() {
            None => Self::Id(Direction::Descending),
            Some(SortKey { field: None, direction }) => Self::Id(*direction),
            Some(_) => Self::Keys(keys),
        })
    }
}

impl<'a> SortKey<'a> {
    fn new(app: &'a App, key: &OrderKey) -> Result<Self, QueryError> {
        let direction = match key.direction {
            syntax::Direction::Ascending => Direction::Ascending,
            syntax::Direction::Descending => Direction::Descending,
        };
        if key.code == "$id" {
            return Ok(Self { field: None, direction });
        }
        let unknown = || {
            QueryError::refused(
                "GAIA_IQ11",
                format!("The app {} has no field with the code {}.", app.id, key.code),
            )
        };
        let found = app.fields.find(&key.code).ok_or_else(unknown)?;
        if found.table.is_some() || !is_sortable(found.field.field_type) {
            return Err(QueryError::syntax(format_args!(
                "records cannot be sorted by the field {}",
                key.code
            )));
        }
        let is_id = found.field.field_type == FieldType::RecordNumber;
        Ok(Self { field: (!is_id).then_some(found.field), direction })
    }

    fn read(&self, record: &Record) -> Key {
        match self.field {
            None => Key::Number(record.id.into()),
            Some(field) => KeyKind::of(field).of_cell(&record.cell(field)),
        }
    }
}

/// Types whose cells hold a single value.
fn is_sortable(field_type: FieldType) -> bool {
    use FieldType as T;
    matches!(
        field_type,
        T::RecordNumber
            | T::Creator
            | T::CreatedTime
            | T::Modifier
            | T::UpdatedTime
            | T::SingleLineText
            | T::Link
            | T::Number
            | T::Calc
            | T::RadioButton
            | T::DropDown
            | T::Date
            | T::Time
            | T::DateTime
            | T::Status
    )
}

/// Key by key; records that are equal in all keys follow the default order, the newest first.
fn compare(keys: &[SortKey<'_>], a: &(Vec<Key>, u64), b: &(Vec<Key>, u64)) -> Ordering {
    for (index, key) in keys.iter().enumerate() {
        let ascending = a.0[index].cmp(&b.0[index]);
        let ordering = if key.direction == Direction::Ascending { ascending } else { ascending.reverse() };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    b.1.cmp(&a.1)
}
