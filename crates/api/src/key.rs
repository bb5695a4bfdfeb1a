use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The keys that seal the secrets of the installation. The keys themselves are never told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Keys {
    /// Names the master key that wraps new data keys.
    pub master_key_id: String,
    /// Every environment, oldest first.
    pub environments: Vec<EnvironmentKeys>,
}

/// The data keys of one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnvironmentKeys {
    /// The environment's name.
    pub environment: String,
    /// Newest first: the first one seals, the others only open.
    pub data_keys: Vec<DataKey>,
}

/// What is known about a data key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DataKey {
    /// Counts the environment's keys from 1.
    pub version: u32,
    /// Names the master key that wraps it.
    pub master_key_id: String,
    /// How many secrets were sealed with it since it was made, those among them that were replaced or deleted since.
    pub sealed: u64,
    /// When it was made.
    pub created_at: Timestamp,
}
