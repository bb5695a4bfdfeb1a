//! Links with which people choose a password: those of invitations, and for who forgot theirs.

use super::people::{self, COLUMNS, User};
use crate::commit::Act;
use crate::database::query;
use crate::error::StoreError;
use crate::id::UserId;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// A link to be made; an earlier one of the same person is good no longer.
#[derive(Debug, Clone)]
pub struct NewPasswordLink {
    /// Whose password is chosen.
    pub user: UserId,
    /// The hash of its secret.
    pub link_hash: Vec<u8>,
    /// When it is no longer good.
    pub expires_at: Timestamp,
}

impl Store {
    /// Whose link has this hash, unless it ended or the person is disabled. (Takes no environment.)
    pub async fn user_of_link(&self, link_hash: &[u8], at: Timestamp) -> Result<Option<User>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM password_links JOIN users ON users.id = password_links.user_id \
             WHERE link_hash = $1 AND expires_at > $2 AND disabled_at IS NULL"
        ));
        let row = self.database.read_one(select.bind(link_hash).bind(at)).await?;
        row.map(|mut row| people::read(&mut row)).transpose()
    }
}

pub(super) async fn insert(act: &mut Act<'_>, new: &NewPasswordLink) -> Result<(), StoreError> {
    let statement = query(
        "INSERT INTO password_links (user_id, link_hash, expires_at) VALUES ($1, $2, $3) \
         ON CONFLICT (user_id) DO UPDATE SET link_hash = excluded.link_hash, expires_at = excluded.expires_at",
    );
    let statement = statement.bind(&new.user).bind(new.link_hash.as_slice()).bind(new.expires_at);
    act.transaction.execute(statement).await.map(drop)
}

/// Passes once for each link.
pub(super) async fn take(act: &mut Act<'_>, link_hash: &[u8]) -> Result<(), StoreError> {
    let statement = query("DELETE FROM password_links WHERE link_hash = $1 AND expires_at > $2");
    match act.transaction.execute(statement.bind(link_hash).bind(act.at)).await? {
        0 => Err(StoreError::not_found("link", &"for a password")),
        _ => Ok(()),
    }
}

pub(super) async fn end(act: &mut Act<'_>, user: &UserId) -> Result<(), StoreError> {
    act.transaction.execute(query("DELETE FROM password_links WHERE user_id = $1").bind(user)).await.map(drop)
}
