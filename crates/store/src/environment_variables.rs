use tombolo_vault::Sealed;

use crate::commit::Act;
use crate::database::query;
use crate::environments::count_sealed;
use crate::error::StoreError;
use crate::id::EnvironmentId;
use crate::name::check_text;
use crate::store::Store;

/// A named value of an environment, for the programs of embedders.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentVariable {
    /// Its name; unique in its environment.
    pub name: String,
    /// Its value.
    pub sealed: Sealed,
    /// The record version that the value is bound to. Grows with every value.
    pub sealed_version: u64,
}

/// Another value for a variable, or its first one.
#[derive(Debug, Clone)]
pub struct PutEnvironmentVariable {
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Its name.
    pub name: String,
    /// The value, sealed for `expected_version` + 1.
    pub sealed: Sealed,
    /// The version that was read, 0 for a variable that there never was; another one is a conflict.
    pub expected_version: u64,
}

impl Store {
    /// The environment's variables in the order of their names.
    pub async fn environment_variables(
        &self,
        environment: &EnvironmentId,
    ) -> Result<Vec<EnvironmentVariable>, StoreError> {
        let select = query(
            "SELECT name, sealed, sealed_version FROM environment_variables WHERE environment_id = $1 \
             AND deleted_at IS NULL ORDER BY name",
        );
        let rows = self.database.read(select.bind(environment)).await?;
        rows.into_iter()
            .map(|mut row| {
                Ok(EnvironmentVariable {
                    name: row.text()?,
                    sealed: Sealed::from_bytes(row.bytes()?)?,
                    sealed_version: row.counter()?,
                })
            })
            .collect()
    }

    /// The last version that a variable of this name had, whether it is still there or not; 0 for one that there never was.
    pub async fn environment_variable_version(
        &self,
        environment: &EnvironmentId,
        name: &str,
    ) -> Result<u64, StoreError> {
        let select =
            query("SELECT sealed_version FROM environment_variables WHERE environment_id = $1 AND name = $2");
        let row = self.database.read_one(select.bind(environment).bind(name)).await?;
        row.map_or(Ok(0), |mut row| row.counter())
    }
}

pub(crate) async fn put(act: &mut Act<'_>, new: &PutEnvironmentVariable) -> Result<(), StoreError> {
    check_text("the name of a variable", &new.name)?;
    count_sealed(act, &new.environment_id, &new.sealed).await?;
    let statement = query(
        "INSERT INTO environment_variables (environment_id, name, sealed, sealed_version, updated_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (environment_id, name) DO UPDATE \
         SET sealed = $3, sealed_version = $4, updated_at = $5, deleted_at = NULL WHERE environment_variables.sealed_version = $6",
    );
    let statement = statement
        .bind(&new.environment_id)
        .bind(new.name.as_str())
        .bind(new.sealed.as_bytes())
        .bind(new.expected_version + 1)
        .bind(act.at)
        .bind(new.expected_version);
    match act.transaction.execute(statement).await? {
        0 => Err(StoreError::version_conflict("environment variable", &new.name)),
        _ => Ok(()),
    }
}

/// Empties a variable. Its version stays, so that the values of one that is made later are told from those of this one.
pub(crate) async fn delete(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    name: &str,
) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE environment_variables SET sealed = $1, deleted_at = $2, updated_at = $2 \
         WHERE environment_id = $3 AND name = $4 AND deleted_at IS NULL",
    );
    let statement = statement.bind(Vec::<u8>::new()).bind(act.at).bind(environment).bind(name);
    match act.transaction.execute(statement).await? {
        0 => Err(StoreError::not_found("environment variable", &name)),
        _ => Ok(()),
    }
}
