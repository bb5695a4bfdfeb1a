use crate::commit::Act;
use crate::database::query;
use crate::error::StoreError;
use crate::id::{AuthorizationId, ConnectionId, EnvironmentId};
use crate::store::Store;
use crate::timestamp::Timestamp;

/// A link of a message, under which an account can be linked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconnectLink {
    /// The environment of the connection.
    pub environment_id: EnvironmentId,
    /// The connection.
    pub connection: ConnectionId,
    /// What was last begun from it.
    pub authorization: Option<AuthorizationId>,
}

/// A link to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReconnectLink {
    /// The environment of the connection.
    pub environment_id: EnvironmentId,
    /// The connection.
    pub connection: ConnectionId,
    /// The hash of its secret.
    pub link_hash: Vec<u8>,
    /// When it is no longer good.
    pub expires_at: Timestamp,
}

impl Store {
    /// The link whose secret has this hash, unless it has ended by `at`. (Takes no environment: the secret says which one.)
    pub async fn reconnect_link(
        &self,
        link_hash: &[u8],
        at: Timestamp,
    ) -> Result<Option<ReconnectLink>, StoreError> {
        let select = query(
            "SELECT environment_id, connection, authorization_id FROM reconnect_links \
             WHERE link_hash = $1 AND expires_at > $2",
        );
        let row = self.database.read_one(select.bind(link_hash).bind(at)).await?;
        row.map(|mut row| {
            Ok(ReconnectLink {
                environment_id: row.parsed()?,
                connection: row.parsed()?,
                authorization: row.optional_parsed()?,
            })
        })
        .transpose()
    }

    /// Forgets at most `limit` links that ended before `before` and says how many. (Works on all environments.)
    pub async fn prune_reconnect_links(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let statement = query(
            "DELETE FROM reconnect_links WHERE link_hash IN \
             (SELECT link_hash FROM reconnect_links WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
        );
        self.database.execute(statement.bind(before).bind(limit)).await
    }
}

pub(super) async fn insert(act: &mut Act<'_>, new: &NewReconnectLink) -> Result<(), StoreError> {
    let statement = query(
        "INSERT INTO reconnect_links (link_hash, environment_id, connection, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5)",
    );
    let statement = statement
        .bind(new.link_hash.as_slice())
        .bind(&new.environment_id)
        .bind(&new.connection)
        .bind(act.at)
        .bind(new.expires_at);
    act.transaction.execute(statement).await.map(drop)
}

pub(super) async fn begin(
    act: &mut Act<'_>,
    link_hash: &[u8],
    expected: Option<&AuthorizationId>,
    authorization: &AuthorizationId,
) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE reconnect_links SET authorization_id = $1 \
         WHERE link_hash = $2 AND COALESCE(authorization_id, '') = $3",
    );
    let expected = expected.map(AuthorizationId::as_str).unwrap_or_default();
    match act.transaction.execute(statement.bind(authorization).bind(link_hash).bind(expected)).await? {
        1 => Ok(()),
        _ => Err(StoreError::version_conflict("reconnect link", authorization)),
    }
}
