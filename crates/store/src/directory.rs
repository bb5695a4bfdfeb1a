use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::database::SqliteLocation;

/// The directory of an installation on SQLite. While this value lives, no other process can have one for the same directory,
/// so that nobody writes behind a server's back. The operating system ends the lock with the process, however it ends.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

/// The directory cannot be used.
#[derive(Debug, Error)]
pub enum DirectoryError {
    /// Somebody else holds the lock.
    #[error("another process uses the data directory {}; stop it, or talk to it instead of opening its files", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The directory or its lock file cannot be made or opened.
    #[error("the data directory {} cannot be used: {source}; check that it exists on a local disk and that this user may write to it", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl DataDirectory {
    /// Makes the directory if it is missing (readable by its owner only) and takes its lock without waiting.
    pub fn lock(path: &Path) -> Result<Self, DirectoryError> {
        let unusable = |source| DirectoryError::Unusable { path: path.to_owned(), source };
        create(path).map_err(unusable)?;
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).open(path.join("tombolo.lock"));
        let lock = file.map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DirectoryError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Whether no database was ever made here. Only then may a master key be made without being asked for.
    pub fn is_new(&self) -> bool {
        !self.path.join(DATABASE).exists()
    }

    /// Where the databases of this directory are.
    pub fn databases(&self) -> SqliteLocation {
        SqliteLocation::new(self.path.join(DATABASE), self.path.join("activity.db"))
    }

    /// Where the master key is, unless another file is configured.
    pub fn master_key_file(&self) -> PathBuf {
        self.path.join("master.key")
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

const DATABASE: &str = "tombolo.db";

fn create(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");

        let directory = DataDirectory::lock(&path).unwrap();
        assert!(directory.is_new());
        assert!(matches!(DataDirectory::lock(&path), Err(DirectoryError::InUse { .. })));
        drop(directory);
        DataDirectory::lock(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_new_directory_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");

        let _directory = DataDirectory::lock(&path).unwrap();

        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_file_in_the_way_is_reported() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(DataDirectory::lock(file.path()), Err(DirectoryError::Unusable { .. })));
    }
}
