use serde::{Deserialize, Serialize};
use tombolo_vault::{BoundHost, HostSet};

use crate::error::StoreError;

/// One bound host as JSON.
#[derive(Serialize, Deserialize)]
struct StoredHost {
    role: String,
    host: String,
    port: u16,
}

pub(crate) fn to_json(hosts: &HostSet) -> String {
    let stored: Vec<_> = hosts
        .iter()
        .map(|bound| StoredHost {
            role: bound.role().as_str().to_owned(),
            host: bound.host().to_owned(),
            port: bound.port(),
        })
        .collect();
    serde_json::to_string(&stored).expect("texts and numbers always become JSON")
}

pub(crate) fn from_json(text: &str) -> Result<HostSet, StoreError> {
    let stored: Vec<StoredHost> = serde_json::from_str(text).map_err(|error| StoreError::corrupt(&error))?;
    stored
        .into_iter()
        .map(|host| BoundHost::new(host.role.parse()?, &host.host, host.port))
        .collect::<Result<_, _>>()
        .map_err(|error| StoreError::corrupt(&error))
}
