use tombolo_vault::{DataKey, KeyCheck, KeyRing};

use crate::commit::Act;
use crate::database::{Transaction, query};
use crate::environments::{self, NewEnvironment};
use crate::error::StoreError;
use crate::id::{EnvironmentId, InstanceId};
use crate::store::Store;
use crate::timestamp::Timestamp;

/// The installation that a database belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its id, made at the first start.
    pub id: InstanceId,
    /// Proves that a master key is the right one.
    pub key_check: KeyCheck,
    /// When it was first started.
    pub created_at: Timestamp,
}

impl Store {
    /// The installation in this database; `None` before its first start.
    pub async fn instance(&self) -> Result<Option<Instance>, StoreError> {
        let mut rows = self.database.read(query(SELECT)).await?;
        rows.pop().map(read).transpose()
    }

    /// The first start: writes the installation and an environment named `environment` with its first data key.
    /// Every later start: checks that `ring` has the master key of the installation, and writes nothing.
    /// Two processes that start at once end with one installation.
    pub async fn initialise(
        &self,
        ring: &KeyRing,
        environment: &str,
        at: Timestamp,
    ) -> Result<Instance, StoreError> {
        if let Some(instance) = self.instance().await? {
            instance.key_check.verify(ring, instance.id.as_str())?;
            return Ok(instance);
        }
        let id = InstanceId::generate(at, &*self.random)?;
        let key_check = KeyCheck::create(ring.current(), id.as_str(), &*self.random)?;
        let environment_id = EnvironmentId::generate(at, &*self.random)?;
        let data_key = DataKey::generate(environment_id.as_str(), 1, &*self.random)?;
        let first = NewEnvironment {
            id: environment_id,
            name: environment.to_owned(),
            data_key: data_key.wrap(ring.current(), &*self.random)?,
        };

        let mut act = Act::begin(self, at).await?;
        let insert = query(
            "INSERT INTO instance (only_row, id, key_check, created_at) VALUES (1, $1, $2, $3) \
             ON CONFLICT (only_row) DO NOTHING",
        );
        let inserted = act.transaction.execute(insert.bind(&id).bind(key_check.as_bytes()).bind(at)).await?;
        if inserted == 1 {
            environments::insert(&mut act, &first).await?;
        }
        let instance = current(&mut act.transaction).await?;
        instance.key_check.verify(ring, instance.id.as_str())?;
        act.transaction.commit().await?;
        Ok(instance)
    }
}

/// Read before any migration, so its name and the columns that are read stay what they are in every later schema.
pub(crate) const TABLE: &str = "instance";
const SELECT: &str = "SELECT id, key_check, created_at FROM instance";

async fn current(transaction: &mut Transaction) -> Result<Instance, StoreError> {
    let row = transaction.row(query(SELECT)).await?;
    read(row.ok_or_else(|| StoreError::corrupt(&"the row of the installation vanished"))?)
}

fn read(mut row: crate::database::Row) -> Result<Instance, StoreError> {
    Ok(Instance { id: row.parsed()?, key_check: KeyCheck::from_bytes(row.bytes()?), created_at: row.time()? })
}
