use std::str::FromStr;

use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::timestamp::Timestamp;

/// One row of an answer, read from left to right in the order of the statement's columns.
pub(crate) struct Row {
    source: Source,
    next: usize,
}

enum Source {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! next_column {
    ($row:ident) => {{
        let column = $row.next;
        $row.next += 1;
        match &$row.source {
            Source::Sqlite(row) => row.try_get(column),
            Source::Postgres(row) => row.try_get(column),
        }
        .map_err(StoreError::from)
    }};
}

impl Row {
    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        next_column!(self)
    }

    pub(crate) fn optional_text(&mut self) -> Result<Option<String>, StoreError> {
        next_column!(self)
    }

    pub(crate) fn integer(&mut self) -> Result<i64, StoreError> {
        next_column!(self)
    }

    pub(crate) fn optional_integer(&mut self) -> Result<Option<i64>, StoreError> {
        next_column!(self)
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        next_column!(self)
    }

    pub(crate) fn optional_bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        next_column!(self)
    }

    pub(crate) fn counter(&mut self) -> Result<u64, StoreError> {
        let number = self.integer()?;
        u64::try_from(number).map_err(|_| StoreError::corrupt(&format!("a counter is {number}")))
    }

    pub(crate) fn small_counter(&mut self) -> Result<u32, StoreError> {
        let number = self.integer()?;
        u32::try_from(number).map_err(|_| StoreError::corrupt(&format!("a small counter is {number}")))
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, StoreError> {
        self.integer().map(Timestamp::from_milliseconds)
    }

    pub(crate) fn optional_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.optional_integer()?.map(Timestamp::from_milliseconds))
    }

    /// An id or the name of an enum's variant.
    pub(crate) fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self) -> Result<T, StoreError> {
        self.text()?.parse().map_err(|error| StoreError::corrupt(&error))
    }

    pub(crate) fn optional_parsed<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
    ) -> Result<Option<T>, StoreError> {
        self.optional_text()?
            .map(|text| text.parse().map_err(|error| StoreError::corrupt(&error)))
            .transpose()
    }

    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        serde_json::from_str(&self.text()?).map_err(|error| StoreError::corrupt(&error))
    }

    /// Bytes of a fixed length, such as a hash.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let bytes = self.bytes()?;
        let length = bytes.len();
        bytes.try_into().map_err(|_| StoreError::corrupt(&format!("{length} bytes stand where {N} belong")))
    }
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self { source: Source::Sqlite(row), next: 0 }
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self { source: Source::Postgres(row), next: 0 }
    }
}
