//! PostgreSQL: the tests of the store start clusters of their own from the programs of the server package.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{apt, named};

/// The directory with `initdb` and `postgres`: that of `PG_BIN`, otherwise the newest of Debian's packages.
pub(crate) fn find_or_install() -> Result<PathBuf> {
    if let Some(named) = named::path("PG_BIN", "the directory of initdb and postgres", has_initdb)? {
        return Ok(named);
    }
    if let Some(directory) = find() {
        return Ok(directory);
    }
    apt::install(&["postgresql"], "PostgreSQL")?;
    find().context("apt installed PostgreSQL, but there is no /usr/lib/postgresql/*/bin/initdb")
}

fn find() -> Option<PathBuf> {
    debian_directories().into_iter().find(|directory| has_initdb(directory))
}

fn has_initdb(directory: &Path) -> bool {
    directory.join("initdb").is_file()
}

/// Debian keeps each major version in a directory of its own; the newest comes first.
fn debian_directories() -> Vec<PathBuf> {
    let root = Path::new("/usr/lib/postgresql");
    let mut versions: Vec<u32> = std::fs::read_dir(root)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.into_iter().map(|version| root.join(version.to_string()).join("bin")).collect()
}
