use std::time::Duration;

use super::people::{self, COLUMNS, User};
use crate::commit::Act;
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::id::{SignInId, UserId};
use crate::name::check_text;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// A person who is signed in, in one browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Names it; not secret.
    pub id: SignInId,
    /// What the browser says that it is.
    pub browser: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was used, to within the time after which it is noted again.
    pub used_at: Timestamp,
    /// When it ends however much it is used.
    pub expires_at: Timestamp,
}

/// A person to be signed in.
#[derive(Debug, Clone)]
pub struct NewSignIn {
    /// Its id.
    pub id: SignInId,
    /// The hash of what the browser keeps.
    pub token_hash: Vec<u8>,
    /// Who.
    pub user: UserId,
    /// Their version when the password was compared: whoever changed since is not signed in.
    pub expected_version: u64,
    /// What the browser says that it is.
    pub browser: String,
    /// When it ends however much it is used.
    pub expires_at: Timestamp,
}

const OWN_COLUMNS: &str =
    "sign_ins.id, sign_ins.browser, sign_ins.created_at, sign_ins.used_at, sign_ins.expires_at";

impl Store {
    /// Who shows what has this hash, unless it ended, was not used for `idle`, or the person is disabled. (Takes no
    /// environment.)
    pub async fn sign_in(
        &self,
        token_hash: &[u8],
        idle: Duration,
        at: Timestamp,
    ) -> Result<Option<(SignIn, User)>, StoreError> {
        let select = query(format!(
            "SELECT {OWN_COLUMNS}, {COLUMNS} FROM sign_ins JOIN users ON users.id = sign_ins.user_id \
             WHERE token_hash = $1 AND expires_at > $2 AND used_at > $3 AND disabled_at IS NULL"
        ));
        let row = self.database.read_one(select.bind(token_hash).bind(at).bind(at.minus(idle))).await?;
        row.map(|mut row| Ok((read(&mut row)?, people::read(&mut row)?))).transpose()
    }

    /// What a person is signed in with, newest first. (Takes no environment.)
    pub async fn sign_ins(
        &self,
        user: &UserId,
        idle: Duration,
        at: Timestamp,
    ) -> Result<Vec<SignIn>, StoreError> {
        let select = query(format!(
            "SELECT {OWN_COLUMNS} FROM sign_ins WHERE user_id = $1 AND expires_at > $2 AND used_at > $3 \
             ORDER BY id DESC"
        ));
        let rows = self.database.read(select.bind(user).bind(at).bind(at.minus(idle))).await?;
        rows.into_iter().map(|mut row| read(&mut row)).collect()
    }

    /// Forgets at most `limit` that ended, or were not used for `idle`, and says how many. (Takes no environment.)
    pub async fn prune_sign_ins(&self, idle: Duration, at: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let statement = query(
            "DELETE FROM sign_ins WHERE id IN \
             (SELECT id FROM sign_ins WHERE expires_at <= $1 OR used_at <= $2 ORDER BY id LIMIT $3)",
        );
        self.database.execute(statement.bind(at).bind(at.minus(idle)).bind(limit)).await
    }
}

fn read(row: &mut Row) -> Result<SignIn, StoreError> {
    Ok(SignIn {
        id: row.parsed()?,
        browser: row.text()?,
        created_at: row.time()?,
        used_at: row.time()?,
        expires_at: row.time()?,
    })
}

/// The row of the person is written first, so that whoever ends their sign-ins at the same time either ends this one too, or
/// has changed the version before.
pub(super) async fn insert(act: &mut Act<'_>, new: &NewSignIn) -> Result<(), StoreError> {
    check_text("the name of a browser", &new.browser)?;
    let seen = query("UPDATE users SET seen_at = $1 WHERE id = $2 AND version = $3 AND disabled_at IS NULL");
    let seen = seen.bind(act.at).bind(&new.user).bind(new.expected_version);
    if act.transaction.execute(seen).await? == 0 {
        return Err(StoreError::version_conflict("user", &new.user));
    }
    let statement = query(
        "INSERT INTO sign_ins (id, token_hash, user_id, browser, created_at, used_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $5, $6)",
    );
    let statement = statement
        .bind(&new.id)
        .bind(new.token_hash.as_slice())
        .bind(&new.user)
        .bind(new.browser.as_str())
        .bind(act.at)
        .bind(new.expires_at);
    act.transaction.execute(statement).await.map(drop)
}

pub(super) async fn touch(act: &mut Act<'_>, id: &SignInId) -> Result<(), StoreError> {
    let statement = query("UPDATE sign_ins SET used_at = $1 WHERE id = $2 AND used_at < $1");
    act.transaction.execute(statement.bind(act.at).bind(id)).await.map(drop)
}

pub(super) async fn end(act: &mut Act<'_>, user: &UserId, id: &SignInId) -> Result<(), StoreError> {
    let statement = query("DELETE FROM sign_ins WHERE user_id = $1 AND id = $2");
    match act.transaction.execute(statement.bind(user).bind(id)).await? {
        0 => Err(StoreError::not_found("sign-in", id)),
        _ => Ok(()),
    }
}

pub(super) async fn end_all(act: &mut Act<'_>, user: &UserId) -> Result<(), StoreError> {
    act.transaction.execute(query("DELETE FROM sign_ins WHERE user_id = $1").bind(user)).await.map(drop)
}
