use super::chain::{BEGINNING, Hash, hash};
use super::{COLUMNS, read};
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::store::Store;

/// What a walk along the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditVerification {
    /// How many events are chained and intact, from the first on.
    pub intact: u64,
    /// How many events wait for being chained.
    pub unchained: u64,
    /// The first place where the chain does not hold.
    pub broken: Option<AuditBreak>,
}

/// The first place where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditBreak {
    /// The sequence number of the event that is missing or was changed.
    pub sequence: u64,
    /// What is wrong with it.
    pub reason: &'static str,
}

const PAGE: u32 = 1000;

impl Store {
    /// Walks along the whole chain and names the first event that is missing, was changed or moved. Events cut off at the
    /// end cannot be noticed from the database alone. (Works on all environments: there is one chain.)
    pub async fn verify_audit_events(&self) -> Result<AuditVerification, StoreError> {
        let mut previous = BEGINNING;
        let mut intact = 0;
        let broken = loop {
            let select = query(format!(
                "SELECT {COLUMNS}, previous_hash, hash FROM audit_events WHERE sequence > $1 ORDER BY sequence LIMIT $2"
            ));
            let rows = self.database.read(select.bind(intact).bind(PAGE)).await?;
            if rows.is_empty() {
                break None;
            }
            let failed = rows.into_iter().find_map(|row| match check(row, intact + 1, &previous) {
                Ok(hash) => {
                    previous = hash;
                    intact += 1;
                    None
                }
                Err(reason) => Some(AuditBreak { sequence: intact + 1, reason }),
            });
            if failed.is_some() {
                break failed;
            }
        };
        let count = query("SELECT COUNT(*) FROM audit_events WHERE sequence IS NULL");
        let mut row = self.database.read_one(count).await?.ok_or(StoreError::Busy)?;
        Ok(AuditVerification { intact, unchained: row.counter()?, broken })
    }
}

/// The event's hash, if it is the expected one. Anything unreadable counts as changed.
fn check(mut row: Row, sequence: u64, previous: &Hash) -> Result<Hash, &'static str> {
    let changed = |_| "the event was changed";
    let (event, detail) = read(&mut row).map_err(changed)?;
    if event.sequence != Some(sequence) {
        return Err("the event is missing");
    }
    let (stored_previous, stored): (Hash, Hash) =
        (row.array().map_err(changed)?, row.array().map_err(changed)?);
    if stored_previous != *previous {
        return Err("the event does not continue the one before it");
    }
    if hash(sequence, &event, &detail, previous) != stored {
        return Err("the event was changed");
    }
    Ok(stored)
}
