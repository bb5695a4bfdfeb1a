//! The first administrator: made by whoever reads what the server printed, exactly once in an installation.

use crate::commit::Act;
use crate::database::query;
use crate::error::StoreError;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// What a server printed at its start.
#[derive(Debug, Clone)]
pub struct NewSetUpToken {
    /// The hash of the token.
    pub token_hash: Vec<u8>,
    /// When it is no longer good.
    pub expires_at: Timestamp,
}

impl Store {
    /// Whether there is, or was, anybody who signs in. (Takes no environment.)
    pub async fn is_set_up(&self) -> Result<bool, StoreError> {
        let row = self.database.read_one(query("SELECT set_up_at FROM instance")).await?;
        row.map_or(Ok(false), |mut row| Ok(row.optional_time()?.is_some()))
    }

    /// Whether a token with this hash is good at `at`. (Takes no environment.)
    pub async fn has_set_up_token(&self, token_hash: &[u8], at: Timestamp) -> Result<bool, StoreError> {
        let select = query("SELECT expires_at FROM set_up_tokens WHERE token_hash = $1 AND expires_at > $2");
        Ok(self.database.read_one(select.bind(token_hash).bind(at)).await?.is_some())
    }
}

/// Those of earlier starts stay until their end: another server may have printed them.
pub(super) async fn insert(act: &mut Act<'_>, new: &NewSetUpToken) -> Result<(), StoreError> {
    let ended = query("DELETE FROM set_up_tokens WHERE expires_at <= $1").bind(act.at);
    act.transaction.execute(ended).await?;
    let statement = query("INSERT INTO set_up_tokens (token_hash, expires_at) VALUES ($1, $2)");
    let statement = statement.bind(new.token_hash.as_slice()).bind(new.expires_at);
    act.transaction.execute(statement).await.map(drop)
}

/// Passes for one act in the life of the installation.
pub(super) async fn take(act: &mut Act<'_>, token_hash: &[u8]) -> Result<(), StoreError> {
    let first = query("UPDATE instance SET set_up_at = $1 WHERE set_up_at IS NULL").bind(act.at);
    if act.transaction.execute(first).await? == 0 {
        return Err(StoreError::SetUpAlready);
    }
    let known = query("DELETE FROM set_up_tokens WHERE token_hash = $1 AND expires_at > $2");
    if act.transaction.execute(known.bind(token_hash).bind(act.at)).await? == 0 {
        return Err(StoreError::not_found("set-up token", &"printed at the start"));
    }
    act.transaction.execute(query("DELETE FROM set_up_tokens")).await.map(drop)
}

/// Somebody was made otherwise, so that nobody becomes an administrator by a token any more.
pub(super) async fn note(act: &mut Act<'_>) -> Result<(), StoreError> {
    let statement = query("UPDATE instance SET set_up_at = COALESCE(set_up_at, $1)").bind(act.at);
    act.transaction.execute(statement).await?;
    act.transaction.execute(query("DELETE FROM set_up_tokens")).await.map(drop)
}

/// Has other acts that need the row of the installation wait until this one ends.
pub(super) async fn lock(act: &mut Act<'_>) -> Result<(), StoreError> {
    act.transaction.execute(query("UPDATE instance SET set_up_at = set_up_at")).await.map(drop)
}
