//! What tests of this crate and of those above it need: a throw-away PostgreSQL, and a way to write behind the store's
//! back. Behind the feature `testing`; never part of the product.

mod postgres;

use secrecy::ExposeSecret;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, PgConnection};

pub use postgres::new_postgres_database;

use crate::database::Location;

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
