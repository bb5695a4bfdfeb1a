use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::SqlitePool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use super::Database;
use crate::error::StoreError;

/// How long a writer waits for others before the answer is [`StoreError::Busy`].
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a caller waits for a free connection before the answer is [`StoreError::Busy`].
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
const SQLITE_READERS: u32 = 4;
/// Connections to PostgreSQL for what must not wait behind other work.
const VITAL_CONNECTIONS: u32 = 2;

/// Where the database is.
#[derive(Debug, Clone)]
pub enum Location {
    /// Two files beside each other.
    Sqlite(SqliteLocation),
    /// A server that several processes may share.
    Postgres(PostgresLocation),
}

impl Location {
    /// Reads the operator's setting: `sqlite:PATH` (the log of calls is then `PATH` with `-activity` before its extension),
    /// or a URL that begins with `postgres://` or `postgresql://`.
    pub fn parse(setting: &str) -> Result<Self, StoreError> {
        if let Some(path) = setting.strip_prefix("sqlite:") {
            let file = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
            let Some(stem) = file.file_stem().and_then(|stem| stem.to_str()) else {
                return Err(StoreError::Invalid(
                    "the database setting sqlite: names no file; write sqlite:PATH/tombolo.db".to_owned(),
                ));
            };
            let extension = file.extension().and_then(|extension| extension.to_str());
            let activity = match extension {
                Some(extension) => format!("{stem}-activity.{extension}"),
                None => format!("{stem}-activity"),
            };
            let activity_file = file.with_file_name(activity);
            return Ok(SqliteLocation::new(file, activity_file).into());
        }
        if ["postgres://", "postgresql://"].iter().any(|scheme| setting.starts_with(scheme)) {
            return Ok(Self::Postgres(PostgresLocation::new(setting.into())));
        }
        // The setting is not repeated: it may hold a password.
        Err(StoreError::Invalid(
            "the database setting is neither sqlite:PATH nor postgres://user:password@host:port/database"
                .to_owned(),
        ))
    }
}

/// The files of a SQLite database.
#[derive(Debug, Clone)]
pub struct SqliteLocation {
    /// The main database.
    pub file: PathBuf,
    /// The log of calls; losing it loses no configuration and no secret.
    pub activity_file: PathBuf,
    /// Opens existing files for reading only: no migration, every write is [`StoreError::ReadOnly`].
    pub read_only: bool,
    /// The most pages (of 4 KiB) that each file may have; more is [`StoreError::DiskFull`].
    pub max_pages: Option<u32>,
}

impl SqliteLocation {
    /// A writable database without a limit of its own.
    pub const fn new(file: PathBuf, activity_file: PathBuf) -> Self {
        Self { file, activity_file, read_only: false, max_pages: None }
    }
}

impl From<SqliteLocation> for Location {
    fn from(files: SqliteLocation) -> Self {
        Self::Sqlite(files)
    }
}

/// A PostgreSQL database.
#[derive(Debug, Clone)]
pub struct PostgresLocation {
    /// `postgres://user:password@host:port/database?…`, as libpq takes it.
    pub url: SecretString,
    /// The most connections that this process opens.
    pub max_connections: u32,
}

impl PostgresLocation {
    /// With ten connections at most.
    pub const fn new(url: SecretString) -> Self {
        Self { url, max_connections: 10 }
    }

    pub(crate) async fn open(&self) -> Result<Database, StoreError> {
        // The driver's message may repeat parts of the URL, and with it the password.
        let options = PgConnectOptions::from_str(self.url.expose_secret()).map_err(|_| {
            StoreError::Invalid(
                "the database URL is malformed; write postgres://user:password@host:port/database".to_owned(),
            )
        })?;
        let options = options.application_name("tombolo");
        let pool =
            |connections| PgPoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT);
        let vital = pool(VITAL_CONNECTIONS).connect_lazy_with(options.clone());
        let pool = pool(self.max_connections.saturating_sub(VITAL_CONNECTIONS).max(1));
        Ok(Database::Postgres { pool: pool.connect_with(options).await?, vital })
    }
}

/// How much a commit that was reported as done may lose.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Durability {
    /// Nothing, not even when the power fails: a rotated refresh token exists nowhere else.
    Full,
    /// The last moments, when the power fails; nothing when only the process dies.
    Relaxed,
}

impl SqliteLocation {
    pub(crate) async fn open(&self, file: &PathBuf, durability: Durability) -> Result<Database, StoreError> {
        let readers = SqliteConnectOptions::new()
            .filename(file)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .create_if_missing(false)
            .read_only(true);
        let mut writer = readers.clone();
        if !self.read_only {
            writer = writer
                .read_only(false)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(match durability {
                    Durability::Full => SqliteSynchronous::Full,
                    Durability::Relaxed => SqliteSynchronous::Normal,
                });
        }
        // SQLite writes this setting into the file whenever it is given, so it is given to a new file only: opening what
        // is there must change nothing.
        if !file.exists() {
            writer = writer.auto_vacuum(SqliteAutoVacuum::Incremental);
        }
        if let Some(pages) = self.max_pages {
            writer = writer.pragma("max_page_count", pages.to_string());
        }
        let pool = || {
            SqlitePoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT).idle_timeout(None).max_lifetime(None)
        };
        let writer = connect_patiently(pool().max_connections(1), writer).await?;
        let readers = pool().max_connections(SQLITE_READERS).connect_lazy_with(readers);
        Ok(Database::Sqlite { writer, readers })
    }
}

/// SQLite does not wait for its lock while it turns a new file's journal into a write-ahead log: when several processes
/// start at once, all but one must come back.
async fn connect_patiently(
    pool: SqlitePoolOptions,
    options: SqliteConnectOptions,
) -> Result<SqlitePool, StoreError> {
    const PAUSE: Duration = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    loop {
        match pool.clone().connect_with(options.clone()).await.map_err(StoreError::from) {
            Err(StoreError::Busy) if waited < BUSY_TIMEOUT => {
                tokio::time::sleep(PAUSE).await;
                waited += PAUSE;
            }
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_name_files_or_servers() {
        for (setting, file, activity_file) in [
            ("sqlite:/data/tombolo.db", "/data/tombolo.db", "/data/tombolo-activity.db"),
            ("sqlite:///data/main", "/data/main", "/data/main-activity"),
            ("sqlite:a.b.db", "a.b.db", "a.b-activity.db"),
        ] {
            let Ok(Location::Sqlite(files)) = Location::parse(setting) else { panic!("{setting} is SQLite") };
            assert_eq!((files.file, files.activity_file), (file.into(), activity_file.into()));
        }
        assert!(matches!(Location::parse("postgresql://localhost/db"), Ok(Location::Postgres(_))));
        for setting in ["", "sqlite:", "sqlite:/", "mysql://me:marker-password@host/db", "/data/tombolo.db"] {
            let error = Location::parse(setting).unwrap_err();
            assert!(
                matches!(&error, StoreError::Invalid(text) if !text.contains("marker")),
                "{setting:?}: {error}"
            );
        }
    }
}
