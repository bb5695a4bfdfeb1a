use std::fmt;

use thiserror::Error;
use tombolo_vault::{KeyCheckError, OpenError, RandomnessUnavailable, SealError, UnwrapError};

/// Why the store did not do what was asked. After any error of a commit, nothing of that commit is stored.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another live connection of the environment has this name.
    #[error("another connection of this environment is named {name:?}; choose another name")]
    NameTaken {
        /// The name as typed.
        name: String,
    },
    /// Another live object has this key.
    #[error("another {object} has the key {key:?}; choose another one")]
    UniqueKeyTaken {
        /// What kind of object it is.
        object: &'static str,
        /// The key that is taken.
        key: String,
    },
    /// The key of a caller that is to be taken over is stored already.
    #[error("this API key is accepted already, or was and is revoked; use it, or make another one")]
    ApiKeyKnown,
    /// Somebody else changed the object since it was read.
    #[error("the {object} {id} was changed by somebody else meanwhile; read it again and repeat the change")]
    VersionConflict {
        /// What kind of object it is.
        object: &'static str,
        /// Its id.
        id: String,
    },
    /// No such object in this environment.
    #[error(
        "there is no {object} {id:?} in this environment; check the id and the environment of your API key"
    )]
    NotFound {
        /// What kind of object it is.
        object: &'static str,
        /// What was looked for.
        id: String,
    },
    /// The integration still has connections.
    #[error("the integration {id} still has connections; delete them first")]
    IntegrationInUse {
        /// Its id.
        id: String,
    },
    /// Connections still need the OAuth client.
    #[error("the OAuth client {id} still has connections; delete or reconnect them first")]
    OAuthClientInUse {
        /// Its id.
        id: String,
    },
    /// There is an administrator already, or was.
    #[error("this installation is set up already; sign in, or have an administrator invite you")]
    SetUpAlready,
    /// Nobody who can administer would be left.
    #[error("nobody who can administer would be left; make somebody else an administrator first")]
    LastAdministrator,
    /// The lease or job belongs to somebody else by now.
    #[error(
        "the lease on {name} was lost: it ran out and another process may hold it; stop this piece of work"
    )]
    LeaseLost {
        /// The lease or job.
        name: String,
    },
    /// A value that can never be stored.
    #[error("{0}")]
    Invalid(String),

    /// The database was opened for reading, or its file or server allows nothing else.
    #[error(
        "the database is read-only; give the server write access to the database file and its directory, or connect to the primary"
    )]
    ReadOnly,
    /// No room for more data.
    #[error("the disk of the database is full, nothing was stored; free some space, then repeat")]
    DiskFull,
    /// Others held the database for too long.
    #[error("the database is busy, nothing was stored; repeat in a moment")]
    Busy,
    /// The database cannot be reached.
    #[error("the database cannot be reached: {reason}; check that it runs, its address and its password")]
    Unavailable {
        /// What the driver says.
        reason: String,
    },
    /// What is stored is not what the store writes.
    #[error("the database is damaged: {what}; stop the server and restore a backup")]
    Corrupt {
        /// What was found.
        what: String,
    },
    /// A newer program has been here.
    #[error(
        "the database has schema version {found}, this program knows versions up to {known}; use the newer program again, nothing was changed"
    )]
    NewerDatabase {
        /// The version in the database.
        found: i64,
        /// The newest version of this program.
        known: i64,
    },
    /// An applied migration is not the one of this program.
    #[error(
        "migration {version} of the database is not the one of this program; it was made by another build, use that one"
    )]
    ForeignMigration {
        /// The version in question.
        version: i64,
    },
    /// The database holds an installation but no key was given that fits it.
    #[error(transparent)]
    KeyCheck(#[from] KeyCheckError),
    /// A data key did not open.
    #[error(transparent)]
    DataKey(#[from] UnwrapError),
    /// A stored secret has a malformed envelope.
    #[error(transparent)]
    Sealed(#[from] OpenError),
    /// Sealing a new data key failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No randomness for a new id or key.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// The database refused a statement of the store: a mistake in this program.
    #[error("the database refused a statement: {0}; please report this")]
    Statement(#[source] sqlx::Error),
}

impl StoreError {
    pub(crate) fn not_found(object: &'static str, id: &dyn fmt::Display) -> Self {
        Self::NotFound { object, id: id.to_string() }
    }

    pub(crate) fn version_conflict(object: &'static str, id: &dyn fmt::Display) -> Self {
        Self::VersionConflict { object, id: id.to_string() }
    }

    pub(crate) fn corrupt(what: &dyn fmt::Display) -> Self {
        Self::Corrupt { what: what.to_string() }
    }

    /// Whether the same call may succeed without anybody changing anything.
    pub const fn may_retry(&self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable { .. })
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                let postgres = database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some();
                let known = if postgres {
                    from_postgres_code(&code, database.message())
                } else {
                    from_sqlite_code(&code, database.message())
                };
                known.unwrap_or(Self::Statement(error))
            }
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable { reason: error.to_string() },
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::corrupt(&error),
            _ => Self::Statement(error),
        }
    }
}

/// Result codes of SQLite (<https://www.sqlite.org/rescode.html>); the low byte is the primary code.
fn from_sqlite_code(code: &str, message: &str) -> Option<StoreError> {
    match code.parse::<u32>().ok()? & 0xff {
        5 | 6 => Some(StoreError::Busy),
        8 => Some(StoreError::ReadOnly),
        13 => Some(StoreError::DiskFull),
        18 => Some(cannot_be_stored(message)),
        11 | 26 => Some(StoreError::corrupt(&message)),
        3 | 10 | 14 | 23 => Some(StoreError::Unavailable { reason: message.to_owned() }),
        _ => None,
    }
}

/// SQLSTATE codes of PostgreSQL (its manual, appendix A).
fn from_postgres_code(code: &str, message: &str) -> Option<StoreError> {
    match code {
        "25006" => Some(StoreError::ReadOnly),
        "53100" => Some(StoreError::DiskFull),
        "40001" | "40P01" | "55P03" | "53300" => Some(StoreError::Busy),
        "XX001" | "XX002" => Some(StoreError::corrupt(&message)),
        "54000" => Some(cannot_be_stored(message)),
        _ if code.starts_with("22") => Some(cannot_be_stored(message)),
        "3D000" => Some(StoreError::Unavailable { reason: message.to_owned() }),
        _ if ["08", "28", "57"].iter().any(|class| code.starts_with(class)) => {
            Some(StoreError::Unavailable { reason: message.to_owned() })
        }
        _ => None,
    }
}

/// A value that passed every check of the store and is still too much for the database, or not a text for it.
fn cannot_be_stored(message: &str) -> StoreError {
    StoreError::Invalid(format!(
        "the database does not take one of the values ({message}); shorten it, or take characters out that cannot be seen"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_what_the_operator_can_act_on() {
        let name = |error: Option<StoreError>| {
            error.map_or_else(|| "Statement".to_owned(), |error| format!("{error:?}"))
        };

        for (code, expected) in
            [("5", "Busy"), ("517", "Busy"), ("8", "ReadOnly"), ("1032", "ReadOnly"), ("13", "DiskFull")]
        {
            assert_eq!(name(from_sqlite_code(code, "")), expected, "SQLite code {code}");
        }
        assert_eq!(name(from_sqlite_code("1", "no such table")), "Statement");
        for (code, expected) in
            [("40P01", "Busy"), ("25006", "ReadOnly"), ("53100", "DiskFull"), ("42P01", "Statement")]
        {
            assert_eq!(name(from_postgres_code(code, "")), expected, "SQLSTATE {code}");
        }
        for refused in
            [from_sqlite_code("18", ""), from_postgres_code("22021", ""), from_postgres_code("54000", "")]
        {
            assert!(matches!(refused, Some(StoreError::Invalid(_))), "{refused:?}");
        }
        assert!(matches!(
            from_postgres_code("28P01", "wrong password"),
            Some(StoreError::Unavailable { .. })
        ));
    }
}
