//! The checkout that the commands work on.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::output;

/// A clone of the repository on this machine.
pub(crate) struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// The checkout whose `cargo xtask` is running.
    ///
    /// The place is asked for at run time: a program that was built in another clone with the same target directory
    /// must not work on that other clone.
    pub(crate) fn find() -> Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .context("CARGO_MANIFEST_DIR is not set: run this as `cargo xtask …`")?;
        let root = Path::new(&manifest).parent().context("the manifest directory has a parent")?;
        Ok(Self { root: root.to_owned() })
    }

    /// The directory with the workspace manifest.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The cargo that runs us, in the root of the checkout.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        command
    }

    /// The tracked files, as paths from the root; those that are deleted but not committed are left out.
    pub(crate) fn tracked_files(&self) -> Result<Vec<String>> {
        let mut git = Command::new("git");
        // A continuous-integration service often runs as another user than the owner of the clone.
        git.arg("-c").arg(format!("safe.directory={}", self.root.display()));
        git.args(["ls-files", "-z"]).current_dir(&self.root);
        let listed =
            output(&mut git).context("the tracked files could not be listed: is this a git clone?")?;
        let exists = |path: &&str| !path.is_empty() && self.root.join(path).is_file();
        Ok(listed.split('\0').filter(exists).map(str::to_owned).collect())
    }
}
