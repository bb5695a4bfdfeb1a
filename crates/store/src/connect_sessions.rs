use serde_json::Value as Json;
use tombolo_vault::Sealed;

use crate::commit::Act;
use crate::database::{Row, query};
use crate::environments::count_sealed;
use crate::error::StoreError;
use crate::id::{ConnectSessionId, ConnectionId, EnvironmentId};
use crate::store::Store;
use crate::timestamp::Timestamp;

/// A browser's short right to link one account, or to link the account of one connection again.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectSession {
    /// Names it; not secret.
    pub id: ConnectSessionId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// What the embedder said about it: a JSON object without secrets.
    pub draft: Json,
    /// The connection that is linked again; `None` for a new one.
    pub connection: Option<ConnectionId>,
    /// Secrets that were handed over beforehand.
    pub sealed: Option<Sealed>,
    /// The record version that `sealed` is bound to.
    pub sealed_version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is no longer good.
    pub expires_at: Timestamp,
}

/// A session to be made.
#[derive(Debug, Clone)]
pub struct NewConnectSession {
    /// Its id.
    pub id: ConnectSessionId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// The hash of its token.
    pub token_hash: Vec<u8>,
    /// What the embedder said about it.
    pub draft: Json,
    /// The connection that is linked again.
    pub connection: Option<ConnectionId>,
    /// Secrets that were handed over with it, sealed for version 1.
    pub sealed: Option<Sealed>,
    /// When it is no longer good.
    pub expires_at: Timestamp,
}

/// Other secrets for a session.
#[derive(Debug, Clone)]
pub struct ConnectSessionSecrets {
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Which one.
    pub id: ConnectSessionId,
    /// The secrets, sealed for `expected_version` + 1.
    pub sealed: Sealed,
    /// The version that was read; another one is a conflict.
    pub expected_version: u64,
}

const COLUMNS: &str = "id, environment_id, draft, connection, sealed, sealed_version, created_at, expires_at";

impl Store {
    /// The session whose token has this hash, unless it has ended by `at`. (Takes no environment: the token says which
    /// one.)
    pub async fn connect_session_by_token(
        &self,
        token_hash: &[u8],
        at: Timestamp,
    ) -> Result<Option<ConnectSession>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM connect_sessions WHERE token_hash = $1 AND expires_at > $2 AND ended_at IS NULL"
        ));
        self.database.read_one(select.bind(token_hash).bind(at)).await?.map(read).transpose()
    }

    /// The session whose token has this hash, ended or not. (Takes no environment: the token says which one.)
    pub async fn connect_session_of_token(
        &self,
        token_hash: &[u8],
    ) -> Result<Option<ConnectSession>, StoreError> {
        let select = query(format!("SELECT {COLUMNS} FROM connect_sessions WHERE token_hash = $1"));
        self.database.read_one(select.bind(token_hash)).await?.map(read).transpose()
    }

    /// The environment's session with this id, ended or not.
    pub async fn connect_session(
        &self,
        environment: &EnvironmentId,
        id: &ConnectSessionId,
    ) -> Result<Option<ConnectSession>, StoreError> {
        let select =
            query(format!("SELECT {COLUMNS} FROM connect_sessions WHERE environment_id = $1 AND id = $2"));
        self.database.read_one(select.bind(environment).bind(id)).await?.map(read).transpose()
    }

    /// Forgets what sessions that ended before `before` had sealed, and says how many had something. (Works on all
    /// environments.)
    pub async fn empty_connect_sessions(&self, before: Timestamp) -> Result<u64, StoreError> {
        let statement =
            query("UPDATE connect_sessions SET sealed = NULL WHERE expires_at < $1 AND sealed IS NOT NULL");
        self.database.execute(statement.bind(before)).await
    }

    /// Forgets at most `limit` sessions that ended before `before`, and says how many. (Works on all environments.)
    pub async fn prune_connect_sessions(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let statement = query(
            "DELETE FROM connect_sessions WHERE id IN \
             (SELECT id FROM connect_sessions WHERE expires_at < $1 LIMIT $2)",
        );
        self.database.execute(statement.bind(before).bind(limit)).await
    }
}

fn read(mut row: Row) -> Result<ConnectSession, StoreError> {
    Ok(ConnectSession {
        id: row.parsed()?,
        environment_id: row.parsed()?,
        draft: row.json()?,
        connection: row.optional_parsed()?,
        sealed: row.optional_bytes()?.map(Sealed::from_bytes).transpose()?,
        sealed_version: row.counter()?,
        created_at: row.time()?,
        expires_at: row.time()?,
    })
}

pub(crate) async fn insert(act: &mut Act<'_>, new: &NewConnectSession) -> Result<(), StoreError> {
    if let Some(sealed) = &new.sealed {
        count_sealed(act, &new.environment_id, sealed).await?;
    }
    let statement = query(
        "INSERT INTO connect_sessions (id, environment_id, token_hash, draft, connection, created_at, expires_at, sealed, \
         sealed_version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    );
    let statement = statement
        .bind(&new.id)
        .bind(&new.environment_id)
        .bind(new.token_hash.as_slice())
        .bind(&new.draft)
        .bind(new.connection.as_ref())
        .bind(act.at)
        .bind(new.expires_at)
        .bind(new.sealed.as_ref().map(Sealed::as_bytes))
        .bind(u64::from(new.sealed.is_some()));
    act.transaction.execute(statement).await.map(drop)
}

/// Puts other secrets in the place of those that a session has, unless it has ended.
pub(crate) async fn seal(act: &mut Act<'_>, new: &ConnectSessionSecrets) -> Result<(), StoreError> {
    count_sealed(act, &new.environment_id, &new.sealed).await?;
    let statement = query(
        "UPDATE connect_sessions SET sealed = $1, sealed_version = $2 \
         WHERE environment_id = $3 AND id = $4 AND sealed_version = $5 AND ended_at IS NULL",
    );
    let statement = statement
        .bind(new.sealed.as_bytes())
        .bind(new.expected_version + 1)
        .bind(&new.environment_id)
        .bind(&new.id)
        .bind(new.expected_version);
    match act.transaction.execute(statement).await? {
        0 => Err(StoreError::version_conflict("connect session", &new.id)),
        _ => Ok(()),
    }
}

/// Ends a session, once: its token is good for nothing from now on. One whose time is over can still be ended by what it
/// began in time.
pub(crate) async fn end(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &ConnectSessionId,
) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE connect_sessions SET ended_at = $1, sealed = NULL WHERE environment_id = $2 AND id = $3 AND ended_at IS NULL",
    );
    match act.transaction.execute(statement.bind(act.at).bind(environment).bind(id)).await? {
        0 => Err(StoreError::not_found("connect session", id)),
        _ => Ok(()),
    }
}
