use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Sqlite, SqlitePool};

use super::{POSTGRES_CLOCK, Query, Row, query};
use crate::error::StoreError;
use crate::timestamp::Timestamp;

/// An open transaction; dropping it undoes it. It never leaves the crate and is never held across anything but the database.
pub(crate) enum Transaction {
    Sqlite(SqliteTransaction),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl Transaction {
    /// Runs a statement and says how many rows it changed.
    pub(crate) async fn execute(&mut self, query: Query) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(transaction) => {
                Ok(query.for_sqlite().execute(&mut *transaction.connection).await?.rows_affected())
            }
            Self::Postgres(transaction) => {
                Ok(query.for_postgres().execute(&mut **transaction).await?.rows_affected())
            }
        }
    }

    /// The rows of an answer.
    pub(crate) async fn rows(&mut self, query: Query) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(transaction) => {
                let rows = query.for_sqlite().fetch_all(&mut *transaction.connection).await?;
                Ok(rows.into_iter().map(Row::from).collect())
            }
            Self::Postgres(transaction) => {
                let rows = query.for_postgres().fetch_all(&mut **transaction).await?;
                Ok(rows.into_iter().map(Row::from).collect())
            }
        }
    }

    /// The first row of an answer, if there is one.
    pub(crate) async fn row(&mut self, query: Query) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(query).await?.into_iter().next())
    }

    /// Runs a script of several statements without values.
    pub(crate) async fn script(&mut self, text: String) -> Result<(), StoreError> {
        let script = sqlx::raw_sql(sqlx::AssertSqlSafe(text));
        match self {
            Self::Sqlite(transaction) => script.execute(&mut *transaction.connection).await.map(drop)?,
            Self::Postgres(transaction) => script.execute(&mut **transaction).await.map(drop)?,
        }
        Ok(())
    }

    /// As [`Database::clock`](super::Database::clock).
    pub(crate) async fn clock(&mut self, at: Timestamp) -> Result<Timestamp, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(at),
            Self::Postgres(_) => self.row(query(POSTGRES_CLOCK)).await?.map_or(Ok(at), |mut row| row.time()),
        }
    }

    /// Makes everything durable and visible.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.end("COMMIT").await,
            Self::Postgres(transaction) => Ok(transaction.commit().await?),
        }
    }

    /// Undoes everything, as dropping does, but keeps the connection of SQLite for the next transaction.
    pub(crate) async fn undo(self) {
        let undone = match self {
            Self::Sqlite(transaction) => transaction.end("ROLLBACK").await,
            Self::Postgres(transaction) => transaction.rollback().await.map_err(StoreError::from),
        };
        if let Err(error) = undone {
            // The connection is closed then, which undoes the transaction as well.
            tracing::debug!(%error, "could not roll back");
        }
    }
}

/// A transaction on the writing connection. After some errors, such as a full disk, SQLite has ended the transaction by
/// itself and the driver does not know: so the statements are our own, and a connection whose transaction did not end as
/// it should is closed instead of being used again.
pub(crate) struct SqliteTransaction {
    connection: PoolConnection<Sqlite>,
    ended: bool,
}

impl SqliteTransaction {
    /// Takes the write lock at once: a transaction that reads first and writes later would fail without waiting.
    pub(super) async fn begin(writer: &SqlitePool) -> Result<Self, StoreError> {
        let mut transaction = Self { connection: writer.acquire().await?, ended: false };
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *transaction.connection).await?;
        Ok(transaction)
    }

    async fn end(mut self, statement: &'static str) -> Result<(), StoreError> {
        sqlx::raw_sql(statement).execute(&mut *self.connection).await?;
        self.ended = true;
        Ok(())
    }
}

impl Drop for SqliteTransaction {
    fn drop(&mut self) {
        if !self.ended {
            self.connection.close_on_drop();
        }
    }
}
