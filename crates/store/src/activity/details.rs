use serde_json::Value as Json;

use super::blocks::ActivityCursor;
use crate::commit::Act;
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::id::EnvironmentId;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// A failed or slow call, with more than its block says.
#[derive(Debug, Clone, PartialEq)]
pub struct CallDetail {
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Names the call in logs and answers.
    pub request_id: String,
    /// When it arrived.
    pub at: Timestamp,
    /// Id of the connection; empty if none was found.
    pub connection: String,
    /// Unique key of the integration; empty if none was found.
    pub integration: String,
    /// HTTP method.
    pub method: String,
    /// Path with the keys of its query, but without their values.
    pub path: String,
    /// HTTP status that the caller got; 0 if the caller went away before.
    pub status: u16,
    /// What kind of failure it was; `None` for a call that was only slow.
    pub error_kind: Option<String>,
    /// From arrival to the last byte, in microseconds.
    pub total_us: u64,
    /// Attempts, phases, the upstream's code and request id …: a JSON object. Never a secret.
    pub detail: Json,
}

/// Which details a list shows; everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallDetailFilter {
    /// Through the connection with this id.
    pub connection: Option<String>,
    /// Not older than this.
    pub from: Option<Timestamp>,
}

const COLUMNS: &str = "environment_id, request_id, at, connection, integration, method, path, status, error_kind, \
                       total_us, detail";

impl Store {
    /// The environment's failed and slow calls, newest first, beginning after `after`.
    pub async fn call_details(
        &self,
        environment: &EnvironmentId,
        filter: &CallDetailFilter,
        after: Option<&ActivityCursor>,
        limit: u32,
    ) -> Result<Vec<CallDetail>, StoreError> {
        let mut select = query(format!("SELECT {COLUMNS} FROM activity_calls WHERE environment_id = $1"))
            .bind(environment);
        if let Some(connection) = &filter.connection {
            let connection = select.push(connection.as_str());
            select.append(&format!(" AND connection = ${connection}"));
        }
        if let Some(from) = filter.from {
            let from = select.push(from);
            select.append(&format!(" AND at >= ${from}"));
        }
        if let Some(after) = after {
            let (at, request_id) = (select.push(after.at), select.push(after.request_id.as_str()));
            select.append(&format!(" AND (at, request_id) < (${at}, ${request_id})"));
        }
        let limit = select.push(limit);
        select.append(&format!(" ORDER BY at DESC, request_id DESC LIMIT ${limit}"));
        self.activity.read(select).await?.into_iter().map(read).collect()
    }

    /// The detail of one of the environment's calls, if it failed or was slow.
    pub async fn call_detail(
        &self,
        environment: &EnvironmentId,
        request_id: &str,
    ) -> Result<Option<CallDetail>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM activity_calls WHERE environment_id = $1 AND request_id = $2"
        ));
        self.activity.read_one(select.bind(environment).bind(request_id)).await?.map(read).transpose()
    }
}

impl CallDetail {
    /// Where a page that ends with this call ends.
    pub fn cursor(&self) -> ActivityCursor {
        ActivityCursor { at: self.at, request_id: self.request_id.clone() }
    }
}

fn read(mut row: Row) -> Result<CallDetail, StoreError> {
    Ok(CallDetail {
        environment_id: row.parsed()?,
        request_id: row.text()?,
        at: row.time()?,
        connection: row.text()?,
        integration: row.text()?,
        method: row.text()?,
        path: row.text()?,
        status: row.small_counter()? as u16,
        error_kind: row.optional_text()?,
        total_us: row.counter()?,
        detail: row.json()?,
    })
}

/// A repeated request id keeps the first detail.
pub(super) async fn insert(act: &mut Act<'_>, call: &CallDetail) -> Result<(), StoreError> {
    let statement = query(format!(
        "INSERT INTO activity_calls ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (environment_id, request_id) DO NOTHING"
    ));
    let statement = statement
        .bind(&call.environment_id)
        .bind(call.request_id.as_str())
        .bind(call.at)
        .bind(call.connection.as_str())
        .bind(call.integration.as_str())
        .bind(call.method.as_str())
        .bind(call.path.as_str())
        .bind(u32::from(call.status))
        .bind(call.error_kind.as_deref())
        .bind(call.total_us)
        .bind(&call.detail);
    act.transaction.execute(statement).await.map(drop)
}

/// How many details are gone; at most `limit`.
pub(super) async fn prune(store: &Store, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let statement = query(
        "DELETE FROM activity_calls WHERE (environment_id, request_id) IN \
         (SELECT environment_id, request_id FROM activity_calls WHERE at < $1 ORDER BY at LIMIT $2)",
    );
    store.activity.execute(statement.bind(before).bind(limit)).await
}
