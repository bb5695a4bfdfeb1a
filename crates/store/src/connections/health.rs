use std::time::Duration;

use super::ConnectionHealth;
use super::write::require_changed;
use crate::commit::Act;
use crate::database::query;
use crate::error::StoreError;
use crate::id::{ConnectionId, EnvironmentId};
use crate::store::Store;
use crate::timestamp::Timestamp;

/// Those that the server may test by itself whenever it wants. Begins as the index that finds them is spelled.
const TESTABLE: &str = "sealed IS NOT NULL AND deleted_at IS NULL AND health IN ('unverified', 'active', 'expiring') AND restored_at IS NULL";

impl Store {
    /// Live connections that are to be tested: those that fail and whose pause is over, those whose credentials have ended
    /// since their last test, and those that were tested before `oldest`. Never one that needs a person. (Looks into all
    /// environments.)
    pub async fn connections_to_test(
        &self,
        oldest: Option<Timestamp>,
        at: Timestamp,
        limit: u32,
    ) -> Result<Vec<(EnvironmentId, ConnectionId)>, StoreError> {
        let select = query(format!(
            "SELECT * FROM (SELECT environment_id, id FROM connections WHERE next_test_at IS NOT NULL AND next_test_at <= $1 \
             AND deleted_at IS NULL AND sealed IS NOT NULL AND health = 'failing' ORDER BY next_test_at LIMIT $3) failing \
             UNION SELECT * FROM (SELECT environment_id, id FROM connections WHERE ends_at IS NOT NULL AND ends_at <= $1 \
             AND COALESCE(last_tested_at, 0) < ends_at AND {TESTABLE} LIMIT $3) ended \
             UNION SELECT * FROM (SELECT environment_id, id FROM connections WHERE COALESCE(last_tested_at, 0) <= $2 \
             AND {TESTABLE} ORDER BY COALESCE(last_tested_at, 0) LIMIT $3) old LIMIT $3"
        ));
        // Nothing was tested before the beginning of time.
        let oldest = oldest.map_or(-1, Timestamp::as_milliseconds);
        let rows = self.database.read(select.bind(at).bind(oldest).bind(limit)).await?;
        rows.into_iter().map(|mut row| Ok((row.parsed()?, row.parsed()?))).collect()
    }

    /// Live connections whose credentials end within so many days and of which nobody was warned as late as that. Credentials
    /// that live less than twice as long are left out: their end is no news. (Looks into all environments.)
    pub async fn connections_that_end(
        &self,
        days: u32,
        at: Timestamp,
        limit: u32,
    ) -> Result<Vec<(EnvironmentId, ConnectionId)>, StoreError> {
        let ahead = Duration::from_hours(24) * days;
        let select = query(
            "SELECT environment_id, id FROM connections WHERE ends_at IS NOT NULL AND ends_at > $1 AND ends_at <= $2 \
             AND deleted_at IS NULL AND health <> 'needs_reconnecting' AND COALESCE(warned_days, 1000000) > $3 \
             AND ends_at - sealed_at >= $4 ORDER BY ends_at LIMIT $5",
        );
        let life = i64::try_from((ahead * 2).as_millis()).unwrap_or(i64::MAX);
        let select = select.bind(at).bind(at.plus(ahead)).bind(days).bind(life).bind(limit);
        let rows = self.database.read(select).await?;
        rows.into_iter().map(|mut row| Ok((row.parsed()?, row.parsed()?))).collect()
    }
}

pub(crate) async fn record(act: &mut Act<'_>, news: &ConnectionHealth) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE connections SET health_since = CASE WHEN health = $1 THEN health_since ELSE $7 END, health = $1, \
         health_detail = $2, last_tested_at = COALESCE($3, last_tested_at), next_test_at = $8 \
         WHERE environment_id = $4 AND id = $5 AND sealed_version = $6 AND deleted_at IS NULL",
    );
    let statement = statement
        .bind(news.health.as_str())
        .bind(&news.detail)
        .bind(news.tested_at)
        .bind(&news.environment_id)
        .bind(&news.id)
        .bind(news.sealed_version)
        .bind(act.at)
        .bind(news.next_test_at);
    let changed = act.transaction.execute(statement).await?;
    require_changed(act, changed, &news.environment_id, &news.id).await
}

/// Notes that people were warned so many days before the end.
pub(crate) async fn warn_of_end(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &ConnectionId,
    days: u32,
) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE connections SET warned_days = $1 WHERE environment_id = $2 AND id = $3 AND deleted_at IS NULL",
    );
    act.transaction.execute(statement.bind(days).bind(environment).bind(id)).await.map(drop)
}
