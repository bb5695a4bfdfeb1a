use std::sync::Arc;

use tombolo_vault::Random;

use crate::database::{
    Database, Durability, Location, Migration, SqliteLocation, check_schema, migrate, query,
};
use crate::error::StoreError;
use crate::timestamp::Timestamp;

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "foundation",
    text: include_str!("../migrations/main/0001_foundation.sql"),
}];
const ACTIVITY_MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "activity",
    text: include_str!("../migrations/activity/0001_activity.sql"),
}];

/// The open database of one installation. Clones share it.
#[derive(Clone)]
pub struct Store {
    pub(crate) database: Database,
    /// Beside the main database, so that the log of calls never holds a writer of the configuration up.
    pub(crate) activity: Database,
    pub(crate) random: Arc<dyn Random>,
}

impl Store {
    /// Opens the database and brings its schema up to date, waiting for other processes that do the same.
    /// `random` makes the ids of jobs and events.
    pub async fn open(
        location: &Location,
        random: Arc<dyn Random>,
        at: Timestamp,
    ) -> Result<Self, StoreError> {
        let (database, activity) = match location {
            Location::Sqlite(files) => open_files(files).await?,
            Location::Postgres(server) => {
                let database = server.open().await?;
                (database.clone(), database)
            }
        };
        let store = Self { database, activity, random };
        let read_only = matches!(location, Location::Sqlite(SqliteLocation { read_only: true, .. }));
        for (database, table, migrations) in [
            (&store.database, "schema_migrations", MIGRATIONS),
            (&store.activity, "activity_schema_migrations", ACTIVITY_MIGRATIONS),
        ] {
            if read_only {
                check_schema(database, table, migrations).await?;
            } else {
                migrate(database, table, migrations, at).await?;
            }
        }
        Ok(store)
    }

    /// Whether the database answers: for readiness checks.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.database.read(query("SELECT 1")).await.map(drop)
    }

    /// Waits for running statements and closes every connection. Later calls are [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.database.close().await;
        self.activity.close().await;
    }

    /// Whether [`Store::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.database.is_closed()
    }
}

async fn open_files(files: &SqliteLocation) -> Result<(Database, Database), StoreError> {
    let database = files.open(&files.file, Durability::Full).await?;
    let activity = files.open(&files.activity_file, Durability::Relaxed).await?;
    Ok((database, activity))
}
