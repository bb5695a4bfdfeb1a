use std::time::Duration;

use crate::commit::Act;
use crate::database::query;
use crate::error::StoreError;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// An exclusive right that runs out, across all processes. Its token tells a late holder from the present one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What it is a right to, such as `refresh:con_…`.
    pub name: String,
    /// Grows with every new holder.
    pub token: u64,
}

impl Store {
    /// Takes the lease if nobody holds it. The clocks of all processes decide together: keep them within a fraction of `duration`.
    pub async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        duration: Duration,
        at: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        let statement = query(
            "INSERT INTO leases (name, owner, token, held_until) VALUES ($1, $2, 1, $3) \
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, token = leases.token + 1, \
             held_until = excluded.held_until WHERE leases.held_until <= $4 RETURNING token",
        );
        let statement = statement.bind(name).bind(owner).bind(at.plus(duration)).bind(at);
        let mut rows = self.database.write(statement).await?;
        rows.pop().map(|mut row| Ok(Lease { name: name.to_owned(), token: row.counter()? })).transpose()
    }

    /// Holds the lease for `duration` from now on. [`StoreError::LeaseLost`] when somebody else took it meanwhile.
    pub async fn renew_lease(
        &self,
        lease: &Lease,
        duration: Duration,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let statement = query("UPDATE leases SET held_until = $1 WHERE name = $2 AND token = $3");
        let statement = statement.bind(at.plus(duration)).bind(lease.name.as_str()).bind(lease.token);
        match self.database.execute(statement).await? {
            0 => Err(StoreError::LeaseLost { name: lease.name.clone() }),
            _ => Ok(()),
        }
    }

    /// Gives the lease back before its time. Nothing happens when it was lost already.
    pub async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        // The row stays, so that the token keeps growing.
        let statement = query("UPDATE leases SET held_until = 0 WHERE name = $1 AND token = $2");
        self.database.execute(statement.bind(lease.name.as_str()).bind(lease.token)).await.map(drop)
    }
}

/// Passes only while the lease is held, and keeps others from taking it until the end of the transaction.
pub(crate) async fn require(act: &mut Act<'_>, lease: &Lease) -> Result<(), StoreError> {
    let statement =
        query("UPDATE leases SET held_until = held_until WHERE name = $1 AND token = $2 AND held_until > $3");
    let statement = statement.bind(lease.name.as_str()).bind(lease.token).bind(act.at);
    match act.transaction.execute(statement).await? {
        0 => Err(StoreError::LeaseLost { name: lease.name.clone() }),
        _ => Ok(()),
    }
}
