//! The records that one request writes, checked one after the other and stored together.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::context::WriteContext;
use super::default;
use super::error::{Problems, WriteError};
use super::file::TakenFile;
use super::history::History;
use super::lookup::{self, Sources};
use super::unique::UniqueKeys;
use crate::model::{Field, FieldType, Record, Tenant, Value, Values};

/// A request's writes to one app, before they are stored.
pub struct Batch<'a> {
    pub(super) context: WriteContext<'a>,
    pub(super) problems: Problems,
    pub(super) sources: Sources<'a>,
    pub(super) taken_files: Vec<TakenFile>,
    pub(super) last_row_id: u64,
    unique: UniqueKeys<'a>,
    last_id: u64,
    pending: BTreeMap<u64, Record>,
    written: Vec<Written>,
}

/// What became of one record of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Number of the record.
    pub id: u64,
    /// Its revision afterwards.
    pub revision: u64,
    /// Whether it is new.
    pub is_new: bool,
}

/// Checked writes, ready to be stored.
#[derive(Debug)]
pub struct Changes {
    /// What became of each record, in the order of the request.
    pub written: Vec<Written>,
    app: u64,
    records: Vec<Record>,
    taken_files: Vec<TakenFile>,
    last_row_id: u64,
}

/// How a record's cells come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Cells that the request leaves out get the default of their field.
    Insert,
    /// Cells that the request leaves out stay as they are.
    Update,
}

impl<'a> Batch<'a> {
    /// An empty batch.
    pub fn new(context: WriteContext<'a>) -> Self {
        Self {
            problems: Problems::default(),
            sources: Sources::default(),
            taken_files: Vec::new(),
            last_row_id: context.app.last_row_id,
            unique: UniqueKeys::new(context.app),
            last_id: context.app.records.last_id(),
            pending: BTreeMap::new(),
            written: Vec::new(),
            context,
        }
    }

    /// Adds a record of these cells (`{code: {"value": …}}`) and returns its id. `at` is where the request has it,
    /// such as `records[3]`; wrong cells are reported below it by [`Batch::finish`].
    pub fn insert(&mut self, at: &str, cells: &Map<String, Json>) -> Result<u64, WriteError> {
        self.last_id += 1;
        let id = self.last_id;
        let history = History::of_new(&self.context, at, cells, &mut self.problems)?;
        let values = self.values(at, cells, Mode::Insert, &Values::new())?;
        self.check_unique(at, id, &values, None);
        let record = Record {
            id,
            revision: 1,
            creator: history.creator,
            created_at: history.created_at,
            modifier: history.modifier,
            updated_at: history.updated_at,
            status: self.context.app.process.first_state().map(str::to_owned),
            assignees: Vec::new(),
            values,
            comments: Vec::new(),
        };
        self.write(record, true);
        Ok(id)
    }

    /// Changes the given cells of a record; the revision grows by one. `GAIA_RE01` if there is no such record.
    pub fn update(&mut self, at: &str, id: u64, cells: &Map<String, Json>) -> Result<(), WriteError> {
        let missing = || {
            WriteError::refused("GAIA_RE01", 404, format!("The specified record (ID: {id}) is not found."))
        };
        let mut record = self.get(id).ok_or_else(missing)?.into_owned();
        let values = self.values(at, cells, Mode::Update, &record.values)?;
        self.check_unique(at, id, &values, Some(&record.values));
        record.values = values;
        record.revision += 1;
        record.modifier = self.context.actor.clone();
        record.updated_at = self.context.now;
        self.write(record, false);
        Ok(())
    }

    /// The record as this batch leaves it so far.
    pub fn get(&self, id: u64) -> Option<Cow<'_, Record>> {
        if let Some(record) = self.pending.get(&id) {
            return Some(Cow::Borrowed(record));
        }
        self.context.app.records.get(id).map(|record| Cow::Owned(Arc::unwrap_or_clone(record)))
    }

    /// The record whose unique field holds this value, for `updateKey`. A field that is unknown or allows
    /// duplicates is `CB_VA01` at `at`, which is the place of the update key in the request.
    pub fn find(&mut self, at: &str, code: &str, value: &Json) -> Result<Option<u64>, WriteError> {
        let found =
            self.context.app.fields.find(code).filter(|found| found.table.is_none() && found.field.unique);
        let Some(found) = found else {
            let problem = format!("The field {code} is not one that prohibits duplicate values.");
            return Err(WriteError::invalid(vec![(format!("{at}.field"), vec![problem])]));
        };
        // A value that the field cannot hold is held by no record: its problems are not those of a cell.
        let problems = std::mem::take(&mut self.problems);
        let value = self.cell(found.field, at, Some(value), None, Mode::Update);
        let has_problems = std::mem::replace(&mut self.problems, problems).into_result().is_err();
        if has_problems {
            return Ok(None);
        }
        Ok(self.unique.holder(found.field, &value?))
    }

    /// All checks are done; the refusal lists every wrong cell of every record.
    pub fn finish(self) -> Result<Changes, WriteError> {
        self.problems.into_result()?;
        Ok(Changes {
            written: self.written,
            app: self.context.app.id,
            records: self.pending.into_values().collect(),
            taken_files: self.taken_files,
            last_row_id: self.last_row_id,
        })
    }

    fn write(&mut self, record: Record, is_new: bool) {
        self.written.push(Written { id: record.id, revision: record.revision, is_new });
        self.pending.insert(record.id, record);
    }

    /// All top-level cells of a record.
    fn values(
        &mut self,
        at: &str,
        cells: &Map<String, Json>,
        mode: Mode,
        previous: &Values,
    ) -> Result<Values, WriteError> {
        let app = self.context.app;
        let fields: Vec<&'a Field> = app.fields.iter().collect();
        self.cells(at, &fields, cells, mode, previous)
    }

    /// The cells of a record or of a row: what is given, what is kept or filled in, what lookups copy.
    pub(super) fn cells(
        &mut self,
        at: &str,
        fields: &[&'a Field],
        given: &Map<String, Json>,
        mode: Mode,
        previous: &Values,
    ) -> Result<Values, WriteError> {
        let copied: HashSet<&str> = lookup::targets(fields).collect();
        let mut values = previous.clone();
        for field in fields.iter().copied().filter(|field| is_writable(field)) {
            let code = field.code.as_str();
            let is_copied = copied.contains(code);
            let value = match given.get(code).filter(|_| !is_copied) {
                Some(cell) => {
                    let problems = self.problems.count();
                    let content = self.content(field, at, cell);
                    let value = self.cell(field, at, content, previous.get(code), mode)?;
                    // What is wrong was there: to call it missing too would confuse.
                    if self.problems.count() == problems {
                        self.check_required(field, at, &value);
                    }
                    value
                }
                None if mode == Mode::Update => continue,
                None if is_copied => field.field_type.empty(),
                None => {
                    let value = default::value(&self.context, field);
                    self.check_required(field, at, &value);
                    value
                }
            };
            values.insert(Arc::from(code), value);
        }
        for field in fields.iter().copied() {
            if let Some(lookup) = &field.lookup
                && (mode == Mode::Insert || given.contains_key(&field.code))
            {
                self.copy_lookup(field, lookup, fields, &mut values)?;
            }
        }
        Ok(values)
    }

    /// The member `value` of a cell; a cell without one is emptied.
    fn content<'j>(&mut self, field: &Field, at: &str, cell: &'j Json) -> Option<&'j Json> {
        if let Json::Object(members) = cell {
            return members.get("value").filter(|value| !value.is_null());
        }
        let path = format!("{at}.{}", field.code);
        self.problems.add(path, "The field must be an object with the member value.");
        None
    }

    /// The service never asks for a choice of a radio button (there always is one) nor for a calculated value.
    fn check_required(&mut self, field: &Field, at: &str, value: &Value) {
        if field.required && field.field_type != FieldType::RadioButton && value.is_empty() {
            let member = if matches!(value, Value::Null | Value::Text(_) | Value::Number(_)) {
                "value"
            } else {
                "values.value"
            };
            self.problems.add(format!("{at}.{}.{member}", field.code), "Required.");
        }
    }

    fn check_unique(&mut self, at: &str, id: u64, values: &Values, previous: Option<&Values>) {
        let app = self.context.app;
        for field in app.fields.iter().filter(|field| field.unique) {
            let new = values.get(field.code.as_str()).unwrap_or(&Value::Null);
            let old = previous.and_then(|values| values.get(field.code.as_str()));
            if old == Some(new) {
                continue;
            }
            if !self.unique.replace(field, id, old, new) {
                let path = format!("{at}.{}.value", field.code);
                self.problems.add(path, "This value already exists in another record.");
            }
        }
    }
}

impl Changes {
    /// Stores the writes. The tenant is the one that they were checked against.
    pub fn apply(self, tenant: &mut Tenant) {
        TakenFile::attach(self.taken_files, tenant);
        let Some(app) = tenant.apps.get_mut(&self.app) else { return };
        app.last_row_id = app.last_row_id.max(self.last_row_id);
        for record in self.records {
            app.records.put(record);
        }
    }
}

/// Whether a request may write cells of this field.
fn is_writable(field: &Field) -> bool {
    field.field_type.has_value() && !field.field_type.is_built_in() && field.field_type != FieldType::Calc
}
