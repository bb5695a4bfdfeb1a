//! A database that is older than it was: a backup was put in its place, or it was copied.

use std::collections::BTreeMap;

use crate::commit::Act;
use crate::database::{Database, query};
use crate::error::StoreError;
use crate::id::{ConnectionId, EnvironmentId, InstanceId};
use crate::store::Store;
use crate::timestamp::Timestamp;

/// How far generations jump: more than what a restoration can take back.
const AHEAD: u64 = 1_000_000_000;

/// How far a database has come. Remembered beside it, it shows an older state of the same database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The installation.
    pub instance: InstanceId,
    /// Where the database said last that it lives.
    pub home: Option<String>,
    /// How often it was noticed that the database is older than it was.
    pub restorations: u64,
    /// The generation of every environment.
    pub generations: BTreeMap<EnvironmentId, u64>,
}

/// A connection whose refresh token is not used before somebody says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldConnection {
    /// Its environment.
    pub environment_id: EnvironmentId,
    /// Names it.
    pub id: ConnectionId,
    /// What people call it.
    pub name: String,
}

/// What was held back because the database is older than it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Connections whose refresh token the vendor may have replaced since.
    pub connections: Vec<HeldConnection>,
    /// Deliveries that may have been made since, and are not made by themselves.
    pub deliveries: u64,
}

impl Store {
    /// How far the database has come; `None` before its first start.
    pub async fn progress(&self) -> Result<Option<Progress>, StoreError> {
        let select = query("SELECT id, home, restorations FROM instance");
        let Some(mut row) = self.database.vital().read_one(select).await? else { return Ok(None) };
        let (instance, home, restorations) = (row.parsed()?, row.optional_text()?, row.counter()?);
        let generations = self.generations().await?.into_iter().collect();
        Ok(Some(Progress { instance, home, restorations, generations }))
    }

    /// What names the place where the database lives, as the database itself knows it: the cluster's identifier, which a
    /// copy by dump does not have, and its time line, which a recovery from an archive changes. `None` where it does not
    /// say, or has nothing to say it with.
    pub async fn database_place(&self) -> Option<String> {
        let Database::Postgres { .. } = &self.database else { return None };
        let select = query(
            "SELECT system_identifier::text || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) \
             FROM pg_control_system()",
        );
        // A service may keep this from its users; then there is one sign less.
        let row = self.database.read_one(select).await.ok().flatten();
        row.and_then(|mut row| row.text().ok())
    }

    /// Whether this process has the database to itself.
    pub fn is_own_file(&self) -> bool {
        matches!(self.database, Database::Sqlite { .. })
    }

    /// Writes down where the database lives.
    pub async fn settle(&self, home: &str) -> Result<(), StoreError> {
        self.database.execute(query("UPDATE instance SET home = $1").bind(home)).await.map(drop)
    }

    /// Holds back what an older state of the database must not repeat, unless somebody has done so for this restoration:
    /// refresh tokens that the vendor may have replaced, and deliveries that may have been made.
    pub async fn hold_restored(&self, restoration: u64, at: Timestamp) -> Result<Option<Held>, StoreError> {
        let mut act = Act::begin(self, at).await?;
        match hold(&mut act, restoration).await {
            Ok(Some(held)) => act.transaction.commit().await.map(|()| Some(held)),
            outcome => {
                act.transaction.undo().await;
                outcome
            }
        }
    }
}

async fn hold(act: &mut Act<'_>, restoration: u64) -> Result<Option<Held>, StoreError> {
    let statement = query("UPDATE instance SET restorations = $1 WHERE restorations < $1").bind(restoration);
    if act.transaction.execute(statement).await? == 0 {
        return Ok(None);
    }
    // Far ahead, so that no process takes a generation for one that it knew before.
    let statement = query("UPDATE environments SET generation = generation + $1").bind(AHEAD);
    act.transaction.execute(statement).await?;
    // Whoever agreed in a browser is the only way back to those; all others log in anew with what was typed. Also where no
    // end is known: a token that is refused is renewed there too.
    let statement = query(
        "UPDATE connections SET restored_at = $1, health_since = $1, health = 'unverified', next_test_at = NULL \
         WHERE oauth_client_id IS NOT NULL AND sealed IS NOT NULL AND deleted_at IS NULL \
         AND restored_at IS NULL AND COALESCE(keeps_refresh_token, 0) = 0 RETURNING environment_id, id, name",
    );
    let rows = act.transaction.rows(statement.bind(act.at)).await?;
    let connections: Result<_, StoreError> = rows
        .into_iter()
        .map(|mut row| {
            Ok(HeldConnection { environment_id: row.parsed()?, id: row.parsed()?, name: row.text()? })
        })
        .collect();
    let statement =
        query("UPDATE webhook_deliveries SET state = 'failed', finished_at = $1 WHERE finished_at IS NULL");
    let deliveries = act.transaction.execute(statement.bind(act.at)).await?;
    Ok(Some(Held { connections: connections?, deliveries }))
}

/// The refresh token of a connection may be used again.
pub(crate) async fn trust(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &ConnectionId,
) -> Result<(), StoreError> {
    let statement = query("UPDATE connections SET restored_at = NULL WHERE environment_id = $1 AND id = $2");
    act.transaction.execute(statement.bind(environment).bind(id)).await.map(drop)
}
