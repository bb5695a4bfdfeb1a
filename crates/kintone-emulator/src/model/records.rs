//! The records of an app, in the order of their ids.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::unique::UniqueValues;
use super::{Field, Fields, GeneratedRecords, Record, Value};
use crate::query::key::Key;

/// Which way to walk through ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest id.
    Ascending,
    /// From the greatest id, which is the order of the service when a query names none.
    Descending,
}

/// Records by id: stored ones, over ones that are computed from their id on demand.
///
/// A clone shares the records themselves, which makes a snapshot for an all-or-nothing request cheap.
#[derive(Debug, Clone)]
pub struct Records {
    stored: BTreeMap<u64, Arc<Record>>,
    generated: Option<GeneratedRecords>,
    /// Ids of generated records that were deleted.
    deleted: BTreeSet<u64>,
    /// Of the stored records.
    unique: UniqueValues,
    last_id: u64,
}

/// A record where it is, looked at cell by cell: a computed one never comes into being as a whole.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    /// It was stored.
    Stored(&'a Record),
    /// It is computed from its id.
    Computed(&'a GeneratedRecords, u64),
}

impl<'a> Found<'a> {
    /// Number of the record.
    pub fn id(self) -> u64 {
        match self {
            Self::Stored(record) => record.id,
            Self::Computed(_, id) => id,
        }
    }

    /// How often it was edited.
    pub fn revision(self) -> u64 {
        match self {
            Self::Stored(record) => record.revision,
            Self::Computed(..) => GeneratedRecords::REVISION,
        }
    }

    /// The cell of a field that stands at this place of the form, as [`Record::cell`] answers it.
    pub fn cell(self, field: &Field, place: usize) -> Cow<'a, Value> {
        match self {
            Self::Stored(record) => record.cell(field),
            Self::Computed(generated, id) => generated.cell(id, place),
        }
    }
}

impl Records {
    /// No records yet, of an app with this form.
    pub fn new(fields: &Fields) -> Self {
        Self {
            stored: BTreeMap::new(),
            generated: None,
            deleted: BTreeSet::new(),
            unique: UniqueValues::new(fields, []),
            last_id: 0,
        }
    }

    /// An app whose first records are computed from their ids.
    pub fn generated(generated: GeneratedRecords) -> Self {
        let none = Self::new(generated.fields());
        Self { last_id: generated.count(), generated: Some(generated), ..none }
    }

    /// Lets the records follow a changed form: the cells of computed ones, and which values are unique.
    pub fn follow(&mut self, fields: &Arc<Fields>) {
        if let Some(generated) = &mut self.generated {
            generated.set_fields(Arc::clone(fields));
        }
        self.unique = UniqueValues::new(fields, self.stored.values().map(AsRef::as_ref));
    }

    /// The stored record that holds this value of the unique field with this code.
    pub(crate) fn holder(&self, code: &str, key: &Key) -> Option<u64> {
        self.unique.holder(code, key)
    }

    /// How many records there are. Takes constant time.
    pub fn len(&self) -> u64 {
        let Some(generated) = &self.generated else { return self.stored.len() as u64 };
        let replaced = self.stored.range(..=generated.count()).count() as u64;
        generated.count() - self.deleted.len() as u64 + self.stored.len() as u64 - replaced
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The greatest id ever given out, 0 before the first record.
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// Whether the records are computed: a scan over all of them may be very long.
    pub fn is_generated(&self) -> bool {
        self.generated.is_some()
    }

    /// The record of this id.
    pub fn get(&self, id: u64) -> Option<Arc<Record>> {
        match self.stored.get(&id) {
            Some(record) => Some(Arc::clone(record)),
            None => self.computed(id).and_then(|generated| generated.record(id)).map(Arc::new),
        }
    }

    /// The record of this id, to look at some of its cells.
    pub fn find(&self, id: u64) -> Option<Found<'_>> {
        match self.stored.get(&id) {
            Some(record) => Some(Found::Stored(record)),
            None => self.computed(id).map(|generated| Found::Computed(generated, id)),
        }
    }

    /// The rule that yields the record of this id, unless it was deleted. Stored records come before it.
    fn computed(&self, id: u64) -> Option<&GeneratedRecords> {
        self.generated.as_ref().filter(|generated| generated.has(id) && !self.deleted.contains(&id))
    }

    /// How many records have an id in this range, without computing them.
    pub fn count_between(&self, ids: RangeInclusive<u64>) -> u64 {
        if ids.is_empty() {
            return 0;
        }
        let stored = self.stored.range(ids.clone());
        let Some(generated) = &self.generated else { return stored.count() as u64 };
        let (first, last) = ((*ids.start()).max(1), (*ids.end()).min(generated.count()));
        let computed = (last + 1).saturating_sub(first);
        let deleted = self.deleted.range(ids).count() as u64;
        let added = stored.filter(|(id, _)| **id > generated.count()).count() as u64;
        computed - deleted + added
    }

    /// The records whose id is in this range, one after the other; computed ones come into being as they are
    /// reached. Use `1..=u64::MAX` for all.
    pub fn between(
        &self,
        ids: RangeInclusive<u64>,
        direction: Direction,
    ) -> Box<dyn Iterator<Item = Arc<Record>> + '_> {
        if self.generated.is_some() {
            return Box::new(self.ids_between(ids, direction).filter_map(|id| self.get(id)));
        }
        let Some(ids) = self.given_out(&ids) else { return Box::new(std::iter::empty()) };
        let stored = self.stored.range(ids).map(|(_, record)| Arc::clone(record));
        match direction {
            Direction::Ascending => Box::new(stored),
            Direction::Descending => Box::new(stored.rev()),
        }
    }

    /// The ids of the records in this range, without computing any record.
    pub fn ids_between(
        &self,
        ids: RangeInclusive<u64>,
        direction: Direction,
    ) -> Box<dyn Iterator<Item = u64> + '_> {
        let Some(ids) = self.given_out(&ids) else { return Box::new(std::iter::empty()) };
        if self.generated.is_none() {
            let stored = self.stored.range(ids).map(|(id, _)| *id);
            return match direction {
                Direction::Ascending => Box::new(stored),
                Direction::Descending => Box::new(stored.rev()),
            };
        }
        let present = ids.filter(|id| self.find(*id).is_some());
        match direction {
            Direction::Ascending => Box::new(present),
            Direction::Descending => Box::new(present.rev()),
        }
    }

    /// The part of a range in which there may be records.
    fn given_out(&self, ids: &RangeInclusive<u64>) -> Option<RangeInclusive<u64>> {
        let (first, last) = ((*ids.start()).max(1), (*ids.end()).min(self.last_id));
        (first <= last).then_some(first..=last)
    }

    /// Gives out the next id.
    pub fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Stores a record under its id, replacing what was there.
    pub fn put(&mut self, record: Record) {
        self.last_id = self.last_id.max(record.id);
        if let Some(replaced) = self.stored.get(&record.id) {
            self.unique.remove(replaced);
        }
        self.deleted.remove(&record.id);
        self.unique.add(&record);
        self.stored.insert(record.id, Arc::new(record));
    }

    /// Deletes the record of this id; answers whether there was one.
    pub fn remove(&mut self, id: u64) -> bool {
        let stored = self.stored.remove(&id);
        if let Some(removed) = &stored {
            self.unique.remove(removed);
        }
        let computed = self.generated.as_ref().is_some_and(|generated| generated.has(id));
        let fresh = computed && self.deleted.insert(id);
        stored.is_some() || fresh
    }
}
