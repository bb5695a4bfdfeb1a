//! The only place that knows that there are two kinds of database. Everything else writes one SQL text.

mod location;
mod migrate;
mod query;
mod row;
mod transaction;

use sqlx::{PgPool, SqlitePool};

pub(crate) use location::Durability;
pub use location::{Location, PostgresLocation, SqliteLocation};
pub(crate) use migrate::{Migration, check_schema, has_table, migrate};
pub(crate) use query::{Query, Value, query};
pub(crate) use row::Row;
use transaction::SqliteTransaction;
pub(crate) use transaction::Transaction;

use crate::error::StoreError;
use crate::timestamp::Timestamp;

/// PostgreSQL's own time in milliseconds.
pub(crate) const POSTGRES_CLOCK: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

/// An open database.
#[derive(Clone)]
pub(crate) enum Database {
    /// One connection writes, so that writers queue inside the process instead of failing; readers see the last commit.
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres {
        pool: PgPool,
        /// For what must not wait behind anything else: calls are refused without it, and leases run out.
        vital: PgPool,
    },
}

impl Database {
    /// The same for what must not wait until the work that is under way has a connection to spare.
    pub(crate) fn vital(&self) -> Self {
        match self {
            Self::Sqlite { .. } => self.clone(),
            Self::Postgres { vital, .. } => Self::Postgres { pool: vital.clone(), vital: vital.clone() },
        }
    }

    /// Begins a transaction that may write.
    pub(crate) async fn begin(&self) -> Result<Transaction, StoreError> {
        match self {
            Self::Sqlite { writer, .. } => Ok(Transaction::Sqlite(SqliteTransaction::begin(writer).await?)),
            Self::Postgres { pool, .. } => Ok(Transaction::Postgres(pool.begin().await?)),
        }
    }

    /// The rows of a statement that only reads.
    pub(crate) async fn read(&self, query: Query) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite { readers, .. } => {
                Ok(query.for_sqlite().fetch_all(readers).await?.into_iter().map(Row::from).collect())
            }
            Self::Postgres { pool, .. } => {
                Ok(query.for_postgres().fetch_all(pool).await?.into_iter().map(Row::from).collect())
            }
        }
    }

    /// The first row of a statement that only reads.
    pub(crate) async fn read_one(&self, query: Query) -> Result<Option<Row>, StoreError> {
        Ok(self.read(query).await?.into_iter().next())
    }

    /// The rows that one writing statement returns, in a transaction of its own.
    pub(crate) async fn write(&self, query: Query) -> Result<Vec<Row>, StoreError> {
        let mut transaction = self.begin().await?;
        let rows = transaction.rows(query).await?;
        transaction.commit().await?;
        Ok(rows)
    }

    /// How many rows one writing statement changed, in a transaction of its own.
    pub(crate) async fn execute(&self, query: Query) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let changed = transaction.execute(query).await?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// The time that decides between processes: PostgreSQL's own, since their clocks may differ; on SQLite, which one
    /// process has to itself, the caller's.
    pub(crate) async fn clock(&self, at: Timestamp) -> Result<Timestamp, StoreError> {
        match self {
            Self::Sqlite { .. } => Ok(at),
            Self::Postgres { .. } => {
                self.read_one(query(POSTGRES_CLOCK)).await?.map_or(Ok(at), |mut row| row.time())
            }
        }
    }

    /// What to add to a `SELECT` that picks rows to claim, so that two claimers never wait for, or get, the same row.
    /// On SQLite the write lock of the transaction does that.
    pub(crate) const fn skip_locked(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "",
            Self::Postgres { .. } => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Gives the room of deleted rows back to the file system. PostgreSQL does that by itself.
    pub(crate) async fn give_room_back(&self) -> Result<(), StoreError> {
        if let Self::Sqlite { writer, .. } = self {
            sqlx::raw_sql("PRAGMA incremental_vacuum").execute(writer).await?;
        }
        Ok(())
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { pool, vital } => {
                vital.close().await;
                pool.close().await;
            }
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Sqlite { readers, .. } => readers.is_closed(),
            Self::Postgres { pool, .. } => pool.is_closed(),
        }
    }
}
