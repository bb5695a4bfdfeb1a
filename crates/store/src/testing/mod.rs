//! What tests of this crate and of those above it need: a throw-away PostgreSQL, and a way to write behind the store's
//! back. Behind the feature `testing`; never part of the product.

mod postgres;

use secrecy::ExposeSecret;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, PgConnection};

pub use postgres::{HeldLock, OwnPostgres, copied_postgres_database, new_postgres_database, set_reachable};

use crate::database::Location;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// Runs a statement as somebody with access to the database could, past every check of the store.
pub async fn tamper(location: &Location, statement: &str) {
    let script = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
    match location {
        Location::Sqlite(files) => {
            let options = SqliteConnectOptions::new().filename(&files.file);
            let mut connection = options.connect().await.expect("the file opens");
            script.execute(&mut connection).await.expect("the statement works");
            connection.close().await.expect("closing works");
        }
        Location::Postgres(server) => {
            let url = server.url.expose_secret();
            let mut connection = PgConnection::connect(url).await.expect("the server answers");
            script.execute(&mut connection).await.expect("the statement works");
            connection.close().await.expect("closing works");
        }
    }
}

/// Gives an empty database the schema that the program had when `version` was its last migration.
pub async fn make_older(location: &Location, version: usize) {
    let at = Timestamp::from_milliseconds(1_764_000_000_000);
    Store::make_older(location, version, at).await.expect("an older program can begin here");
}

/// Everything that a database holds, as somebody with access to it could read it: the bytes of SQLite's files, or every
/// row of PostgreSQL as text. For tests that look for secrets.
pub async fn dump(location: &Location) -> Vec<u8> {
    let server = match location {
        Location::Sqlite(files) => {
            let directory = files.file.parent().expect("the file is in a directory");
            let entries = std::fs::read_dir(directory).expect("the directory can be read");
            let paths = entries.map(|entry| entry.expect("an entry").path());
            return paths
                .filter(|path| path.to_string_lossy().contains(".db"))
                .flat_map(|path| std::fs::read(path).expect("the file can be read"))
                .collect();
        }
        Location::Postgres(server) => server,
    };
    let mut connection = PgConnection::connect(server.url.expose_secret()).await.expect("the server answers");
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'",
    )
    .fetch_all(&mut connection)
    .await
    .expect("the tables are listed");
    let mut bytes = Vec::new();
    for table in tables {
        let rows = format!("SELECT row::text FROM {table} row");
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(rows))
            .fetch_all(&mut connection)
            .await
            .expect("the rows are read");
        bytes.extend(rows.into_iter().flat_map(String::into_bytes));
    }
    connection.close().await.expect("closing works");
    bytes
}
