use std::time::Duration;

use serde_json::Value as Json;

use super::{Connection, read};
use crate::commit::Act;
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::id::{ConnectionId, EnvironmentId, OAuthClientId};
use crate::leases::{self, Lease};
use crate::store::Store;
use crate::timestamp::Timestamp;

/// A renewal of credentials that has begun and not succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct Renewal {
    /// The credentials that are to be replaced.
    pub sealed_version: u64,
    /// The process that began it last.
    pub node: String,
    /// When it did.
    pub began_at: Timestamp,
    /// How often it was begun, this time included.
    pub attempts: u32,
    /// The first attempt whose outcome nobody knows: since then the vendor may have replaced the refresh token.
    pub interrupted: Option<Interruption>,
    /// Since when it fails; `None` when it has not failed yet.
    pub failing_since: Option<Timestamp>,
    /// When it may be tried again; `None` while it is under way.
    pub retry_at: Option<Timestamp>,
    /// Why it failed last: a JSON object, or null.
    pub failure: Json,
}

/// An attempt that ended without a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interruption {
    /// When it began.
    pub at: Timestamp,
    /// The process that made it.
    pub node: String,
}

/// What becomes of the wish to renew.
#[derive(Debug, Clone, PartialEq)]
pub enum RenewalStart {
    /// The connection is gone.
    Gone,
    /// There are newer credentials than those that were seen.
    Renewed,
    /// Another process is at it.
    Held,
    /// The database was restored since the credentials were written: only somebody who says so may use them.
    Restored,
    /// The last attempt failed, and the next one is not due.
    Postponed(Renewal),
    /// It is ours.
    Begun(Box<BegunRenewal>),
}

/// The right to renew.
#[derive(Debug, Clone, PartialEq)]
pub struct BegunRenewal {
    /// Keeps others away; runs out unless it is renewed.
    pub lease: Lease,
    /// The connection as it was when the lease was taken.
    pub connection: Connection,
    /// What was written down about the attempt.
    pub renewal: Renewal,
}

/// A renewal that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedRenewal {
    /// The environment of the connection.
    pub environment_id: EnvironmentId,
    /// Which connection.
    pub id: ConnectionId,
    /// The credentials that were to be replaced.
    pub sealed_version: u64,
    /// Why: a JSON object.
    pub failure: Json,
    /// When to try again; `None` gives it up.
    pub retry_at: Option<Timestamp>,
    /// The attempt, if nobody knows whether the vendor has carried it out.
    pub unanswered: Option<Interruption>,
}

const COLUMNS: &str = "sealed_version, node, began_at, attempts, interrupted_at, interrupted_node, failing_since, \
                       retry_at, failure";

/// The lease that belongs to a connection's renewals.
fn lease_name(id: &ConnectionId) -> String {
    format!("renew:{id}")
}

impl Store {
    /// Takes the lease, reads the connection again and writes down that a renewal is under way, all in one transaction: if
    /// this process dies from now on, the next one knows.
    pub async fn begin_renewal(
        &self,
        environment: &EnvironmentId,
        id: &ConnectionId,
        seen_version: u64,
        node: &str,
        duration: Duration,
        at: Timestamp,
    ) -> Result<RenewalStart, StoreError> {
        let mut act = Act::begin(self, at).await?;
        match begin(&mut act, environment, id, seen_version, node, duration).await {
            Ok(RenewalStart::Begun(begun)) => {
                act.transaction.commit().await.map(|()| RenewalStart::Begun(begun))
            }
            outcome => {
                act.transaction.undo().await;
                outcome
            }
        }
    }

    /// What is known of the connection's renewal, if one has begun and not succeeded.
    pub async fn renewal(&self, id: &ConnectionId) -> Result<Option<Renewal>, StoreError> {
        let select = query(format!("SELECT {COLUMNS} FROM renewals WHERE connection = $1"));
        self.database.read_one(select.bind(id)).await?.map(read_renewal).transpose()
    }

    /// Live connections whose credentials are to be renewed by now and that no process is at, the most urgent first.
    /// (Looks into all environments.)
    pub async fn connections_to_renew(
        &self,
        at: Timestamp,
        limit: u32,
    ) -> Result<Vec<(EnvironmentId, ConnectionId, u64)>, StoreError> {
        let now = self.database.clock(at).await?;
        let select = query(
            "SELECT environment_id, id, sealed_version FROM connections c \
             WHERE renew_at IS NOT NULL AND renew_at <= $1 AND deleted_at IS NULL AND restored_at IS NULL AND NOT EXISTS \
             (SELECT 1 FROM leases l WHERE l.name = 'renew:' || c.id AND l.held_until > $2) ORDER BY renew_at LIMIT $3",
        );
        let rows = self.database.read(select.bind(at).bind(now).bind(limit)).await?;
        rows.into_iter().map(|mut row| Ok((row.parsed()?, row.parsed()?, row.counter()?))).collect()
    }
}

async fn begin(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &ConnectionId,
    seen_version: u64,
    node: &str,
    duration: Duration,
) -> Result<RenewalStart, StoreError> {
    let Some(lease) = leases::take(act, &lease_name(id), node, duration).await? else {
        return Ok(RenewalStart::Held);
    };
    let Some(connection) = read::in_act(act, environment, id).await? else { return Ok(RenewalStart::Gone) };
    if connection.sealed_version > seen_version {
        return Ok(RenewalStart::Renewed);
    }
    if connection.restored_at.is_some() {
        return Ok(RenewalStart::Restored);
    }
    let select = query(format!("SELECT {COLUMNS} FROM renewals WHERE connection = $1"));
    let known = act.transaction.row(select.bind(id)).await?.map(read_renewal).transpose()?;
    let known = known.filter(|known| known.sealed_version == connection.sealed_version);
    let renewal = match known {
        Some(known) if known.retry_at.is_some_and(|retry_at| retry_at > act.at) => {
            return Ok(RenewalStart::Postponed(known));
        }
        Some(known) => Renewal {
            // Whoever was under way and does not hold the lease any more has died.
            interrupted: known.interrupted.or_else(|| {
                known.retry_at.is_none().then_some(Interruption { at: known.began_at, node: known.node })
            }),
            node: node.to_owned(),
            began_at: act.at,
            attempts: known.attempts.saturating_add(1),
            retry_at: None,
            ..known
        },
        None => Renewal {
            sealed_version: connection.sealed_version,
            node: node.to_owned(),
            began_at: act.at,
            attempts: 1,
            interrupted: None,
            failing_since: None,
            retry_at: None,
            failure: Json::Null,
        },
    };
    write(act, id, &renewal).await?;
    Ok(RenewalStart::Begun(Box::new(BegunRenewal { lease, connection, renewal })))
}

async fn write(act: &mut Act<'_>, id: &ConnectionId, renewal: &Renewal) -> Result<(), StoreError> {
    let statement = query(format!(
        "INSERT INTO renewals (connection, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (connection) DO UPDATE SET sealed_version = excluded.sealed_version, node = excluded.node, \
         began_at = excluded.began_at, attempts = excluded.attempts, interrupted_at = excluded.interrupted_at, \
         interrupted_node = excluded.interrupted_node, failing_since = excluded.failing_since, \
         retry_at = excluded.retry_at, failure = excluded.failure"
    ));
    let interrupted = renewal.interrupted.as_ref();
    let statement = statement
        .bind(id)
        .bind(renewal.sealed_version)
        .bind(renewal.node.as_str())
        .bind(renewal.began_at)
        .bind(renewal.attempts)
        .bind(interrupted.map(|interruption| interruption.at))
        .bind(interrupted.map(|interruption| interruption.node.as_str()))
        .bind(renewal.failing_since)
        .bind(renewal.retry_at)
        .bind(&renewal.failure);
    act.transaction.execute(statement).await.map(drop)
}

/// Notes why a renewal failed and puts the next attempt off, or gives it up. Nothing happens when somebody else has
/// written other credentials.
pub(crate) async fn fail(act: &mut Act<'_>, failed: &FailedRenewal) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE connections SET renew_at = $1 \
         WHERE environment_id = $2 AND id = $3 AND sealed_version = $4 AND deleted_at IS NULL",
    );
    let statement = statement
        .bind(failed.retry_at)
        .bind(&failed.environment_id)
        .bind(&failed.id)
        .bind(failed.sealed_version);
    if act.transaction.execute(statement).await? == 0 {
        return Ok(());
    }
    let Some(retry_at) = failed.retry_at else { return forget(act, &failed.id).await };
    let statement = query(
        "UPDATE renewals SET failing_since = COALESCE(failing_since, $1), retry_at = $2, failure = $3, \
         interrupted_at = COALESCE(interrupted_at, $4), interrupted_node = COALESCE(interrupted_node, $5) \
         WHERE connection = $6 AND sealed_version = $7",
    );
    let unanswered = failed.unanswered.as_ref();
    let statement = statement
        .bind(act.at)
        .bind(retry_at)
        .bind(&failed.failure)
        .bind(unanswered.map(|attempt| attempt.at))
        .bind(unanswered.map(|attempt| attempt.node.as_str()))
        .bind(&failed.id)
        .bind(failed.sealed_version);
    act.transaction.execute(statement).await.map(drop)
}

/// What failed with the old secret of an OAuth client may be tried at once with the new one.
pub(crate) async fn retry_of_client(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    client: &OAuthClientId,
) -> Result<(), StoreError> {
    for statement in [
        "UPDATE renewals SET retry_at = $1 WHERE retry_at > $1 AND connection IN \
         (SELECT id FROM connections WHERE environment_id = $2 AND oauth_client_id = $3 AND deleted_at IS NULL)",
        "UPDATE connections SET renew_at = $1 WHERE environment_id = $2 AND oauth_client_id = $3 \
         AND deleted_at IS NULL AND renew_at > $1 AND id IN (SELECT connection FROM renewals)",
    ] {
        act.transaction.execute(query(statement).bind(act.at).bind(environment).bind(client)).await?;
    }
    Ok(())
}

/// There are other credentials now, or none: what was known of the renewal of the old ones is of no use.
pub(super) async fn forget(act: &mut Act<'_>, id: &ConnectionId) -> Result<(), StoreError> {
    act.transaction.execute(query("DELETE FROM renewals WHERE connection = $1").bind(id)).await.map(drop)
}

fn read_renewal(mut row: Row) -> Result<Renewal, StoreError> {
    Ok(Renewal {
        sealed_version: row.counter()?,
        node: row.text()?,
        began_at: row.time()?,
        attempts: row.small_counter()?,
        interrupted: match (row.optional_time()?, row.optional_text()?) {
            (Some(at), Some(node)) => Some(Interruption { at, node }),
            _ => None,
        },
        failing_since: row.optional_time()?,
        retry_at: row.optional_time()?,
        failure: row.json()?,
    })
}
