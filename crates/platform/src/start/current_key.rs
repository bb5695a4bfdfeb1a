//! Looks at the master key with nothing started.

use std::fs;
use std::io;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use tombolo_vault::MasterKey;

use super::{MasterKeySource, StartError, StartOptions};

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
    match fs::read_to_string(&path).map(SecretString::from) {
        Ok(text) => Ok((MasterKey::parse(text.expose_secret())?, KeyPlace::File(path))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(StartError::KeyMissing { path: path.display().to_string() })
        }
        Err(source) => Err(StartError::KeyFile { path, source }),
    }
}
