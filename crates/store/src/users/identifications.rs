//! People who are at an identity provider, and come back from it once.

use crate::commit::Act;
use crate::database::query;
use crate::error::StoreError;
use crate::id::UserId;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// Somebody who is sent to an identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identification {
    /// The hash of what the provider sends back with them.
    pub state_hash: Vec<u8>,
    /// The hash of what only their browser has.
    pub browser_hash: Vec<u8>,
    /// Whose account the identity is to be linked to; `None` when somebody signs in.
    pub user: Option<UserId>,
    /// Where the browser goes on to.
    pub return_path: String,
    /// When they come too late.
    pub expires_at: Timestamp,
}

impl Store {
    /// Takes the one with this state. Whoever comes second gets nothing, whatever became of the first. (Takes no environment,
    /// as people belong to the installation.)
    pub async fn take_identification(
        &self,
        state_hash: &[u8],
        at: Timestamp,
    ) -> Result<Option<Identification>, StoreError> {
        let statement = query(
            "DELETE FROM identifications WHERE state_hash = $1 AND expires_at > $2 \
             RETURNING state_hash, browser_hash, user_id, return_path, expires_at",
        );
        let row = self.database.write(statement.bind(state_hash).bind(at)).await?.pop();
        row.map(|mut row| {
            Ok(Identification {
                state_hash: row.bytes()?,
                browser_hash: row.bytes()?,
                user: row.optional_parsed()?,
                return_path: row.text()?,
                expires_at: row.time()?,
            })
        })
        .transpose()
    }

    /// How many people are on their way. (Takes no environment.)
    pub async fn identifications(&self, at: Timestamp) -> Result<u64, StoreError> {
        let count = query("SELECT COUNT(*) FROM identifications WHERE expires_at > $1").bind(at);
        self.database.read_one(count).await?.map_or(Ok(0), |mut row| row.counter())
    }

    /// Forgets at most `limit` that came too late, and says how many. (Takes no environment.)
    pub async fn prune_identifications(&self, at: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let statement = query(
            "DELETE FROM identifications WHERE state_hash IN \
             (SELECT state_hash FROM identifications WHERE expires_at <= $1 LIMIT $2)",
        );
        self.database.execute(statement.bind(at).bind(limit)).await
    }
}

pub(super) async fn insert(act: &mut Act<'_>, new: &Identification) -> Result<(), StoreError> {
    let statement = query(
        "INSERT INTO identifications (state_hash, browser_hash, user_id, return_path, expires_at) \
         VALUES ($1, $2, $3, $4, $5)",
    );
    let statement = statement
        .bind(new.state_hash.as_slice())
        .bind(new.browser_hash.as_slice())
        .bind(new.user.as_ref())
        .bind(new.return_path.as_str())
        .bind(new.expires_at);
    act.transaction.execute(statement).await.map(drop)
}
