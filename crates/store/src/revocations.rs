use serde_json::Value as Json;
use tombolo_vault::{HostSet, Sealed};

use crate::commit::Act;
use crate::connections::hosts;
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::id::{ConnectionId, EnvironmentId, OAuthClientId};
use crate::store::Store;
use crate::timestamp::Timestamp;

/// The kind of the job that gives tokens back.
pub const REVOCATION_JOB: &str = "revocation";

/// The credentials of a deleted connection, until its tokens are given back to the vendor.
#[derive(Debug, Clone, PartialEq)]
pub struct Revocation {
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// The connection that is gone.
    pub connection: ConnectionId,
    /// What it was called.
    pub name: String,
    /// Its provider.
    pub provider: String,
    /// Its auth scheme.
    pub auth_scheme: String,
    /// The client through which it was authorised.
    pub oauth_client: Option<OAuthClientId>,
    /// Its configuration.
    pub config: Json,
    /// The gates that it came through.
    pub gates: Json,
    /// Its settings.
    pub settings: Json,
    /// The hosts that `sealed` is bound to.
    pub hosts: HostSet,
    /// Its credentials, as they stood in the connection.
    pub sealed: Sealed,
    /// The record version that they are bound to.
    pub sealed_version: u64,
}

const COLUMNS: &str = "environment_id, connection, name, provider, auth_scheme, oauth_client_id, config, gates, settings, \
                       hosts, sealed, sealed_version";

impl Store {
    /// What is to be given back for a connection of the environment.
    pub async fn revocation(
        &self,
        environment: &EnvironmentId,
        connection: &ConnectionId,
    ) -> Result<Option<Revocation>, StoreError> {
        let select =
            query(format!("SELECT {COLUMNS} FROM revocations WHERE environment_id = $1 AND connection = $2"));
        self.database.read_one(select.bind(environment).bind(connection)).await?.map(read).transpose()
    }

    /// Forgets at most `limit` of them that are older than `before`, whatever became of their jobs, and says how many.
    /// (Works on all environments.)
    pub async fn prune_revocations(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let statement = query(
            "DELETE FROM revocations WHERE connection IN \
             (SELECT connection FROM revocations WHERE created_at < $1 LIMIT $2)",
        );
        self.database.execute(statement.bind(before).bind(limit)).await
    }
}

fn read(mut row: Row) -> Result<Revocation, StoreError> {
    Ok(Revocation {
        environment_id: row.parsed()?,
        connection: row.parsed()?,
        name: row.text()?,
        provider: row.text()?,
        auth_scheme: row.text()?,
        oauth_client: row.optional_parsed()?,
        config: row.json()?,
        gates: row.json()?,
        settings: row.json()?,
        hosts: hosts::from_json(&row.text()?)?,
        sealed: Sealed::from_bytes(row.bytes()?)?,
        sealed_version: row.counter()?,
    })
}

/// Keeps the credentials of a connection that is about to be deleted; [`StoreError::VersionConflict`] if it has others by
/// now.
pub(crate) async fn insert(act: &mut Act<'_>, new: &Revocation) -> Result<(), StoreError> {
    // Changes nothing, and keeps others from changing the row before the deletion.
    let statement = query(
        "UPDATE connections SET sealed_version = sealed_version \
         WHERE environment_id = $1 AND id = $2 AND sealed_version = $3 AND deleted_at IS NULL",
    );
    let statement = statement.bind(&new.environment_id).bind(&new.connection).bind(new.sealed_version);
    match act.transaction.execute(statement).await? {
        0 => Err(StoreError::version_conflict("connection", &new.connection)),
        _ => replace(act, new).await,
    }
}

/// Keeps the credentials of a deleted connection, in the place of older ones.
pub(crate) async fn replace(act: &mut Act<'_>, new: &Revocation) -> Result<(), StoreError> {
    let statement = query(format!(
        "INSERT INTO revocations ({COLUMNS}, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         ON CONFLICT (connection) DO UPDATE SET sealed = excluded.sealed, sealed_version = excluded.sealed_version, \
         hosts = excluded.hosts"
    ));
    let statement = statement
        .bind(&new.environment_id)
        .bind(&new.connection)
        .bind(new.name.as_str())
        .bind(new.provider.as_str())
        .bind(new.auth_scheme.as_str())
        .bind(new.oauth_client.as_ref())
        .bind(&new.config)
        .bind(&new.gates)
        .bind(&new.settings)
        .bind(hosts::to_json(&new.hosts))
        .bind(new.sealed.as_bytes())
        .bind(new.sealed_version)
        .bind(act.at);
    act.transaction.execute(statement).await.map(drop)
}

pub(crate) async fn delete(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    connection: &ConnectionId,
) -> Result<(), StoreError> {
    let statement = query("DELETE FROM revocations WHERE environment_id = $1 AND connection = $2");
    act.transaction.execute(statement.bind(environment).bind(connection)).await.map(drop)
}
