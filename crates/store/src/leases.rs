use std::time::Duration;

use crate::commit::Act;
use crate::database::{Query, query};
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
    /// Takes the lease if nobody holds it. Where several processes share a database, its clock decides, not theirs.
    pub async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        duration: Duration,
        at: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        let mut act = Act::begin(self, at).await?;
        let lease = take(&mut act, name, owner, duration).await?;
        act.transaction.commit().await?;
        Ok(lease)
    }

    /// Holds the lease for `duration` from now on. [`StoreError::LeaseLost`] when somebody else took it meanwhile.
    pub async fn renew_lease(
        &self,
        lease: &Lease,
        duration: Duration,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let database = self.database.vital();
        let until = database.clock(at).await?.plus(duration);
        let statement =
            query("UPDATE leases SET held_until = $1 WHERE name = $2 AND token = $3 AND held_until > 0");
        let statement = statement.bind(until).bind(lease.name.as_str()).bind(lease.token);
        match database.execute(statement).await? {
            0 => Err(StoreError::LeaseLost { name: lease.name.clone() }),
            _ => Ok(()),
        }
    }

    /// Gives the lease back before its time. Nothing happens when it was lost already.
    pub async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        self.database.execute(released(lease)).await.map(drop)
    }
}

pub(crate) async fn take(
    act: &mut Act<'_>,
    name: &str,
    owner: &str,
    duration: Duration,
) -> Result<Option<Lease>, StoreError> {
    let now = act.transaction.clock(act.at).await?;
    let statement = query(
        "INSERT INTO leases (name, owner, token, held_until) VALUES ($1, $2, 1, $3) \
         ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, token = leases.token + 1, \
         held_until = excluded.held_until WHERE leases.held_until <= $4 RETURNING token",
    );
    let statement = statement.bind(name).bind(owner).bind(now.plus(duration)).bind(now);
    let row = act.transaction.row(statement).await?;
    row.map(|mut row| Ok(Lease { name: name.to_owned(), token: row.counter()? })).transpose()
}

/// Passes only while nobody else has taken the lease, and keeps others from taking it until the end of the transaction.
/// Whether it has run out does not matter as long as it is still ours: what was worked for is not thrown away because a
/// sign of life came late.
pub(crate) async fn require(act: &mut Act<'_>, lease: &Lease) -> Result<(), StoreError> {
    let statement =
        query("UPDATE leases SET held_until = held_until WHERE name = $1 AND token = $2 AND held_until > 0");
    match act.transaction.execute(statement.bind(lease.name.as_str()).bind(lease.token)).await? {
        0 => Err(StoreError::LeaseLost { name: lease.name.clone() }),
        _ => Ok(()),
    }
}

pub(crate) async fn release(act: &mut Act<'_>, lease: &Lease) -> Result<(), StoreError> {
    act.transaction.execute(released(lease)).await.map(drop)
}

/// The row stays, so that the token keeps growing.
fn released(lease: &Lease) -> Query {
    let statement = query("UPDATE leases SET held_until = 0 WHERE name = $1 AND token = $2");
    statement.bind(lease.name.as_str()).bind(lease.token)
}
