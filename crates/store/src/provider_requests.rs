//! Providers that somebody would like to use, and what became of it.

use crate::commit::Act;
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::id::{EnvironmentId, ProviderRequestId};
use crate::name::check_text;
use crate::store::Store;
use crate::text_enum::text_enum;
use crate::timestamp::Timestamp;

/// Somebody would like to use a provider that has no integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRequest {
    /// Names it.
    pub id: ProviderRequestId,
    /// The environment it is wanted in.
    pub environment_id: EnvironmentId,
    /// The provider.
    pub provider: String,
    /// What for, in the words of whoever asked; may be empty.
    pub reason: String,
    /// What became of it.
    pub state: ProviderRequestState,
    /// The id of whoever asked.
    pub asked_by: String,
    /// Their name at that time.
    pub asked_by_label: String,
    /// What they were told; may be empty.
    pub answer: String,
    /// Who decided, by their name at that time.
    pub settled_by_label: Option<String>,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When it was decided.
    pub settled_at: Option<Timestamp>,
}

text_enum! {
    /// What became of a request.
    ProviderRequestState {
        /// Nobody has decided.
        Open = "open",
        /// The provider was enabled.
        Granted = "granted",
        /// It was not.
        Declined = "declined",
    }
}

/// A request to be made.
#[derive(Debug, Clone)]
pub struct NewProviderRequest {
    /// Its id.
    pub id: ProviderRequestId,
    /// The environment it is wanted in.
    pub environment_id: EnvironmentId,
    /// The provider.
    pub provider: String,
    /// What for; may be empty.
    pub reason: String,
    /// The id of whoever asks.
    pub asked_by: String,
    /// Their name.
    pub asked_by_label: String,
}

/// What was decided about an open request.
#[derive(Debug, Clone)]
pub struct SettledProviderRequest {
    /// The environment it is wanted in.
    pub environment_id: EnvironmentId,
    /// Which one.
    pub id: ProviderRequestId,
    /// What was decided.
    pub state: ProviderRequestState,
    /// What whoever asked is told; may be empty.
    pub answer: String,
    /// Who decided.
    pub settled_by_label: String,
}

const COLUMNS: &str = "id, environment_id, provider, reason, state, asked_by, asked_by_label, answer, \
                       settled_by_label, created_at, settled_at";

impl Store {
    /// The environment's newest requests, the open ones first.
    pub async fn provider_requests(
        &self,
        environment: &EnvironmentId,
        limit: u32,
    ) -> Result<Vec<ProviderRequest>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM provider_requests WHERE environment_id = $1 \
             ORDER BY CASE WHEN state = 'open' THEN 0 ELSE 1 END, id DESC LIMIT $2"
        ));
        self.database.read(select.bind(environment).bind(limit)).await?.into_iter().map(read).collect()
    }

    /// One request.
    pub async fn provider_request(
        &self,
        environment: &EnvironmentId,
        id: &ProviderRequestId,
    ) -> Result<Option<ProviderRequest>, StoreError> {
        let select =
            query(format!("SELECT {COLUMNS} FROM provider_requests WHERE environment_id = $1 AND id = $2"));
        self.database.read_one(select.bind(environment).bind(id)).await?.map(read).transpose()
    }
}

fn read(mut row: Row) -> Result<ProviderRequest, StoreError> {
    Ok(ProviderRequest {
        id: row.parsed()?,
        environment_id: row.parsed()?,
        provider: row.text()?,
        reason: row.text()?,
        state: row.parsed()?,
        asked_by: row.text()?,
        asked_by_label: row.text()?,
        answer: row.text()?,
        settled_by_label: row.optional_text()?,
        created_at: row.time()?,
        settled_at: row.optional_time()?,
    })
}

/// Whoever has asked already is a conflict.
pub(crate) async fn insert(act: &mut Act<'_>, new: &NewProviderRequest) -> Result<(), StoreError> {
    check_text("a reason", &new.reason)?;
    let statement = query(
        "INSERT INTO provider_requests (id, environment_id, provider, reason, state, asked_by, asked_by_label, \
         answer, created_at) VALUES ($1, $2, $3, $4, 'open', $5, $6, '', $7) \
         ON CONFLICT (environment_id, provider, asked_by) WHERE state = 'open' DO NOTHING",
    );
    let statement = statement
        .bind(&new.id)
        .bind(&new.environment_id)
        .bind(new.provider.as_str())
        .bind(new.reason.as_str())
        .bind(new.asked_by.as_str())
        .bind(new.asked_by_label.as_str())
        .bind(act.at);
    match act.transaction.execute(statement).await? {
        0 => Err(StoreError::UniqueKeyTaken { object: "open request", key: new.provider.clone() }),
        _ => Ok(()),
    }
}

/// Decides once: a request that somebody else has decided is a conflict.
pub(crate) async fn settle(act: &mut Act<'_>, settled: &SettledProviderRequest) -> Result<(), StoreError> {
    check_text("an answer", &settled.answer)?;
    let statement = query(
        "UPDATE provider_requests SET state = $1, answer = $2, settled_by_label = $3, settled_at = $4 \
         WHERE environment_id = $5 AND id = $6 AND state = 'open'",
    );
    let statement = statement
        .bind(settled.state.as_str())
        .bind(settled.answer.as_str())
        .bind(settled.settled_by_label.as_str())
        .bind(act.at)
        .bind(&settled.environment_id)
        .bind(&settled.id);
    match act.transaction.execute(statement).await? {
        0 => Err(StoreError::version_conflict("request", &settled.id)),
        _ => Ok(()),
    }
}
