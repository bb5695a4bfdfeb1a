use aws_lc_rs::digest::{SHA256, digest};

use super::{Database, Query, Row, Transaction, query};
use crate::error::StoreError;
use crate::timestamp::Timestamp;

/// One step of the schema. Applied steps never change: a new step is a new file.
pub(crate) struct Migration {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    /// Written for PostgreSQL in the subset that SQLite shares; see [`in_dialect`].
    pub(crate) text: &'static str,
}

impl Migration {
    fn checksum(&self) -> Vec<u8> {
        digest(&SHA256, self.text.as_bytes()).as_ref().to_vec()
    }
}

/// Any number works as long as every version of the program uses the same one.
const ADVISORY_LOCK: i64 = 0x746f_6d62_6f6c_6f00;

/// Brings the schema up to the last of `migrations` (which are numbered 1, 2, 3 …) in one transaction, or changes nothing.
/// `table` remembers what was applied. Processes that start at once wait for each other.
pub(crate) async fn migrate(
    database: &Database,
    table: &'static str,
    migrations: &[Migration],
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut transaction = database.begin().await?;
    lock(&mut transaction).await?;
    let remember = format!(
        "CREATE TABLE IF NOT EXISTS {table} (version BIGINT PRIMARY KEY, name TEXT NOT NULL, \
         checksum BYTEA NOT NULL, applied_at BIGINT NOT NULL)"
    );
    transaction.script(in_dialect(&transaction, &remember)).await?;
    let done = last_applied(transaction.rows(applied(table)).await?, migrations)?;

    for migration in migrations.iter().filter(|migration| migration.version > done) {
        transaction.script(in_dialect(&transaction, migration.text)).await?;
        let insert = query(format!(
            "INSERT INTO {table} (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)"
        ))
        .bind(migration.version)
        .bind(migration.name)
        .bind(migration.checksum())
        .bind(at);
        transaction.execute(insert).await?;
        tracing::info!(version = migration.version, name = migration.name, "migrated the database");
    }
    transaction.commit().await
}

/// Looks whether the schema is exactly that of `migrations`, without writing.
pub(crate) async fn check_schema(
    database: &Database,
    table: &'static str,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    let done = last_applied(database.read(applied(table)).await?, migrations)?;
    if migrations.last().is_some_and(|migration| migration.version > done) {
        return Err(StoreError::Invalid(
            "the database has an older schema and was opened for reading only; open it for writing once"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Whether the schema has a table of this name.
pub(crate) async fn has_table(database: &Database, table: &'static str) -> Result<bool, StoreError> {
    let found = match database {
        Database::Sqlite { .. } => "SELECT name FROM sqlite_master WHERE type = 'table' AND name = $1",
        Database::Postgres { .. } => "SELECT $1 WHERE to_regclass($1) IS NOT NULL",
    };
    Ok(!database.read(query(found).bind(table)).await?.is_empty())
}

fn applied(table: &str) -> Query {
    query(format!("SELECT version, checksum FROM {table} ORDER BY version"))
}

/// The version of the newest applied migration, 0 for none.
fn last_applied(rows: Vec<Row>, migrations: &[Migration]) -> Result<i64, StoreError> {
    let mut versions = Vec::with_capacity(rows.len());
    for mut row in rows {
        versions.push((row.integer()?, row.bytes()?));
    }
    let found = versions.last().map_or(0, |(version, _)| *version);
    let known = migrations.last().map_or(0, |migration| migration.version);
    if found > known {
        return Err(StoreError::NewerDatabase { found, known });
    }
    for (version, checksum) in versions {
        let same = migrations
            .iter()
            .any(|migration| migration.version == version && migration.checksum() == checksum);
        if !same {
            return Err(StoreError::ForeignMigration { version });
        }
    }
    Ok(found)
}

/// SQLite is locked by `BEGIN IMMEDIATE` already; PostgreSQL holds this lock until the transaction ends.
async fn lock(transaction: &mut Transaction) -> Result<(), StoreError> {
    if let Transaction::Postgres(_) = transaction {
        transaction.rows(query("SELECT pg_advisory_xact_lock($1)").bind(ADVISORY_LOCK)).await?;
    }
    Ok(())
}

/// SQLite lacks two words of the migrations. Its texts compare byte by byte without being told.
fn in_dialect(transaction: &Transaction, text: &str) -> String {
    match transaction {
        Transaction::Sqlite(_) => text.replace(" COLLATE \"C\"", "").replace("BYTEA", "BLOB"),
        Transaction::Postgres(_) => text.to_owned(),
    }
}
