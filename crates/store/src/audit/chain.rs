use aws_lc_rs::digest::{Context, SHA256};

use super::{AuditEvent, COLUMNS, read};
use crate::commit::Act;
use crate::database::query;
use crate::error::StoreError;
use crate::leases::{self, Lease};
use crate::store::Store;
use crate::timestamp::Timestamp;

pub(super) type Hash = [u8; 32];

/// What stands before the first event.
pub(super) const BEGINNING: Hash = [0; 32];

impl Store {
    /// Whether an event waits for being chained: a cheap read, to be asked before the lease is taken. (Works on all
    /// environments: there is one chain.)
    pub async fn has_unchained_audit_events(&self) -> Result<bool, StoreError> {
        let select = query("SELECT id FROM audit_events WHERE sequence IS NULL LIMIT 1");
        Ok(self.database.read_one(select).await?.is_some())
    }

    /// Chains at most `limit` events that are not chained yet, in the order of their ids, and says how many. The lease keeps
    /// two processes from chaining at once. (Works on all environments: there is one chain.)
    pub async fn chain_audit_events(
        &self,
        lease: &Lease,
        limit: u32,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut act = Act::begin(self, at).await?;
        leases::require(&mut act, lease).await?;
        let last = query(
            "SELECT sequence, hash FROM audit_events WHERE sequence IS NOT NULL ORDER BY sequence DESC LIMIT 1",
        );
        let (mut sequence, mut previous) = match act.transaction.row(last).await? {
            Some(mut row) => (row.counter()?, row.array()?),
            None => (0, BEGINNING),
        };
        let unchained =
            query(format!("SELECT {COLUMNS} FROM audit_events WHERE sequence IS NULL ORDER BY id LIMIT $1"));
        let mut chained = 0;
        for mut row in act.transaction.rows(unchained.bind(limit)).await? {
            let (event, detail) = read(&mut row)?;
            sequence += 1;
            let hash = hash(sequence, &event, &detail, &previous);
            let statement =
                query("UPDATE audit_events SET sequence = $1, previous_hash = $2, hash = $3 WHERE id = $4");
            let statement =
                statement.bind(sequence).bind(previous.as_slice()).bind(hash.as_slice()).bind(&event.id);
            act.transaction.execute(statement).await?;
            previous = hash;
            chained += 1;
        }
        act.transaction.commit().await?;
        Ok(chained)
    }
}

/// SHA-256 over a label, the previous hash and every member of the event, each with its length in front.
pub(super) fn hash(sequence: u64, event: &AuditEvent, detail: &str, previous: &Hash) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(b"tombolo audit event v1");
    context.update(previous);
    context.update(&sequence.to_be_bytes());
    context.update(&event.at.as_milliseconds().to_be_bytes());
    let texts = [
        event.id.as_str(),
        event.environment_id.as_ref().map_or("", |id| id.as_str()),
        event.actor.kind.as_str(),
        &event.actor.id,
        &event.actor.label,
        &event.action,
        &event.object.kind,
        &event.object.id,
        &event.object.label,
        detail,
    ];
    for text in texts {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}
