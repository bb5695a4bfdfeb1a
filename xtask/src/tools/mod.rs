//! Programs and packages that others made and we need: one file for each, which finds it or installs it.
//!
//! Finding is quick, so that everything can be asked for every time. What can be neither found nor installed is an
//! error that says what to do.

pub(crate) mod apt;
pub(crate) mod chromium;
pub(crate) mod kintone_openapi;
pub(crate) mod named;
pub(crate) mod node;
pub(crate) mod npm_clients;
pub(crate) mod postgresql;
pub(crate) mod program;
pub(crate) mod python;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::output;

/// Where things are kept that are costly to fetch: `$XDG_CACHE_HOME/tombolo`, by default below `~/.cache`.
pub(crate) fn cache_directory() -> Result<PathBuf> {
    let caches = match std::env::var_os("XDG_CACHE_HOME").filter(|value| Path::new(value).is_absolute()) {
        Some(caches) => PathBuf::from(caches),
        None => Path::new(&std::env::var_os("HOME").context("HOME is not set: set it or XDG_CACHE_HOME")?)
            .join(".cache"),
    };
    Ok(caches.join("tombolo"))
}

/// The full path of a program, as the shell would find it.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(program)).find(|file| file.is_file())
}

/// What a program says when it is asked for its version.
fn version_of(program: &Path) -> Result<String> {
    Ok(output(Command::new(program).arg("--version"))?.trim().to_owned())
}
