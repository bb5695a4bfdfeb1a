use serde_json::Value as Json;

use crate::commit::Act;
use crate::database::{Row, query};
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
    /// When it is no longer good.
    pub expires_at: Timestamp,
}

const COLUMNS: &str = "id, environment_id, draft, connection, created_at, expires_at";

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
        created_at: row.time()?,
        expires_at: row.time()?,
    })
}

pub(crate) async fn insert(act: &mut Act<'_>, new: &NewConnectSession) -> Result<(), StoreError> {
    let statement = query(
        "INSERT INTO connect_sessions (id, environment_id, token_hash, draft, connection, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    );
    let statement = statement
        .bind(&new.id)
        .bind(&new.environment_id)
        .bind(new.token_hash.as_slice())
        .bind(&new.draft)
        .bind(new.connection.as_ref())
        .bind(act.at)
        .bind(new.expires_at);
    act.transaction.execute(statement).await.map(drop)
}

/// Ends a session, once: its token is good for nothing from now on. One whose time is over can still be ended by what it
/// began in time.
pub(crate) async fn end(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &ConnectSessionId,
) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE connect_sessions SET ended_at = $1 WHERE environment_id = $2 AND id = $3 AND ended_at IS NULL",
    );
    match act.transaction.execute(statement.bind(act.at).bind(environment).bind(id)).await? {
        0 => Err(StoreError::not_found("connect session", id)),
        _ => Ok(()),
    }
}
