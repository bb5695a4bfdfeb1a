use secrecy::{ExposeSecret, SecretString};

use super::set_up;
use super::sign_ins;
use crate::commit::Act;
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::id::UserId;
use crate::name::{check_text, name_key, search_key};
use crate::store::Store;
use crate::text_enum::text_enum;
use crate::timestamp::Timestamp;

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Names them for ever.
    pub id: UserId,
    /// What they type to sign in: a name or the address of a mailbox. Upper and lower case are the same.
    pub login: String,
    /// What others see.
    pub display_name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they have a password.
    pub has_password: bool,
    /// What an identity provider calls them.
    pub identity: Option<Identity>,
    /// Since when they may not sign in.
    pub disabled_at: Option<Timestamp>,
    /// Grows with everything that ends what was signed in before.
    pub version: u64,
    /// When they were made.
    pub created_at: Timestamp,
    /// When they last signed in.
    pub seen_at: Option<Timestamp>,
}

text_enum! {
    /// What a person may do. What exactly, the platform's table says.
    Role {
        /// Looks.
        Viewer = "viewer",
        /// Links and uses accounts.
        Member = "member",
        /// Does everything.
        Admin = "admin",
    }
}

/// What an identity provider calls a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// Its name for the person, which never changes.
    pub subject: String,
}

/// A person to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Their id.
    pub id: UserId,
    /// What they type to sign in.
    pub login: String,
    /// What others see.
    pub display_name: String,
    /// What they may do.
    pub role: Role,
    /// A hash of their password in its text form, if they have one already.
    pub password_hash: Option<SecretString>,
    /// What an identity provider calls them.
    pub identity: Option<Identity>,
}

/// New values for a person; `None` keeps what is there.
#[derive(Debug, Clone)]
pub struct UserUpdate {
    /// Who.
    pub id: UserId,
    /// What others see.
    pub display_name: Option<String>,
    /// What they may do.
    pub role: Option<Role>,
    /// Whether they may sign in.
    pub enabled: Option<bool>,
    /// A hash of another password.
    pub password_hash: Option<SecretString>,
    /// What an identity provider calls them. Refused when that is something else already.
    pub identity: Option<Identity>,
}

impl UserUpdate {
    /// A change of nothing.
    pub fn of(id: UserId) -> Self {
        Self { id, display_name: None, role: None, enabled: None, password_hash: None, identity: None }
    }

    fn ends_sign_ins(&self) -> bool {
        self.role.is_some() || self.enabled.is_some() || self.password_hash.is_some()
    }
}

/// The columns of [`read`].
pub(super) const COLUMNS: &str = "users.id, users.login, users.display_name, users.role, \
     CASE WHEN users.password_hash IS NULL THEN 'no' ELSE 'yes' END, users.issuer, users.subject, users.disabled_at, \
     users.version, users.created_at, users.seen_at";

impl Store {
    /// Everybody, in the order of their logins. (Takes no environment, as people belong to the installation.)
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        let select = query(format!("SELECT {COLUMNS} FROM users ORDER BY login_key"));
        self.database.read(select).await?.into_iter().map(|mut row| read(&mut row)).collect()
    }

    /// The person with this id or login. (Takes no environment.)
    pub async fn user(&self, reference: &str) -> Result<Option<User>, StoreError> {
        let select = query(format!("SELECT {COLUMNS} FROM users WHERE id = $1 OR login_key = $2"));
        let row = self.database.read_one(select.bind(reference).bind(search_key(reference))).await?;
        row.map(|mut row| read(&mut row)).transpose()
    }

    /// The person with this login, and the hash of their password. (Takes no environment.)
    pub async fn user_to_sign_in(
        &self,
        login: &str,
    ) -> Result<Option<(User, Option<SecretString>)>, StoreError> {
        let select = query(format!("SELECT {COLUMNS}, users.password_hash FROM users WHERE login_key = $1"));
        let row = self.database.read_one(select.bind(search_key(login))).await?;
        row.map(|mut row| Ok((read(&mut row)?, row.optional_text()?.map(SecretString::from)))).transpose()
    }

    /// The person whom an identity provider calls so. (Takes no environment.)
    pub async fn user_of_identity(&self, identity: &Identity) -> Result<Option<User>, StoreError> {
        let select = query(format!("SELECT {COLUMNS} FROM users WHERE issuer = $1 AND subject = $2"));
        let select = select.bind(identity.issuer.as_str()).bind(identity.subject.as_str());
        self.database.read_one(select).await?.map(|mut row| read(&mut row)).transpose()
    }
}

pub(super) fn read(row: &mut Row) -> Result<User, StoreError> {
    Ok(User {
        id: row.parsed()?,
        login: row.text()?,
        display_name: row.text()?,
        role: row.parsed()?,
        has_password: flag(row)?,
        identity: match (row.optional_text()?, row.optional_text()?) {
            (Some(issuer), Some(subject)) => Some(Identity { issuer, subject }),
            _ => None,
        },
        disabled_at: row.optional_time()?,
        version: row.counter()?,
        created_at: row.time()?,
        seen_at: row.optional_time()?,
    })
}

/// Words, because the number of such an expression is of another width in each database.
fn flag(row: &mut Row) -> Result<bool, StoreError> {
    Ok(row.text()? == "yes")
}

pub(super) async fn insert(act: &mut Act<'_>, new: &NewUser) -> Result<(), StoreError> {
    check_text("a login name", &new.login)?;
    name_key(&new.display_name)?;
    let key = search_key(&new.login);
    let taken = query("SELECT id FROM users WHERE login_key = $1").bind(key.as_str());
    if act.transaction.row(taken).await?.is_some() {
        return Err(StoreError::UniqueKeyTaken { object: "user", key: new.login.trim().to_owned() });
    }
    refuse_taken(act, &new.id, new.identity.as_ref()).await?;
    let statement = query(
        "INSERT INTO users (id, login, login_key, display_name, password_hash, issuer, subject, role, version, \
         created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)",
    );
    let statement = statement
        .bind(&new.id)
        .bind(new.login.trim())
        .bind(key)
        .bind(new.display_name.trim())
        .bind(new.password_hash.as_ref().map(ExposeSecret::expose_secret))
        .bind(new.identity.as_ref().map(|identity| identity.issuer.as_str()))
        .bind(new.identity.as_ref().map(|identity| identity.subject.as_str()))
        .bind(new.role.as_str())
        .bind(act.at);
    act.transaction.execute(statement).await.map(drop)
}

pub(super) async fn update(act: &mut Act<'_>, update: &UserUpdate) -> Result<(), StoreError> {
    if let Some(name) = &update.display_name {
        name_key(name)?;
    }
    // Whoever takes a right away counts who has it, and others must not do so at the same time.
    set_up::lock(act).await?;
    refuse_taken(act, &update.id, update.identity.as_ref()).await?;
    let administrators = administrators(act).await?;
    let statement = query(
        "UPDATE users SET display_name = COALESCE($1, display_name), role = COALESCE($2, role), \
         password_hash = COALESCE($3, password_hash), issuer = COALESCE($4, issuer), subject = COALESCE($5, subject), \
         disabled_at = CASE WHEN $6 = 1 THEN NULL WHEN $6 = 0 THEN COALESCE(disabled_at, $7) ELSE disabled_at END, \
         version = version + $8, updated_at = $7 WHERE id = $9 \
         AND ($5 IS NULL OR subject IS NULL OR (issuer = $4 AND subject = $5))",
    );
    let statement = statement
        .bind(update.display_name.as_deref().map(str::trim))
        .bind(update.role.map(Role::as_str))
        .bind(update.password_hash.as_ref().map(ExposeSecret::expose_secret))
        .bind(update.identity.as_ref().map(|identity| identity.issuer.as_str()))
        .bind(update.identity.as_ref().map(|identity| identity.subject.as_str()))
        .bind(update.enabled.map_or(-1, i64::from))
        .bind(act.at)
        .bind(u64::from(update.ends_sign_ins()))
        .bind(&update.id);
    if act.transaction.execute(statement).await? == 0 {
        return Err(match update.identity {
            Some(_) => StoreError::version_conflict("user", &update.id),
            None => StoreError::not_found("user", &update.id),
        });
    }
    if administrators > 0 && self::administrators(act).await? == 0 {
        return Err(StoreError::LastAdministrator);
    }
    if update.ends_sign_ins() {
        sign_ins::end_all(act, &update.id).await?;
    }
    Ok(())
}

/// One identity is one person's. Whoever asks holds the row of the installation, so nobody else writes meanwhile.
async fn refuse_taken(act: &mut Act<'_>, id: &UserId, identity: Option<&Identity>) -> Result<(), StoreError> {
    let Some(Identity { issuer, subject }) = identity else { return Ok(()) };
    let taken = query("SELECT id FROM users WHERE issuer = $1 AND subject = $2 AND id <> $3");
    let taken = taken.bind(issuer.as_str()).bind(subject.as_str()).bind(id);
    match act.transaction.row(taken).await? {
        Some(_) => Err(StoreError::UniqueKeyTaken { object: "identity", key: subject.clone() }),
        None => Ok(()),
    }
}

/// What they are signed in with stands on the identity as well, so it ends.
pub(super) async fn unlink(act: &mut Act<'_>, id: &UserId) -> Result<(), StoreError> {
    set_up::lock(act).await?;
    let administrators = administrators(act).await?;
    let statement = query(
        "UPDATE users SET issuer = NULL, subject = NULL, version = version + 1, updated_at = $1 WHERE id = $2",
    );
    if act.transaction.execute(statement.bind(act.at).bind(id)).await? == 0 {
        return Err(StoreError::not_found("user", id));
    }
    if administrators > 0 && self::administrators(act).await? == 0 {
        return Err(StoreError::LastAdministrator);
    }
    sign_ins::end_all(act, id).await
}

/// How many people can sign in and administer.
async fn administrators(act: &mut Act<'_>) -> Result<i64, StoreError> {
    let count = query(
        "SELECT COUNT(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL \
         AND (password_hash IS NOT NULL OR subject IS NOT NULL)",
    );
    act.transaction.row(count).await?.map_or(Ok(0), |mut row| row.integer())
}
