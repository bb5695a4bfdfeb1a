use serde_json::Value as Json;
use tombolo_vault::WrappedDataKey;

use crate::commit::Act;
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::id::EnvironmentId;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// An isolation boundary: nothing in one environment sees anything of another.
#[derive(Debug, Clone, PartialEq)]
pub struct Environment {
    /// Names it in the API.
    pub id: EnvironmentId,
    /// Unique; lower-case letters, digits, `_` and `-`.
    pub name: String,
    /// Grows with every commit that caches of this environment must notice.
    pub generation: u64,
    /// What its administrators decided: a JSON object.
    pub settings: Json,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An environment to be made, with its first data key (version 1).
#[derive(Debug, Clone)]
pub struct NewEnvironment {
    /// The id that the data key was generated for.
    pub id: EnvironmentId,
    /// Unique; lower-case letters, digits, `_` and `-`.
    pub name: String,
    /// Its first data key.
    pub data_key: WrappedDataKey,
}

/// What the administrators of an environment decided anew. It counts only if nobody has decided anything else since it was
/// read.
#[derive(Debug, Clone, PartialEq)]
pub struct PutEnvironmentSettings {
    /// The environment.
    pub environment_id: EnvironmentId,
    /// The settings that were read.
    pub expected: Json,
    /// The settings from now on.
    pub settings: Json,
}

/// One of an environment's data keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDataKey {
    /// The key, wrapped by a master key.
    pub wrapped: WrappedDataKey,
    /// How many secrets were sealed with it. A random nonce is safe for 2^32 of them: rotate long before.
    pub uses: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

const COLUMNS: &str = "id, name, generation, settings, created_at";

impl Store {
    /// All environments, oldest first. (One of the few functions that take no environment.)
    pub async fn environments(&self) -> Result<Vec<Environment>, StoreError> {
        let rows =
            self.database.read(query(format!("SELECT {COLUMNS} FROM environments ORDER BY id"))).await?;
        rows.into_iter().map(read).collect()
    }

    /// The environment with this name. (One of the few functions that take no environment.)
    pub async fn environment_named(&self, name: &str) -> Result<Option<Environment>, StoreError> {
        let select = query(format!("SELECT {COLUMNS} FROM environments WHERE name = $1")).bind(name);
        self.database.read_one(select).await?.map(read).transpose()
    }

    /// The environment with this id.
    pub async fn environment(&self, id: &EnvironmentId) -> Result<Option<Environment>, StoreError> {
        let select = query(format!("SELECT {COLUMNS} FROM environments WHERE id = $1")).bind(id);
        self.database.read_one(select).await?.map(read).transpose()
    }

    /// The generation of every environment, in one cheap statement: what every node polls to learn that cached rows are
    /// out of date. (One of the few functions that take no environment.)
    pub async fn generations(&self) -> Result<Vec<(EnvironmentId, u64)>, StoreError> {
        let rows = self.database.vital().read(query("SELECT id, generation FROM environments")).await?;
        rows.into_iter().map(|mut row| Ok((row.parsed()?, row.counter()?))).collect()
    }

    /// The environment's data keys, the newest (which seals) first.
    pub async fn data_keys(&self, environment: &EnvironmentId) -> Result<Vec<StoredDataKey>, StoreError> {
        let select = query(
            "SELECT wrapped, uses, created_at FROM data_keys WHERE environment_id = $1 ORDER BY version DESC",
        );
        let rows = self.database.read(select.bind(environment)).await?;
        rows.into_iter()
            .map(|mut row| {
                Ok(StoredDataKey {
                    wrapped: WrappedDataKey::from_bytes(row.bytes()?)?,
                    uses: row.counter()?,
                    created_at: row.time()?,
                })
            })
            .collect()
    }
}

fn read(mut row: Row) -> Result<Environment, StoreError> {
    Ok(Environment {
        id: row.parsed()?,
        name: row.text()?,
        generation: row.counter()?,
        settings: row.json()?,
        created_at: row.time()?,
    })
}

pub(crate) async fn insert(act: &mut Act<'_>, new: &NewEnvironment) -> Result<(), StoreError> {
    check_name(&new.name)?;
    let statement = query(
        "INSERT INTO environments (id, name, generation, created_at) VALUES ($1, $2, 1, $3) ON CONFLICT (name) DO NOTHING",
    );
    let inserted =
        act.transaction.execute(statement.bind(&new.id).bind(new.name.as_str()).bind(act.at)).await?;
    if inserted == 0 {
        return Err(StoreError::UniqueKeyTaken { object: "environment", key: new.name.clone() });
    }
    let statement = query(
        "INSERT INTO data_keys (environment_id, version, wrapped, uses, created_at) VALUES ($1, $2, $3, 0, $4)",
    );
    let statement =
        statement.bind(&new.id).bind(new.data_key.version()).bind(new.data_key.as_bytes()).bind(act.at);
    act.transaction.execute(statement).await.map(drop)
}

pub(crate) async fn put_settings(act: &mut Act<'_>, new: &PutEnvironmentSettings) -> Result<(), StoreError> {
    let environment = &new.environment_id;
    // It changes nothing, and makes everybody else who would change the settings wait until they were compared.
    let lock = query("UPDATE environments SET settings = settings WHERE id = $1 RETURNING settings");
    let row = act.transaction.row(lock.bind(environment)).await?;
    let found: Json = row.ok_or_else(|| StoreError::not_found("environment", environment))?.json()?;
    if found != new.expected {
        return Err(StoreError::VersionConflict { object: "environment", id: environment.to_string() });
    }
    let statement = query("UPDATE environments SET settings = $1 WHERE id = $2");
    act.transaction.execute(statement.bind(&new.settings).bind(environment)).await.map(drop)
}

/// Whether an environment may be called so: it stands in addresses.
pub fn is_environment_name(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

fn check_name(name: &str) -> Result<(), StoreError> {
    if is_environment_name(name) {
        return Ok(());
    }
    Err(StoreError::Invalid(
        "an environment's name has 1 to 255 lower-case letters, digits, _ and -; choose such a name"
            .to_owned(),
    ))
}

/// Counts secrets sealed with a data key, in the commit that stores them.
pub(crate) async fn count_sealed(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    sealed: &tombolo_vault::Sealed,
) -> Result<(), StoreError> {
    let statement = query("UPDATE data_keys SET uses = uses + 1 WHERE environment_id = $1 AND version = $2");
    let changed =
        act.transaction.execute(statement.bind(environment).bind(sealed.data_key_version())).await?;
    if changed == 0 {
        return Err(StoreError::not_found("data key", &sealed.data_key_version()));
    }
    Ok(())
}

/// Moves the generation on; also makes every other commit in this environment wait until this one is done, so that
/// checks for taken names hold until the end of the transaction.
pub(crate) async fn advance_generation(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
) -> Result<u64, StoreError> {
    let statement =
        query("UPDATE environments SET generation = generation + 1 WHERE id = $1 RETURNING generation");
    let row = act.transaction.row(statement.bind(environment)).await?;
    row.ok_or_else(|| StoreError::not_found("environment", environment))?.counter()
}
