//! What is known about the keys that seal secrets. The keys themselves never leave the vault.

use tombolo_store::Timestamp;
use tombolo_vault::KeyId;

use crate::access::{Access, Scope};
use crate::platform::Platform;
use crate::problem::Problem;

/// The keys of the whole installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationKeys {
    /// Names the master key that wraps new data keys.
    pub master_key: KeyId,
    /// Every environment, oldest first.
    pub environments: Vec<EnvironmentKeys>,
}

/// The data keys of one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentKeys {
    /// The environment's name.
    pub environment: String,
    /// Newest first: the first one seals.
    pub data_keys: Vec<DataKeyFacts>,
}

/// What is known about a data key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataKeyFacts {
    /// Counts the environment's keys from 1.
    pub version: u32,
    /// Names the master key that wraps it.
    pub master_key: KeyId,
    /// How many secrets were sealed with it since it was made.
    pub sealed: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Platform {
    /// Which keys there are, in all environments.
    pub async fn read_keys(&self, access: &Access) -> Result<InstallationKeys, Problem> {
        access.require(Scope::ReadKeys)?;
        let mut environments = Vec::new();
        for environment in self.store.environments().await? {
            let stored = self.store.data_keys(&environment.id).await?;
            let data_keys = stored.into_iter().map(|key| DataKeyFacts {
                version: key.wrapped.version(),
                master_key: key.wrapped.master_key_id(),
                sealed: key.uses,
                created_at: key.created_at,
            });
            environments
                .push(EnvironmentKeys { environment: environment.name, data_keys: data_keys.collect() });
        }
        Ok(InstallationKeys { master_key: self.safe.master_key_id(), environments })
    }
}
