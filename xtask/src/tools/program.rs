//! A program that a package of Debian has under its own name.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{apt, on_path};

/// The program of that name, from the package if it is missing.
pub(crate) fn find_or_install(name: &str, package: &str) -> Result<PathBuf> {
    if let Some(program) = find(name) {
        return Ok(program);
    }
    apt::install(&[package], name)?;
    find(name).with_context(|| format!("apt installed {package}, but there is no `{name}`"))
}

/// On the path, or where only root looks.
fn find(name: &str) -> Option<PathBuf> {
    let sbin = Path::new("/usr/sbin").join(name);
    on_path(name).or_else(|| sbin.is_file().then_some(sbin))
}
