use std::sync::Arc;

use tombolo_vault::{KeyRing, Random};

use crate::database::{
    Database, Durability, Location, Migration, SqliteLocation, check_schema, has_table, migrate, query,
};
use crate::error::StoreError;
use crate::instance;
use crate::timestamp::Timestamp;

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "foundation",
        text: include_str!("../migrations/main/0001_foundation.sql"),
    },
    Migration {
        version: 2,
        name: "housekeeping",
        text: include_str!("../migrations/main/0002_housekeeping.sql"),
    },
    Migration { version: 3, name: "oauth", text: include_str!("../migrations/main/0003_oauth.sql") },
    Migration {
        version: 4,
        name: "connect sessions",
        text: include_str!("../migrations/main/0004_connect_sessions.sql"),
    },
    Migration { version: 5, name: "renewals", text: include_str!("../migrations/main/0005_renewals.sql") },
    Migration {
        version: 6,
        name: "certificates",
        text: include_str!("../migrations/main/0006_certificates.sql"),
    },
    Migration { version: 7, name: "webhooks", text: include_str!("../migrations/main/0007_webhooks.sql") },
    Migration { version: 8, name: "health", text: include_str!("../migrations/main/0008_health.sql") },
    Migration {
        version: 9,
        name: "session secrets",
        text: include_str!("../migrations/main/0009_session_secrets.sql"),
    },
    Migration { version: 10, name: "proofs", text: include_str!("../migrations/main/0010_proofs.sql") },
    Migration {
        version: 11,
        name: "restorations",
        text: include_str!("../migrations/main/0011_restorations.sql"),
    },
    Migration {
        version: 12,
        name: "revocations",
        text: include_str!("../migrations/main/0012_revocations.sql"),
    },
    Migration {
        version: 13,
        name: "notifications",
        text: include_str!("../migrations/main/0013_notifications.sql"),
    },
    Migration { version: 14, name: "users", text: include_str!("../migrations/main/0014_users.sql") },
    Migration {
        version: 15,
        name: "client owners",
        text: include_str!("../migrations/main/0015_client_owners.sql"),
    },
    Migration {
        version: 16,
        name: "identifications",
        text: include_str!("../migrations/main/0016_identifications.sql"),
    },
    Migration {
        version: 17,
        name: "waiting accounts",
        text: include_str!("../migrations/main/0017_waiting_accounts.sql"),
    },
];
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
    /// A database that was made with a master key that is not in `ring` is refused, and left as it is.
    /// `random` makes the ids of jobs and events.
    pub async fn open(
        location: &Location,
        ring: &KeyRing,
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
        match store.make_ready(ring, read_only, at).await {
            Ok(()) => Ok(store),
            Err(error) => {
                // Closed in good order, SQLite takes its side files away: a refused start leaves every file as it was.
                store.close().await;
                Err(error)
            }
        }
    }

    async fn make_ready(&self, ring: &KeyRing, read_only: bool, at: Timestamp) -> Result<(), StoreError> {
        // First, because a schema that was changed by a program without the right key cannot be changed back.
        if has_table(&self.database, instance::TABLE).await?
            && let Some(instance) = self.instance().await?
        {
            instance.key_check.verify(ring, instance.id.as_str())?;
        }
        for (database, table, migrations) in [
            (&self.database, "schema_migrations", MIGRATIONS),
            (&self.activity, "activity_schema_migrations", ACTIVITY_MIGRATIONS),
        ] {
            if read_only {
                check_schema(database, table, migrations).await?;
            } else {
                migrate(database, table, migrations, at).await?;
            }
        }
        Ok(())
    }

    /// Gives an empty database the schema that the program had when `version` was its last migration.
    #[cfg(feature = "testing")]
    pub(crate) async fn make_older(
        location: &Location,
        version: usize,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let database = match location {
            Location::Sqlite(files) => files.open(&files.file, Durability::Full).await?,
            Location::Postgres(server) => server.open().await?,
        };
        migrate(&database, "schema_migrations", &MIGRATIONS[..version], at).await?;
        database.close().await;
        Ok(())
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
