//! Callers' keys to us: shown once, stored as what can check them.

mod scram;
mod text;
mod uuid;

use tombolo_vault::Random;

pub use scram::ScramVerifier;
pub use text::{ApiKeyHash, ApiKeyText, KeyFormatError, KeyLookup};

use crate::commit::Act;
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::id::{ApiKeyId, EnvironmentId};
use crate::name::check_text;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// A stored API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Names it in lists and logs; not secret.
    pub id: ApiKeyId,
    /// The environment that it opens.
    pub environment_id: EnvironmentId,
    /// What people see.
    pub display_name: String,
    /// What its holder may do.
    pub scopes: Vec<String>,
    /// The part of the key that finds this row; not secret.
    pub lookup: String,
    /// Checks the whole key.
    pub hash: ApiKeyHash,
    /// Checks the key as a PostgreSQL password.
    pub scram: ScramVerifier,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// The last day of use, as days since 1970 in UTC.
    pub last_used_day: Option<i64>,
    /// Since when it is refused.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether `text` is this key, in constant time. Says nothing about [`ApiKey::is_usable`].
    pub fn matches(&self, text: &ApiKeyText) -> bool {
        self.hash == text.hash()
    }

    /// Neither revoked nor expired at this moment.
    pub fn is_usable(&self, at: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| at < expires_at)
    }
}

/// An API key to be stored; [`NewApiKey::generate`] makes it together with the text to show once.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// The environment that it opens.
    pub environment_id: EnvironmentId,
    /// What people see.
    pub display_name: String,
    /// What its holder may do.
    pub scopes: Vec<String>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    lookup: String,
    hash: ApiKeyHash,
    scram: ScramVerifier,
}

impl NewApiKey {
    /// A new random key, and its text: the only time that the whole key exists.
    pub fn generate(
        environment_id: EnvironmentId,
        display_name: String,
        scopes: Vec<String>,
        expires_at: Option<Timestamp>,
        at: Timestamp,
        random: &dyn Random,
    ) -> Result<(Self, ApiKeyText), StoreError> {
        let text = ApiKeyText::generate(random)?;
        let new = Self::of_text(&text, environment_id, display_name, scopes, expires_at, at, random)?;
        Ok((new, text))
    }

    /// A key that somebody has already, such as one that was taken over from another product.
    pub fn of_text(
        text: &ApiKeyText,
        environment_id: EnvironmentId,
        display_name: String,
        scopes: Vec<String>,
        expires_at: Option<Timestamp>,
        at: Timestamp,
        random: &dyn Random,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            id: ApiKeyId::generate(at, random)?,
            environment_id,
            display_name,
            scopes,
            expires_at,
            lookup: text.lookup().as_str().to_owned(),
            hash: text.hash(),
            scram: ScramVerifier::generate(text.expose(), random)?,
        })
    }
}

const COLUMNS: &str = "id, environment_id, display_name, scopes, lookup, secret_hash, scram_salt, scram_iterations, \
                       scram_stored_key, scram_server_key, created_at, expires_at, last_used_day, revoked_at";

impl Store {
    /// The key with this lookup part, revoked and expired ones too. The caller checks the rest with [`ApiKey::matches`],
    /// and does the same work for an unknown lookup. (Takes no environment: the key says which one.)
    pub async fn api_key_by_lookup(&self, lookup: KeyLookup) -> Result<Option<ApiKey>, StoreError> {
        let select = query(format!("SELECT {COLUMNS} FROM api_keys WHERE lookup = $1")).bind(lookup.as_str());
        self.database.read_one(select).await?.map(read).transpose()
    }

    /// The environment's keys, newest first, revoked and expired ones too.
    pub async fn api_keys(&self, environment: &EnvironmentId) -> Result<Vec<ApiKey>, StoreError> {
        let select =
            query(format!("SELECT {COLUMNS} FROM api_keys WHERE environment_id = $1 ORDER BY id DESC"));
        self.database.read(select.bind(environment)).await?.into_iter().map(read).collect()
    }
}

fn read(mut row: Row) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: row.parsed()?,
        environment_id: row.parsed()?,
        display_name: row.text()?,
        scopes: row.json()?,
        lookup: row.text()?,
        hash: ApiKeyHash::from_bytes(row.array()?),
        scram: ScramVerifier {
            salt: row.bytes()?,
            iterations: row.small_counter()?,
            stored_key: row.array()?,
            server_key: row.array()?,
        },
        created_at: row.time()?,
        expires_at: row.optional_time()?,
        last_used_day: row.optional_integer()?,
        revoked_at: row.optional_time()?,
    })
}

pub(crate) async fn insert(act: &mut Act<'_>, new: &NewApiKey) -> Result<(), StoreError> {
    check_text("the name of an API key", &new.display_name)?;
    let known = query("SELECT id FROM api_keys WHERE lookup = $1").bind(new.lookup.as_str());
    if act.transaction.row(known).await?.is_some() {
        return Err(StoreError::ApiKeyKnown);
    }
    let statement = query(
        "INSERT INTO api_keys (id, environment_id, display_name, scopes, lookup, secret_hash, scram_salt, \
         scram_iterations, scram_stored_key, scram_server_key, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    );
    let statement = statement
        .bind(&new.id)
        .bind(&new.environment_id)
        .bind(new.display_name.as_str())
        .bind(&serde_json::Value::from(new.scopes.clone()))
        .bind(new.lookup.as_str())
        .bind(new.hash.as_bytes().as_slice())
        .bind(new.scram.salt.as_slice())
        .bind(new.scram.iterations)
        .bind(new.scram.stored_key.as_slice())
        .bind(new.scram.server_key.as_slice())
        .bind(act.at)
        .bind(new.expires_at);
    act.transaction.execute(statement).await.map(drop)
}

/// Revoking twice keeps the first moment.
pub(crate) async fn revoke(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &ApiKeyId,
) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $1) WHERE environment_id = $2 AND id = $3",
    );
    match act.transaction.execute(statement.bind(act.at).bind(environment).bind(id)).await? {
        0 => Err(StoreError::not_found("API key", id)),
        _ => Ok(()),
    }
}

pub(crate) async fn touch(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &ApiKeyId,
) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE api_keys SET last_used_day = $1 WHERE environment_id = $2 AND id = $3 \
         AND (last_used_day IS NULL OR last_used_day < $1)",
    );
    act.transaction.execute(statement.bind(act.at.day()).bind(environment).bind(id)).await.map(drop)
}
