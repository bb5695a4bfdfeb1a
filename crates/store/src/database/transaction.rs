use sqlx::{Postgres, Sqlite};

use super::{Query, Row};
use crate::error::StoreError;

/// An open transaction; dropping it undoes it. It never leaves the crate and is never held across anything but the database.
pub(crate) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl Transaction {
    /// Runs a statement and says how many rows it changed.
    pub(crate) async fn execute(&mut self, query: Query) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(transaction) => {
                Ok(query.for_sqlite().execute(&mut **transaction).await?.rows_affected())
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
                let rows = query.for_sqlite().fetch_all(&mut **transaction).await?;
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
            Self::Sqlite(transaction) => script.execute(&mut **transaction).await.map(drop)?,
            Self::Postgres(transaction) => script.execute(&mut **transaction).await.map(drop)?,
        }
        Ok(())
    }

    /// Makes everything durable and visible.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await?,
            Self::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }
}
