//! Looks at the master key with nothing started.

use std::path::PathBuf;

use secrecy::ExposeSecret as _;
use tombolo_vault::MasterKey;

use super::{MasterKeySource, StartError, StartOptions, read_key_file};

/// Where a master key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// It was given as text, as from an environment variable.
    Text,
    /// This file.
    File(PathBuf),
}

/// The master key that a start would use, and where it is. Makes none, and does not check that it is the right one.
pub fn current_master_key(options: &StartOptions) -> Result<(MasterKey, KeyPlace), StartError> {
    let path = match &options.master_key {
        MasterKeySource::Text(text) => {
            return Ok((MasterKey::parse(text.expose_secret())?, KeyPlace::Text));
        }
        MasterKeySource::File(path) => path.clone(),
        MasterKeySource::DataDirectory if options.postgres.is_some() => {
            return Err(StartError::KeyNotSupplied);
        }
        MasterKeySource::DataDirectory => options.data_directory.join("master.key"),
    };
    Ok((read_key_file(&path)?, KeyPlace::File(path)))
}
