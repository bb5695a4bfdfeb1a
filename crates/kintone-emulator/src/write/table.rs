//! Subtables: rows that are matched by id, added and removed.

use serde_json::{Map, Value as Json};

use super::batch::{Batch, Mode};
use super::error::WriteError;
use crate::model::{Field, Row, Value, Values};

impl<'a> Batch<'a> {
    /// `[{id, value: {code: {value}}}, …]`. A row with the id of a row that is there changes it, any other row is
    /// new, and rows that are not listed are gone. Omitting the table keeps it: then this is not called.
    pub(super) fn rows(
        &mut self,
        table: &'a Field,
        at: &str,
        given: Option<&Json>,
        previous: Option<&Value>,
        mode: Mode,
    ) -> Result<Value, WriteError> {
        let path = format!("{at}.{}.value", table.code);
        let given = match given {
            None => &[][..],
            Some(Json::Array(rows)) => rows,
            Some(_) => {
                self.problems.add(path.clone(), "The value must be an array of rows.");
                &[]
            }
        };
        let held: &[Row] = if let Some(Value::Rows(rows)) = previous { rows } else { &[] };
        let columns: Vec<&'a Field> = table.fields.iter().collect();
        let mut rows: Vec<Row> = Vec::with_capacity(given.len());
        for (index, row) in given.iter().enumerate() {
            let no_cells = Map::new();
            let cells = row["value"].as_object().unwrap_or(&no_cells);
            let at = format!("{path}[{index}].value");
            let kept = row_id(row)
                .filter(|id| rows.iter().all(|row| row.id != *id))
                .and_then(|id| held.iter().find(|row| row.id == id));
            rows.push(if let Some(held) = kept {
                let values = self.cells(&at, &columns, cells, Mode::Update, &held.values)?;
                Row { id: held.id, values }
            } else {
                let values = self.new_row(&at, &columns, cells, mode)?;
                self.last_row_id += 1;
                Row { id: self.last_row_id, values }
            });
        }
        Ok(Value::Rows(rows))
    }

    /// Defaults belong to new records; a row that an update adds has empty cells where it gives none.
    fn new_row(
        &mut self,
        at: &str,
        columns: &[&'a Field],
        cells: &Map<String, Json>,
        mode: Mode,
    ) -> Result<Values, WriteError> {
        if mode == Mode::Insert {
            return self.cells(at, columns, cells, Mode::Insert, &Values::new());
        }
        let mut complete = cells.clone();
        for column in columns {
            complete.entry(column.code.clone()).or_insert_with(|| serde_json::json!({"value": null}));
        }
        self.cells(at, columns, &complete, Mode::Insert, &Values::new())
    }
}

fn row_id(row: &Json) -> Option<u64> {
    row["id"].as_u64().or_else(|| row["id"].as_str()?.parse().ok())
}
